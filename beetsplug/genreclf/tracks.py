"""The tracks that a command is for, a few at a time: beets itself would keep all of a large library in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
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
    def of_query(cls, lib: Library, query: Sequence[str], *, failed: bool = False) -> Tracks:
        """The tracks that match a query; all tracks if it is empty, album by album.

        Parameters
        ----------
        lib : Library
            The library.
        query : sequence of str
            As on the command line.
        failed : bool
            Only those that failed before.
        """
        if query or failed:
            # Here beets does load them all, as for `beet ls`. The failed ones are not asked for in the query: a comma
            # in it would leave some tracks out of their reach.
            found = (item for item in lib.items(query) if not failed or FAILED_FIELD in item)
            return cls(lib, [item.id for item in found if item.id])
        with lib.transaction() as transaction:
            rows = transaction.query("SELECT id FROM items ORDER BY albumartist, album_id, disc, track, id")
        return cls(lib, [row["id"] for row in rows])

    @classmethod
    def of_albums(cls, lib: Library, albums: Sequence[int], *, failed: bool = False) -> Tracks:
        """The tracks of some albums, by the albums' numbers."""
        items = chain.from_iterable(lib.items(MatchQuery("album_id", number)) for number in albums)
        return cls(lib, [item.id for item in items if item.id and (not failed or FAILED_FIELD in item)])

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[Item]:
        for start in range(0, len(self), _CHUNK):
            chunk = self._numbers[start : start + _CHUNK]
            any_of_them = OrQuery([MatchQuery("id", number) for number in chunk])
            found = {item.id: item for item in self._lib.items(any_of_them)}
            yield from (found[number] for number in chunk if number in found)
