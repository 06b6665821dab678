"""Options that several commands share, and errors turned into sentences."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from genrecore_training.runs import Places
    from genrecore_training.train import Compute

__all__ = [
    "compute_of",
    "decorate",
    "folder",
    "hardware",
    "places",
    "places_of",
    "results_option",
    "sentences",
]

folder = click.Path(file_okay=False, path_type=Path)

results_option = click.option(
    "--results", type=folder, default=Path("training/results"), help="Folder of the results files."
)

_PLACES = (
    click.option(
        "--data",
        type=folder,
        default=Path("data"),
        envvar="GENRECORE_DATA",
        show_envvar=True,
        help="Folder with the data sets: gtzan/, 4qaed/, emotify/, fma/, spotify/.",
    ),
    click.option("--store", type=folder, default=Path("training/store"), help="Folder for decoded features."),
    click.option(
        "--runs", type=folder, default=Path("training/runs"), help="Folder for checkpoints, models, plots."
    ),
)
_HARDWARE = (
    click.option(
        "--threads", type=click.IntRange(min=1), help="Threads of PyTorch; as many as it likes if not given."
    ),
    click.option(
        "--accelerator",
        type=click.Choice(["auto", "cpu", "cuda", "mps"]),
        default="auto",
        help="What to train on; auto takes a graphics card where there is one.",
    ),
    click.option(
        "--devices", type=click.IntRange(min=1), default=1, help="Devices of each node; on cpu, processes."
    ),
    click.option("--num-nodes", type=click.IntRange(min=1), default=1, help="Nodes."),
    click.option("--strategy", default="auto", help="Lightning's strategy, such as ddp."),
    click.option("--precision", help="In place of the recipe's, such as 16-mixed on a graphics card."),
)


def places(function: Callable[..., Any]) -> Callable[..., Any]:
    """Options for the folders."""
    return decorate(function, _PLACES)


def hardware(function: Callable[..., Any]) -> Callable[..., Any]:
    """Options for what to train on."""
    return decorate(function, _HARDWARE)


def places_of(options: dict[str, Any]) -> Places:
    """The folders, taken out of a command's options."""
    from genrecore_training.runs import Places

    return Places(*(options.pop(name) for name in ("data", "store", "runs")))


def compute_of(options: dict[str, Any]) -> Compute:
    """What to train on, taken out of a command's options."""
    import torch

    from genrecore_training.train import Compute

    threads = options.pop("threads")
    if threads is not None:
        torch.set_num_threads(threads)
    names = ("accelerator", "devices", "num_nodes", "strategy", "precision")
    return Compute(**{name: options.pop(name) for name in names})


class sentences:
    """Turn the errors that are raised on purpose, and a full disk, into one sentence and exit code 1; Ctrl-C: 130."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        from genrecore.errors import GenreCoreError
        from genrecore_training.datasets import DatasetError
        from genrecore_training.export import ExportError
        from genrecore_training.features import FeatureError
        from genrecore_training.recipes import RecipeError
        from genrecore_training.results import ResultError
        from genrecore_training.train import HardwareError

        if isinstance(error, KeyboardInterrupt):
            click.echo("interrupted; the same command goes on from here", err=True)
            sys.exit(130)
        wanted = (
            GenreCoreError,
            DatasetError,
            ExportError,
            FeatureError,
            HardwareError,
            RecipeError,
            ResultError,
        )
        if isinstance(error, wanted):
            click.echo(str(error), err=True)
            sys.exit(1)
        if isinstance(error, OSError):
            where = f"{error.filename}: " if error.filename else ""
            click.echo(f"{where}{error.strerror or error}; what is finished is kept", err=True)
            sys.exit(1)


def decorate(function: Callable[..., Any], options: tuple[Any, ...]) -> Callable[..., Any]:
    """Give a command several options, which its help shows in this order."""
    for option in reversed(options):
        function = option(function)
    return function
