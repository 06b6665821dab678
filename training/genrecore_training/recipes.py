"""Recipes: one YAML file a model; every key is checked and documented here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from importlib import resources
from inspect import signature
from pathlib import Path
from typing import Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from genrecore_training.augment import Augmentation
from genrecore_training.auxiliary import Auxiliary, Sounding, Weak

__all__ = [
    "InputSettings",
    "Optimisation",
    "Published",
    "Recipe",
    "RecipeError",
    "Teacher",
    "check",
    "documented_keys",
    "load",
    "names",
    "published",
]

#: What says how good a recipe is or what it is for, and decides nothing about a run.
_NOT_OF_THE_RUN = {"description", "protocols", "published"}


class RecipeError(Exception):
    """A recipe that does not exist or does not read; the message names file, key and what is allowed."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class InputSettings(_Strict):
    """What a network listens to."""

    kind: Literal["waveform", "logmel", "table"] = Field(
        description="samples, a log-mel spectrogram in dB, or numbers of a table (no sound, no model file)"
    )
    samples: int = Field(0, ge=0, description="length of a snippet in samples at 22,050 Hz")
    hop_length: int | None = Field(
        None, ge=1, description="logmel: hop in samples; 1708 is GTZAN's archive's"
    )
    frames: int | None = Field(None, ge=1, description="logmel: columns of a snippet")
    numbers: int | None = Field(None, ge=1, description="table: how many")
    sections: int | None = Field(
        None,
        ge=1,
        description="a track is cut into so many fixed sections, as papers do; none: random snippets",
    )
    crops_per_track: int = Field(10, ge=1, description="random snippets of each track in an epoch")

    @model_validator(mode="after")
    def _complete(self) -> InputSettings:
        needed = {
            "waveform": ("samples",),
            "logmel": ("samples", "hop_length", "frames"),
            "table": ("numbers",),
        }
        for key in needed[self.kind]:
            if not getattr(self, key):
                raise ValueError(f"an input of kind {self.kind} needs {key}")
        if self.kind == "table" and self.sections != 1:
            raise ValueError("an input of kind table has one section: sections: 1")
        return self


class Optimisation(_Strict):
    """How the weights are found."""

    name: Literal["adam", "adamw", "sgd", "rmsprop"] = Field("adam", description="optimiser")
    learning_rate: float = Field(1e-3, gt=0)
    momentum: float = Field(0.0, ge=0, lt=1, description="of sgd")
    weight_decay: float = Field(0.0, ge=0, description="decoupled for adamw, else L2 on all weights")
    schedule: Literal["plateau", "cosine", "constant"] = Field(
        "plateau", description="x0.1 on plateau of the validation loss, one cosine with warm-up, or none"
    )
    patience: int = Field(
        3, ge=1, description="plateau: epochs without a better validation loss, as Keras counts"
    )
    least_learning_rate: float = Field(0.0, ge=0, description="plateau: never below")
    epochs: int = Field(30, ge=1, description="at most")
    early_stopping: int | None = Field(
        None, ge=1, description="epochs without a better validation loss; none: run to the end"
    )
    keep: Literal["best", "last"] | None = Field(
        None,
        description="weights of the best validation loss or the last; none: the best under "
        "plateau, the last under the others, stopped early or not",
    )
    batch: int = Field(64, ge=2, description="snippets a step")
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    ema: float | None = Field(None, gt=0, lt=1, description="decay of the moving average of the weights")
    gradient_clip: float | None = Field(5.0, gt=0, description="largest norm of the gradient; none: any")
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = Field(
        "32-true", description="of the arithmetic in training; models are exported in single precision"
    )


class Teacher(_Strict):
    """Networks that a network learns from, beside or in place of labels."""

    recipes: tuple[str, ...] = Field(
        min_length=1, description="teachers; each is trained on the same fold first"
    )
    seeds: int = Field(1, ge=1, description="of each teacher, counted up from its recipe's")
    share: float = Field(
        0.7,
        ge=0,
        le=1,
        description="of the teachers in a target; the rest is the label; 0: only tracks without one are taught",
    )
    unlabelled: tuple[Sounding, ...] = Field(
        (), description="other data sets, of which the teachers' word is learnt in place of a label"
    )
    crops_per_track: int = Field(
        10,
        ge=1,
        description="random snippets of each unlabelled track in an epoch, if auxiliary does not say",
    )


class Published(_Strict):
    """What a paper says of its network."""

    paper: str = Field(description="author, title")
    accuracy: float = Field(gt=0, le=1, description="the accuracy it prints")
    n: int | None = Field(None, ge=1, description="of how many test items, where it says so")
    protocol: str = Field(description="how it split, in this project's names")
    remark: str = Field("", description="what is known about the figure")


class Recipe(_Strict):
    """Everything that decides a training run, but for protocol and fold."""

    name: str = Field(pattern=r"^\w[\w.-]*$", description="of the recipe and of the model it makes")
    version: str = Field(min_length=1, description="raise it whenever the model changes")
    task: Literal["genre", "mood"] = Field(description="what the model decides")
    description: str = Field("", description="for people: what is as published and what is ours")
    network: str = Field(description="a network's name, as genrecore-train recipes shows them")
    network_options: dict[str, Any] = Field({}, description="arguments of its class")
    dataset: Literal["gtzan", "4qaed", "emotify", "fma", "spotify", "own"] = Field(
        description="a data set's name"
    )
    dataset_options: dict[str, Any] = Field({}, description="arguments of its class, such as FMA's subset")
    input: InputSettings
    augmentation: Augmentation = Augmentation()
    auxiliary: tuple[Auxiliary, ...] = Field((), description="multi-task: what is learnt beside the task")
    weak: tuple[Weak, ...] = Field(
        (),
        description="further tracks of GTZAN's genres, labelled in other words: what these allow is learnt, as the "
        "teachers see it, or evenly where there are none",
    )
    learning_share: float = Field(
        1.0,
        ge=0.125,
        le=1,
        multiple_of=0.125,
        description="of the training artists, in eighths: for learning curves",
    )
    even_artists: float = Field(
        0.0,
        ge=0,
        le=1,
        description="a track's snippets go with the number of its artist's tracks in the class, to the power of minus "
        "this; at 1 all artists of a class give as many",
    )
    nothing: int = Field(
        0, ge=0, description="sounds that are no music, made up, with the even distribution as their target"
    )
    speech: int = Field(0, ge=0, description="pieces of speech, spoken by flite, with the same target")
    int8: bool = Field(
        False, description="the network is quantised (static int8) before it is validated, tested and shipped"
    )
    teacher: Teacher | None = Field(None, description="distillation: networks that it learns from")
    optimisation: Optimisation
    protocols: tuple[str, ...] = Field(description="splits to run, the paper's own first")
    shares: tuple[float, float, float] = Field(
        (0.8, 0.1, 0.1), description="train, validation and test of snippet_random and track_random"
    )
    published: Published | None = Field(None, description="what a paper says, where it is a paper's")
    seed: int = Field(0, ge=0, lt=2**31, description="of weights, snippets, dropout and splits")

    @property
    def digest(self) -> str:
        """SHA-256, in hex, of all that decides a run.

        Blind to layout, comments and keys left at their defaults: a new key changes no old recipe. (So a default, once
        set, is never changed.) Teachers count by their own digests.
        """
        content = self.model_dump(mode="json", exclude=_NOT_OF_THE_RUN, exclude_defaults=True)
        if self.teacher is not None:
            content["teachers"] = [load(name).digest for name in self.teacher.recipes]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def names() -> list[str]:
    """Names of the recipes that come with the package."""
    folder = resources.files("genrecore_training") / "recipes"
    return sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml"))


def published(name: str, task: str | None = None) -> list[Recipe]:
    """The recipes of a published network, or the one recipe of that name.

    Parameters
    ----------
    name : str
        Of a network, such as ``abela-conv``, or of a recipe, such as ``abela-conv-mood``.
    task : {'genre', 'mood'}, optional
        Only recipes of this task.

    Raises
    ------
    RecipeError
        If nothing published has that name.
    """
    known = [recipe for recipe in map(load, names()) if recipe.published is not None]
    found = [r for r in known if name in (r.name, r.network) and task in (None, r.task)]
    if not found:
        every = ", ".join(sorted({recipe.network for recipe in known}))
        wanted = f"{name} for {task}" if task else name
        raise RecipeError(f"{wanted}: nothing published has that name here; there are {every}")
    return found


def load(name_or_path: str | Path) -> Recipe:
    """Read a recipe, given as a name or a path; its teachers are read as well.

    Raises
    ------
    RecipeError
        In one sentence: the file, the line, what is wrong, and what is allowed.
    """
    return _load(name_or_path, ())


def _load(name_or_path: str | Path, students: tuple[str, ...]) -> Recipe:
    if str(name_or_path) in names():
        text = (resources.files("genrecore_training") / "recipes" / f"{name_or_path}.yaml").read_text("utf-8")
    elif Path(name_or_path).is_file():
        try:
            text = Path(name_or_path).read_text("utf-8")
        except UnicodeDecodeError as error:
            raise RecipeError(f"{name_or_path}: no text in UTF-8, so not YAML") from error
    else:
        raise RecipeError(f"{name_or_path}: no such recipe: name a file or one of {', '.join(names())}")
    try:
        recipe = Recipe.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise RecipeError(f"{name_or_path}: not YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise RecipeError(
            f"{name_or_path}, {_fault(text, first['loc'], first['type'], first['msg'])}"
        ) from error
    check(recipe, name_or_path, text)
    for teacher in recipe.teacher.recipes if recipe.teacher else ():
        if teacher in (*students, str(name_or_path)):
            raise RecipeError(f"{name_or_path}: {teacher} is to learn from itself, by way of its teachers")
        _load(teacher, (*students, str(name_or_path)))
    return recipe


def documented_keys() -> list[tuple[str, str, str]]:
    """Every key of a recipe: its path, its default (empty where it must be given), what it means."""
    return list(_keys(Recipe, ""))


def _keys(model: type[BaseModel], before: str) -> Iterator[tuple[str, str, str]]:
    for key, field in model.model_fields.items():
        inner = _model_of(field.annotation)
        if inner is None:
            default = "" if field.is_required() else json.dumps(field.default)
            yield f"{before}{key}", default, field.description or ""
        else:
            yield from _keys(inner, f"{before}{key}.")


def _model_of(annotation: Any) -> type[BaseModel] | None:
    """The model in an annotation such as ``Published | None``, if there is one."""
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _fault(text: str, where: tuple[int | str, ...], kind: str, message: str) -> str:
    """Line, key, what is wrong, and, where a key is unknown, the keys that are allowed."""
    path = ".".join(map(str, where)) or "the whole"
    said = message
    if kind == "extra_forbidden":
        model: type[BaseModel] = Recipe
        for part in where[:-1]:
            if isinstance(part, int):  # of a list, whose model it is already
                continue
            model = _model_of(model.model_fields[str(part)].annotation) or model
        said = f"there is no such key; allowed are {', '.join(model.model_fields)}"
    return f"line {_line(text, where)}: {path}: {said}"


def _line(text: str, where: tuple[int | str, ...]) -> int:
    """The line, from 1, on which a key stands; that of its parent where it is missing."""
    node, line = yaml.compose(text, Loader=yaml.SafeLoader), 1
    for part in where:
        if isinstance(node, yaml.MappingNode):
            entry = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if entry is None:
                break
            line, node = entry[0].start_mark.line + 1, entry[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line


def made_by(digest: str) -> Recipe | None:
    """The recipe of the package that has this digest, such as a model's card names; None if it is none of them."""
    return next((recipe for recipe in map(load, names()) if recipe.digest == digest), None)


def check(recipe: Recipe, source: str | Path, text: str = "") -> None:
    """Refuse a network that does not exist, options that it does not know, and an input that cannot be.

    Parameters
    ----------
    recipe : Recipe
        The recipe.
    source : str or Path
        What it is called in the message.
    text : str
        Its YAML, for the line in the message.

    Raises
    ------
    RecipeError
        In one sentence.
    """
    from genrecore_training.export import shape_of
    from genrecore_training.networks import NETWORKS

    def fault(where: tuple[int | str, ...], said: str) -> RecipeError:
        line = f", line {_line(text, where)}" if text else ""
        return RecipeError(f"{source}{line}: {'.'.join(map(str, where))}: {said}")

    if recipe.network not in NETWORKS:
        raise fault(("network",), f"there is no {recipe.network!r}; allowed are {', '.join(NETWORKS)}")
    known = list(signature(NETWORKS[recipe.network]).parameters)
    known = [name for name in known if name not in ("classes", "shape", "cell")]
    for option in recipe.network_options:
        if option not in known:
            raise fault(
                ("network_options", option),
                f"there is no such option; allowed are {', '.join(known) or 'none'}",
            )
    if recipe.auxiliary and not hasattr(NETWORKS[recipe.network], "embed"):
        raise fault(("auxiliary",), f"{recipe.network} has no embedding that further heads could share")
    for key in ("auxiliary", "weak", "nothing", "speech", "teacher"):
        if getattr(recipe, key) and recipe.input.sections is not None:
            raise fault((key,), "it is for random snippets: leave out input.sections")
    named = [auxiliary.dataset for auxiliary in recipe.auxiliary]
    if len(set(named)) < len(named):
        raise fault(("auxiliary",), "a data set stands there twice: give all its targets in one place")
    beside = {*named, *(recipe.teacher.unlabelled if recipe.teacher else ())}
    if beside & {weak.dataset for weak in recipe.weak} or len({w.dataset for w in recipe.weak}) < len(
        recipe.weak
    ):
        raise fault(("weak",), "a data set has one number of snippets: name it in one place")
    if recipe.even_artists and recipe.input.sections is not None:
        raise fault(("even_artists",), "it is for random snippets: leave out input.sections")
    if recipe.weak and recipe.dataset != "gtzan":
        raise fault(("weak",), "it is for GTZAN's genres: other data sets' words are known in these only")
    if recipe.int8 and recipe.input.kind == "table":
        raise fault(("int8",), "it is for networks that hear sound")
    if recipe.augmentation.style and recipe.input.kind != "logmel":
        raise fault(("augmentation", "style"), "it is for log-mels")
    try:
        shape_of(recipe.input)
    except ValueError as error:
        raise fault(("input",), str(error)) from error
