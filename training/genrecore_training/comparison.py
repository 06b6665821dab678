"""Paired comparison of two recipes that were tested on the same tracks."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from genrecore_training.paired import Paired, mcnemar
from genrecore_training.protocols import group_of
from genrecore_training.recipes import Recipe, RecipeError
from genrecore_training.results import main_way, pooled, save
from genrecore_training.runs import Places, runs_of

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True)
class Comparison:
    """Which of two recipes is right on how many tracks on which the other is not.

    Parameters
    ----------
    one, other : Recipe
        The recipes.
    protocol : str
        Under which both were tested.
    paired : Paired
        McNemar's exact test, and the randomisation test by group.
    """

    one: Recipe
    other: Recipe
    protocol: str
    paired: Paired

    @property
    def sentence(self) -> str:
        """For people."""
        paired, group = self.paired, group_of(self.protocol)
        return (
            f"{self.protocol}, {paired.n} test items: only {self.one.name} is right on {paired.only_one}, only "
            f"{self.other.name} on {paired.only_other}; McNemar exact p = {paired.p:.4f}; "
            f"{paired.groups} {group}, each as a whole: p = {paired.p_of_groups:.4f}"
        )

    def write(self, folder: Path) -> Path:
        """Write the results file, and return it."""
        data = {
            "one": self.one.name,
            "other": self.other.name,
            "protocol": self.protocol,
            "recipe_hashes": [self.one.digest, self.other.digest],
            "seeds": [self.one.seed, self.other.seed],
            **asdict(self.paired),
        }
        name = f"{self.one.name}--{self.other.name}--{self.protocol}.json"
        return save(data, folder / "comparisons" / name)


def compare(one: Recipe, other: Recipe, protocol: str, places: Places) -> Comparison:
    """Compare two recipes by their tests, as far as both have run the same folds.

    Raises
    ------
    RecipeError
        If one was not run, or the two were tested on other tracks.
    """
    tested = []
    for recipe in (one, other):
        (folds,) = runs_of(recipe, protocol, places)
        done = [run for run in folds if run.tested_file.is_file()]
        if not done:
            raise RecipeError(
                f"{recipe.name} was not tested under {protocol}: genrecore-train run {recipe.name}"
            )
        ways = pooled(done)
        tested.append(ways[main_way(ways)])
    try:
        return Comparison(one, other, protocol, mcnemar(*tested))
    except ValueError as error:
        raise RecipeError(f"{one.name} and {other.name}, {protocol}: {error}") from error
