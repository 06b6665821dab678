"""What all data sets have in common: a track, and an error that says what is missing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal, Protocol

__all__ = [
    "NO_ANNOTATIONS",
    "Annotation",
    "Dataset",
    "DatasetError",
    "Track",
    "artist_key",
    "share_an_artist",
]

# Within a key, which has no punctuation left.
_JOINED = re.compile(r" (?:and|feat|ft|featuring|with|vs|meets) ")


class DatasetError(Exception):
    """A data set that is missing or damaged; the message names the file."""


@dataclass(frozen=True)
class Track:
    """One labelled track.

    Parameters
    ----------
    id : str
        Unique within its data set.
    label : str
        In the project's spelling; empty for a track used without its label.
    artist : str
        `artist_key` of the artist, the same across data sets; empty if unknown.
    title : str
        For people.
    path : Path or None
        The audio, where there is any.
    whole : bool
        False for a short slice of a track.
    """

    id: str
    label: str
    artist: str
    title: str = ""
    path: Path | None = None
    whole: bool = True


@dataclass(frozen=True)
class Annotation:
    """What is known of tracks beside their label.

    Parameters
    ----------
    kind : {'shares', 'numbers'}
        Each value lies in 0..1 (a tag that is there, the share of listeners who felt it), or is a number of any size.
    names : tuple of str
        Of the values.
    values : mapping of str to tuple of float
        By track id; tracks of which nothing is known are not there.
    """

    kind: Literal["shares", "numbers"]
    names: tuple[str, ...]
    values: Mapping[str, tuple[float, ...]]


#: Of a data set that has labels alone.
NO_ANNOTATIONS: Mapping[str, Annotation] = MappingProxyType({})


class Dataset(Protocol):
    """What every data set offers.

    ``name`` is its folder's; ``checksums`` are of the files it is distributed as: file name -> ``algorithm:hex``.
    """

    name: str
    title: str
    task: str
    licence: str
    citation: str
    checksums: Mapping[str, str]

    @property
    def labels(self) -> tuple[str, ...]:
        """Classes, in the order of a model's output."""

    @property
    def annotations(self) -> Mapping[str, Annotation]:
        """What else is known of the tracks, by name."""

    @property
    def tracks(self) -> tuple[Track, ...]:
        """All labelled tracks that can be used; raises `DatasetError` where the index is missing or faulty."""

    @property
    def groups(self) -> dict[str, str]:
        """Track id -> group that must not be split, named by `artist_key`, so that data sets can be compared."""

    @property
    def lists(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """Splits the data set comes with: name -> ``train``, ``validation``, ``test`` -> track ids."""

    def validate(self) -> list[str]:
        """One sentence for each thing that is missing or damaged; empty if all is well."""


def share_an_artist(one: str, other: str) -> bool:
    """Whether two artists' keys may have an artist in common.

    They do where one, or a name joined in it, stands in the other as whole words: rather too often than not, since it
    decides what is left out.

    Examples
    --------
    >>> share_an_artist("lauryn hill and bob marley", "bob marley and wailers")
    True
    >>> share_an_artist("andy williams", "hank williams")
    False
    """
    return _stands_in(one, other) or _stands_in(other, one)


def _stands_in(one: str, other: str) -> bool:
    return any(f" {name} " in f" {other} " for name in {one, *_JOINED.split(one)} - {""})


def artist_key(name: str) -> str:
    """Spell an artist so that the same one is the same in every data set.

    Examples
    --------
    >>> artist_key("The Beach Boys") == artist_key("Beach Boys, The")
    True
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
    words = re.findall(r"[a-z0-9]+", plain.replace("&", " and "))
    # A name without Latin letters, or of nothing but articles, is its own key.
    return " ".join(word for word in words if word != "the") or " ".join(name.casefold().split())
