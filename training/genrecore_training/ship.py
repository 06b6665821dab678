"""Model files for people: a run's model, described with the figures its recipe reached."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path

from genrecore import model as model_files
from genrecore.card import Figure
from genrecore_training import results as result_files
from genrecore_training.datasets import Dataset
from genrecore_training.export import describe
from genrecore_training.recipes import Recipe, RecipeError
from genrecore_training.runs import Places, Run
from genrecore_training.train import ANY_DEVICE, Compute

__all__ = ["publish", "ship"]


def ship(
    recipe: Recipe,
    places: Places,
    results: Path,
    target: Path,
    *,
    protocol: str = "all",
    fold: int = 0,
    compute: Compute = ANY_DEVICE,
    dataset: Dataset | None = None,
) -> Path:
    """Train, on all tracks but an eighth for decisions, or on a fold, and write the model file.

    The card of a fold's model has the figure of its own test; that of one trained on everything, which has none,
    those of its recipe.

    Parameters
    ----------
    recipe : Recipe
        What to train.
    places : Places
        Folders.
    results : Path
        Folder of the results files: what the card says of the figures of a model that was trained on everything. The
        tracks that it has learnt from, was validated and tested on are written there, into ``shipped``.
    target : Path
        The model file.
    protocol : str
        ``all``, or a protocol with a test.
    fold : int
        Which of its folds.
    compute : Compute
        On what to train.
    dataset : Dataset, optional
        In place of the one that the recipe names.

    Returns
    -------
    Path
        The model file.

    Raises
    ------
    RecipeError
        If the network hears no sound.
    """
    if recipe.input.kind == "table":
        raise RecipeError(f"{recipe.name} is on numbers of a table: there is no model file of it for beets")
    run = Run(recipe, protocol, fold, places, compute=compute, dataset=dataset)
    run.execute()
    _publish_run(run, results, target)
    made_of = {
        "model": model_files.read_card(target).id,
        "recipe_hash": recipe.digest,
        "protocol": protocol,
        "fold": fold,
        "train": result_files.read(run.learnt_file),
        "validation": list(run.split.validation),
        "test": list(run.split.test),
    }
    result_files.save(made_of, results / "shipped" / f"{target.stem}.json")
    return target


def _publish_run(run: Run, results: Path, target: Path) -> None:
    if run.split.test:
        figures = [result_files.figure_of_fold(run, run.tested())]
    else:
        figures = [*result_files.figures_for_card(result_files.read_all(results), run.recipe)]
    publish(run.model_file, figures, target)


def publish(model: Path, figures: Sequence[Figure], target: Path) -> Path:
    """Copy a run's model to where people want it, with its figures in its card; whole or not at all.

    Parameters
    ----------
    model : Path
        The run's model file.
    figures : sequence of Figure
        What it, or its recipe, reached.
    target : Path
        The model file for people.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f"{target.name}.partial")
    shutil.copyfile(model, fresh)
    card = model_files.load(model, device="cpu").card
    describe(fresh, dataclasses.replace(card, figures=tuple(figures)))
    return fresh.replace(target)
