"""What all data sets have in common: a track, and an error that says what is missing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

__all__ = ["Dataset", "DatasetError", "Track", "artist_key"]


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
