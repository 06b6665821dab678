"""Genres that beets has copied from one track of an album to the others.

`beet update` gives an album the fields of its first track, `beet mbsync` those of the last one that it changed, and
both then give all its tracks those of the album; in the library alone, so the other tracks' files still say what we
wrote. A genre that the user gives to an album stands in the files as well, or no track's file says so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .album_plans import COPIED_FIELD, Memory
from .journal import Journal
from .policy import Values, Wrote, same
from .recognition import recording_of
from .tags import TagError, TagFile, as_values

if TYPE_CHECKING:
    from beets.library import Album, Item

__all__ = ["Copies"]


@dataclass(frozen=True)
class _Known:
    """What is known of one album.

    Parameters
    ----------
    sources : mapping of Values to set of int
        By what the album says or said, the tracks whose files or journals say so.
    everywhere : set of Values
        Those of them that all its tracks say, some of ours in the library alone.
    ours : Wrote or None
        What we wrote on a track, if the album says just that, everywhere, and no track of its own.
    """

    sources: Mapping[Values, Collection[int]] = field(default_factory=dict)
    everywhere: Collection[Values] = ()
    ours: Wrote | None = None


class Copies:
    """What beets may have copied; as it is when an album is first asked for, before a run changes its tracks."""

    def __init__(self, journal: Journal | None) -> None:
        self._journal = journal
        self._known: dict[int, _Known] = {}

    def of(self, item: Item) -> dict[str, bool]:
        """Fields in which a track and its album say what another of its tracks says, or said when we wrote it.

        Returns
        -------
        dict of str to bool
            Whether all its tracks do: then a genre that is not ours was copied over as well.
        """
        album = item.get_album()
        if album is None:
            return {}
        known, says = self._of_album(album), as_values(item.get(COPIED_FIELD, None, False))
        tracks = known.sources.get(says)
        return {COPIED_FIELD: says in known.everywhere} if tracks and item.id not in tracks else {}

    def in_album(self, album: Album) -> Wrote | None:
        """What we wrote on a track, where the album and all its tracks have got just that from beets."""
        return self._of_album(album).ours

    def _of_album(self, album: Album) -> _Known:
        assert album.id is not None  # it comes from the library
        if album.id not in self._known:
            self._known[album.id] = self._look(album)
        return self._known[album.id]

    def _look(self, album: Album) -> _Known:
        says, said = as_values(album.get(COPIED_FIELD)), Memory.of(album).copied
        candidates = {values for values in (says, said) if values}
        items = list(album.items())
        wrote = self._written(items) if candidates else {}
        if not wrote:
            return _Known()  # without a look into the files
        tracks = [(item, _in_file(item), wrote.get(item.id or 0)) for item in items]
        sources = {
            values: {
                item.id or 0 for item, in_file, w in tracks if values in (in_file, w.values if w else ())
            }
            for values in candidates
        }
        everywhere = {
            values
            for values in candidates
            if all(as_values(item.get(COPIED_FIELD, None, False)) == values for item in items)
            and any(w and same(in_file, w.values) and not same(values, w.values) for _, in_file, w in tracks)
        }
        ours = [w for _, _, w in tracks if w and w.added and same(says, w.values)]
        own = any(in_file == says and not (w and same(says, w.values)) for _, in_file, w in tracks)
        return _Known(sources, everywhere, ours[0] if ours and says in everywhere and not own else None)

    def _written(self, items: Sequence[Item]) -> dict[int, Wrote]:
        """What we wrote in the library, by the tracks' numbers, which may have been other recordings' before."""
        if self._journal is None:
            return {}
        entries = self._journal.latest([item.id for item in items if item.id is not None])
        known = {item.id: entries[item.id] for item in items if item.id in entries}
        return {
            item.id: known[item.id].wrote_library[COPIED_FIELD]
            for item in items
            if item.id in known
            and COPIED_FIELD in known[item.id].wrote_library
            and (known[item.id].path == item.path or known[item.id].content_hash == recording_of(item))
        }


def _in_file(item: Item) -> Values:
    try:
        return as_values(TagFile(item).read()[COPIED_FIELD])
    except TagError:
        return ()
