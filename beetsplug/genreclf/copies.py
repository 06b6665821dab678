"""Genres that beets has copied from one track of an album to the others.

`beet update` gives an album the fields of its first track, `beet mbsync` those of the last one that it changed, and
both then give all its tracks those of the album; in the library alone, so the other tracks' files still say what we
wrote.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from beets.library import Album

from . import fields
from .album_plans import Memory
from .journal import Journal
from .policy import Values, Wrote, same
from .tags import TagError, TagFile, as_values

if TYPE_CHECKING:
    from beets.library import Item

__all__ = ["Copies"]

_NAMES = [name for name in fields.TAG_FIELDS.values() if name in Album.item_keys]


#: By what an album says or said, the tracks whose files or journals say so.
_Sources = Mapping[Values, Collection[int]]


class Copies:
    """What beets may have copied; as it is when an album is first asked for, before a run changes it."""

    def __init__(self, journal: Journal | None) -> None:
        self._journal = journal
        self._sources: dict[int, Mapping[str, _Sources]] = {}

    def of(self, item: Item) -> frozenset[str]:
        """Fields in which a track and its album say what another of its tracks says, or said when we wrote it.

        A genre that the user has given to the album is none of these: no track's file says so. One that the user has
        given to a track is none: the album does not say so.
        """
        album = item.get_album()
        if album is None or album.id is None:
            return frozenset()
        if album.id not in self._sources:
            self._sources[album.id] = self._sources_of(album)
        found = []
        for name, sources in self._sources[album.id].items():
            tracks = sources.get(as_values(item.get(name, None, False)))
            if tracks and item.id not in tracks:
                found.append(name)
        return frozenset(found)

    def in_album(self, album: Album) -> Mapping[str, Wrote]:
        """What we wrote on a track, by field, where the album says just that, and no track says so of its own."""
        items = list(album.items())
        written = self._written(items)
        tracks = [(item, written.get(item.id, {})) for item in items]
        found: dict[str, Wrote] = {}
        for name in _NAMES:
            says = as_values(album.get(name))
            ours = [wrote[name] for _, wrote in tracks if _added(wrote, name)]
            said = [wrote for wrote in ours if same(says, wrote.values)]
            others = [
                as_values(item.get(name, None, False)) for item, wrote in tracks if not _added(wrote, name)
            ]
            if said and says not in others:
                found[name] = said[0]
        return found

    def _sources_of(self, album: Album) -> Mapping[str, _Sources]:
        copied = Memory.of(album).copied
        sources: dict[str, dict[Values, set[int]]] = {
            name: {values: set() for values in (as_values(album.get(name)), copied.get(name)) if values}
            for name in _NAMES
        }
        items = list(album.items())
        written = self._written(items)
        for item in items:
            assert item.id is not None  # it comes from the library
            wrote = written.get(item.id, {})
            try:
                tags: Mapping[str, Values] = TagFile(item).read()
            except TagError:
                tags = {}
            for name in _NAMES:
                here = {tags.get(name, ()), wrote[name].values if name in wrote else ()}
                for values in sources[name].keys() & here:
                    sources[name][values].add(item.id)
        return sources

    def _written(self, items: Iterable[Item]) -> Mapping[int | None, Mapping[str, Wrote]]:
        """What we wrote in the library, by field, by item number."""
        entries = (
            self._journal.latest([item.id for item in items if item.id is not None]) if self._journal else {}
        )
        return {number: entry.wrote_library for number, entry in entries.items()}


def _added(wrote: Mapping[str, Wrote], name: str) -> bool:
    return name in wrote and bool(wrote[name].added)
