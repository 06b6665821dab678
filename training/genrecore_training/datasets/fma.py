"""FMA: A Dataset For Music Analysis (Defferrard, Benzi, Vandergheynst, Bresson, ISMIR 2017).

Licence: the metadata CC BY 4.0, each recording the Creative Commons licence that its artist chose. Read here: the
clips, or the whole tracks, with the top genre, the artist and the official split of ``fma_metadata/tracks.csv``.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from genrecore_training.datasets.checks import file_faults
from genrecore_training.datasets.track import NO_ANNOTATIONS, DatasetError, Track, artist_key

__all__ = ["FAULTY_CLIPS", "SELECTIONS", "SUBSETS", "Fma"]

#: Subset -> the folders with its files: a clip is the same in all that have it. The large one is all clips, the full
#: one all tracks uncut.
SUBSETS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "small": ("fma_small", "fma_medium", "fma_large"),
        "medium": ("fma_medium", "fma_large"),
        "large": ("fma_large",),
        "full": ("fma_full",),
    }
)

#: Selection -> subset, and the genres it leaves out. ``crnn13``: the 13 genres of the CRNN that names a genre for every
#: moment (Otero et al., which counts 21,695 tracks); it left three out as ill-defined and small.
SELECTIONS: Mapping[str, tuple[str, frozenset[str]]] = MappingProxyType(
    {"crnn13": ("medium", frozenset({"International", "Easy Listening", "Experimental"}))}
)

#: Clips without sound, or of a few seconds: they were cut by wrong lengths, some behind the end of the track
#: (https://github.com/mdeff/fma/wiki, https://github.com/mdeff/fma/issues/8). The uncut tracks are well.
FAULTY_CLIPS = frozenset(
    f"{number:06}"
    for number in (
        *(
            1486,
            5574,
            65753,
            80391,
            98558,
            98559,
            98560,
            98571,
            99134,
            105247,
            108925,
            126981,
            127336,
            133297,
            143992,
        ),
        *(98565, 98566, 98567, 98568, 98569, 108924),  # these have some seconds
    )
)

_SPLITS = {"training": "train", "validation": "validation", "test": "test"}

# What a row of tracks.csv must say: field of `_Row` -> column, by the two header rows.
_COLUMNS = {
    "subset": ("set", "subset"),
    "split": ("set", "split"),
    "genre": ("track", "genre_top"),
    "title": ("track", "title"),
    "artist": ("artist", "name"),
    "artist_id": ("artist", "id"),
}

# The subsets that column set.subset names: the smallest one a track belongs to.
_NESTED: tuple[str, ...] = ("small", "medium", "large")

# The large subset has whole tracks shorter than a clip, the full one tracks of any length.
_CLIP_SECONDS = {"small": 30.0, "medium": 30.0}

# Biographies are longer than the module's limit; the largest number that fits a C long everywhere.
_LONGEST_FIELD = 2**31 - 1


@dataclass(frozen=True)
class _Row:
    """A row of tracks.csv, as far as it is needed."""

    id: str
    subset: str
    split: str
    genre: str
    title: str
    artist: str
    artist_id: str


class Fma:
    """A subset of the data set in a folder.

    Parameters
    ----------
    root : Path
        Holds ``fma_metadata/tracks.csv`` and the subset's folder, ``fma_medium/000/000002.mp3``; a larger subset's
        clips do as well.
    subset : {"small", "medium", "large", "full"}
        All tracks of it that have a top genre.
    selection : {"crnn13"}, optional
        Fewer genres, a key of `SELECTIONS`.

    Raises
    ------
    DatasetError
        If there is no such subset or selection.
    """

    name = "fma"
    task = "genre"
    licence = "metadata CC BY 4.0; each recording the Creative Commons licence that its artist chose"
    citation = "M. Defferrard, K. Benzi, P. Vandergheynst, X. Bresson: FMA: A Dataset For Music Analysis. ISMIR, 2017."
    home = "https://github.com/mdeff/fma"
    #: As its README gives them.
    annotations = NO_ANNOTATIONS
    checksums: Mapping[str, str] = MappingProxyType(
        {
            "fma_metadata.zip": "sha1:f0df49ffe5f2a6008d7dc83c6915b31835dfe733",
            "fma_small.zip": "sha1:ade154f733639d52e35e32f5593efe5be76c6d70",
            "fma_medium.zip": "sha1:c67b69ea232021025fca9231fc1c7c1a063ab50b",
            "fma_large.zip": "sha1:497109f4dd721066b5ce5e5f250ec604dc78939e",
            "fma_full.zip": "sha1:0f0ace23fbe9ba30ecb7e95f763e435ea802b8ab",
        }
    )

    def __init__(self, root: Path, subset: str = "medium", selection: str | None = None) -> None:
        if subset not in SUBSETS:
            raise DatasetError(f"FMA has no subset '{subset}': there are {', '.join(SUBSETS)}")
        if selection is not None and selection not in SELECTIONS:
            raise DatasetError(f"FMA has no selection '{selection}': there is {', '.join(SELECTIONS)}")
        of_subset, self._without = SELECTIONS[selection] if selection else (subset, frozenset())
        if of_subset != subset:
            raise DatasetError(f"FMA: selection {selection} is one of subset {of_subset}, not of {subset}")
        self.root = root
        self.subset = subset
        self.title = f"FMA {subset}" + (f" ({selection})" if selection else "")

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Genres of the subset as FMA writes them, sorted, whatever sound is here."""
        return tuple(sorted({row.genre for row in self._rows}))

    @cached_property
    def tracks(self) -> tuple[Track, ...]:
        """Tracks of the subset that have a top genre and whose sound is here; `FAULTY_CLIPS` are left out.

        Raises
        ------
        DatasetError
            If the metadata are missing or faulty, or there is no sound at all.
        """
        found = tuple(
            Track(row.id, row.genre, artist_key(row.artist), row.title, path)
            for row in self._rows
            if (path := self._path(row)).is_file()
        )
        if not found:
            folders = " or ".join(f"{folder}/" for folder in SUBSETS[self.subset])
            raise DatasetError(
                f"{self.root}: none of the {len(self._rows)} mp3 files of FMA's subset {self.subset} is in {folders}: "
                "name the folder of the data with --data"
            )
        return found

    @property
    def groups(self) -> dict[str, str]:
        """Track id -> group that must not be split: the artist; FMA's number of it where the name has no key."""
        numbers = {row.id: row.artist_id for row in self._rows}
        return {track.id: track.artist or f"unknown {numbers[track.id] or track.id}" for track in self.tracks}

    @property
    def lists(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """``official``: FMA's own split, 80/10/10 % by genre, with no artist in two parts; of tracks that are here."""
        splits = {row.id: _SPLITS[row.split] for row in self._rows}
        return {
            "official": {
                part: tuple(track.id for track in self.tracks if splits[track.id] == part)
                for part in _SPLITS.values()
            }
        }

    def validate(self) -> list[str]:
        """One sentence for each thing that is missing or damaged; empty if all is well."""
        try:
            files = [(row.genre, self._path(row)) for row in self._rows]
        except DatasetError as error:
            return [str(error)]
        return file_faults(files, seconds=_CLIP_SECONDS.get(self.subset, 0.0))

    @cached_property
    def _rows(self) -> tuple[_Row, ...]:
        if self.subset == "full":
            subsets, faulty = _NESTED, frozenset[str]()
        else:
            subsets, faulty = _NESTED[: _NESTED.index(self.subset) + 1], FAULTY_CLIPS
        path = self.root / "fma_metadata" / "tracks.csv"
        rows = tuple(
            row
            for row in _read(path)
            if row.genre and row.genre not in self._without and row.subset in subsets and row.id not in faulty
        )
        if not rows:
            raise DatasetError(
                f"{path} names no track of subset {self.subset} with a genre: get fma_metadata.zip again"
            )
        return rows

    def _path(self, row: _Row) -> Path:
        """The file, or where it should be."""
        paths = [self.root / name / row.id[:3] / f"{row.id}.mp3" for name in SUBSETS[self.subset]]
        return next((path for path in paths if path.is_file()), paths[0])


def _read(path: Path) -> Iterator[_Row]:
    """The rows of tracks.csv, whose columns have two header rows, then one that begins with ``track_id``."""
    if not path.is_file():
        raise DatasetError(
            f"{path} is missing: unpack fma_metadata.zip there, or name the folder with --data"
        )
    with path.open(newline="", encoding="utf-8") as file, _long_fields():
        lines = csv.reader(file, strict=True)
        try:
            heads = [next(lines, []) for _ in range(3)]
            places = _places(path, heads)
            for cells in lines:
                yield _row(path, lines.line_num, cells, places, width=len(heads[0]))
        except (csv.Error, UnicodeDecodeError) as error:
            raise DatasetError(
                f"{path}: it cannot be read as CSV after line {lines.line_num} ({error}): "
                "get fma_metadata.zip again"
            ) from error


def _places(path: Path, heads: list[list[str]]) -> dict[str, int]:
    if not heads[0]:
        raise DatasetError(f"{path} is empty: get fma_metadata.zip again")
    columns = {pair: place for place, pair in enumerate(zip(heads[0], heads[1], strict=False))}
    for group, column in _COLUMNS.values():
        if (group, column) not in columns:
            raise DatasetError(
                f"{path} has no column '{column}' under '{group}': take tracks.csv of fma_metadata.zip as it is"
            )
    if heads[2][:1] != ["track_id"]:
        raise DatasetError(f"{path}: line 3 does not begin with track_id: take tracks.csv as it is")
    return {field: columns[pair] for field, pair in _COLUMNS.items()}


def _row(path: Path, line: int, cells: list[str], places: Mapping[str, int], *, width: int) -> _Row:
    if len(cells) != width:
        raise DatasetError(
            f"{path}: line {line} has {len(cells)} of {width} columns: get fma_metadata.zip again"
        )
    values = {field: cells[place].strip() for field, place in places.items()}
    for field, allowed in (("subset", _NESTED), ("split", tuple(_SPLITS))):
        if values[field] not in allowed:
            raise DatasetError(
                f"{path}: line {line}: {field} '{values[field]}' is none of {', '.join(allowed)}"
            )
    if not cells[0].isdecimal():
        raise DatasetError(f"{path}: line {line}: the track id '{cells[0]}' is no number")
    return _Row(id=f"{int(cells[0]):06}", **values)


@contextmanager
def _long_fields() -> Iterator[None]:
    before = csv.field_size_limit(_LONGEST_FIELD)
    try:
        yield
    finally:
        csv.field_size_limit(before)
