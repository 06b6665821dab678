"""4-Quadrant audio emotion data set (Panda, Malheiro, Paiva, "Novel audio features for music emotion recognition",
IEEE TAC 2018): 30-second previews, one Russell quadrant each.

Licence: none to redistribute; the previews are their owners'.
"""

from __future__ import annotations

import csv
from functools import cached_property
from pathlib import Path

from genrecore_training.datasets.track import DatasetError, Track, artist_key

__all__ = ["MOODS", "FourQuadrant"]

MOODS = ("happy", "angry", "sad", "relaxed")
_QUADRANTS = dict(zip(("Q1", "Q2", "Q3", "Q4"), MOODS, strict=True))


class FourQuadrant:
    """The data set in a folder.

    Parameters
    ----------
    root : Path
        Holds ``annotations.csv`` and ``audio/<song>.opus``.
    """

    name = "4qaed"
    labels = MOODS
    citation = "R. Panda, R. Malheiro, R. P. Paiva: Novel audio features for music emotion recognition. IEEE TAC, 2018."
    title = "4-Quadrant audio emotion data set"

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def tracks(self) -> tuple[Track, ...]:
        """All annotated songs whose sound is here.

        Raises
        ------
        DatasetError
            If the annotations are missing.
        """
        return tuple(track for track in self._annotated if track.path is not None and track.path.is_file())

    @property
    def groups(self) -> dict[str, str]:
        """Track id -> group that must not be split: the artist, the track itself where unknown."""
        return {track.id: track.artist or f"unknown {track.id}" for track in self.tracks}

    def validate(self) -> list[str]:
        """One sentence for each thing that is missing; empty if all is well."""
        return [
            f"{track.path} is missing"
            for track in self._annotated
            if track.path is not None and not track.path.is_file()
        ]

    @cached_property
    def _annotated(self) -> tuple[Track, ...]:
        path = self.root / "annotations.csv"
        if not path.is_file():
            raise DatasetError(f"{path} is missing: name the folder of the data with --data")
        with path.open(newline="", encoding="utf-8") as file:
            return tuple(
                Track(
                    id=row["song"],
                    label=_QUADRANTS[row["quadrant"]],
                    artist=artist_key(row["artist"]),
                    title=row["title"],
                    path=self.root / "audio" / f"{row['song']}.opus",
                )
                for row in csv.DictReader(file)
            )
