"""Commands that train: reproduce, run, export."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from genrecore_training.cli.common import (
    compute_of,
    decorate,
    folder,
    hardware,
    places,
    places_of,
    results_option,
    sentences,
)

__all__ = ["export", "reproduce", "run", "try_ideas"]

_OPTIONS = (
    click.option("--protocol", help="Only under this one; under all of the recipe's if not given."),
    click.option(
        "--folds",
        type=click.IntRange(min=1),
        help="Only the first so many folds of a protocol; the result says so.",
    ),
    click.option(
        "--seeds",
        type=click.IntRange(min=1),
        default=1,
        help="Train so many times, with seeds counted up from the recipe's.",
    ),
    click.option(
        "--int8",
        is_flag=True,
        help="Also a quantised model (static int8), tested beside the one in single precision.",
    ),
    hardware,
    results_option,
    places,
)


def _experiment(function: Callable[..., Any]) -> Callable[..., Any]:
    """Options of the commands that train and test."""
    return decorate(function, _OPTIONS)


@click.command()
@click.argument("network")
@click.option("--task", type=click.Choice(["genre", "mood"]), help="Only this task of the network's.")
@_experiment
def reproduce(network: str, task: str | None, **options: Any) -> None:
    """Reproduce a published experiment.

    NETWORK is the name of a network (all its recipes) or of one recipe. Checks the data, trains, tests under the
    paper's own protocol and under one that keeps artists apart, and leaves a results file, plots (confusion matrix,
    learning curves, reliability, embedding, correlation of the genres over time) and a model file for beets.

    \b
    Examples:
      genrecore-train reproduce abela-end2end-gru --data ~/data
      genrecore-train reproduce abela-conv --task mood --folds 1
      genrecore-train reproduce cox-gtzanet --seeds 3 --accelerator cuda
    """
    with sentences():
        from genrecore_training import recipes as recipe_files

        for recipe in recipe_files.published(network, task):
            _experiments(recipe, **options.copy())


@click.command()
@click.argument("recipe")
@_experiment
def run(recipe: str, **options: Any) -> None:
    """Train and test a recipe.

    RECIPE is a name or a YAML file. Writes results files, plots and models, as reproduce does.

    \b
    Examples:
      genrecore-train run end2end-gru-mel --protocol fault_filtered
      genrecore-train run my-recipe.yaml --data ~/data

    A run that was interrupted goes on where it stopped; one that is complete is not repeated.
    """
    with sentences():
        from genrecore_training import recipes as recipe_files

        _experiments(recipe_files.load(recipe), **options)


@click.command("try")
@click.argument("ideas", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--only", multiple=True, metavar="NAME", help="Only this idea, and the first; can be repeated.")
@hardware
@places
def try_ideas(ideas: Path, only: tuple[str, ...], **options: Any) -> None:
    """Try changes of a recipe, on a small budget.

    IDEAS is a YAML file with the recipe, the budget, and for each idea what is changed and what is expected. Each is
    trained on all folds; the validation tracks judge, and no test track is heard. Figures, and how far each is ahead of
    the first, go into a JSON file of the same name.

    \b
    Examples:
      genrecore-train try training/results/ideas/genre.yaml --data ~/data
      genrecore-train try sweep.yaml --accelerator cuda --only "two heads"
    """
    with sentences():
        from genrecore_training.ideas import try_ideas as run_ideas

        compute = compute_of(options)
        for line in run_ideas(ideas, places_of(options), only=only, compute=compute):
            click.echo(line)


@click.command()
@click.argument("recipe")
@click.option(
    "--to", "target", type=folder, default=Path("genrecore/weights"), help="Folder for the model file."
)
@click.option(
    "--protocol", default="all", help="all: on everything but an eighth for decisions; or a protocol."
)
@click.option("--fold", type=click.IntRange(min=0), default=0, help="Which of the protocol's folds.")
@hardware
@results_option
@places
def export(recipe: str, target: Path, protocol: str, fold: int, results: Path, **options: Any) -> None:
    """Train, and write the model file.

    A fold's model carries the figure of its own test, which evaluate gives again. One trained on everything has none of
    its own; it carries those that the recipe reached under its protocols, from the results files.

    \b
    Examples:
      genrecore-train export mel-cnn-mood --to models/
      genrecore-train export mel-cnn-mood --protocol artist_grouped --fold 0
    """
    with sentences():
        from genrecore_training import recipes as recipe_files
        from genrecore_training.ship import ship

        compute, loaded = compute_of(options), recipe_files.load(recipe)
        file = target / f"{loaded.name}.onnx"
        where = places_of(options)
        made = ship(loaded, where, results, file, protocol=protocol, fold=fold, compute=compute)
        click.echo(f"wrote {made}")


def _experiments(
    recipe: Any,
    protocol: str | None,
    folds: int | None,
    seeds: int,
    int8: bool,
    results: Path,
    **options: Any,
) -> None:
    from genrecore_training.experiment import experiment

    compute = compute_of(options)
    where = places_of(options)
    for name in [protocol] if protocol else recipe.protocols:
        for line in experiment(
            recipe, name, where, results, folds=folds, seeds=seeds, int8=int8, compute=compute
        ):
            click.echo(line)
