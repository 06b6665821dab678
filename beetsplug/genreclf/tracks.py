"""The tracks that a command is for, a few at a time: beets itself would keep all of a large library in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from beets.dbcore.query import MatchQuery, OrQuery

if TYPE_CHECKING:
    from beets.library import Item, Library

__all__ = ["tracks", "tracks_of_albums"]

# Of one query's conditions SQLite takes 1,000 at most.
_CHUNK = 500


def tracks(lib: Library, query: Sequence[str]) -> Iterator[Item]:
    """The tracks that match a query, as they are when their turn comes.

    Parameters
    ----------
    lib : Library
        The library.
    query : sequence of str
        As on the command line; all tracks if it is empty, album by album.
    """
    if query:
        # Here beets does load them all, as for `beet ls`.
        numbers = [item.id for item in lib.items(query)]
    else:
        with lib.transaction() as transaction:
            rows = transaction.query("SELECT id FROM items ORDER BY albumartist, album_id, disc, track, id")
        numbers = [row["id"] for row in rows]
    for start in range(0, len(numbers), _CHUNK):
        chunk = numbers[start : start + _CHUNK]
        found = {item.id: item for item in lib.items(OrQuery([MatchQuery("id", number) for number in chunk]))}
        yield from (found[number] for number in chunk if number in found)


def tracks_of_albums(lib: Library, albums: Sequence[int]) -> Iterator[Item]:
    """The tracks of some albums, by the albums' numbers."""
    return chain.from_iterable(lib.items(MatchQuery("album_id", number)) for number in albums)
