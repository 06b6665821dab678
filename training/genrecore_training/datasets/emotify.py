"""Emotify (Aljanaki, Wiering, Veltkamp, "Studying emotion induced by music through a crowdsourcing game", Information
Processing and Management 52(1), 2016): one-minute clips of Magnatune, and which of nine emotions their hearers felt.

Licence: for research.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from genrecore_training.datasets.checks import file_faults
from genrecore_training.datasets.tables import numbers_of, rows_of
from genrecore_training.datasets.track import Annotation, DatasetError, Track

__all__ = ["EMOTIONS", "Emotify"]

#: The nine of the Geneva Emotional Music Scale (GEMS-9).
EMOTIONS = (
    "amazement",
    "solemnity",
    "tenderness",
    "nostalgia",
    "calmness",
    "power",
    "joyful_activation",
    "tension",
    "sadness",
)

_TABLE = "annotations.csv"


class Emotify:
    """The data set in a folder.

    Parameters
    ----------
    root : Path
        Holds ``annotations.csv`` (track_id, genre, the share of hearers who felt each emotion) and
        ``audio/<track_id>.opus``.

    Notes
    -----
    The tables name no artist; Magnatune's are on no other label.
    """

    name = "emotify"
    title = "Emotify"
    task = "genre"
    labels = ("classical", "electronic", "pop", "rock")
    licence = "for research"
    citation = (
        "A. Aljanaki, F. Wiering, R. C. Veltkamp: Studying emotion induced by music through a crowdsourcing game. "
        "Information Processing and Management, 2016."
    )
    home = "http://www2.projects.science.uu.nl/memotion/emotifydata/"
    #: The authors publish none.
    checksums: Mapping[str, str] = MappingProxyType({})

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def tracks(self) -> tuple[Track, ...]:
        """All annotated clips whose sound is here.

        Raises
        ------
        DatasetError
            If the annotations are missing or faulty, or there is no sound at all.
        """
        tracks = (Track(row["track_id"], row["genre"], "", path=self._path(row)) for _, row in self._rows)
        found = tuple(track for track in tracks if track.path is not None and track.path.is_file())
        if not found:
            raise DatasetError(
                f"{self.root / 'audio'} holds no sound: name the folder of the data with --data"
            )
        return found

    @property
    def annotations(self) -> dict[str, Annotation]:
        """``emotions``: the share of a clip's hearers who felt each of `EMOTIONS`."""
        path = self.root / _TABLE
        values = {row["track_id"]: numbers_of(row, EMOTIONS, path, line) for line, row in self._rows}
        return {"emotions": Annotation("shares", EMOTIONS, values)}

    @property
    def groups(self) -> dict[str, str]:
        """Each clip by itself: no artist is named."""
        return {track.id: f"unknown {track.id}" for track in self.tracks}

    @property
    def lists(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """None."""
        return {}

    def validate(self) -> list[str]:
        """One sentence for each thing that is missing or damaged; empty if all is well."""
        try:
            _ = self.annotations
            return file_faults((row["genre"], self._path(row)) for _, row in self._rows)
        except DatasetError as error:
            return [str(error)]

    def _path(self, row: Mapping[str, str]) -> Path:
        return self.root / "audio" / f"{row['track_id']}.opus"

    @cached_property
    def _rows(self) -> list[tuple[int, dict[str, str]]]:
        path = self.root / _TABLE
        if not path.is_file():
            raise DatasetError(f"{path} is missing: name the folder of the data with --data")
        rows, seen = rows_of(path, ("track_id", "genre", *EMOTIONS)), set()
        for line, row in rows:
            if row["genre"] not in self.labels:
                raise DatasetError(
                    f"{path}: line {line}: genre '{row['genre']}' is none of {', '.join(self.labels)}"
                )
            if row["track_id"] in seen:
                raise DatasetError(f"{path}: line {line}: track {row['track_id']} stands there twice")
            seen.add(row["track_id"])
        if not rows:
            raise DatasetError(f"{path} names no track: get it again")
        return rows
