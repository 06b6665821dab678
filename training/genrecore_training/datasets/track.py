"""What all data sets have in common: a track, and an error that says what is missing."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

__all__ = ["DatasetError", "Track", "artist_key"]


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


def artist_key(name: str) -> str:
    """Spell an artist so that the same one is the same in every data set.

    Examples
    --------
    >>> artist_key("The Beach Boys") == artist_key("Beach Boys, The")
    True
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
    words = re.findall(r"[a-z0-9]+", plain.replace("&", " and "))
    return " ".join(word for word in words if word != "the")
