"""Which entry of the journal is a track's: every import gives out item numbers anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import fields
from .journal import Entry, Journal

if TYPE_CHECKING:
    from beets.library import Item, Library

__all__ = ["known_entries", "recording_of", "was_heard"]


def known_entries(tracks: Sequence[tuple[Item, str]], lib: Library, journal: Journal) -> dict[int, Entry]:
    """The open entries of some tracks, by their present item number.

    A track that was imported again, or removed and then imported, has another number than its entry; its
    audio tells.

    Parameters
    ----------
    tracks : sequence of (Item, str)
        The tracks with their content hashes.
    lib : Library
        The library.
    journal : Journal
        The journal.

    Raises
    ------
    JournalError
        If the journal cannot be used.
    """
    by_number = journal.find([item.id for item, _ in tracks if item.id is not None])
    known: dict[int, Entry] = {}
    strangers: list[tuple[int, Item, str]] = []
    for item, content_hash in tracks:
        assert item.id is not None  # it comes from the library
        entry = by_number.get(item.id)
        if entry is not None and entry.content_hash == content_hash:
            known[item.id] = entry
        else:
            strangers.append((item.id, item, content_hash))
    if not strangers:
        return known
    taken = {entry.id for entry in known.values()}
    recordings = {
        content_hash: [entry for entry in entries if entry.id not in taken and _is_left_behind(entry, lib)]
        for content_hash, entries in journal.find_recordings(
            sorted({content_hash for _, _, content_hash in strangers})
        ).items()
    }
    for in_place in (True, False):  # of several copies, each its own as far as the paths say
        for number, item, content_hash in strangers:
            if number in known:
                continue
            for entry in recordings.get(content_hash, ()):
                fits = entry.path == item.path or not in_place
                if fits and entry.id not in taken:
                    known[number] = entry
                    taken.add(entry.id)
                    break
    return known


def _is_left_behind(entry: Entry, lib: Library) -> bool:
    """Whether the item with the entry's number is gone, or is another recording."""
    item = lib.get_item(entry.item_id)
    if item is None:
        return True
    # Where it stands as ever, nothing needs to be read: a collection may hold one recording many times.
    return item.path != entry.path and recording_of(item) not in (entry.content_hash, None)


def recording_of(item: Item) -> str | None:
    """Content hash of an item's file, or None if it cannot be read."""
    from genrecore.content import content_hash
    from genrecore.errors import GenreCoreError

    try:
        return content_hash(str(item.filepath))
    except GenreCoreError:
        return None


def was_heard(item: Item) -> bool:
    """Whether its fields look like ours; those of the file's tags outlive the item."""
    names = (*map(fields.model_field, fields.TASKS), *fields.HISTOGRAM_FIELDS.values())
    return any(item.get(name, None, False) for name in names)
