"""Genres that beets has copied from one track of an album to the others.

`beet update` gives an album the fields of its first track, `beet mbsync` those of the last one that it changed, and
both then give all its tracks those of the album; in the library alone, so the other tracks' files still say what we
wrote. A genre that the user gives to an album stands in the files as well, or no track's file says so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .album_plans import Memory
from .journal import Journal
from .policy import Values, Wrote, same
from .recognition import recording_of
from .tags import TagError, TagFile, as_values

if TYPE_CHECKING:
    from beets.library import Album, Item

__all__ = ["Copies"]

#: The only field that albums have as well, and beets copies.
_FIELD = "genres"


@dataclass(frozen=True)
class _Known:
    """What is known of one album.

    Parameters
    ----------
    sources : mapping of Values to set of int
        By what the album says or said, the tracks whose files or journals say so.
    ours : Wrote or None
        What we wrote on a track, if the album says just that, and all its tracks do, some of them in the library alone.
    """

    sources: Mapping[Values, Collection[int]] = field(default_factory=dict)
    ours: Wrote | None = None


class Copies:
    """What beets may have copied; as it is when an album is first asked for, before a run changes its tracks."""

    def __init__(self, journal: Journal | None) -> None:
        self._journal = journal
        self._known: dict[int, _Known] = {}

    def of(self, item: Item) -> frozenset[str]:
        """Fields in which a track and its album say what another of its tracks says, or said when we wrote it."""
        album = item.get_album()
        if album is None:
            return frozenset()
        tracks = self._of_album(album).sources.get(as_values(item.get(_FIELD, None, False)))
        return frozenset([_FIELD] if tracks and item.id not in tracks else [])

    def in_album(self, album: Album) -> Wrote | None:
        """What we wrote on a track, where the album and all its tracks have got just that from beets."""
        return self._of_album(album).ours

    def _of_album(self, album: Album) -> _Known:
        assert album.id is not None  # it comes from the library
        if album.id not in self._known:
            self._known[album.id] = self._look(album)
        return self._known[album.id]

    def _look(self, album: Album) -> _Known:
        says, said = as_values(album.get(_FIELD)), Memory.of(album).copied
        candidates = {values for values in (says, said) if values}
        items = list(album.items())
        wrote = self._written(items) if candidates else {}
        if not any(same(values, w.values) for values in candidates for w in wrote.values()):
            return _Known()  # without a look into the files
        sources: dict[Values, set[int]] = {values: set() for values in candidates}
        ours, elsewhere, copied = [], False, False
        for item in items:
            assert item.id is not None  # it comes from the library
            in_file, w = _in_file(item), wrote.get(item.id)
            for values in candidates & {in_file, w.values if w else ()}:
                sources[values].add(item.id)
            is_ours = w is not None and bool(w.added) and same(says, w.values)
            if as_values(item.get(_FIELD, None, False)) != says or (in_file == says and not is_ours):
                elsewhere = True  # it is some track's own
            copied = copied or in_file != says
            ours += [w] if w is not None and is_ours else []
        return _Known(sources, ours[0] if ours and copied and not elsewhere else None)

    def _written(self, items: Sequence[Item]) -> dict[int, Wrote]:
        """What we wrote in the library, by the tracks' numbers, which may have been other recordings' before."""
        if self._journal is None:
            return {}
        entries = self._journal.latest([item.id for item in items if item.id is not None])
        known = {item.id: entries[item.id] for item in items if item.id in entries}
        return {
            item.id: known[item.id].wrote_library[_FIELD]
            for item in items
            if item.id in known
            and _FIELD in known[item.id].wrote_library
            and (known[item.id].path == item.path or known[item.id].content_hash == recording_of(item))
        }


def _in_file(item: Item) -> Values:
    try:
        return as_values(TagFile(item).read()[_FIELD])
    except TagError:
        return ()
