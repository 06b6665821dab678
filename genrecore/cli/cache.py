"""``genrecore cache``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from rich.filesize import decimal

from genrecore.cli.options import cache_option
from genrecore.errors import NoCache

if TYPE_CHECKING:
    from genrecore.cache import Cache

__all__ = ["cache"]


@click.group()
def cache() -> None:
    """Look after the store of analyses.

    \b
    Examples:
      genrecore cache info
      genrecore cache prune --dry-run
      genrecore cache clear
    """


@cache.command()
@cache_option
def info(cache: str | None) -> None:
    """Show where the cache lies and what is in it."""
    with _existing(cache) as store:
        state = store.info()
    click.echo(f"location  {state.location}")
    if state.size is not None:
        click.echo(f"size      {decimal(state.size)}")
    click.echo(f"files     {state.files:,}")
    click.echo(f"analyses  {state.analyses:,}")
    for held in state.holdings:
        click.echo(
            f"  {held.analyses:,} by {held.genre_model} and {held.mood_model}, {held.snippets} snippets, "
            f"analysis version {held.version}"
        )


@cache.command()
@cache_option
@click.option("--dry-run", is_flag=True, help="Only say what would be forgotten.")
def prune(cache: str | None, dry_run: bool) -> None:
    """Forget files that are gone, and analyses that no file needs any more.

    Connect all drives with music first: what lies on a drive that is not there counts as gone.
    """
    from genrecore.analyzer import ANALYSIS_VERSION

    with _existing(cache) as store:
        pruned = store.prune(ANALYSIS_VERSION, dry_run=dry_run)
    would = "would be " if dry_run else ""
    click.echo(f"{pruned.files:,} files and {pruned.analyses:,} analyses {would}forgotten")


@cache.command()
@cache_option
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def clear(cache: str | None, yes: bool) -> None:
    """Forget everything: each file will be analysed again."""
    with _existing(cache) as store:
        count = store.info().analyses
        if count and not yes:
            click.confirm(f"Forget {count:,} analyses in {store.location}?", abort=True)
        store.clear()
    click.echo(f"{count:,} analyses forgotten")


@contextmanager
def _existing(location: str | None) -> Iterator[Cache]:
    """A cache that is there; looking after it neither makes one nor moves a file."""
    from genrecore.cache import Cache

    try:
        cache = Cache(location, make=False)
    except NoCache as error:
        click.echo(str(error))
        raise click.exceptions.Exit(0) from None
    with cache:
        yield cache
