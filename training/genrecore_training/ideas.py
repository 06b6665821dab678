"""Ideas: changes of a recipe that are tried on a small budget, and judged on tracks that no test reads.

An ideas file (YAML) names recipe, protocol and budget, and for each idea what is changed and expected; what was found
goes into a JSON file of the same name beside it, and what was made of it is written into the YAML file by hand.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from genrecore_training import recipes as recipe_files
from genrecore_training.calibration import calibrated
from genrecore_training.paired import difference
from genrecore_training.recipes import Recipe, RecipeError
from genrecore_training.results import main_way, read
from genrecore_training.runs import Places, Run
from genrecore_training.statistics import (
    INTERVAL,
    Verdict,
    accuracy,
    bootstrap,
    log_loss,
    macro_f1,
    mean_accuracy,
)
from genrecore_training.train import ANY_DEVICE, Compute

__all__ = ["Idea", "Ideas", "load", "try_ideas"]


class Idea(BaseModel):
    """One change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[^|\n]+$", description="short")
    expectation: str = Field(
        min_length=1, description="what should become of it, and why; written before it is tried"
    )
    change: dict[str, Any] = Field(
        {}, description="keys of the recipe; maps are merged, all else is replaced"
    )
    verdict: str = Field("", description="what was made of it; written afterwards")


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
    try:
        found = Ideas.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except OSError as error:
        raise RecipeError(f"{path}: {error.strerror}: name an ideas file") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise RecipeError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
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
    recipes = {idea.name: ideas.recipe_of(idea) for idea in ideas.ideas}  # all faults before the first hour
    target = path.with_suffix(".json")
    found = {entry["idea"]: entry for entry in read(target)["ideas"]} if target.is_file() else {}
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
            **_figures(heard, yardstick),
            **notes,
        }
        ordered = [found[known.name] for known in ideas.ideas if known.name in found]
        _write(
            target,
            {**ideas.model_dump(mode="json", exclude={"ideas"}), "interval": INTERVAL, "ideas": ordered},
        )
        yield _sentence(found[idea.name])


def _validate(
    recipe: Recipe, ideas: Ideas, places: Places, compute: Compute
) -> tuple[list[Verdict], dict[str, Any]]:
    """What the validation tracks of all folds and seeds say, and what it took."""
    heard: list[Verdict] = []
    first = Run(recipe, ideas.protocol, 0, places, compute=compute)
    count = len(first.bench.splits(ideas.protocol))
    folds, seeds = range(min(count, ideas.folds or count)), range(recipe.seed, recipe.seed + ideas.seeds)
    spent, size = 0.0, {}
    for seed in seeds:
        for fold in folds:
            seeded = recipe.model_copy(update={"seed": seed})
            run = Run(seeded, ideas.protocol, fold, places, dataset=first.bench.dataset, compute=compute)
            run.fit()
            heard += run.validated()
            notes = run.training_notes()
            spent += notes["seconds"]
            size = {key: notes[key] for key in ("parameters", "multiply_adds")}
    way = main_way({verdict.kind for verdict in heard})
    heard = [verdict for verdict in heard if verdict.kind == way]
    return heard, {"folds": len(folds), "seeds": list(seeds), "seconds": round(spent), **size}


def _figures(heard: Sequence[Verdict], yardstick: Sequence[Verdict]) -> dict[str, Any]:
    metrics: dict[str, Callable[[Sequence[Verdict]], float]] = {
        "accuracy": accuracy,
        "macro F1": macro_f1,
        "accuracy of mean probability": mean_accuracy,
    }
    found: dict[str, Any] = {"n": len({verdict.id for verdict in heard})}
    for name, metric in metrics.items():
        low, high = bootstrap(heard, metric)
        found[name] = {"value": round(metric(heard), 4), "low": round(low, 4), "high": round(high, 4)}
    found["log loss"] = round(log_loss(calibrated(heard, 1.0)), 4)
    ahead = difference(heard, yardstick)
    found["ahead"] = {
        "value": round(ahead.value, 4),
        "low": round(ahead.low, 4),
        "high": round(ahead.high, 4),
    }
    return found


def _sentence(entry: Mapping[str, Any]) -> str:
    right, ahead = entry["accuracy"], entry["ahead"]
    return (
        f"{entry['idea']}: accuracy {right['value']:.4f} [{right['low']:.4f}, {right['high']:.4f}], n = {entry['n']}, "
        f"ahead by {ahead['value']:+.4f} [{ahead['low']:+.4f}, {ahead['high']:+.4f}]; macro F1 "
        f"{entry['macro F1']['value']:.4f}; log loss {entry['log loss']:.4f}; {entry['seconds']} s"
    )


def _write(path: Path, content: Mapping[str, Any]) -> None:
    fresh = path.with_suffix(".partial")
    fresh.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    fresh.replace(path)


def _merged(content: dict[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(content)
    for key, value in change.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged
