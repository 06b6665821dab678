"""The "30,000 songs" table: eleven audio features of each track, from Spotify's API, and the genre of its playlists.

Collected by K. Pavlik (https://www.kaylinpavlik.com/classifying-songs-genres/), distributed by TidyTuesday, 2020-01-21
(https://github.com/rfordatascience/tidytuesday); the features are the ones that Liang et al. train on.

Licence: none stated; the numbers are Spotify's.
"""

from __future__ import annotations

import csv
import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from genrecore_training.datasets.track import NO_ANNOTATIONS, DatasetError, Track, artist_key

__all__ = ["FEATURES", "SpotifySongs"]

#: The features in the order in which Liang et al. name them.
FEATURES = (
    "danceability",
    "energy",
    "key",
    "mode",
    "speechiness",
    "acousticness",
    "instrumentalness",
    "liveness",
    "valence",
    "tempo",
    "duration_ms",
)

_FILE = "spotify_songs.csv"
_LABELS = ("edm", "latin", "pop", "r&b", "rap", "rock")
_COLUMNS = ("track_id", "track_name", "track_artist", "playlist_genre", *FEATURES)
_MISSING = "NA"  # R's word for it


@dataclass(frozen=True)
class _Row:
    track: str
    name: str
    artist: str
    genre: str
    features: tuple[float, ...]


class SpotifySongs:
    """The table in a folder: 32,833 rows, 28,356 tracks.

    A track stands in as many rows as playlists hold it; here it is one track. Where the playlists disagree on its genre
    (1,687 tracks) the most frequent one is its label, and of equally frequent ones (1,216 tracks) the one whose row
    stands first.

    Parameters
    ----------
    root : Path
        Holds ``spotify_songs.csv``.
    """

    name = "spotify"
    title = "30,000 Spotify songs"
    task = "genre"
    licence = "none stated; the numbers are Spotify's"
    citation = (
        "K. Pavlik: Understanding + classifying genres using Spotify audio features. TidyTuesday, 2020-01-21."
    )
    annotations = NO_ANNOTATIONS
    checksums: Mapping[str, str] = MappingProxyType(
        {_FILE: "sha256:9902920cfe4940f0914ebb6716801a42f7f19ac88fbd6693eaae7e2822b16845"}
    )
    labels = _LABELS

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def tracks(self) -> tuple[Track, ...]:
        """All tracks, in the order of their first rows; there is no sound.

        Raises
        ------
        DatasetError
            If the table is missing or a row of it does not read.
        """
        votes: dict[str, Counter[str]] = defaultdict(Counter)
        for row in self._rows:
            votes[row.track][row.genre] += 1
        return tuple(
            Track(
                id=row.track,
                # Of equal counts the one counted first comes first.
                label=votes[row.track].most_common(1)[0][0],
                artist=artist_key(row.artist),
                title=row.name,
            )
            for row in self._first_rows.values()
        )

    @property
    def groups(self) -> dict[str, str]:
        """Track id -> group that must not be split: the artist; the four tracks without one are one group."""
        return {track.id: track.artist or "unknown" for track in self.tracks}

    def features(self, track_id: str) -> NDArray[np.float32]:
        """The `FEATURES` of a track as they stand in the table, shape (11,)."""
        return np.array(self._first_rows[track_id].features, np.float32)

    @property
    def lists(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """None."""
        return {}

    def validate(self) -> list[str]:
        """One sentence for each thing that is missing or damaged; empty if all is well."""
        try:
            _ = self.tracks
        except DatasetError as error:
            return [str(error)]
        found = f"sha256:{hashlib.sha256(self._path.read_bytes()).hexdigest()}"
        if found != self.checksums[_FILE]:
            return [f"{self._path} is not the table of TidyTuesday 2020-01-21: its checksum is {found}"]
        return []

    @property
    def _path(self) -> Path:
        return self.root / _FILE

    @cached_property
    def _first_rows(self) -> dict[str, _Row]:
        first: dict[str, _Row] = {}
        for row in self._rows:
            first.setdefault(row.track, row)
        return first

    @cached_property
    def _rows(self) -> tuple[_Row, ...]:
        try:
            rows = tuple(self._read())
        except FileNotFoundError as error:
            raise DatasetError(f"{self._path} is missing: name the folder of the data with --data") from error
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise DatasetError(f"{self._path} does not read as a table ({error}): get it again") from error
        if not rows:
            raise DatasetError(f"{self._path} holds no tracks: get it again")
        return rows

    def _read(self) -> Iterator[_Row]:
        with self._path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = [column for column in _COLUMNS if column not in (reader.fieldnames or ())]
            if missing:
                raise DatasetError(
                    f"{self._path}, line 1: there is no column {missing[0]}: get the table again"
                )
            for values in reader:
                yield self._row(values, reader.line_num)

    def _row(self, values: dict[str, str | None], line: int) -> _Row:
        """One row, checked."""

        def fault(column: str, what: str) -> DatasetError:
            return DatasetError(
                f"{self._path}, line {line}, column {column}: {what}: correct the row or remove it"
            )

        for column in _COLUMNS:
            if values[column] is None:
                raise fault(column, "the row ends before it")
        text = {column: str(values[column]).strip() for column in _COLUMNS}
        if not text["track_id"]:
            raise fault("track_id", "it is empty")
        if text["playlist_genre"] not in _LABELS:
            raise fault("playlist_genre", f"{text['playlist_genre']!r} is none of {', '.join(_LABELS)}")
        numbers = []
        for column in FEATURES:
            try:
                numbers.append(float(text[column]))
            except ValueError:
                raise fault(column, f"{text[column]!r} is no number") from None
            if not math.isfinite(numbers[-1]):
                raise fault(column, f"{text[column]} is no number to learn from")
        name, artist = (
            "" if text[column] == _MISSING else text[column] for column in ("track_name", "track_artist")
        )
        return _Row(text["track_id"], name, artist, text["playlist_genre"], tuple(numbers))
