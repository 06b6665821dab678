"""Ideas: changes of a recipe that are tried on a small budget, and judged by validation tracks.

An ideas file (YAML) names recipe, protocol and budget, and for each idea what is changed and expected; what was found
goes into a JSON file of the same name beside it, and what was made of it is written into the YAML file by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from genrecore_training import recipes as recipe_files
from genrecore_training.calibration import calibrated
from genrecore_training.lessons import check_sources
from genrecore_training.paired import difference
from genrecore_training.recipes import Recipe, RecipeError
from genrecore_training.results import ResultError, by_way, main_way, measured, read, save
from genrecore_training.runs import Places, Run, runs_of
from genrecore_training.statistics import (
    INTERVAL,
    Verdict,
    accuracy,
    log_loss,
    macro_f1,
    mean_accuracy,
)
from genrecore_training.train import ANY_DEVICE, Compute

__all__ = ["Idea", "Ideas", "load", "outdated_ideas", "stale", "tried", "try_ideas"]


# What can stand in a cell of a table.
_CELL = r"^[^|\n]+$"
_CELL_OR_NOTHING = r"^[^|\n]*$"


class Idea(BaseModel):
    """One change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=_CELL, description="short")
    expectation: str = Field(
        pattern=_CELL, description="what should become of it, and why; written before it is tried"
    )
    change: dict[str, Any] = Field(
        {}, description="keys of the recipe; maps are merged, all else is replaced"
    )
    verdict: str = Field("", pattern=_CELL_OR_NOTHING, description="what was made of it; written afterwards")


class Ideas(BaseModel):
    """An ideas file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    recipe: str = Field(description="name of the recipe that is changed")
    protocol: str = Field(
        "development", description="whose validation parts judge; its test parts are not read"
    )
    folds: int | None = Field(None, ge=1, description="only the first so many")
    seeds: int = Field(1, ge=1, description="how many, counted up from the recipe's")
    budget: dict[str, Any] = Field(
        {}, description="changes that all ideas have in common, such as fewer epochs"
    )
    ideas: tuple[Idea, ...] = Field(
        min_length=1, description="the first is what the others are compared with"
    )

    def recipe_of(self, idea: Idea) -> Recipe:
        """The recipe as an idea has it.

        Raises
        ------
        RecipeError
            If the change makes no recipe.
        """
        content = recipe_files.load(self.recipe).model_dump(mode="json")
        for change in (self.budget, idea.change):
            content = _merged(content, change)
        try:
            changed = Recipe.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            raise RecipeError(f"{idea.name}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
        recipe_files.check(changed, idea.name)
        return changed


def load(path: Path) -> Ideas:
    """Read an ideas file.

    Raises
    ------
    RecipeError
        In one sentence: the file and what is wrong.
    """
    if path.suffix not in (".yaml", ".yml"):
        raise RecipeError(f"{path}: an ideas file ends in .yaml")
    try:
        found = Ideas.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except OSError as error:
        raise RecipeError(f"{path}: {error.strerror}: name an ideas file") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise RecipeError(f"{path}: {place}: {first['msg']}") from error
    names = [idea.name for idea in found.ideas]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise RecipeError(f"{path}: two ideas are called {twice}")
    return found


def try_ideas(
    path: Path, places: Places, *, only: Sequence[str] = (), compute: Compute = ANY_DEVICE
) -> Iterator[str]:
    """Train what is not trained yet, and write what the validation tracks say.

    Parameters
    ----------
    path : Path
        The ideas file.
    places : Places
        Folders.
    only : sequence of str
        Names of the ideas to try, and the first, which the others are compared with; none: all.
    compute : Compute
        On what to train.

    Yields
    ------
    str
        A line for each idea.

    Raises
    ------
    RecipeError
        If the file, or a change in it, is faulty.
    """
    ideas = load(path)
    unknown = set(only) - {idea.name for idea in ideas.ideas}
    if unknown:
        raise RecipeError(f"{path}: there is no idea {min(unknown)}")
    recipes = {idea.name: ideas.recipe_of(idea) for idea in ideas.ideas}
    _check_judges(recipes, ideas, places)  # all faults before the first hour
    head = _head(ideas, recipes)
    target = path.with_suffix(".json")
    found = {entry["idea"]: entry for entry in tried(target) if not stale(entry, head, recipes)}
    yardstick: list[Verdict] | None = None
    for idea in ideas.ideas:
        if yardstick is not None and only and idea.name not in only:
            continue
        heard, notes = _validate(recipes[idea.name], ideas, places, compute)
        yardstick = heard if yardstick is None else yardstick
        found[idea.name] = {
            "idea": idea.name,
            "change": idea.change,
            "recipe_hash": recipes[idea.name].digest,
            "tried with": head,
            **_figures(heard, yardstick),
            **notes,
        }
        ordered = [found[known.name] for known in ideas.ideas if known.name in found]
        save({"interval": INTERVAL, "ideas": ordered}, target)
        yield _sentence(found[idea.name])


def tried(path: Path) -> list[dict[str, Any]]:
    """What is in a file that `try_ideas` wrote, an entry an idea; nothing where there is no file.

    Raises
    ------
    ResultError
        If it is another kind of file.
    """
    if not path.is_file():
        return []
    try:
        entries: list[dict[str, Any]] = [{**entry, "idea": entry["idea"]} for entry in read(path)["ideas"]]
    except (KeyError, TypeError) as error:
        raise ResultError(f"{path} is not what became of ideas: move it away, and it will be made") from error
    return entries


def outdated_ideas(path: Path) -> list[str]:
    """One sentence for each idea that was tried with something else than an ideas file says now.

    Raises
    ------
    RecipeError, ResultError
        If one of the two files is faulty.
    """
    ideas = load(path)
    recipes = {idea.name: ideas.recipe_of(idea) for idea in ideas.ideas}
    head, target = _head(ideas, recipes), path.with_suffix(".json")
    return [
        f"{target}: {entry['idea']} was tried with something else than {path.name} says now: try it again"
        for entry in tried(target)
        if stale(entry, head, recipes)
    ]


def stale(entry: Mapping[str, Any], head: Mapping[str, Any], recipes: Mapping[str, Recipe]) -> bool:
    """Whether an idea was tried with another recipe, or compared with another yardstick, than today's."""
    recipe = recipes.get(entry["idea"])
    return recipe is None or entry.get("recipe_hash") != recipe.digest or entry.get("tried with") != head


def _head(ideas: Ideas, recipes: Mapping[str, Recipe]) -> dict[str, Any]:
    """What all ideas of a file have in common."""
    first = ideas.ideas[0].name
    return {
        "protocol": ideas.protocol,
        "folds": ideas.folds,
        "seeds": ideas.seeds,
        "yardstick": recipes[first].digest,
    }


def _runs(recipe: Recipe, ideas: Ideas, places: Places, compute: Compute = ANY_DEVICE) -> list[Run]:
    """One for each seed and fold."""
    by_seed = runs_of(recipe, ideas.protocol, places, folds=ideas.folds, seeds=ideas.seeds, compute=compute)
    return [run for folds in by_seed for run in folds]


def _check_judges(recipes: Mapping[str, Recipe], ideas: Ideas, places: Places) -> None:
    """Refuse ideas that other tracks would judge than those of the first, or whose data is not there."""
    judges: frozenset[str] | None = None
    for name, recipe in recipes.items():
        check_sources(recipe, places.data)
        found = frozenset(track for run in _runs(recipe, ideas, places) for track in run.split.validation)
        judges = found if judges is None else judges
        if found != judges:
            raise RecipeError(
                f"{name}: its validation tracks are not those of the first idea, so the two cannot be compared"
            )


def _validate(
    recipe: Recipe, ideas: Ideas, places: Places, compute: Compute
) -> tuple[list[Verdict], dict[str, Any]]:
    """What the validation tracks of all folds and seeds say, and what it took."""
    heard: list[Verdict] = []
    runs, spent, notes = _runs(recipe, ideas, places, compute), 0.0, {}
    for run in runs:
        run.fit()
        heard += run.validated()
        notes = run.training_notes()
        spent += notes["seconds"]
    ways = by_way(heard)
    took = {
        "folds": len({run.fold for run in runs}),
        "seeds": sorted({run.recipe.seed for run in runs}),
        "seconds": round(spent),
        "parameters": notes["parameters"],
        "multiply_adds": notes["multiply_adds"],
    }
    return ways[main_way(ways)], took


def _figures(heard: Sequence[Verdict], yardstick: Sequence[Verdict]) -> dict[str, Any]:
    metrics: dict[str, Callable[[Sequence[Verdict]], float]] = {
        "accuracy": accuracy,
        "macro F1": macro_f1,
        "accuracy of mean probability": mean_accuracy,
    }
    found: dict[str, Any] = {"n": len({verdict.id for verdict in heard})}
    found |= {name: measured(heard, metric) for name, metric in metrics.items()}
    found["log loss"] = round(log_loss(calibrated(heard, 1.0)), 4)
    ahead = asdict(difference(heard, yardstick))
    return found | {"ahead": {key: round(value, 4) for key, value in ahead.items()}}


def _sentence(entry: Mapping[str, Any]) -> str:
    right, ahead = entry["accuracy"], entry["ahead"]
    return (
        f"{entry['idea']}: accuracy {right['value']:.4f} [{right['low']:.4f}, {right['high']:.4f}], n = {entry['n']}, "
        f"ahead by {ahead['value']:+.4f} [{ahead['low']:+.4f}, {ahead['high']:+.4f}]; macro F1 "
        f"{entry['macro F1']['value']:.4f}; log loss {entry['log loss']:.4f}; {entry['seconds']} s"
    )


def _merged(content: dict[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(content)
    for key, value in change.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged
