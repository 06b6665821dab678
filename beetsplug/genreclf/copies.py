"""Genres that beets has copied from an album's first track to the others.

`beet update` gives an album the fields of its first track, and all its tracks those of the album, as soon as it finds
a change in one of them; in the library alone, so the other tracks' files still say what we wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from beets.library import Album

from . import fields
from .journal import Journal
from .policy import Values
from .tags import TagError, TagFile, as_values

if TYPE_CHECKING:
    from beets.library import Item

__all__ = ["Copies"]

_NAMES = [name for name in fields.TAG_FIELDS.values() if name in Album.item_keys]


class Copies:
    """What `beet update` may have copied; as it is when an album is first asked for, before a run changes it."""

    def __init__(self, journal: Journal | None) -> None:
        self._journal = journal
        self._first: dict[int, tuple[int | None, Mapping[str, set[Values]]]] = {}

    def of(self, item: Item) -> frozenset[str]:
        """Fields in which a track and its album say what the album's first track says, or said when we wrote it.

        A genre that the user has given to the album is none of these: the first track's file, too, says something else.
        One that the user has given to a track is none: the album does not say so.
        """
        album = item.get_album()
        if album is None or album.id is None:
            return frozenset()
        if album.id not in self._first:
            self._first[album.id] = self._first_of(album)
        number, said = self._first[album.id]
        return frozenset(
            name
            for name, values in said.items()
            if number != item.id and as_values(item.get(name, None, False)) in values
        )

    def _first_of(self, album: Album) -> tuple[int | None, Mapping[str, set[Values]]]:
        """Number of the track that beets takes for the first, and what it may have passed on."""
        first = album.items().get()
        if first is None or first.id is None:
            return None, {}
        try:
            tags: Mapping[str, Values] = TagFile(first).read()
        except TagError:
            tags = {}
        entry = self._journal.latest(first.id) if self._journal else None
        wrote = entry.wrote_library if entry else {}
        said = {
            name: {tags.get(name, ()), wrote[name].values if name in wrote else ()} - {()} for name in _NAMES
        }
        return first.id, {name: values & {as_values(album.get(name))} for name, values in said.items()}
