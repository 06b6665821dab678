"""``genrecore-train``: reproduce, train, test and export the models, and write the tables of figures."""

from __future__ import annotations

import sys
import warnings

import click

from genrecore.errors import RuntimeMissing
from genrecore.runtime import import_onnxruntime
from genrecore_training.cli.check import controls, evaluate, hand_made, outside, robust
from genrecore_training.cli.look import compare, datasets, recipes, results, short_files
from genrecore_training.cli.own import own
from genrecore_training.cli.work import export, reproduce, run, try_ideas

__all__ = ["group", "main"]

_MISSING = (
    "genrecore-train needs the training extra: run pip install torch, then "
    'pip install "beets-genreclf[cpu,training]".'
)


def main() -> None:
    """Entry point: says in one sentence what is missing where the training extra or ONNX Runtime is not installed."""
    try:
        import lightning  # noqa: F401

        import_onnxruntime()
    except ImportError:
        click.echo(_MISSING, err=True)
        sys.exit(2)
    except RuntimeMissing as missing:
        click.echo(str(missing), err=True)
        sys.exit(2)
    warnings.simplefilter("ignore")  # libraries' words to their developers
    group(prog_name="genrecore-train")


@click.group(
    "genrecore-train", context_settings={"help_option_names": ["-h", "--help"], "show_default": True}
)
@click.version_option(package_name="beets-genreclf")
def group() -> None:
    """Reproduce published networks, train models on your own music, and export them for beets.

    \b
    Examples:
      genrecore-train recipes                               what can be trained
      genrecore-train datasets --data ~/data                what of the data is there
      genrecore-train reproduce abela-end2end-gru           a published experiment
      genrecore-train own --beets ~/.config/beets/library.db    a model of your own genres
      genrecore-train run mel-cnn-mood                      a recipe under all its protocols
      genrecore-train try training/results/ideas/mood.yaml  changes of a recipe, on validation tracks
      genrecore-train export mel-cnn-mood                   the model file, trained on everything
      genrecore-train results --check                       do the documents say what was measured?

    Whatever is interrupted goes on where it stopped when the same command is given again.
    """


_COMMANDS = (
    recipes,
    datasets,
    reproduce,
    own,
    run,
    try_ideas,
    export,
    compare,
    evaluate,
    robust,
    controls,
    outside,
    hand_made,
    short_files,
    results,
)
for command in _COMMANDS:
    group.add_command(command)
