"""Paired comparison of two recipes that were tested on the same tracks."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from genrecore_training.paired import Difference, Paired, difference, mcnemar
from genrecore_training.protocols import group_of
from genrecore_training.recipes import Recipe, RecipeError
from genrecore_training.results import main_way, pooled, save
from genrecore_training.runs import Places, runs_of
from genrecore_training.statistics import Verdict

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
    on : str
        Way of hearing, one that both have.
    paired : Paired
        McNemar's exact test, and the randomisation test by group; of the first seeds.
    ahead : Difference
        Accuracy of the one less that of the other, over all seeds.
    seeds : int
        How many of each.
    """

    one: Recipe
    other: Recipe
    protocol: str
    on: str
    paired: Paired
    ahead: Difference
    seeds: int = 1

    @property
    def sentence(self) -> str:
        """For people."""
        paired, ahead, group = self.paired, self.ahead, group_of(self.protocol)
        return (
            f"{self.protocol}, {paired.n} test items: only {self.one.name} is right on {paired.only_one}, only "
            f"{self.other.name} on {paired.only_other}; McNemar exact p = {paired.p:.4f}; "
            f"{paired.groups} {group}, each as a whole: p = {paired.p_of_groups:.4f}; {self.one.name} is ahead by "
            f"{ahead.value:+.4f} [{ahead.low:+.4f}, {ahead.high:+.4f}], {self.seeds} seed(s)"
        )

    def write(self, folder: Path) -> Path:
        """Write the results file, and return it."""
        data = {
            "one": self.one.name,
            "other": self.other.name,
            "protocol": self.protocol,
            "recipe_hashes": [self.one.digest, self.other.digest],
            "seeds": [self.one.seed, self.other.seed],
            "on": self.on,
            **asdict(self.paired),
            "ahead": {**asdict(self.ahead), "seeds": self.seeds},
        }
        name = f"{self.one.name}--{self.other.name}--{self.protocol}.json"
        return save(data, folder / "comparisons" / name)


def compare(one: Recipe, other: Recipe, protocol: str, places: Places, *, seeds: int = 1) -> Comparison:
    """Compare two recipes by their tests, as far as both have run the same folds.

    Parameters
    ----------
    one, other : Recipe
        The recipes.
    protocol : str
        Under which both were tested.
    places : Places
        Folders.
    seeds : int
        How many of each, counted up from the recipe's, for the difference of the accuracies.

    Raises
    ------
    RecipeError
        If one was not run, or the two were tested on other tracks.
    """
    tested = [_tested(recipe, protocol, places, seeds) for recipe in (one, other)]
    common = set.intersection(*({*ways} for of_seeds in tested for ways in of_seeds))
    if not common:
        raise RecipeError(f"{one.name} and {other.name}, {protocol}: they hear nothing in common")
    way = main_way(common)
    first, second = ([ways[way] for ways in of_seeds] for of_seeds in tested)
    ids, other_ids = ([{item.id for item in heard} for heard in of_seeds] for of_seeds in (first, second))
    if ids != other_ids:  # seed by seed: some protocols draw other tracks with another seed
        raise RecipeError(
            f"{one.name} and {other.name}, {protocol}: not all seeds were tested on the same folds: give "
            f"genrecore-train run RECIPE --protocol {protocol} --seeds {seeds} for both"
        )
    pooled_seeds = ([item for heard in of_seeds for item in heard] for of_seeds in (first, second))
    try:
        paired = mcnemar(first[0], second[0])
        return Comparison(one, other, protocol, way, paired, difference(*pooled_seeds), seeds)
    except ValueError as error:
        raise RecipeError(f"{one.name} and {other.name}, {protocol}: {error}") from error


def _tested(recipe: Recipe, protocol: str, places: Places, seeds: int) -> list[dict[str, list[Verdict]]]:
    """For each seed what its test found, by the way of hearing."""
    found = []
    for folds in runs_of(recipe, protocol, places, seeds=seeds):
        done = [run for run in folds if run.tested_file.is_file()]
        if not done:
            raise RecipeError(
                f"{recipe.name}, seed {folds[0].recipe.seed}, was not tested under {protocol}: genrecore-train run "
                f"{recipe.name} --protocol {protocol} --seeds {seeds}"
            )
        found.append(pooled(done))
    return found
