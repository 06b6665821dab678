"""Put back what the journal remembers: genres and moods of before, in library and files."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from beets.util import displayable_path

from . import fields
from .albums import put_album_back
from .changes import set_fields, show_tag_changes
from .copies import Copies
from .journal import Entry, Journal
from .plans import not_copied, stored_values
from .policy import Wrote, same
from .progress import counted
from .recognition import known_entries, recording_of
from .tags import TagError, TagFile, as_values

if TYPE_CHECKING:
    from beets.library import Item, Library
    from beets.logging import BeetsLogger

    from .options import Options

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
    lib: Library, items: Iterable[Item], options: Options, journal: Journal | None, log: BeetsLogger
) -> int:
    """Put back genres and moods of some items.

    Parameters
    ----------
    lib : Library
        The library.
    items : iterable of Item
        The tracks.
    options : Options
        Whether to write files, to pretend, to be quiet.
    journal : Journal or None
        What was there.
    log : Logger
        The plugin's.

    Returns
    -------
    int
        Exit status: 1 if a file could not be written.

    Raises
    ------
    JournalError
        If the journal cannot be used.
    """
    done = failed = 0
    albums: dict[int, set[int]] = {}
    copies = Copies(journal)
    lock = journal.path if journal else None
    source = iter(items)
    while batch := list(islice(source, _BATCH)):
        finished: list[tuple[Item, Entry]] = []
        for item, entry in _with_entries(batch, lib, journal):
            try:
                back = _put_item_back(item, entry, options, copies, lock, log)
            except TagError as error:
                log.error("{}: its tags cannot be put back ({})", displayable_path(item.path), error)
                failed += 1
                continue
            done += 1
            if back.foreign and not options.quiet:
                log.info("{}: {} changed since and left alone", item, " and ".join(back.foreign))
            finished.append((item, entry))
            if item.album_id is not None and item.id is not None:
                albums.setdefault(item.album_id, set()).add(item.id)
        if not options.pretend and finished and journal is not None:
            with lib.transaction():
                for item, _ in finished:
                    item.store()
            # A run without -w leaves the files as they are: what was in them must stay known.
            if options.write:
                journal.close_entries(entry for _, entry in finished)
    albums_done = _put_albums_back(lib, albums, options, journal, log)
    if not done and not failed and not albums_done:
        if not options.quiet:
            log.info("nothing to put back")
    elif not options.quiet or failed:
        what = "would put back" if options.pretend else "put back"
        with_albums = f" and {counted(albums_done, 'album')}" if albums_done else ""
        failures = f", {counted(failed, 'track')} failed" if failed else ""
        log.info("{} {}{}{}", what, counted(done, "track"), with_albums, failures)
    return 1 if failed else 0


def _put_albums_back(
    lib: Library,
    restored: Mapping[int, Collection[int]],
    options: Options,
    journal: Journal | None,
    log: BeetsLogger,
) -> int:
    """Albums follow with the last of their tracks; how many did."""
    done = 0
    for number, tracks in restored.items():
        album = lib.get_album(number)
        plan = put_album_back(album, tracks, options, journal) if album else None
        if plan is None:
            continue
        done += 1
        if plan.foreign and not options.quiet:
            log.info("{}: {} changed since and left alone", album, " and ".join(plan.foreign))
    return done


def _put_item_back(
    item: Item, entry: Entry, options: Options, copies: Copies, lock: Path | None, log: BeetsLogger
) -> Back:
    tag_file = TagFile(item) if options.write else None
    tags = tag_file.read() if tag_file else None
    stored = stored_values(item)
    own = {} if tags is None else not_copied(stored, tags, entry, copies.of(item))
    back = plan_back(entry, {**stored, **own}, tags)
    back = replace(back, library={**own, **back.library})
    if options.pretend:
        show_tag_changes(item, back.library, back.file, tags or {}, print_item=True)
        return back
    set_fields(item, {**back.library, fields.FAILED_FIELD: None})
    if tag_file and back.file:
        tag_file.write(back.file, log, lock)
    return back


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
        elif (entry is not None or _was_heard(item)) and (recording := recording_of(item)):
            strangers.append((item, recording))
    known = at_home | known_entries(strangers, lib, journal)
    for item in batch:
        if item.id in known:
            yield item, known[item.id]


def _was_heard(item: Item) -> bool:
    """Whether its fields look like ours; those of the file's tags outlive the item."""
    names = (*map(fields.model_field, fields.TASKS), *fields.HISTOGRAM_FIELDS.values())
    return any(item.get(name, None, False) for name in names)
