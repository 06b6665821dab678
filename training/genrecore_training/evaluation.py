"""Does a model file reach the figure that it carries?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from genrecore import model as model_files
from genrecore.card import Figure
from genrecore_training import recipes as recipe_files
from genrecore_training.datasets import Dataset
from genrecore_training.recipes import RecipeError
from genrecore_training.results import figure_of_fold
from genrecore_training.runs import Places, Run

__all__ = ["evaluate"]


def evaluate(
    path: Path, places: Places, *, recipe: str | Path = "", dataset: Dataset | None = None
) -> Iterator[tuple[Figure, Figure]]:
    """Test a model file on the fold that its figures are of.

    Parameters
    ----------
    path : Path
        The model file.
    places : Places
        Folders; nothing is trained.
    recipe : str or Path
        What it was made by, a name or a file; searched for among those of the package if not given.
    dataset : Dataset, optional
        In place of the one that the recipe names.

    Yields
    ------
    tuple of Figure
        What the file says, and what was found.

    Raises
    ------
    RecipeError
        If the file has no figure of its own, the recipe is not the one that made it, or other data is at hand than
        when it was made.
    ModelError
        If the file is no model.
    """
    card = model_files.load(path, device="cpu").card
    own = [figure for figure in card.figures if figure.fold is not None]
    if not own:
        raise RecipeError(
            f"{path}: {card.id} has no figure of its own, since no track was held out from it; its recipe is tested by "
            "genrecore-train run"
        )
    loaded = recipe_files.load(recipe) if recipe else recipe_files.made_by(card.recipe_hash)
    if loaded is None:
        raise RecipeError(
            f"{path}: {card.id} was made by no recipe of this package: name its file with --recipe"
        )
    if loaded.digest != card.recipe_hash:
        raise RecipeError(f"{path}: {card.id} was made by another recipe than {recipe} is now")
    for figure in own:
        run = Run(loaded, figure.protocol, figure.fold or 0, places, dataset=dataset)
        found = figure_of_fold(run, run.hear_test(path))
        if found.n != figure.n:
            raise RecipeError(
                f"{path}: its figure is of {figure.n} test tracks, and with the data that is here the fold has "
                f"{found.n}, some of which it may have learnt from: evaluate it on the data that it was made of"
            )
        yield figure, found
