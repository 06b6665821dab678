"""What an analysis changes on an item: fill, add or force. Pure: no beets, no files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["POLICIES", "Change", "Policy", "Present", "Values", "Wrote", "decide", "same", "settled"]

Policy = Literal["fill", "add", "force"]
POLICIES: tuple[Policy, ...] = ("fill", "add", "force")
Values = tuple[str, ...]


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
        said); ``kept``; ``unsure`` (below the least confidence).
    library, file : Wrote or None
        What each place shall say; None leaves it alone.
    """

    outcome: str
    library: Wrote | None = None
    file: Wrote | None = None


def decide(
    policy: Policy, present: Present, value: str, confidence: float = 1.0, min_confidence: float = 0.0
) -> Change:
    """Decide what becomes of one field.

    Parameters
    ----------
    policy : {'fill', 'add', 'force'}
        ``fill`` writes where both library and file are empty, and renews what is ours; ``add`` puts the value
        behind what is there; ``force`` replaces what is there.
    present : Present
        What is there.
    value : str
        What the track sounds like.
    confidence, min_confidence : float
        Below the least confidence nothing is written, and nothing taken away.
    """
    if confidence < min_confidence:
        change = Change("unsure")
    elif policy == "force":
        change = Change("forced", _replaced(value), _replaced(value))
    elif policy == "add":
        change = _add(present, value)
    else:
        change = _fill(present, value)
    if change.library is None and change.file is None and not present.library and present.file:
        # Else beets' next write would blank in the file what the library does not know.
        change = Change("adopted", library=Wrote(present.file))
    return _without_idle(change, present)


def settled(
    policy: Policy, library: Values, value: str | None, confidence: float, min_confidence: float
) -> bool:
    """Whether a track that the current models have heard needs no second look at this field.

    Parameters
    ----------
    library : tuple of str
        What the library says.
    value : str or None
        What the track sounded like.
    """
    if confidence < min_confidence or value is None:
        return True
    if policy == "force":
        return library == (value,)
    if policy == "add":
        return _has(library, value)
    return bool(library)


def _fill(present: Present, value: str) -> Change:
    own_library, own_file = present.own_library, present.own_file
    renewed = _renewed(own_library or own_file, value)
    if not present.library and not present.file:
        return Change("filled", renewed, renewed)
    library_free = not present.library or own_library is not None
    if library_free and (not present.file or own_file is not None):
        return Change("renewed", renewed, renewed)
    if own_library is not None:  # the file says something else, of its owner's
        return Change("renewed", renewed)
    return Change("kept")


def _add(present: Present, value: str) -> Change:
    library = _base(present.library, present.own_library)
    file = _base(present.file, present.own_file)
    return Change("added", _joined(library or file, value), _joined(file or library, value))


def same(present: Values, wrote: Values) -> bool:
    """Whether a place says what was written there: in ID3v2.3 several genres come back joined by slashes."""
    return present == wrote or (len(wrote) > 1 and present == ("/".join(wrote),))


def _base(values: Values, own: Wrote | None) -> Values:
    return values if own is None else tuple(v for v in own.values if v not in own.added)


def _renewed(own: Wrote | None, value: str) -> Wrote:
    return _joined(_base((), own), value)


def _joined(values: Values, value: str) -> Wrote:
    return Wrote(values) if _has(values, value) else Wrote((*values, value), (value,))


def _replaced(value: str) -> Wrote:
    return Wrote((value,), (value,))


def _has(values: Values, value: str) -> bool:
    return value.casefold() in (v.casefold() for v in values)


def _own(values: Values, wrote: Wrote | None) -> Wrote | None:
    return wrote if wrote and values and wrote.added and same(values, wrote.values) else None


def _without_idle(change: Change, present: Present) -> Change:
    """Leave alone what already says so."""
    library = None if change.library and same(present.library, change.library.values) else change.library
    file = None if change.file and same(present.file, change.file.values) else change.file
    if library is None and file is None and change.outcome != "unsure":
        return Change("kept")
    return Change(change.outcome, library, file)
