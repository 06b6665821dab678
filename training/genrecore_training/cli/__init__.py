"""``genrecore-train``: train, test and export the models, and write the tables of figures."""

from __future__ import annotations

import sys
from pathlib import Path

import click

__all__ = ["main"]

_MISSING = (
    "genrecore-train needs the training extra: run pip install torch, then "
    'pip install "beets-genreclf[training]".'
)


def main() -> None:
    """Entry point: says in one sentence what is missing where the training extra is not installed."""
    try:
        import lightning  # noqa: F401
    except ImportError:
        click.echo(_MISSING, err=True)
        sys.exit(2)
    _group()


_DOCUMENTS = ("README.md", "docs/models.md", "docs/experiments.md")
_folder = click.Path(file_okay=False, path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(package_name="beets-genreclf")
def _group() -> None:
    """Train and test the networks of genreclf, and export them as models for beets.

    \b
    Examples:
      genrecore-train recipes
      genrecore-train run end2end-gru-mel --protocol fault_filtered
      genrecore-train run mel-cnn-mood --protocol artist_grouped   (all folds)
      genrecore-train export mel-cnn-mood
      genrecore-train results --check
    """


def _places(function):  # type: ignore[no-untyped-def]
    """The folders that several commands share."""
    for option in (
        click.option(
            "--data", type=_folder, default=Path("../shared/data"), help="Folder with gtzan/ and 4qaed/."
        ),
        click.option(
            "--store", type=_folder, default=Path("training/store"), help="Folder for decoded features."
        ),
        click.option(
            "--runs", type=_folder, default=Path("training/runs"), help="Folder for checkpoints and models."
        ),
    ):
        function = option(function)
    return function


_results = click.option(
    "--results", type=_folder, default=Path("training/results"), help="Folder of the results files."
)


@_group.command("recipes")
def _recipes() -> None:
    """List the recipes that come with the package."""
    from genrecore_training import recipes

    for name in recipes.names():
        recipe = recipes.load(name)
        click.echo(f"{name}\t{recipe.task}\t{', '.join(recipe.protocols)}\t{recipe.description}")


@_group.command("run")
@click.argument("recipe")
@click.option("--protocol", help="Which split; all of the recipe's where not given.")
@click.option("--fold", type=int, help="Which fold; all where not given.")
@click.option("--threads", type=click.IntRange(min=1), default=1, help="Threads of PyTorch.")
@_results
@_places
def _run(
    recipe: str,
    protocol: str | None,
    fold: int | None,
    threads: int,
    results: Path,
    data: Path,
    store: Path,
    runs: Path,
) -> None:
    """Train and test RECIPE (a name or a YAML file) and write its results file.

    A run that was interrupted goes on where it stopped; one that is complete is not repeated.
    """
    with _sentences():
        import torch

        from genrecore_training import recipes
        from genrecore_training import results as result_files
        from genrecore_training.runs import Places, Run

        torch.set_num_threads(threads)
        loaded, places = recipes.load(recipe), Places(data, store, runs)
        for name in [protocol] if protocol else loaded.protocols:
            splits = Run(loaded, name, 0, places).bench.splits(name)
            folds = range(len(splits))
            for number in folds if fold is None else [fold]:
                Run(loaded, name, number, places).execute()
            if not any(split.test for split in splits):
                click.echo(f"{name} tests nothing: genrecore-train export {recipe} writes the model")
            elif all(Run(loaded, name, number, places).tested_file.is_file() for number in folds):
                result = result_files.collect(loaded, name, places)
                click.echo(f"wrote {result_files.write(result, results)}")


@_group.command("export")
@click.argument("recipe")
@click.option(
    "--to", "target", type=_folder, default=Path("genrecore/weights"), help="Folder for the model file."
)
@click.option("--threads", type=click.IntRange(min=1), default=1, help="Threads of PyTorch.")
@_results
@_places
def _export(
    recipe: str, target: Path, threads: int, results: Path, data: Path, store: Path, runs: Path
) -> None:
    """Train RECIPE on everything but an eighth for decisions, and write the model file that beets uses.

    The file carries the figures that the same recipe reached under its protocols, from the results files.
    """
    with _sentences():
        import torch

        from genrecore_training import recipes
        from genrecore_training.runs import Places
        from genrecore_training.ship import ship

        torch.set_num_threads(threads)
        click.echo(f"wrote {ship(recipes.load(recipe), Places(data, store, runs), results, target)}")


@_group.command("short-files")
@click.argument("recipes", nargs=-1, required=True)
@_results
@_places
def _short_files(recipes: tuple[str, ...], results: Path, data: Path, store: Path, runs: Path) -> None:
    """Compare tiling with padding of files shorter than a snippet, with the fold models of RECIPES."""
    with _sentences():
        from genrecore_training import recipes as recipe_files
        from genrecore_training.runs import Places
        from genrecore_training.short_files import compare

        target = results / "short-files.json"
        compare([recipe_files.load(name) for name in recipes], Places(data, store, runs), target)
        click.echo(f"wrote {target}")


@_group.command("results")
@click.option(
    "--check", is_flag=True, help="Change nothing; fail if a document and the results files disagree."
)
@click.argument("documents", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_results
def _tables(check: bool, documents: tuple[Path, ...], results: Path) -> None:
    """Write the tables of figures into DOCUMENTS (by default the README and the pages on models and experiments)."""
    from genrecore_training import tables

    chosen = documents or tuple(path for path in map(Path, _DOCUMENTS) if path.is_file())
    stale = tables.update(chosen, results, write=not check)
    for path in stale:
        click.echo(f"{path}: {'differs from the results files' if check else 'updated'}")
    if check and stale:
        sys.exit(1)


class _sentences:
    """Turn the errors that we raise on purpose into one sentence and exit code 1."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        from genrecore.errors import GenreCoreError
        from genrecore_training.datasets import DatasetError
        from genrecore_training.export import ExportError
        from genrecore_training.recipes import RecipeError

        if isinstance(error, GenreCoreError | DatasetError | ExportError | RecipeError):
            click.echo(str(error), err=True)
            sys.exit(1)
