"""`beet genreclf --report` and `--show`: what has been heard, as a page and on the terminal. Nothing is changed."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import date
from itertools import islice
from typing import TYPE_CHECKING, Any

from beets import ui

from . import fields
from .listening import Listening
from .policy import same
from .progress import counted

if TYPE_CHECKING:
    from beets.library import Item, Library
    from beets.logging import BeetsLogger

    from genrecore.analysis import Histogram
    from genrecore.report.library import Disagreement, Entry

    from . import journal as journal_
    from .journal import Journal
    from .options import Options
    from .tracks import Tracks

__all__ = ["report", "show"]

# Of one query's conditions SQLite takes 1,000 at most.
_CHUNK = 500


def report(items: Tracks, target: str, options: Options, journal: Journal | None, log: BeetsLogger) -> int:
    """Write the page of some tracks, of what the library knows of them; nothing is listened to.

    Returns
    -------
    int
        Exit status.

    Raises
    ------
    GenreCoreError
        If the page cannot be written, or what makes it is not installed.
    """
    from genrecore.report.library import portray
    from genrecore.report.library_page import library_page
    from genrecore.report.page import require, require_place, writing

    require("plotly", "jinja2")
    require_place(target, page=True)
    if not len(items):
        log.error("no track matches, so there is no page to write")
        return 1
    portrait = portray(_entries(items, journal), options.rules["genre"].min_confidence)
    if portrait is None:
        log.error(
            "{}, and none has been heard yet, so there is no page to write: run beet genreclf first",
            counted(len(items), "track"),
        )
        return 1
    page = library_page(
        portrait, "My music", fix=lambda found: _modify(found, options), made=date.today().isoformat()
    )
    with writing(target) as file:
        file.write(page)
    ui.print_(f"wrote {target}")
    return 0


def show(lib: Library, items: Tracks, options: Options, log: BeetsLogger) -> int:
    """Draw the histograms of some tracks, and when what sounds; what is not in the cache is listened to.

    Returns
    -------
    int
        Exit status.
    """
    from genrecore.cli.output import Output

    paths = [str(item.filepath) for item in items]
    failed = 0
    with closing(Listening(lib, options, log)) as listening, Output.choose(as_json=False) as output:
        output.expect(len(paths))
        with closing(listening.results(paths)) as results:
            for result in results:
                if result.analysis is None:
                    failed += 1
                else:
                    output.result(result)
    return 1 if failed else 0


def _entries(items: Iterable[Item], journal: Journal | None) -> Iterator[Entry]:
    from genrecore.report.library import Entry
    from genrecore.report.song import clean

    for chunk in _chunks(items):
        known = {} if journal is None else journal.find([item.id for item in chunk if item.id])
        for item in chunk:
            yield Entry(
                path=os.fsdecode(item.path),
                title=clean(item.title or ""),
                artist=clean(item.artist or ""),
                year=item.original_year or item.year or None,
                tagged=_tagged(item, known.get(item.id or 0)),
                genre=_histogram(item, "genre"),
                mood=_histogram(item, "mood"),
                key=str(item.id),
            )


def _chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    rest = iter(items)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk


def _tagged(item: Item, before: journal_.Entry | None) -> tuple[str, ...]:
    """What others have tagged: of what the plugin wrote itself, what stood there before."""
    now = tuple(item.get("genres") or ())
    wrote = before.wrote_library.get("genres") if before is not None else None
    if before is not None and wrote is not None and same(now, wrote.values):
        return tuple(before.library.get("genres") or ())
    return now


def _histogram(item: Item, task: str) -> Histogram | None:
    from genrecore.analysis import Histogram

    data: dict[str, Any] = fields.listened(item.get(f"{task}_histogram"))
    try:
        return Histogram.from_dict(data) if data else None
    except (LookupError, TypeError, ValueError):  # not ours, or damaged
        return None


def _modify(found: Disagreement, options: Options) -> str:
    """The command that tags a track as it was heard; empty for a genre that the user never wants to see."""
    names = options.naming["genre"].values({found.heard: 1}, {})
    if not names:
        return ""
    value = "; ".join(names).replace("$", "$$")  # beets takes it for a template
    return f"beet modify id:{found.entry.key} {shlex.quote(f'genres={value}')}"
