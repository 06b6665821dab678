"""One run over a list of items: analyses in, changes out, until done or interrupted."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from beets import ui

from genrecore.interrupts import Terminated, interrupts_postponed, termination_is_interrupt

from . import fields
from .albums import heard_in, update_album
from .bars import bars
from .changes import Writer, show_tag_changes
from .copies import Copies
from .drives import WHAT_TO_DO, gone
from .listening import Listening
from .naming import spell
from .plans import Plan, is_settled
from .progress import Advance, counted, progress

if TYPE_CHECKING:
    from beets.library import Item, Library
    from beets.logging import BeetsLogger

    from genrecore.analysis import Analysis, Histogram

    from .journal import Journal
    from .options import Options
    from .tracks import Tracks

__all__ = ["Session", "Summary"]

# Small enough that a kill costs little, large enough that a transaction pays: storing in one is 13 times
# cheaper.
_BATCH = 20
_BATCH_SECONDS = 1.0

_WRITTEN = {"filled", "renewed", "added", "forced"}


@dataclass
class Summary:
    """How a run went.

    Parameters
    ----------
    pretend : bool
        Whether nothing of it was really done.
    total : int
        Tracks asked for.
    todo : int
        Those of them with something to do.
    done, cached : int
        Tracks dealt with; those of them whose analysis was in the cache.
    failed, unwritten : int
        Tracks that could not be analysed; files whose tags could not be read or written.
    linked, sources : int
        Links, and files where an interrupted import has left them: both left alone.
    albums, albums_changed : int
        Albums that were looked at, and some of whose tracks were heard; those of them that were changed.
    album_outcomes : Counter
        By task and `policy.Change.outcome`.
    outcomes : Counter
        By field and `policy.Change.outcome`.
    seconds : float
        How long it took.
    stopped_by : int
        What has stopped it, SIGINT or SIGTERM; 0 for nothing.
    gone : str
        The music folder, if it has stopped it that this is not there, see `drives.gone`.
    """

    pretend: bool = False
    total: int = 0
    todo: int = 0
    done: int = 0
    cached: int = 0
    failed: int = 0
    unwritten: int = 0
    linked: int = 0
    sources: int = 0
    albums: int = 0
    albums_changed: int = 0
    album_outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    seconds: float = 0.0
    stopped_by: int = 0
    gone: str = ""

    @property
    def exit_status(self) -> int:
        """0 if all went well, 1 if a track failed or all are gone, 130 or 143 if stopped by Ctrl-C or SIGTERM."""
        if self.stopped_by:
            return 128 + self.stopped_by
        return 1 if self.failed or self.unwritten or self.gone else 0

    def count(self, name: str, outcomes: Iterable[str]) -> int:
        """How many tracks had one of these outcomes in a field."""
        return sum(self.outcomes[name, outcome] for outcome in outcomes)

    def of_albums(self) -> str:
        """What became of the albums."""
        written = [
            counted(sum(self.album_outcomes[task, outcome] for outcome in _WRITTEN), task)
            for task in fields.TASKS
        ]
        return f"{counted(self.albums, 'album')} ({' and '.join(written)} {self._written})"

    @property
    def _written(self) -> str:
        return "would be written" if self.pretend else "written"

    def __str__(self) -> str:
        parts = [f"{counted(self.done, 'track')} in {self.seconds:.0f} s"]
        if self.cached:
            parts[0] += f" ({self.cached} from the cache)"
        for noun, name in fields.TAG_FIELDS.items():
            text = f"{counted(self.count(name, _WRITTEN), noun)} {self._written}"
            others = {"kept": ("kept", "adopted"), "unsure": ("unsure",), "unnamed": ("unnamed",)}
            told = {word: self.count(name, outcomes) for word, outcomes in others.items()}
            notes = [f"{count} {word}" for word, count in told.items() if count]
            parts.append(text + (f" ({', '.join(notes)})" if notes else ""))
        if self.albums:
            parts.append(self.of_albums())
        if self.failed:
            parts.append(f"{counted(self.failed, 'track')} failed (--failed tries again)")
        if self.unwritten:
            parts.append(f"{self.unwritten} without tags")
        if self.linked:
            parts.append(f"{counted(self.linked, 'link')} left without tags (-w writes them)")
        if self.sources:
            parts.append(
                f"{counted(self.sources, 'file')} of an unfinished import left without tags "
                "(beet move brings them in, -w writes them where they are)"
            )
        return ", ".join(parts)


class Session:
    """One run.

    Parameters
    ----------
    lib : Library
        The library.
    options : Options
        What to do.
    journal : Journal or None
        Where previous tags are kept.
    log : Logger
        The plugin's.
    """

    def __init__(self, lib: Library, options: Options, journal: Journal | None, log: BeetsLogger) -> None:
        self._lib = lib
        self._options = options
        self._log = log
        self._listening = Listening(lib, options, log)
        self._journal = journal
        # Of a run that only pretends: what the albums would be the sum of.
        self._pretended: dict[int, Mapping[str, Histogram]] = {}

    def run(self, items: Tracks, albums: Sequence[int] = ()) -> Summary:
        """Deal with the items that need it, then with albums.

        Parameters
        ----------
        items : Tracks
            The tracks.
        albums : sequence of int
            Numbers of the albums.

        Raises
        ------
        GenreCoreError, JournalError
            If it cannot begin, or go on: a model, the runtime or the journal is missing.
        """
        started = time.monotonic()
        summary = Summary(self._options.pretend)
        todo: dict[str, list[int]] = {}
        with closing(self._listening), termination_is_interrupt():
            try:
                todo = self._select(items, summary)
                copies = Copies(self._journal)
                if todo:
                    self._deal_with(todo, copies, summary)
                if not summary.gone:
                    self._sum_up(albums, copies, summary)
            except KeyboardInterrupt as stop:
                summary.stopped_by = signal.SIGTERM if isinstance(stop, Terminated) else signal.SIGINT
        summary.seconds = time.monotonic() - started
        if todo or summary.stopped_by:
            self._say(summary)
        else:
            self._say_nothing_to_do(summary)
        return summary

    def _deal_with(self, todo: dict[str, list[int]], copies: Copies, summary: Summary) -> None:
        writer = Writer(self._lib, self._options, self._journal, self._listening.cache, self._log, copies)
        quiet = self._options.quiet or self._options.pretend
        try:
            with progress(summary.todo, self._log, quiet=quiet) as advance:
                self._work(todo, writer, summary, advance)
        finally:
            summary.unwritten = len(writer.unwritten)
            summary.linked = writer.linked
            summary.sources = writer.sources

    def _sum_up(self, albums: Sequence[int], copies: Copies, summary: Summary) -> None:
        quiet = self._options.quiet or self._options.pretend
        with progress(len(albums), self._log, what="summing up", quiet=quiet) as advance:
            for start in range(0, len(albums), _BATCH):
                lines = []
                with interrupts_postponed(), self._lib.transaction():
                    for number in albums[start : start + _BATCH]:
                        lines.append(self._sum_up_album(number, copies, summary))
                for line in lines:
                    advance(line)

    def _sum_up_album(self, number: int, copies: Copies, summary: Summary) -> str:
        """A line about an album that was changed."""
        album = self._lib.get_album(number)
        if album is None:  # its last track has been removed meanwhile
            return ""
        models = self._listening.models
        plan = update_album(album, models, self._options, copies, self._pretended)
        if plan is None:
            return ""
        summary.albums += 1
        summary.albums_changed += bool(plan.values)
        summary.album_outcomes.update(plan.outcomes.items())
        return f"{album}: {heard_in(plan)}" if plan.values else ""

    def _select(self, items: Tracks, summary: Summary) -> dict[str, list[int]]:
        """Numbers of the items with something to do, by path; paths are resolved here, in the main thread."""
        models = self._listening.models
        todo: dict[str, list[int]] = {}
        with progress(len(items), self._log, what="looking", quiet=self._options.quiet) as advance:
            for item in items:
                summary.total += 1
                if item.id is not None and (
                    self._options.every or not is_settled(item, models, self._options)
                ):
                    todo.setdefault(str(item.filepath), []).append(item.id)
                    summary.todo += 1
                advance("")
        return todo

    def _work(self, todo: dict[str, list[int]], writer: Writer, summary: Summary, advance: Advance) -> None:
        batch: list[tuple[Item, Analysis]] = []
        flushed = time.monotonic()
        with closing(self._listening.results(list(todo))) as results:
            try:
                for result in results:
                    items = [item for id_ in todo[result.path] if (item := self._lib.get_item(id_))]
                    if result.analysis is None and (folder := gone(self._lib, os.fsencode(result.path))):
                        summary.gone = folder
                        return
                    if result.analysis is None:
                        summary.failed += len(items)
                        with interrupts_postponed():
                            writer.note_failure(items, result.error or "")
                        for _ in items:
                            advance("")
                        continue
                    summary.cached += len(items) if result.cached else 0
                    batch += [(item, result.analysis) for item in items]
                    if len(batch) >= _BATCH or time.monotonic() - flushed >= _BATCH_SECONDS:
                        self._flush(batch, writer, summary, advance)
                        flushed = time.monotonic()
            finally:
                self._flush(batch, writer, summary, advance)

    def _flush(
        self, batch: list[tuple[Item, Analysis]], writer: Writer, summary: Summary, advance: Advance
    ) -> None:
        now, batch[:] = list(batch), []
        if not now:
            return
        with interrupts_postponed():  # until tags and library agree again
            planned = writer.plans(now)
            if self._options.pretend:
                for (item, analysis), (_, p, _) in zip(now, planned, strict=True):
                    _show(item, analysis, p)
                    if item.album_id and item.id:
                        self._pretended[item.id] = {"genre": analysis.genre, "mood": analysis.mood}
            else:
                writer.commit(planned)
            for (item, analysis), (_, p, _) in zip(now, planned, strict=True):
                summary.done += 1
                summary.outcomes.update(p.outcomes.items())
                advance(_line(item, analysis, p))

    def _say_nothing_to_do(self, summary: Summary) -> None:
        if self._options.quiet:
            return
        if not summary.total:
            self._log.info("no track matches")
            return
        models = " and ".join(self._listening.models.values())
        up_to_date = f"{counted(summary.total, 'track')} up to date ({models})"
        if summary.albums_changed:
            self._log.info("{}, {}", summary.of_albums(), up_to_date)
        else:
            self._log.info("nothing to do: {}", up_to_date)

    def _say(self, summary: Summary) -> None:
        left = summary.todo - summary.done - summary.failed
        if summary.stopped_by and not summary.todo:
            self._log.warning("stopped: nothing was done yet")
        elif summary.stopped_by:
            self._log.warning("stopped: {}; {} left, run it again to go on", summary, left)
        elif summary.gone:
            self._log.error("{}: {}; {}; {} left", summary.gone, WHAT_TO_DO, summary, left)
        elif summary.failed or summary.unwritten:
            self._log.warning("{}", summary)
        elif not self._options.quiet:
            self._log.info("{}", summary)


def _line(item: Item, analysis: Analysis, p: Plan) -> str:
    return f"{item}: {_heard(analysis, p)}"


def _heard(analysis: Analysis, p: Plan) -> str:
    parts = []
    for name, histogram in (("genres", analysis.genre), ("mood", analysis.mood)):
        top, says = spell(histogram.top), fields.together(p.says[name])
        other = f": {says}" if says not in ("", top) else ""
        parts.append(f"{top} {histogram.confidence:.0%} ({p.outcomes[name]}{other})")
    return ", ".join(parts)


def _show(item: Item, analysis: Analysis, p: Plan) -> None:
    """What would change, in beets' own manner, and what it is based on."""
    ui.print_(_line(item, analysis, p))
    show_tag_changes(item, p.library, p.file, p.entry.file)
    for histogram in (analysis.genre, analysis.mood):
        ui.print_(f"  heard: {bars(histogram.to_dict()['counts'])}")
