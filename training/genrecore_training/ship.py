"""The model that is shipped: trained on everything, described with the figures its recipe reached."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

from genrecore import model as model_files
from genrecore_training import results as result_files
from genrecore_training.export import describe
from genrecore_training.recipes import Recipe
from genrecore_training.runs import Places, Run

__all__ = ["ship"]


def ship(recipe: Recipe, places: Places, results: Path, target: Path) -> Path:
    """Train on all tracks but an eighth for decisions, and write the model file.

    Parameters
    ----------
    recipe : Recipe
        What to train.
    places : Places
        Folders.
    results : Path
        Folder of the results files: what the card says of the model's figures.
    target : Path
        Folder for the model file.

    Returns
    -------
    Path
        The model file.
    """
    run = Run(recipe, "all", 0, places)
    run.execute()
    card = model_files.load(run.model_file, device="cpu").card
    figures = result_files.figures_for_card(result_files.read_all(results), recipe)
    target.mkdir(parents=True, exist_ok=True)
    fresh = target / f"{recipe.name}.partial"
    shutil.copyfile(run.model_file, fresh)
    describe(fresh, dataclasses.replace(card, figures=figures))
    return fresh.replace(target / f"{recipe.name}.onnx")
