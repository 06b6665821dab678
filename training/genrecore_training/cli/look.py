"""Commands that look: recipes, data sets, comparisons, tables."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from genrecore_training.cli.common import places, places_of, results_option, sentences

__all__ = ["compare", "datasets", "recipes", "results", "short_files"]

_DOCUMENTS = (
    "README.md",
    "docs/models.md",
    "docs/experiments.md",
    "docs/reproduce.md",
    "docs/model-cards.md",
)


@click.command()
@click.option("--keys", is_flag=True, help="Instead, every key of a recipe with its default and meaning.")
def recipes(keys: bool) -> None:
    """List the recipes that come with the package.

    With network, data, protocols, the paper's own first, and the published accuracy.

    \b
    Examples:
      genrecore-train recipes
      genrecore-train recipes --keys
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from genrecore_training import recipes as recipe_files

    console = Console(width=None if sys.stdout.isatty() else 160)
    if keys:
        table = Table("key", "default", "meaning", box=box.SIMPLE)
        for key in recipe_files.documented_keys():
            table.add_row(*key)
    else:
        table = Table("recipe", "network", "task", "data", "protocols", "published", box=box.SIMPLE)
        for recipe in map(recipe_files.load, recipe_files.names()):
            figure = f"{recipe.published.accuracy:.4f}" if recipe.published else "ours"
            table.add_row(
                recipe.name, recipe.network, recipe.task, recipe.dataset, ", ".join(recipe.protocols), figure
            )
    console.print(table)


@click.command()
@click.argument("names", nargs=-1)
@places
def datasets(names: tuple[str, ...], **options: Any) -> None:
    """Say what of the data sets is there.

    And what is missing or damaged, licence and citation. NAMES: gtzan 4qaed emotify fma spotify; all if none is given.

    \b
    Examples:
      genrecore-train datasets --data ~/data
      genrecore-train datasets gtzan --data ~/data

    Exit code 1 if anything is missing.
    """
    from genrecore_training.datasets import DatasetError
    from genrecore_training.material import READERS

    data, faulty = places_of(options).data, False
    unknown = sorted(set(names) - set(READERS))
    if unknown:
        raise click.UsageError(f"there is no data set {unknown[0]}; there are {', '.join(READERS)}")
    for name in names or READERS:
        dataset = READERS[name](data / name if (data / name).is_dir() else data)
        click.echo(f"{dataset.name}: {dataset.title}")
        try:
            click.echo(
                f"  {len(dataset.tracks)} tracks, {len(dataset.labels)} classes: {', '.join(dataset.labels)}"
            )
            faults = dataset.validate()
        except DatasetError as error:
            faults = [str(error)]
        click.echo(f"  licence: {dataset.licence}\n  cite: {dataset.citation}")
        for fault in faults:
            click.echo(f"  ! {fault}")
        faulty = faulty or bool(faults)
    sys.exit(1 if faulty else 0)


@click.command()
@click.argument("one")
@click.argument("other")
@click.option("--protocol", required=True, help="Under which both were run.")
@click.option(
    "--seeds", type=click.IntRange(min=1), default=1, help="Of each recipe, for the difference of accuracies."
)
@results_option
@places
def compare(one: str, other: str, protocol: str, seeds: int, results: Path, **options: Any) -> None:
    """Compare two recipes on the same tracks.

    By McNemar's exact test, and by one that takes each artist (or each track, where artists are not kept apart) as a
    whole; and by the difference of their accuracies with its interval. After both were run with the same --runs.

    \b
    Example:
      genrecore-train compare abela-conv-mood abela-conv-blstm-mood --protocol artist_grouped
    """
    with sentences():
        from genrecore_training import recipes as recipe_files
        from genrecore_training.comparison import compare as compare_runs

        pair = recipe_files.load(one), recipe_files.load(other)
        found = compare_runs(*pair, protocol, places_of(options), seeds=seeds)
        path = found.write(results)
        click.echo(found.sentence)
        click.echo(f"wrote {path}")


@click.command("short-files")
@click.argument("names", metavar="RECIPES...", nargs=-1, required=True)
@results_option
@places
def short_files(names: tuple[str, ...], results: Path, **options: Any) -> None:
    """Tile or pad files shorter than a snippet?

    Asks the fold models of RECIPES, after these were run.

    \b
    Example:
      genrecore-train short-files end2end-gru-mel abela-end2end-gru
    """
    with sentences():
        from genrecore_training import recipes as recipe_files
        from genrecore_training.short_files import compare as compare_modes

        target = results / "short-files.json"
        compare_modes([recipe_files.load(name) for name in names], places_of(options), target)
        click.echo(f"wrote {target}")


@click.command()
@click.option(
    "--check", is_flag=True, help="Change nothing; fail if a document and the results files disagree."
)
@click.argument("documents", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@results_option
def results(check: bool, documents: tuple[Path, ...], results: Path) -> None:
    """Write the tables of figures into documents.

    DOCUMENTS are by default the README and the pages of docs/ that have some.

    \b
    Examples:
      genrecore-train results
      genrecore-train results --check

    With --check also fails if a result or a comparison was made by another recipe than the one of its name, or if a
    published network has neither a figure nor a reason for having none.
    """
    if not results.is_dir():
        raise click.UsageError(f"there is no folder {results}: name that of the results files with --results")
    with sentences():
        from genrecore_training import tables

        chosen = documents or tuple(path for path in map(Path, _DOCUMENTS) if path.is_file())
        stale = tables.update(chosen, results, write=not check)
        for path in stale:
            click.echo(f"{path}: {'differs from the results files' if check else 'updated'}")
        faults = tables.faults(results) if check else []
        for fault in faults:
            click.echo(fault)
        if check and (stale or faults):
            sys.exit(1)
