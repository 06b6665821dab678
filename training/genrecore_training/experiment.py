"""An experiment: a recipe under one protocol, all its folds, as many seeds as wanted; results file, plots and model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from genrecore_training import results as result_files
from genrecore_training.datasets import Dataset
from genrecore_training.hear import HEARD
from genrecore_training.paired import mcnemar
from genrecore_training.recipes import Recipe, RecipeError
from genrecore_training.results import by_way, main_way, pooled
from genrecore_training.runs import Places, Run, runs_of
from genrecore_training.ship import publish
from genrecore_training.statistics import accuracy, bootstrap
from genrecore_training.train import ANY_DEVICE, Compute

__all__ = ["experiment"]

# Beside the plots, once they are all drawn.
_DRAWN_OF = "drawn-of.txt"


def experiment(
    recipe: Recipe,
    protocol: str,
    places: Places,
    results: Path,
    *,
    folds: int | None = None,
    seeds: int = 1,
    int8: bool = False,
    compute: Compute = ANY_DEVICE,
    dataset: Dataset | None = None,
) -> Iterator[str]:
    """Run what is not run yet, and write what was found.

    Parameters
    ----------
    recipe : Recipe
        What to train.
    protocol : str
        How to split.
    places : Places
        Folders.
    results : Path
        Folder for the results file.
    folds : int, optional
        Only the first so many folds.
    seeds : int
        How many, counted up from the recipe's.
    int8 : bool
        Also quantise each fold's model and test it.
    compute : Compute
        On what to train.
    dataset : Dataset, optional
        In place of the one that the recipe names.

    Yields
    ------
    str
        Lines for people: figures, files.
    """
    if int8 and recipe.input.kind == "table":
        raise RecipeError(f"{recipe.name} is on numbers of a table: --int8 is for models of sound")
    if int8 and recipe.int8:
        raise RecipeError(f"{recipe.name} is quantised as it is: leave out --int8")
    by_seed = runs_of(recipe, protocol, places, folds=folds, seeds=seeds, dataset=dataset, compute=compute)
    bench, wanted = by_seed[0][0].bench, len(by_seed[0])
    remark = f" ({said})" if (said := bench.remark(protocol)) else ""
    yield (
        f"{recipe.name}, {protocol}: {wanted} of {len(bench.splits(protocol))} fold(s), {seeds} seed(s){remark}"
    )
    runs = [run for folds_of_seed in by_seed for run in folds_of_seed]
    new = any(not run.tested_file.is_file() for run in runs)
    for run in runs:
        run.execute()
    if not any(run.split.test for run in by_seed[0]):
        yield f"{protocol} tests nothing: genrecore-train export {recipe.name} writes the model"
        return
    result = result_files.collect(by_seed)
    figure = result_files.main_figure(result)
    yield (
        f"accuracy {figure['value']:.4f} [{figure['low']:.4f}, {figure['high']:.4f}], n = {figure['n']} "
        f"({HEARD[figure['on']]}){_published(recipe, protocol)}"
    )
    if int8:
        small = result["int8"] = _quantised_figures(by_seed[0])
        yield (
            f"int8: accuracy {small['accuracy']:.4f} [{small['low']:.4f}, {small['high']:.4f}], the same class as in "
            f"single precision on {small['same class']:.1%} (McNemar exact p = {small['McNemar exact p']:.4f})"
        )
        yield f"wrote {by_seed[0][0].quantised()}"
    yield result_files.write(result, results)
    plots = places.runs / recipe.name / f"{protocol}-plots"
    if new or not _are_of(plots, by_seed[0]):
        yield from _plots(by_seed[0], plots)
    if dataset is None:
        yield from _model(by_seed[0][0], places)


def _quantised_figures(runs: Sequence[Run]) -> dict[str, Any]:
    """Accuracy of the quantised models of tested folds on the same test tracks, and where they differ."""
    ways = pooled(runs)
    way = main_way(ways)
    same_way = by_way(item for run in runs for item in run.hear_test(run.quantised()))[way]
    low, high = bootstrap(same_way, accuracy)
    paired = mcnemar(ways[way], same_way)
    full, small = ({item.id: item.histogram.top for item in items} for items in (ways[way], same_way))
    return {
        "on": way,
        "n": len(same_way),
        "accuracy": round(accuracy(same_way), 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "same class": round(sum(full[name] == small[name] for name in full) / len(full), 4),
        "McNemar exact p": round(paired.p, 4),
        "bytes": [runs[0].model_file.stat().st_size, runs[0].quantised().stat().st_size],
    }


def _published(recipe: Recipe, protocol: str) -> str:
    said = recipe.published
    if said is None:
        return ""
    if said.protocol == protocol:
        return f"; published {said.accuracy:.4f}"
    return f"; published {said.accuracy:.4f} under {said.protocol}, which does not keep artists apart"


def _are_of(plots: Path, runs: list[Run]) -> bool:
    """Whether the plots are all there and of these runs: those of an earlier recipe lie in the same folder."""
    note = plots / _DRAWN_OF
    return note.is_file() and note.read_text("utf-8") == _names_of(runs)


def _names_of(runs: list[Run]) -> str:
    return "".join(f"{run.recipe.digest} fold {run.fold}\n" for run in runs)


def _plots(runs: list[Run], folder: Path) -> Iterator[str]:
    from genrecore_training.pictures import draw

    for old in (folder / _DRAWN_OF, *folder.glob("*.png")):
        old.unlink(missing_ok=True)
    for path in draw(runs, folder):
        yield f"wrote {path}"
    (folder / _DRAWN_OF).write_text(_names_of(runs), "utf-8")


def _model(run: Run, places: Places) -> Iterator[str]:
    """The first fold's model with its figure, where people find it."""
    if run.recipe.input.kind == "table":
        return
    target = places.runs / run.recipe.name / f"{run.recipe.name}--{run.protocol}.onnx"
    publish(run.model_file, [result_files.figure_of_fold(run, run.tested())], target)
    yield f"wrote {target}: name it in beets' option genreclf.{run.recipe.task}_model"
