"""What is written of a histogram: which of its labels, and under which names. Pure: no beets, no files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .policy import Values

__all__ = ["Naming", "Vocabulary", "key_of", "spell"]

# Not the s of 80s, nor the n of drum'n'bass.
_WORD_START = re.compile(r"(?<![\w'’])[^\W\d_]")
_SPELLING = {"hiphop": "Hip-Hop", "rnb": "R&B", "r&b": "R&B"}


def spell(label: str) -> str:
    """A label as people write it in a tag: ``hiphop`` becomes ``Hip-Hop``, ``80s rock`` ``80s Rock``.

    One with a capital is left as it is.
    """
    if label != label.lower():
        return label
    return _SPELLING.get(label) or _WORD_START.sub(lambda first: first[0].upper(), label.replace("_", " "))


def key_of(name: str) -> str:
    """What a name is compared by: ``hiphop``, ``hip hop`` and ``Hip-Hop`` are one."""
    return re.sub(r"[\W_]+", "", name.casefold()) or name.casefold()


@dataclass(frozen=True)
class Vocabulary:
    """The genres that a user wants to see, as lastgenre knows them.

    Parameters
    ----------
    allowed : mapping of str to str or None
        Each allowed genre by its `key_of`; None if all are.
    lineage : mapping of str to tuple of str
        The genres that one belongs to, from the closest to the most general, by its `key_of`.
    """

    allowed: Mapping[str, str] | None = None
    lineage: Mapping[str, Values] = field(default_factory=dict)

    def find(self, name: str) -> str | None:
        """The closest allowed genre that is this one, or that it belongs to; None if there is none.

        Where all are allowed, the most general one, as with lastgenre.
        """
        line = (name, *self.lineage.get(key_of(name), ()))
        if self.allowed is None:
            return line[-1]
        return next((self.allowed[key_of(one)] for one in line if key_of(one) in self.allowed), None)


@dataclass(frozen=True)
class Naming:
    """How the labels of one task become the values of a tag.

    Parameters
    ----------
    count : int
        At most so many labels.
    min_share : float
        The least share of the snippets that a label beside the first must have.
    names : mapping of str to tuple of str
        The user's own names by the `key_of` of a label; none for a label that is never written.
    title_case : bool
        Words begin with capitals; else all is lower case. The user's own names stay as they are.
    vocabulary : Vocabulary or None
        What other labels are allowed, and called.
    """

    count: int = 1
    min_share: float = 0.25
    names: Mapping[str, Values] = field(default_factory=dict)
    title_case: bool = True
    vocabulary: Vocabulary | None = None

    def values(self, counts: Mapping[str, int], probabilities: Mapping[str, float]) -> Values:
        """What to write of a histogram, the most frequent first; nothing where none of it is to be written.

        Parameters
        ----------
        counts : mapping of str to int
            How many snippets each label has.
        probabilities : mapping of str to float
            Mean probability of each label: decides between labels of the same count.
        """
        total = sum(counts.values())
        order = sorted(counts, key=lambda label: (counts[label], probabilities.get(label, 0.0)), reverse=True)
        chosen = [label for label in order[: self.count] if total and counts[label]]
        chosen = [*chosen[:1], *(label for label in chosen[1:] if counts[label] / total >= self.min_share)]
        return _each_once(name for label in chosen for name in self._named(label))

    def _named(self, label: str) -> Values:
        if key_of(label) in self.names:
            return self.names[key_of(label)]
        found = label if self.vocabulary is None else self.vocabulary.find(label)
        if found is None:
            return ()
        return (spell(found) if self.title_case else spell(found).lower(),)


def _each_once(names: Iterable[str]) -> Values:
    """The names without those that only differ in the size of letters."""
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(name.casefold(), name)
    return tuple(found.values())
