"""``genrecore report``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genrecore.cli.options import cache_for, listening_options
from genrecore.settings import MIN_CONFIDENCE, Settings

if TYPE_CHECKING:
    from genrecore.pool import Result
    from genrecore.report.library import Entry

__all__ = ["report"]


@click.command()
@click.argument("paths", metavar="FOLDER...", nargs=-1, required=True, type=click.Path(readable=False))
@click.option(
    "--html",
    metavar="FILE",
    type=click.Path(dir_okay=False, writable=True),
    default="library.html",
    show_default=True,
    help="Write the page there.",
)
@click.option("--title", default="", help="Heading of the page.  [default: the folder's name]")
@click.option(
    "--min-confidence",
    type=click.FloatRange(0, 1),
    default=MIN_CONFIDENCE,
    show_default=True,
    help="What counts as sure.",
)
@listening_options
def report(
    paths: tuple[str, ...],
    html: str,
    title: str,
    min_confidence: float,
    settings: Settings,
    jobs: int,
    timeout: float,
    no_cache: bool,
    cache: str | None,
) -> None:
    """A portrait of a collection, as a page: its genres and moods, by year, sure and unsure, and where tags disagree.

    Listens to what has not been heard before. Genres, years and names are those of the files' tags; files are
    not changed.

    \b
    Examples:
      genrecore report Music/
      genrecore report Music/Jazz --html jazz.html --title "My jazz"

    Exit code: 0 all fine, 1 some files failed or nothing was heard, 2 wrong usage, 130 interrupted.
    """
    from genrecore.audio import AUDIO_EXTENSIONS
    from genrecore.cli.files import collect
    from genrecore.cli.output import Output
    from genrecore.cli.render import printable
    from genrecore.pool import analyze_many
    from genrecore.report.library import portray
    from genrecore.report.library_page import library_page
    from genrecore.report.page import require, require_place, writing

    require("plotly", "jinja2")
    require_place(html, page=True)
    files, problems = collect(paths, AUDIO_EXTENSIONS)
    failed = len(problems)
    entries: list[Entry] = []
    with Output.choose(as_json=False) as output, cache_for(no_cache, cache, output.problem) as store:
        for problem in problems:
            output.problem(problem)
        output.expect(len(files))
        results = analyze_many(
            files, settings, jobs=jobs, timeout=timeout, cache=store, notify=output.problem
        )
        try:
            with closing(results):
                for result in results:
                    failed += result.analysis is None
                    entries.append(_entry(result))
                    output.unseen(result)
        except KeyboardInterrupt:
            output.interrupted(len(entries), len(files), kept=store is not None)
            raise click.exceptions.Exit(130) from None
    portrait = portray(sorted(entries, key=lambda entry: entry.path), min_confidence)
    if portrait is None:
        click.echo("nothing was heard, so there is no page to write", err=True)
        sys.exit(1)
    with writing(html) as file:
        file.write(library_page(portrait, title or _name(paths), made=date.today().isoformat()))
    click.echo(printable(f"wrote {html}"))
    sys.exit(1 if failed else 0)


def _entry(result: Result) -> Entry:
    from genrecore.report.library import Entry
    from genrecore.report.song import read_song

    if result.analysis is None:
        return Entry(result.path)
    song = read_song(result.path)
    return Entry(
        path=result.path,
        title=song.title,
        artist=song.artist,
        year=song.year,
        tagged=song.genres,
        genre=result.analysis.genre,
        mood=result.analysis.mood,
    )


def _name(paths: Sequence[str]) -> str:
    return ", ".join(_names(paths))


def _names(paths: Sequence[str]) -> Iterator[str]:
    for path in paths:
        yield Path(path).resolve().name or path
