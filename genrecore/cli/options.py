"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from genrecore.errors import ModelError
from genrecore.settings import DEVICES, SNIPPETS, TIMEOUT, Settings

if TYPE_CHECKING:
    from genrecore.cache import Cache

__all__ = ["cache_for", "cache_option", "device_option", "listening_options", "model_option"]

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


def device_option(command: F) -> F:
    """``--device``."""
    return click.option(
        "--device",
        type=click.Choice(DEVICES),
        default="auto",
        show_default=True,
        help="Where the models run.",
    )(command)


def listening_options(command: Callable[..., None]) -> Callable[..., None]:
    """How many files are listened to: the command gets `settings`, `jobs`, `timeout`, `no_cache` and `cache`."""

    @click.option(
        "--snippets",
        type=click.IntRange(1, 100_000),
        default=SNIPPETS,
        show_default=True,
        help="Snippets a track.",
    )
    @model_option("genre")
    @model_option("mood")
    @click.option(
        "-j", "--jobs", type=click.IntRange(0), default=0, help="Worker processes.  [default: one a core]"
    )
    @click.option(
        "--timeout",
        type=click.FloatRange(0, min_open=True),
        default=TIMEOUT,
        show_default=True,
        help="Seconds a file may take.",
    )
    @device_option
    @click.option("--no-cache", is_flag=True, help="Neither look up nor keep analyses.")
    @cache_option
    @wraps(command)
    def with_settings(
        *args: Any, snippets: int, genre_model: str, mood_model: str, device: str, **rest: Any
    ) -> None:
        command(*args, settings=Settings(genre_model, mood_model, snippets, device), **rest)

    return with_settings


@contextmanager
def cache_for(no_cache: bool, location: str | None, notify: Callable[[str], None]) -> Iterator[Cache | None]:
    """The cache that a command line means; None for none."""
    if no_cache:
        yield None
        return
    from genrecore.cache import open_cache

    store: Any = open_cache(location, notify=notify)
    with store or nullcontext():
        yield store


def _check_model(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if value:
        from genrecore.model import find

        try:
            find(value)
        except ModelError as error:
            raise click.BadParameter(str(error)) from error
    return value
