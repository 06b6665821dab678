"""Put back what the journal remembers: genres and moods of before, in library and files."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from beets.util import displayable_path

from genrecore.interrupts import Terminated, interrupts_postponed, termination_is_interrupt

from . import fields
from .albums import put_album_back
from .changes import set_fields, show_tag_changes
from .copies import Copies
from .drives import WHAT_TO_DO, gone
from .journal import Entry, Journal
from .plans import not_copied, stored_values
from .policy import Wrote, same
from .progress import counted, progress
from .recognition import known_entries, recording_of, was_heard
from .tags import TagError, TagFile, as_values

if TYPE_CHECKING:
    from beets.library import Album, Item, Library
    from beets.logging import BeetsLogger

    from .options import Options
    from .tracks import Tracks

__all__ = ["Back", "plan_back", "restore"]

_BATCH = 20


@dataclass(frozen=True)
class Back:
    """What putting one track back changes.

    Parameters
    ----------
    library, file : mapping
        Fields and tags to set; None for one to remove.
    foreign : tuple of str
        Fields that say something else than what we wrote by now: they are left alone.
    """

    library: Mapping[str, Any]
    file: Mapping[str, Any]
    foreign: tuple[str, ...]


def plan_back(entry: Entry, stored: Mapping[str, Any], tags: Mapping[str, Any] | None) -> Back:
    """Plan what to put back on one track.

    Parameters
    ----------
    entry : Entry
        What the journal knows.
    stored, tags : mapping
        What library and file say now, see `plans.stored_values` and `tags.TagFile.read`; no tags if the file
        is to stay as it is.
    """
    library: dict[str, Any] = {}
    file: dict[str, Any] = {}
    foreign = []
    for name in fields.TAG_FIELDS.values():
        in_library, in_file = entry.wrote_library.get(name), entry.wrote_file.get(name)
        left = _put_back(name, stored, entry.library, (in_library,), library)
        if tags is not None:
            left |= _put_back(name, tags, entry.file, (in_file, in_library), file)
        if library.get(name, ()) is None and entry.library.get(name) is not None:
            library[
                name
            ] = ()  # an empty list is not the same as none: templates show a field that is not there
        if left:
            foreign.append(name)
    for name in fields.own_fields(stored):
        if name in stored and stored[name] != entry.library.get(name):
            library[name] = entry.library.get(name)
    if fields.WRITTEN_FIELD in stored:
        library[fields.WRITTEN_FIELD] = None
    if tags is not None:
        for name in fields.HISTOGRAM_FIELDS.values():
            if tags.get(name) != entry.file.get(name):
                file[name] = entry.file.get(name)
    return Back(library, file, tuple(foreign))


def _put_back(
    name: str,
    now: Mapping[str, Any],
    before: Mapping[str, Any],
    wrote: tuple[Wrote | None, ...],
    back: dict[str, Any],
) -> bool:
    """Add one field to `back` if it says what we wrote; whether it is another's by now."""
    ours = [w.values for w in wrote if w is not None]
    present = as_values(now.get(name))
    if not ours or present == as_values(before.get(name)):
        return False
    if not any(same(present, values) for values in ours):
        return True
    back[name] = as_values(before.get(name)) or None
    return False


def restore(
    lib: Library,
    items: Tracks,
    albums: Iterable[int],
    options: Options,
    journal: Journal | None,
    log: BeetsLogger,
) -> int:
    """Put back genres and moods of some items, and of albums with the last of their tracks.

    Parameters
    ----------
    lib : Library
        The library.
    items : Tracks
        The tracks.
    albums : iterable of int
        Numbers of albums to look at, beside those of the tracks.
    options : Options
        Whether to write files, to pretend, to be quiet.
    journal : Journal or None
        What was there.
    log : Logger
        The plugin's.

    Returns
    -------
    int
        Exit status: 0 if all went well, 1 if a file could not be written or all are gone, 130 or 143 if stopped by
        Ctrl-C or SIGTERM.

    Raises
    ------
    JournalError
        If the journal cannot be used.
    """
    run = _Run(lib, options, journal, log)
    status = 0
    with termination_is_interrupt():
        try:
            run.tracks(items)
            run.albums_of(albums)
        except KeyboardInterrupt as stop:
            status = 128 + (signal.SIGTERM if isinstance(stop, Terminated) else signal.SIGINT)
    run.say(stopped=bool(status))
    return status or (1 if run.failed or run.gone else 0)


@dataclass
class _Run:
    lib: Library
    options: Options
    journal: Journal | None
    log: BeetsLogger
    done: int = 0
    failed: int = 0
    albums: int = 0
    gone: str = ""
    _copies: Copies = field(init=False)
    _albums: set[int] = field(default_factory=set)
    # With `pretend`, those that would be.
    _restored: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._copies = Copies(self.journal)

    def tracks(self, items: Tracks) -> None:
        quiet = self.options.quiet or self.options.pretend
        source = iter(items)
        with progress(len(items), self.log, what="putting back", quiet=quiet) as advance:
            while not self.gone and (batch := list(islice(source, _BATCH))):
                with interrupts_postponed():  # until tags and library agree again
                    self._batch(batch)
                for _ in batch:
                    advance("")

    def _batch(self, numbered: list[Item]) -> None:
        # As they are now: they were fetched some time ago.
        batch = [item for old in numbered if old.id and (item := self.lib.get_item(old.id))]
        self._albums |= {item.album_id for item in batch if item.album_id}
        finished: list[tuple[Item, Entry]] = []
        for item, entry in _with_entries(batch, self.lib, self.journal):
            try:
                back = self._put_item_back(item, entry)
            except TagError as error:
                if folder := gone(self.lib, item.path):
                    self.gone = folder
                    break
                self.log.error("{}: its tags cannot be put back ({})", displayable_path(item.path), error)
                self.failed += 1
                continue
            self.done += 1
            self._tell_foreign(item, back.foreign)
            finished.append((item, entry))
        if not self.options.pretend and finished and self.journal is not None:
            with self.lib.transaction():
                for item, _ in finished:
                    item.store()
            # A run without -w leaves the files as they are: what was in them must stay known.
            if self.options.write:
                self.journal.close_entries(entry for _, entry in finished)
        elif self.options.pretend:
            self._restored |= {item.id for item, _ in finished if item.id}

    def _put_item_back(self, item: Item, entry: Entry) -> Back:
        stored, tag_file = stored_values(item), None
        tags: Mapping[str, Any] = {}
        try:
            tag_file = TagFile(item)
            tags = tag_file.read()
        except TagError:
            if self.options.write:
                raise
        own = not_copied(stored, tags, entry, self._copies.of(item))
        back = plan_back(entry, {**stored, **own}, tags if self.options.write else None)
        back = replace(back, library={**own, **back.library})
        if self.options.pretend:
            show_tag_changes(item, back.library, back.file, tags, print_item=True)
            return back
        set_fields(item, {**back.library, fields.FAILED_FIELD: None})
        if tag_file and back.file:
            tag_file.write(back.file, self.log, self.journal.path if self.journal else None)
        return back

    def albums_of(self, others: Iterable[int]) -> None:
        """Albums follow with the last of their tracks."""
        for number in sorted({*others, *self._albums}):
            with interrupts_postponed():
                album = self.lib.get_album(number)
                if album is None or self.journal is None:
                    continue
                plan = put_album_back(album, self._restored, self.options, self._copies, self.journal)
                if plan is not None:
                    self.albums += 1
                    self._tell_foreign(album, plan.foreign)

    def _tell_foreign(self, model: Item | Album | None, names: tuple[str, ...]) -> None:
        if names and not self.options.quiet:
            self.log.info("{}: {} changed since and left alone", model, " and ".join(names))

    def say(self, *, stopped: bool) -> None:
        """How it went."""
        told = f"{'would put back' if self.options.pretend else 'put back'} {counted(self.done, 'track')}"
        told += f" and {counted(self.albums, 'album')}" if self.albums else ""
        told += f", {counted(self.failed, 'track')} failed" if self.failed else ""
        if self.gone:
            self.log.error("{}: {}; {}", self.gone, WHAT_TO_DO, told)
        elif stopped:
            self.log.warning("stopped: {}, run it again to go on", told)
        elif self.failed:
            self.log.warning("{}", told)
        elif not self.options.quiet:
            self.log.info("{}", told if self.done or self.albums else "nothing to put back")


def _with_entries(batch: list[Item], lib: Library, journal: Journal | None) -> Iterator[tuple[Item, Entry]]:
    """The items that the journal knows, be it under an earlier number."""
    if journal is None:
        return
    found = journal.find([item.id for item in batch if item.id is not None])
    at_home: dict[int, Entry] = {}
    strangers: list[tuple[Item, str]] = []
    for item in batch:
        assert item.id is not None  # it comes from the library
        entry = found.get(item.id)
        if entry is not None and entry.path == item.path:
            at_home[item.id] = entry
        elif (entry is not None or was_heard(item)) and (recording := recording_of(item)):
            strangers.append((item, recording))
    known = at_home | known_entries(strangers, lib, journal)
    for item in batch:
        if item.id in known:
            yield item, known[item.id]
