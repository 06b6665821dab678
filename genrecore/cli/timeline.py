"""``genrecore timeline``."""

from __future__ import annotations

import csv
import sys
import webbrowser
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from genrecore.cli.options import device_option, model_option
from genrecore.settings import HOP, Settings

if TYPE_CHECKING:
    from genrecore.timelines import Timeline

__all__ = ["timeline"]

_PAGE = ".timeline.html"


def _target(name: str, text: str, *, stream: bool = False) -> Any:
    return click.option(
        f"--{name}",
        metavar="FILE",
        type=click.Path(dir_okay=False, allow_dash=stream, writable=True),
        help=text,
    )


@click.command()
@click.argument("path", metavar="SONG", type=click.Path(readable=False))
@_target("html", f"Write the page there.  [default: SONG{_PAGE} in this folder]")
@_target("json", "Write everything as JSON; - for standard output.", stream=True)
@_target("csv", "Write a table, one row a window; - for standard output.", stream=True)
@_target("png", "Draw a picture.")
@_target("svg", "Draw a picture that can be scaled.")
@click.option(
    "--hop",
    type=click.FloatRange(0.02, 60),
    default=HOP,
    show_default=True,
    help="Seconds from one window to the next; more for very long files.",
)
@click.option("--embed-audio", is_flag=True, help="Carry the song inside of the page, to send it to someone.")
@click.option(
    "--open/--no-open",
    "open_",
    default=None,
    help="Show the page in the browser.  [default: if no file is named, on a terminal]",
)
@model_option("genre")
@model_option("mood")
@device_option
def timeline(
    path: str,
    html: str | None,
    json: str | None,
    csv: str | None,
    png: str | None,
    svg: str | None,
    hop: float,
    embed_audio: bool,
    open_: bool | None,
    genre_model: str,
    mood_model: str,
    device: str,
) -> None:
    """Genre and mood of a song from moment to moment, as a page, a table or a picture.

    The page plays the song. It needs nothing else, and asks nothing of any network: without --embed-audio it
    finds the song by the way from the page to it.

    \b
    Examples:
      genrecore timeline song.mp3
      genrecore timeline song.mp3 --html song.html --embed-audio
      genrecore timeline song.mp3 --csv song.csv --svg song.svg
      genrecore timeline song.mp3 --json - | jq .genre.sections

    Exit code: 0 fine, 1 it cannot be heard or written, 2 wrong usage, 130 interrupted.
    """
    from genrecore.cli.render import as_json
    from genrecore.report.page import require

    asked = {"html": html, "json": json, "csv": csv, "png": png, "svg": svg}
    if all(target is None for target in asked.values()):
        asked["html"] = f"{Path(path).stem}{_PAGE}"
        open_ = sys.stdout.isatty() if open_ is None else open_
    elif (embed_audio or open_) and not html:
        raise click.UsageError("--embed-audio and --open are about the page: name it with --html")
    _check_targets(asked)
    if asked["html"]:
        require("plotly", "jinja2")
    if png or svg:
        require("matplotlib")
    line = _listen(path, hop, Settings(genre_model, mood_model, device=device))
    for warning in line.warnings:
        _say(f"{path}: {warning}")
    if json:
        with _opened(json) as file:
            file.write(f"{as_json(line.to_dict(), 'utf-8')}\n")
    if csv:
        with _opened(csv) as file:
            _table(line, file)
    _draw(line, path, {kind: target for kind, target in (("png", png), ("svg", svg)) if target})
    if asked["html"]:
        _page(line, path, asked["html"], embed_audio)
    for target in asked.values():
        if target and target != "-":
            _say(f"wrote {target}", err="-" in asked.values())
    page = asked["html"]
    if open_ and page and not webbrowser.open(Path(page).resolve().as_uri()):
        _say(f"{page}: no browser was found to show it: open it yourself")


def _say(sentence: str, *, err: bool = True) -> None:
    from genrecore.cli.render import printable

    click.echo(printable(sentence), err=err)


def _check_targets(asked: Mapping[str, str | None]) -> None:
    """Refuse at once what would be refused after all the listening."""
    from genrecore.report.page import require_place

    targets = {kind: target for kind, target in asked.items() if target is not None}
    for kind, target in targets.items():
        if target != "-":
            require_place(target, page=kind == "html")
    if len({target if target == "-" else Path(target).resolve() for target in targets.values()}) < len(
        targets
    ):
        raise click.UsageError("two of the files to be written are the same")


def _listen(path: str, hop: float, settings: Settings) -> Timeline:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from genrecore.analyzer import Analyzer
    from genrecore.audio import probe
    from genrecore.sliding import follow

    duration = probe(path).duration
    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("listening"), BarColumn(bar_width=32), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=duration)
        analyzer = Analyzer(settings, notify=lambda text: click.echo(text, err=True))
        return follow(
            analyzer, path, hop=hop, progress=lambda seconds: progress.update(task, completed=seconds)
        )


def _opened(target: str) -> AbstractContextManager[IO[str]]:
    from genrecore.report.page import writing

    if target != "-":
        return writing(target)
    return open(sys.stdout.fileno(), "w", encoding="utf-8", errors="replace", newline="", closefd=False)


def _table(line: Timeline, file: IO[str]) -> None:
    columns = line.columns()
    writer = csv.writer(file)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))


def _draw(line: Timeline, path: str, targets: dict[str, str]) -> None:
    if not targets:
        return
    from genrecore.report.page import writing
    from genrecore.report.picture import timeline_picture
    from genrecore.report.song import read_song

    song = read_song(path)
    for kind, target in targets.items():
        with writing(target, binary=True) as file:
            whole = timeline_picture(line, song, file, "png" if kind == "png" else "svg")
        if not whole:
            _say(f"{path}: no font was found for some characters of the title: boxes stand for them")


def _page(line: Timeline, path: str, target: str, embed_audio: bool) -> None:
    from genrecore.report.page import writing
    from genrecore.report.song import embedded, linked, read_song
    from genrecore.report.timeline_page import timeline_page

    sound = embedded(path) if embed_audio else linked(path, target)
    if not sound.kind:
        _say(f"{path}: browsers do not play this format: the page will be silent")
    with writing(target) as file:
        file.write(timeline_page(line, read_song(path), sound))
