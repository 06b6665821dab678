"""What an analysis changes on an item: fill, add or force. Pure: no beets, no files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "ENDS",
    "POLICIES",
    "Change",
    "End",
    "Policy",
    "Present",
    "Rules",
    "Values",
    "Wrote",
    "decide",
    "same",
    "settled",
]

Policy = Literal["fill", "add", "force"]
POLICIES: tuple[Policy, ...] = ("fill", "add", "force")
End = Literal["back", "front"]
ENDS: tuple[End, ...] = ("back", "front")
Values = tuple[str, ...]


@dataclass(frozen=True)
class Rules:
    """What may happen to one field.

    Parameters
    ----------
    policy : {'fill', 'add', 'force'}
        ``fill`` writes where both library and file are empty, and renews what is ours; ``add`` puts our values
        beside what is there; ``force`` replaces what is there.
    add_to : {'back', 'front'}
        On which side of what is there.
    min_confidence : float
        Below it nothing is written, and nothing taken away.
    """

    policy: Policy = "fill"
    add_to: End = "back"
    min_confidence: float = 0.0


@dataclass(frozen=True)
class Wrote:
    """What the plugin last put into one place, the library or the file.

    Parameters
    ----------
    values : tuple of str
        The whole list, as it stood afterwards.
    added : tuple of str
        Those of `values` that came from us; none if we only copied the file's into the library.
    """

    values: Values
    added: Values = ()

    @classmethod
    def from_dict(cls, data: Mapping[str, Iterable[str]]) -> Wrote:
        """Read what `dataclasses.asdict` made of one."""
        return cls(tuple(data["values"]), tuple(data["added"]))


@dataclass(frozen=True)
class Present:
    """What stands in one field of a track now, and what we put there earlier."""

    library: Values = ()
    file: Values = ()
    wrote_library: Wrote | None = None
    wrote_file: Wrote | None = None

    @property
    def own_library(self) -> Wrote | None:
        """Our last writing, if it is what the library still says."""
        return _own(self.library, self.wrote_library)

    @property
    def own_file(self) -> Wrote | None:
        """Our last writing, if the file still says so, whether we or a later `beet write` put it there."""
        return _own(self.file, self.wrote_file) or _own(self.file, self.wrote_library)


@dataclass(frozen=True)
class Change:
    """What to do with one field of a track.

    Parameters
    ----------
    outcome : str
        ``filled``, ``renewed``, ``added``, ``forced``; ``adopted`` (the library takes over what only the file
        said); ``kept``; ``unsure`` (below the least confidence); ``unnamed`` (the user wants none of it written).
    library, file : Wrote or None
        What each place shall say; None leaves it alone.
    """

    outcome: str
    library: Wrote | None = None
    file: Wrote | None = None


def decide(rules: Rules, present: Present, values: Values, confidence: float = 1.0) -> Change:
    """Decide what becomes of one field.

    Parameters
    ----------
    rules : Rules
        What may happen.
    present : Present
        What is there.
    values : tuple of str
        What the track sounds like; none where nothing of it is to be written.
    confidence : float
        How sure that is.
    """
    if confidence < rules.min_confidence:
        change = Change("unsure")
    elif not values:
        change = Change("unnamed")
    elif rules.policy == "force":
        change = Change("forced", Wrote(values, values), Wrote(values, values))
    elif rules.policy == "add":
        change = _add(present, values, rules.add_to)
    else:
        change = _fill(present, values, rules.add_to)
    if change.library is None and change.file is None and not present.library and present.file:
        # Else beets' next write would blank in the file what the library does not know.
        change = Change("adopted", library=Wrote(present.file))
    return _without_idle(change, present)


def settled(rules: Rules, library: Values, values: Values, confidence: float) -> bool:
    """Whether a track that the current models have heard needs no second look at this field.

    Parameters
    ----------
    rules : Rules
        What may happen.
    library : tuple of str
        What the library says.
    values : tuple of str
        What the track sounded like.
    confidence : float
        How sure that was.
    """
    if confidence < rules.min_confidence or not values:
        return True
    if rules.policy == "force":
        return library == values
    if rules.policy == "add":
        return not _missing(library, values)
    return bool(library)


def _fill(present: Present, values: Values, end: End) -> Change:
    own_library, own_file = present.own_library, present.own_file
    renewed = _joined(_base((), own_library or own_file), values, end)
    if not present.library and not present.file:
        return Change("filled", renewed, renewed)
    library_free = not present.library or own_library is not None
    if library_free and (not present.file or own_file is not None):
        return Change("renewed", renewed, renewed)
    if own_library is not None:  # the file says something else, of its owner's
        return Change("renewed", renewed)
    return Change("kept")


def _add(present: Present, values: Values, end: End) -> Change:
    library = _base(present.library, present.own_library)
    file = _base(present.file, present.own_file)
    return Change("added", _joined(library or file, values, end), _joined(file or library, values, end))


def same(present: Values, wrote: Values) -> bool:
    """Whether a place says what was written there: in ID3v2.3 several genres come back joined by slashes."""
    return present == wrote or (len(wrote) > 1 and present == ("/".join(wrote),))


def _base(values: Values, own: Wrote | None) -> Values:
    return values if own is None else tuple(v for v in own.values if v not in own.added)


def _joined(there: Values, values: Values, end: End) -> Wrote:
    new = _missing(there, values)
    return Wrote((*new, *there) if end == "front" else (*there, *new), new)


def _missing(there: Values, values: Values) -> Values:
    known = {value.casefold() for value in there}
    return tuple(value for value in values if value.casefold() not in known)


def _own(values: Values, wrote: Wrote | None) -> Wrote | None:
    return wrote if wrote and values and wrote.added and same(values, wrote.values) else None


def _without_idle(change: Change, present: Present) -> Change:
    """Leave alone what already says so."""
    library = None if change.library and same(present.library, change.library.values) else change.library
    file = None if change.file and same(present.file, change.file.values) else change.file
    if library is None and file is None and change.outcome not in ("unsure", "unnamed"):
        return Change("kept")
    return Change(change.outcome, library, file)
