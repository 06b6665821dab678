"""GTZAN (Tzanetakis and Cook, "Musical genre classification of audio signals", IEEE TSAP 10(5), 2002).

Licence: none stated; the recordings are their owners'. Read here: the log-mel archive of 999 tracks, the waveforms of
111 full tracks and 499 slices, the fault-filtered lists (Kereliuk, Sturm, Larsen 2015) and the artists (Sturm 2012).
"""

from __future__ import annotations

import csv
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genrecore_training.datasets.track import DatasetError, Track, artist_key

__all__ = ["DUPLICATES", "GENRES", "Gtzan"]

GENRES = ("blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock")

#: Byte-identical recordings under two names.
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

# The archive's spectrograms are scaled to 0..255 over (mostly) 80 dB.
_DECIBELS_A_STEP = 80 / 255


class Gtzan:
    """The data set in a folder.

    Parameters
    ----------
    root : Path
        Holds ``logmel128x387_u8.npz``, ``artists_titles_sturm.txt``, ``splits/``, ``audio/``, ``slices/``.
    """

    name = "gtzan"
    labels = GENRES
    citation = "G. Tzanetakis, P. Cook: Musical genre classification of audio signals. IEEE TSAP 10(5), 2002."
    title = "GTZAN"

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def tracks(self) -> tuple[Track, ...]:
        """All 999 tracks, with the path of the full waveform, else of the slice, else none.

        Raises
        ------
        DatasetError
            If the archive or the list of artists is missing.
        """
        names = self._archive[0]
        artists = self._artists()
        found = []
        for name in names:
            artist, title = artists.get(name, ("", ""))
            full, cut = self.root / "audio" / f"{name}.opus", self.root / "slices" / f"{name}.opus"
            path = full if full.is_file() else cut if cut.is_file() else None
            found.append(Track(name, name.split(".")[0], artist, title, path, whole=path != cut))
        return tuple(found)

    @property
    def waveforms(self) -> tuple[Track, ...]:
        """The 513 tracks of which there is sound."""
        return tuple(track for track in self.tracks if track.path is not None)

    @property
    def groups(self) -> dict[str, str]:
        """Track id -> group that must not be split: the artist, or all unknown ones of a genre; duplicates joined."""
        groups = {track.id: track.artist or f"unknown {track.label}" for track in self.tracks}
        for first, second in DUPLICATES:
            old, new = groups[second], groups[first]
            groups = {track: new if group == old else group for track, group in groups.items()}
        return groups

    def logmel(self, track_id: str) -> NDArray[np.float32]:
        """Archived log-mel of a track in dB, shape (128, 387), 12.9 columns a second, 0 dB = loudest of the track."""
        return (self._values[self._rows[track_id]].astype(np.float32) - 255) * np.float32(_DECIBELS_A_STEP)

    def fault_filtered(self) -> dict[str, tuple[str, ...]]:
        """Ids of the lists ``train``, ``validation`` and ``test``; jazz.00054, which nobody has, is left out."""
        known = self._rows
        lists = {}
        for part, file in (("train", "train"), ("validation", "valid"), ("test", "test")):
            path = self.root / "splits" / f"{file}_filtered.txt"
            names = [line.strip().rsplit("/", 1)[-1].removesuffix(".wav") for line in _lines(path)]
            lists[part] = tuple(name for name in names if name in known)
        return lists

    def validate(self) -> list[str]:
        """One sentence for each thing that is missing or not as expected; empty if all is well."""
        faults = []
        for file in ("logmel128x387_u8.npz", "artists_titles_sturm.txt", "slices.csv"):
            if not (self.root / file).is_file():
                faults.append(f"{self.root / file} is missing")
        if faults:
            return faults
        if len(self.tracks) != 999 or self._values.shape != (999, 128, 387):
            faults.append(f"{self.root}: expected the log-mels of 999 tracks, found {len(self.tracks)}")
        with (self.root / "slices.csv").open(newline="", encoding="utf-8") as table:
            for row in csv.DictReader(table):
                if not (self.root / "slices" / f"{row['gtzan_id']}.opus").is_file():
                    faults.append(f"{self.root / 'slices' / row['gtzan_id']}.opus is missing")
        return faults

    @cached_property
    def _archive(self) -> tuple[tuple[str, ...], NDArray[np.uint8]]:
        path = self.root / "logmel128x387_u8.npz"
        if not path.is_file():
            raise DatasetError(f"{path} is missing: name the folder of the data with --data")
        with np.load(path, allow_pickle=False) as archive:
            names = tuple(str(name).removesuffix(".wav").removesuffix(".png") for name in archive["names"])
            return names, archive["X"]

    @property
    def _values(self) -> NDArray[np.uint8]:
        return self._archive[1]

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self._archive[0])}

    def _artists(self) -> dict[str, tuple[str, str]]:
        found = {}
        for line in _lines(self.root / "artists_titles_sturm.txt"):
            parts = [part.strip() for part in line.split(":::")]
            if not line.startswith("#") and len(parts) == 3:
                found[parts[0].removesuffix(".wav")] = (artist_key(parts[1]), parts[2])
        return found


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        raise DatasetError(f"{path} is missing: name the folder of the data with --data")
    return [line for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
