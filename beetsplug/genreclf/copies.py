"""Genres that beets has copied from an album's first track to the others.

`beet update` gives an album the fields of its first track, and all its tracks those of the album, as soon as it finds
a change in one of them; in the library alone, so the other tracks' files still say what we wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from beets.library import Album

from . import fields
from .policy import Values
from .tags import TagError, TagFile, as_values

if TYPE_CHECKING:
    from beets.library import Item

__all__ = ["Copies"]

_NAMES = [name for name in fields.TAG_FIELDS.values() if name in Album.item_keys]


class Copies:
    """What `beet update` may have copied; as it is when an album is first asked for, before a run changes it."""

    def __init__(self) -> None:
        self._first: dict[int, tuple[int | None, Mapping[str, Values]]] = {}

    def of(self, item: Item) -> frozenset[str]:
        """Fields in which the library says of a track what the file of its album's first track says.

        A genre that the user has given to the album is none of these: of the first track, too, only the library has it.
        """
        album = item.get_album()
        if album is None or album.id is None:
            return frozenset()
        if album.id not in self._first:
            self._first[album.id] = _first_of(album)
        number, said = self._first[album.id]
        return frozenset(
            name
            for name, values in said.items()
            if number != item.id and values and values == as_values(item.get(name, None, False))
        )


def _first_of(album: Album) -> tuple[int | None, Mapping[str, Values]]:
    """Number of the track that beets takes for the first, and what its file says."""
    first = album.items().get()
    if first is None:
        return None, {}
    try:
        tags = TagFile(first).read()
    except TagError:
        return first.id, {}
    return first.id, {name: tags[name] for name in _NAMES}
