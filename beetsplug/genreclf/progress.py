"""How far a run is: a bar on a terminal, plain lines elsewhere, nothing when quiet."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from beets.logging import BeetsLogger

__all__ = ["Advance", "counted", "progress"]

#: Called after each track, with a line about it, or an empty one if all is said.
Advance = Callable[[str], None]


@contextmanager
def progress(
    total: int, log: BeetsLogger, *, what: str = "listening", quiet: bool = False
) -> Iterator[Advance]:
    """Show the progress of a run.

    Parameters
    ----------
    total : int
        Tracks to come.
    log : Logger
        The plugin's: where there is no terminal it gets the lines, and with a bar the details.
    what : str
        What is being done.
    quiet : bool
        Show nothing.

    Yields
    ------
    callable
        To be called with a line about each track when it is done.
    """
    if quiet:
        yield lambda line: log.debug("{}", line)
    elif sys.stderr.isatty():
        with _bar(total, log, what) as advance:
            yield advance
    else:
        yield _lines(total, log)


def counted(n: int, noun: str) -> str:
    """So many of something: ``counted(2, "track")`` is ``2 tracks``."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _lines(total: int, log: BeetsLogger) -> Advance:
    done = 0

    def advance(line: str) -> None:
        nonlocal done
        done += 1
        if line:
            log.info("{}/{} {}", done, total, line)

    return advance


@contextmanager
def _bar(total: int, log: BeetsLogger, what: str) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("left"),
        console=Console(stderr=True),
        transient=True,
    )
    task = bar.add_task(what, total=total, rate="")

    def advance(line: str) -> None:
        if line:
            log.debug("{}", line)
        bar.advance(task)
        speed = bar.tasks[0].finished_speed or bar.tasks[0].speed
        if speed and what == "listening":
            bar.update(task, rate=f"{speed * 60:.0f} tracks a minute")

    stderr = sys.stderr
    with bar, _messages_above_bar(stderr):
        yield advance


@contextmanager
def _messages_above_bar(stderr: TextIO) -> Iterator[None]:
    """Let beets' messages pass through rich, which has put itself at `sys.stderr` for its bar."""
    streams = [h for h in logging.getLogger("beets").handlers if isinstance(h, logging.StreamHandler)]
    handlers = [handler for handler in streams if handler.stream is stderr]
    for handler in handlers:
        handler.setStream(sys.stderr)
    try:
        yield
    finally:
        for handler in handlers:
            handler.setStream(stderr)
