"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from genrecore.errors import ModelError

__all__ = ["cache_option", "model_option"]

F = TypeVar("F", bound=Callable[..., Any])


def model_option(task: str) -> Callable[[F], F]:
    """``--genre-model`` or ``--mood-model``."""
    return click.option(
        f"--{task}-model",
        metavar="NAME|FILE",
        default="",
        callback=_check_model,
        help=f"The {task} model: a name that `genrecore models` lists, or a model file.",
    )


def cache_option(command: F) -> F:
    """``--cache``."""
    return click.option(
        "--cache",
        metavar="FILE|URL",
        default=None,
        help="SQLite file or SQLAlchemy URL of the cache.  [default: in the user's cache folder]",
    )(command)


def _check_model(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if value:
        from genrecore.model import find

        try:
            find(value)
        except ModelError as error:
            raise click.BadParameter(str(error)) from error
    return value
