"""The tracks that a command is for, a few at a time: beets itself would keep all of a large library in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from beets.dbcore.query import MatchQuery, OrQuery

from .fields import FAILED_FIELD

if TYPE_CHECKING:
    from beets.library import Item, Library

__all__ = ["Tracks"]

# Of one query's conditions SQLite takes 1,000 at most.
_CHUNK = 500


class Tracks:
    """Some tracks of a library, as they are when their turn comes.

    Parameters
    ----------
    lib : Library
        The library.
    numbers : sequence of int
        Their numbers; one that is there no more is left out.
    """

    def __init__(self, lib: Library, numbers: Sequence[int]) -> None:
        self._lib = lib
        self._numbers = numbers

    @classmethod
    def of_query(cls, lib: Library, query: Sequence[str]) -> Tracks:
        """The tracks that match a query as it stands on the command line; all tracks if it is empty, album by album."""
        if query:  # here beets does load them all, as for `beet ls`
            return cls(lib, [item.id for item in lib.items(query) if item.id])
        return cls(lib, _numbers(lib, "ORDER BY albumartist, album_id, disc, track, id"))

    @classmethod
    def of_albums(cls, lib: Library, albums: Sequence[int]) -> Tracks:
        """The tracks of some albums, by the albums' numbers."""
        where = "WHERE album_id = ? ORDER BY disc, track, id"
        return cls(lib, [number for album in albums for number in _numbers(lib, where, album)])

    def failed(self) -> Tracks:
        """Those of them that failed before."""
        # Not by a part of the query: a comma in that would leave some tracks out of its reach.
        return Tracks(self._lib, [item.id for item in self if item.id and FAILED_FIELD in item])

    def albums(self) -> list[int]:
        """The albums that they belong to, by number."""
        return sorted({item.album_id for item in self if item.album_id})

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[Item]:
        for start in range(0, len(self), _CHUNK):
            chunk = self._numbers[start : start + _CHUNK]
            any_of_them = OrQuery([MatchQuery("id", number) for number in chunk])
            found = {item.id: item for item in self._lib.items(any_of_them)}
            yield from (found[number] for number in chunk if number in found)


def _numbers(lib: Library, rest: str, *values: int) -> list[int]:
    with lib.transaction() as transaction:
        return [row["id"] for row in transaction.query(f"SELECT id FROM items {rest}", values)]
