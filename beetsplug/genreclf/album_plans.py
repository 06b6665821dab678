"""What the histograms of an album's tracks change on the album. Pure.

An album has no file: what its fields said before lives in the library as they do, in a field of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from genrecore.analysis import Histogram, combine

from . import fields
from .plans import named
from .policy import Change, Present, Values, Wrote, decide, same
from .tags import as_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beets.library import Album

    from .options import Options

__all__ = ["COPIED_FIELD", "AlbumPlan", "Memory", "album_fields", "plan_album", "plan_album_back"]

#: The only one of our fields that albums have as well, and beets copies from a track to its album and all its tracks.
COPIED_FIELD = "genres"


@dataclass(frozen=True)
class Memory:
    """What an album's fields said before us, and what we put there.

    Parameters
    ----------
    before : mapping
        By field; an absent one is left out, and a genre that was but a copy of ours.
    wrote : mapping of str to Wrote
        What we last put into each of `fields.ALBUM_TAG_FIELDS`.
    copied : tuple of str
        The copy of ours that we wrote over: beets has given it to the tracks as well.
    """

    before: Mapping[str, Any] = field(default_factory=dict)
    wrote: Mapping[str, Wrote] = field(default_factory=dict)
    copied: Values = ()

    @classmethod
    def of(cls, album: Album) -> Memory:
        """What an album's own field says; nothing where that is unreadable."""
        return cls.from_json(album.get(fields.BEFORE_FIELD))

    @classmethod
    def from_json(cls, text: object) -> Memory:
        """Read what `to_json` wrote."""
        try:
            data = json.loads(text) if isinstance(text, str) else {}
            wrote = {name: Wrote.from_dict(value) for name, value in data.get("wrote", {}).items()}
            return cls(dict(data.get("before", {})), wrote, tuple(data.get("copied", ())))
        except (ValueError, TypeError, KeyError, AttributeError):
            return cls()

    def to_json(self) -> str:
        """As one line of text."""
        wrote = {name: asdict(value) for name, value in self.wrote.items()}
        data = {"before": dict(self.before), "wrote": wrote, "copied": self.copied}
        return json.dumps(data, ensure_ascii=False)


@dataclass(frozen=True)
class AlbumPlan:
    """What becomes of one album.

    Parameters
    ----------
    outcomes : mapping of str to str
        By task, see `policy.Change.outcome`; empty where no track was heard.
    values : mapping
        Album fields to set; None for one to remove.
    heard : mapping of str to Histogram
        The sums, by task.
    foreign : tuple of str
        Fields that say something else than what we wrote by now: they are left alone.
    """

    outcomes: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    heard: Mapping[str, Histogram] = field(default_factory=dict)
    foreign: tuple[str, ...] = ()


def plan_album(
    tracks: Sequence[Mapping[str, Histogram]],
    stored: Mapping[str, Any],
    copied: Wrote | None,
    options: Options,
) -> AlbumPlan:
    """Plan what the sum over its tracks changes on an album.

    Parameters
    ----------
    tracks : sequence of mapping of str to Histogram
        By task, of each track that was heard; at least one.
    stored : mapping
        The album's fields, see `album_fields`.
    copied : Wrote or None
        See `copies.Copies.in_album`: a genre that is but a track's is no one's choice for the album.
    options : Options
        Rules and naming.
    """
    heard = {task: combine([track[task] for track in tracks]) for task in fields.TASKS}
    values = fields.album_values(heard["genre"], heard["mood"], len(tracks))
    memory = Memory.from_json(stored.get(fields.BEFORE_FIELD))
    changes: dict[str, Change] = {}
    present: dict[str, Present] = {}
    for task, name in fields.ALBUM_TAG_FIELDS.items():
        wrote = memory.wrote.get(name)
        if name == COPIED_FIELD and copied:
            wrote = copied
        says = as_values(stored.get(name))
        present[name] = Present(library=says, file=says, wrote_library=wrote)  # no file says anything else
        histogram = fields.listened(values[fields.ALBUM_PREFIX + fields.histogram_field(task)])
        names = named(histogram, options.naming[task])
        changes[name] = decide(options.rules[task], present[name], names, heard[task].confidence)
    own = fields.own_album_fields(stored)
    new: dict[str, Any] = {name: c.library.values for name, c in changes.items() if c.library}
    new |= {name: value for name, value in values.items() if stored.get(name) != value}
    new |= dict.fromkeys(name for name in own - values.keys() if stored.get(name) is not None)
    if new:
        new[fields.BEFORE_FIELD] = _remembered(memory, stored, present, changes, own).to_json()
    outcomes = {task: changes[name].outcome for task, name in fields.ALBUM_TAG_FIELDS.items()}
    return AlbumPlan(outcomes, new, heard)


def _remembered(
    memory: Memory,
    stored: Mapping[str, Any],
    present: Mapping[str, Present],
    changes: Mapping[str, Change],
    own: set[str],
) -> Memory:
    """What was there stays known; only where a value has become another's since, that one is what was there."""
    before = dict(memory.before)
    if fields.BEFORE_FIELD not in stored:
        before |= {name: stored[name] for name in own if stored.get(name) is not None}
    copied = memory.copied
    for name, change in changes.items():
        own_library = present[name].own_library
        if change.library and not own_library:
            before[name] = list(present[name].library)
        elif change.library and own_library != memory.wrote.get(name):
            copied = present[name].library
    wrote = {name: change.library for name, change in changes.items() if change.library}
    return Memory(before, {**memory.wrote, **wrote}, copied)


def plan_album_back(stored: Mapping[str, Any], copied: Wrote | None, first: object) -> AlbumPlan:
    """Plan what to put back on an album none of whose tracks counts as heard any more.

    Parameters
    ----------
    stored, copied
        As in `plan_album`.
    first : object
        The genres that its first track had before us: what beets would have copied, where it has copied ours.
    """
    memory = Memory.from_json(stored.get(fields.BEFORE_FIELD))
    values: dict[str, Any] = {}
    foreign = []
    for name in fields.ALBUM_TAG_FIELDS.values():
        copy = copied if name == COPIED_FIELD else None
        ours = [w.values for w in (memory.wrote.get(name), copy) if w is not None]
        # A genre that we wrote, and none before it: that was a copy.
        absent = first if name == COPIED_FIELD else ()
        now, before = as_values(stored.get(name)), as_values(memory.before.get(name, absent))
        if not ours or now == before:
            continue
        if any(same(now, wrote) for wrote in ours):
            values[name] = before or None
        else:
            foreign.append(name)
    if fields.BEFORE_FIELD in stored:
        names = {name for name in fields.own_album_fields(stored) if name in stored}
        values |= {name: memory.before.get(name) for name in names}
        values[fields.BEFORE_FIELD] = None
    return AlbumPlan(values=values, foreign=tuple(foreign))


def album_fields(album: Album) -> dict[str, Any]:
    """The album's present fields that the plugin writes; absent ones are left out."""
    histograms = {name: album.get(fields.ALBUM_PREFIX + name) for name in fields.HISTOGRAM_FIELDS.values()}
    names = fields.own_album_fields({fields.ALBUM_PREFIX + name: text for name, text in histograms.items()})
    names |= {*fields.ALBUM_TAG_FIELDS.values(), fields.BEFORE_FIELD}
    found = {name: album.get(name) for name in names}
    return {name: value for name, value in found.items() if value is not None}
