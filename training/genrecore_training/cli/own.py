"""The command for music of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click

from genrecore_training.cli.common import compute_of, folder, hardware, sentences

__all__ = ["own"]


@click.command()
@click.option(
    "--beets",
    "library",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A beets library file; beet config names it. It is read, never written.",
)
@click.option("--folder", "music", type=folder, help="Instead, a folder that holds a folder for each label.")
@click.option(
    "--label", default="genres", help="With --beets: the field to learn, such as genres, mood, or any other."
)
@click.option("--query", default="", help="With --beets: only tracks that match this query.")
@click.option(
    "--directory",
    type=folder,
    help="With --beets: the music's folder, if not the one beets is configured with.",
)
@click.option(
    "--task",
    type=click.Choice(["genre", "mood"]),
    help="What the model decides: mood for the field mood, else genre.",
)
@click.option("--minimum", type=click.IntRange(min=3), default=10, help="Leave out labels of fewer tracks.")
@click.option("--recipe", help="Another recipe, a name or a YAML file; own-genre or own-mood if not given.")
@click.option("--epochs", type=click.IntRange(min=1), help="In place of the recipe's.")
@click.option(
    "--test/--no-test", default=True, help="Test with artists apart first: twice the time, and a figure."
)
@click.option(
    "--to",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The model file; own-genre.onnx or own-mood.onnx here if not given.",
)
@click.option(
    "--work",
    type=folder,
    help="Folder for features and checkpoints, in the user's cache folder if not given.",
)
@hardware
def own(
    library: Path | None,
    music: Path | None,
    label: str,
    query: str,
    directory: Path | None,
    task: Literal["genre", "mood"] | None,
    minimum: int,
    recipe: str | None,
    epochs: int | None,
    test: bool,
    target: Path | None,
    work: Path | None,
    **options: Any,
) -> None:
    """Train a model of your own genres, or moods, on your own music.

    \b
    Examples:
      genrecore-train own --beets ~/.config/beets/library.db
      genrecore-train own --beets library.db --query 'genre_model::^$'   only what genreclf has not heard
      genrecore-train own --beets library.db --label mood --minimum 30
      genrecore-train own --folder ~/Music/sorted --to klezmer.onnx

    Each track is decoded once; then a network is trained and tested with artists apart, and trained again on
    everything. What is interrupted goes on when the command is given again.
    """
    if (library is None) == (music is None):
        raise click.UsageError("name either a library with --beets or a folder with --folder")
    decides: Literal["genre", "mood"] = task or ("mood" if label == "mood" else "genre")
    with sentences():
        from platformdirs import user_cache_path

        from genrecore_training import recipes as recipe_files
        from genrecore_training.datasets import OwnBeets, OwnFolder
        from genrecore_training.own import train_own
        from genrecore_training.runs import Places

        chosen = recipe_files.load(recipe or f"own-{decides}")
        if chosen.task != decides or chosen.input.kind == "table":
            raise click.UsageError(
                f"{chosen.name} decides a {chosen.task} from {chosen.input.kind}, and wanted is a {decides} from sound"
            )
        if epochs is not None:
            faster = chosen.optimisation.model_copy(update={"epochs": epochs})
            chosen = chosen.model_copy(update={"optimisation": faster})
        dataset: OwnBeets | OwnFolder
        if library is not None:
            dataset = OwnBeets(library, label, minimum, directory=directory, task=decides, query=query)
        elif music is not None:
            dataset = OwnFolder(music, minimum, task=decides)
        _ = dataset.tracks  # or why there are none, before anything else is said
        for fault in dataset.validate():
            click.echo(f"! {fault}")
        for name, count in dataset.left_out.items():
            click.echo(f"{name} is left out: {count} of {minimum} tracks")
        base = work or user_cache_path("genrecore", appauthor=False) / "training"
        compute = compute_of(options)
        places = Places(Path(), base / "store", base / "runs")
        for line in train_own(
            dataset, chosen, places, target or Path(f"{chosen.name}.onnx"), test=test, compute=compute
        ):
            click.echo(line)
