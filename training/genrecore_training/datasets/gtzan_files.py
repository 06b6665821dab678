"""Where the files of GTZAN lie in the folders people have, and what stands in its lists.

Waveforms: the folder ``genres`` of the original ``genres.tar.gz`` (``.au``), or ``genres_original`` of Kaggle's archive
(``.wav``), which also packs it into ``Data``. The lists of artists and of faults are no part of either.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from genrecore.audio import AUDIO_EXTENSIONS
from genrecore_training.datasets.track import DatasetError, artist_key

__all__ = [
    "ARTISTS",
    "GENRES",
    "IDS",
    "LISTS",
    "artist_file",
    "due_files",
    "filtered_file",
    "genre_files",
    "no_artists",
    "no_list",
    "read_artists",
    "read_filtered",
]

GENRES = ("blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock")

# Damaged in Kaggle's archive and absent from the log-mels; the networks compared here never see it.
_LEFT_OUT = "jazz.00054"

#: Ids of the 999 tracks, sorted.
IDS = tuple(
    name for genre in GENRES for number in range(100) if (name := f"{genre}.{number:05}") != _LEFT_OUT
)

#: The artists' list; the second name is that in the GTZAN-Rhythm annotations (Marchand, Peeters 2015).
ARTISTS = ("artists_titles_sturm.txt", "GTZANindex.txt")

#: Part of a split -> name of its fault-filtered list.
LISTS = {"train": "train_filtered.txt", "validation": "valid_filtered.txt", "test": "test_filtered.txt"}

_LISTS_SOURCE = "https://github.com/coreyker/dnn-mgr/tree/master/gtzan"

# Where the ten genre folders may lie, in a folder of `_homes`; the last is the folder itself.
_GENRE_FOLDERS = ("genres", "genres_original", "Data/genres_original", ".")

_KNOWN = frozenset(IDS)


def genre_files(root: Path) -> dict[str, Path]:
    """Track id -> its full waveform in a genre folder, for those that are there."""
    found: dict[str, Path] = {}
    for home in _homes(root):
        for folder in (home / name / genre for name in _GENRE_FOLDERS for genre in GENRES):
            for file in sorted(folder.iterdir()) if folder.is_dir() else ():
                if file.stem in _KNOWN and file.suffix.lower() in AUDIO_EXTENSIONS:
                    found.setdefault(file.stem, file)
    return found


def due_files(root: Path) -> list[tuple[str, Path]]:
    """Genre and path of all 999 waveforms, where there is any: a missing one is named beside the others."""
    found = genre_files(root)
    if not found:
        return []
    example = next(iter(found.values()))
    folder, suffix = example.parent.parent, example.suffix
    genres = [name.split(".")[0] for name in IDS]
    return [
        (genre, found.get(name, folder / genre / f"{name}{suffix}"))
        for genre, name in zip(genres, IDS, strict=True)
    ]


def artist_file(root: Path) -> Path | None:
    """The list of artists, if it is there."""
    return _first(home / name for home in _homes(root) for name in ARTISTS)


def filtered_file(root: Path, part: str) -> Path | None:
    """The fault-filtered list of a part, a key of `LISTS`, if it is there."""
    return _first(home / folder / LISTS[part] for home in _homes(root) for folder in ("splits", "."))


def no_artists(root: Path) -> DatasetError:
    """What to say where the artists are needed and not there."""
    return DatasetError(
        f"{root / ARTISTS[0]} is missing, without which no artist can be kept on one side of a split: put there "
        f"B. L. Sturm's list of artists and titles (MIRUM 2012), as {ARTISTS[1]} part of GTZAN-Rhythm"
    )


def no_list(root: Path, part: str) -> DatasetError:
    """What to say where a fault-filtered list is needed and not there."""
    return DatasetError(f"{root / 'splits' / LISTS[part]} is missing: take it from {_LISTS_SOURCE}")


def read_artists(path: Path) -> dict[str, tuple[str, str]]:
    """Track id -> key of the artist, title; both empty where Sturm did not know.

    Raises
    ------
    DatasetError
        If it is another kind of file.
    """
    found = {}
    for line in _lines(path):
        parts = [part.strip() for part in line.split(":::")]
        if not line.startswith("#") and len(parts) == 3:
            found[Path(parts[0]).stem] = (artist_key(parts[1]), parts[2])
    if not found:
        raise DatasetError(f"{path} holds no line like 'blues.00000.wav ::: artist ::: title': get it again")
    return found


def read_filtered(path: Path) -> tuple[str, ...]:
    """Track ids of a list whose lines are like ``blues/blues.00029.wav``, whatever the extension.

    Raises
    ------
    DatasetError
        If a line names no track; the first edition of the lists had numbers instead.
    """
    found = []
    for number, line in enumerate(_lines(path), 1):
        name = Path(line.strip()).stem
        if name not in _KNOWN and name != _LEFT_OUT:
            raise DatasetError(
                f"{path}: line {number} is '{line.strip()[:40]}' and not like 'blues/blues.00029.wav': "
                f"take the list from {_LISTS_SOURCE}"
            )
        if name in _KNOWN:
            found.append(name)
    return tuple(found)


def _homes(root: Path) -> tuple[Path, Path]:
    return root, root / "gtzan"


def _first(paths: Iterable[Path]) -> Path | None:
    return next((path for path in paths if path.is_file()), None)


def _lines(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8", errors="replace")
    return [line for line in text.splitlines() if line.strip()]
