"""GTZAN (Tzanetakis and Cook, "Musical genre classification of audio signals", IEEE TSAP 10(5), 2002).

Licence: none stated; the recordings are their owners'. Read here, in any combination: the waveforms of the original
tarball or of Kaggle's archive; a log-mel archive of 999 tracks with the waveforms of some of them, whole or in slices;
the fault-filtered lists (Kereliuk, Sturm, Larsen, "Deep learning and music adversaries", IEEE TMM 17(11), 2015); and
the artists (Sturm, "An analysis of the GTZAN music genre dataset", MIRUM 2012).
"""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from genrecore_training.datasets import gtzan_files as files
from genrecore_training.datasets.checks import file_faults
from genrecore_training.datasets.gtzan_files import GENRES, IDS
from genrecore_training.datasets.track import NO_ANNOTATIONS, DatasetError, Track

__all__ = ["DUPLICATES", "GENRES", "Gtzan"]

#: Byte-identical recordings under two names: known, and no fault of a copy.
DUPLICATES = (
    ("disco.00098", "disco.00099"),
    ("hiphop.00039", "hiphop.00045"),
    ("hiphop.00076", "hiphop.00078"),
    ("metal.00034", "metal.00094"),
    ("metal.00040", "metal.00061"),
    ("metal.00041", "metal.00062"),
    ("metal.00042", "metal.00063"),
    ("metal.00043", "metal.00064"),
    ("metal.00044", "metal.00065"),
    ("metal.00045", "metal.00066"),
    ("metal.00058", "rock.00016"),
    ("pop.00054", "pop.00060"),
    ("pop.00067", "pop.00071"),
    ("reggae.00081", "reggae.00082"),
)

_ARCHIVE = "logmel128x387_u8.npz"
_SHAPE = (128, 387)

# The archive's spectrograms are scaled to 0..255 over (mostly) 80 dB.
_DECIBELS_A_STEP = 80 / 255

_SECONDS = 30.0


class Gtzan:
    """The data set in a folder.

    Parameters
    ----------
    root : Path
        Holds any of ``genres/<genre>/<genre>.00000.au`` (the tarball), ``genres_original/<genre>/<genre>.00000.wav``
        (Kaggle's archive, also inside ``Data/``), or is such a folder itself; ``logmel128x387_u8.npz``, ``audio/``,
        ``slices/`` with ``slices.csv``; ``artists_titles_sturm.txt``; ``splits/*_filtered.txt``.
    archive : bool
        False leaves the archived log-mels out: only what there is of sound.
    whole_waveforms : bool
        True leaves out the tracks of which there is no full waveform, whatever is read of the others.

    Notes
    -----
    ``jazz.00054``, damaged in Kaggle's archive, is left out everywhere; like `DUPLICATES` it is no fault of a copy.
    """

    name = "gtzan"
    title = "GTZAN"
    task = "genre"
    labels = GENRES
    licence = "none stated; the recordings are their owners'"
    citation = "G. Tzanetakis, P. Cook: Musical genre classification of audio signals. IEEE TSAP 10(5), 2002."
    home = "http://marsyas.info/downloads/datasets.html"
    #: As in torchaudio and mirdata.
    checksums: Mapping[str, str] = MappingProxyType({"genres.tar.gz": "md5:5b3d6dddb579ab49814ab86dba69e7c7"})
    annotations = NO_ANNOTATIONS

    def __init__(self, root: Path, *, archive: bool = True, whole_waveforms: bool = False) -> None:
        self.root = root
        self.whole_waveforms = whole_waveforms
        self._wants_archive = archive

    @cached_property
    def tracks(self) -> tuple[Track, ...]:
        """Tracks of which there is a log-mel or sound; with the full waveform, else the slice, else no path.

        Raises
        ------
        DatasetError
            If there is none, or the archive or the list of artists is damaged.
        """
        slices = self._opus("slices")
        found = set(self._full) if self.whole_waveforms else {*self._rows, *self._full, *slices}
        if not found:
            unwanted = self.whole_waveforms or not self._wants_archive
            archive = "" if unwanted else f", and {_ARCHIVE} is missing"
            raise DatasetError(
                f"{self.root} holds no GTZAN: no track in genres/ or genres_original/{archive}: name the folder of "
                "the data with --data"
            )
        tracks = []
        for name in (name for name in IDS if name in found):
            artist, title = self._artists.get(name, ("", ""))
            path = self._full.get(name, slices.get(name))
            whole = path is None or name in self._full
            tracks.append(Track(name, name.split(".")[0], artist, title, path, whole))
        return tuple(tracks)

    @property
    def waveforms(self) -> tuple[Track, ...]:
        """Tracks of which there is sound, be it a slice."""
        return tuple(track for track in self.tracks if track.path is not None)

    @property
    def has_archive(self) -> bool:
        """Whether there are archived log-mels, and they are wanted."""
        return self._wants_archive and (self.root / _ARCHIVE).is_file()

    @property
    def whole(self) -> bool:
        """Whether there is a full waveform of every one of the 999 tracks."""
        return len(self._full) == len(IDS)

    @property
    def groups(self) -> dict[str, str]:
        """Track id -> group that must not be split: the artist, or all unknown ones of a genre; duplicates joined.

        Raises
        ------
        DatasetError
            If the list of artists is missing: groups without it would only seem to keep artists apart.
        """
        if not self._artists:
            raise files.no_artists(self.root)
        groups = {track.id: track.artist or f"unknown {track.label}" for track in self.tracks}
        for first, second in DUPLICATES:
            if first in groups and second in groups:
                old, new = groups[second], groups[first]
                groups = {track: new if group == old else group for track, group in groups.items()}
        return groups

    @property
    def lists(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """The fault-filtered lists, as `fault_filtered`."""
        return {"fault_filtered": self.fault_filtered()}

    def fault_filtered(self) -> dict[str, tuple[str, ...]]:
        """Ids of the lists ``train``, ``validation`` and ``test``, as far as the tracks are here.

        Raises
        ------
        DatasetError
            If a list is missing or is none.
        """
        known = {track.id for track in self.tracks}
        lists = {}
        for part in files.LISTS:
            path = files.filtered_file(self.root, part)
            if path is None:
                raise files.no_list(self.root, part)
            lists[part] = tuple(name for name in files.read_filtered(path) if name in known)
        return lists

    def logmel(self, track_id: str) -> NDArray[np.float32]:
        """Archived log-mel of a track in dB, shape (128, 387), 12.9 columns a second, 0 dB = loudest of the track.

        Raises
        ------
        DatasetError
            If there is no archive.
        """
        if not self.has_archive:
            raise DatasetError(f"{self.root / _ARCHIVE} is missing: name the folder of the data with --data")
        return (self._values[self._rows[track_id]].astype(np.float32) - 255) * np.float32(_DECIBELS_A_STEP)

    def validate(self) -> list[str]:
        """One sentence for each thing that is missing, damaged or not as expected; empty if all is well.

        Of waveforms all 999 are expected as soon as there is one in a genre folder.
        """
        try:
            _ = self.tracks
        except DatasetError as error:
            return [str(error)]
        faults = [] if self._artists else [str(files.no_artists(self.root))]
        faults += self._list_faults()
        if self.has_archive and len(self._rows) != len(IDS):
            faults.append(
                f"{self.root / _ARCHIVE}: it holds the log-mels of {len(self._rows)} tracks, not of {len(IDS)}: "
                "get it again"
            )
        faults += file_faults(files.due_files(self.root), seconds=_SECONDS)
        whole = self._opus("audio")
        faults += file_faults(((name.split(".")[0], path) for name, path in whole.items()), seconds=_SECONDS)
        return [*faults, *self._slice_faults()]

    @cached_property
    def _full(self) -> dict[str, Path]:
        return self._opus("audio") | files.genre_files(self.root)

    def _opus(self, folder: str) -> dict[str, Path]:
        there = {path.stem: path for path in (self.root / folder).glob("*.opus")}
        return {name: there[name] for name in IDS if name in there}

    @cached_property
    def _artists(self) -> dict[str, tuple[str, str]]:
        path = files.artist_file(self.root)
        return {} if path is None else files.read_artists(path)

    @cached_property
    def _archive(self) -> tuple[tuple[str, ...], NDArray[np.uint8]]:
        if not self.has_archive:
            return (), np.empty((0, *_SHAPE), np.uint8)
        path = self.root / _ARCHIVE
        try:
            with np.load(path, allow_pickle=False) as archive:
                names, values = archive["names"], archive["X"]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise DatasetError(f"{path} is no archive of log-mels ({error}): get it again") from error
        if values.dtype != np.uint8 or values.shape != (len(names), *_SHAPE):
            raise DatasetError(
                f"{path}: the log-mels of {len(names)} tracks should be uint8 {(len(names), *_SHAPE)} and are "
                f"{values.dtype} {values.shape}: get it again"
            )
        return tuple(str(name).removesuffix(".wav").removesuffix(".png") for name in names), values

    @property
    def _values(self) -> NDArray[np.uint8]:
        return self._archive[1]

    @cached_property
    def _rows(self) -> dict[str, int]:
        known = frozenset(IDS)
        return {name: row for row, name in enumerate(self._archive[0]) if name in known}

    def _list_faults(self) -> list[str]:
        missing = [part for part in files.LISTS if files.filtered_file(self.root, part) is None]
        if missing:
            return [str(files.no_list(self.root, part)) for part in missing]
        try:
            self.fault_filtered()
        except DatasetError as error:
            return [str(error)]
        return []

    def _slice_faults(self) -> list[str]:
        folder, path = self.root / "slices", self.root / "slices.csv"
        if not path.is_file():
            return [f"{path} is missing: it names what belongs into {folder}"] if folder.is_dir() else []
        with path.open(newline="", encoding="utf-8", errors="replace") as table:
            rows = csv.DictReader(table)
            if "gtzan_id" not in (rows.fieldnames or ()):
                return [f"{path} has no column gtzan_id: get it again"]
            names = [row["gtzan_id"] for row in rows]
        return file_faults((name.split(".")[0], folder / f"{name}.opus") for name in names)
