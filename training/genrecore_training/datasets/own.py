"""The user's own music as a data set: a folder of folders, or a beets library (https://docs.beets.io).

Licence: nothing of it is distributed.
"""

from __future__ import annotations

import io
import json
import re
import sqlite3
import unicodedata
from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing, redirect_stdout
from contextvars import copy_context
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from genrecore.audio import AUDIO_EXTENSIONS
from genrecore.cli.files import collect
from genrecore_training.datasets.checks import file_faults
from genrecore_training.datasets.track import NO_ANNOTATIONS, DatasetError, Track, artist_key

if TYPE_CHECKING:
    from beets.library import Item

__all__ = ["OwnBeets", "OwnFolder"]

Task = Literal["genre", "mood"]

# Said in the place of a name.
_NOBODY = frozenset({"", "various artists", "various", "va", "unknown artist", "unknown"})
_GUESTS = re.compile(r"\s+[(\[]?(?:feat\.?|ft\.?|featuring)\s", re.IGNORECASE)
_LOCK_SECONDS = 30.0


@dataclass(frozen=True)
class _Song:
    """A labelled file as it was found; `home` is the album or folder that an unknown artist is taken from."""

    id: str
    label: str
    artist: str
    title: str
    home: str
    path: Path


class _OwnMusic(ABC):
    """What a folder and a beets library have in common: which labels become classes, who is kept together."""

    name = "own"
    title = "own music"
    licence = "the user's own; nothing of it is distributed"
    citation = ""
    checksums: Mapping[str, str] = MappingProxyType({})
    annotations = NO_ANNOTATIONS

    def __init__(self, source: Path, minimum: int, task: Task) -> None:
        self.source = source
        self.minimum = minimum
        self.task: str = task

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of at least `minimum` tracks, sorted; of several spellings the commonest."""
        return tuple(sorted(self._classes.values(), key=str.casefold))

    @property
    def left_out(self) -> dict[str, int]:
        """Labels of fewer than `minimum` tracks, and how many they have; the commonest first."""
        return {
            self._spelling[key]: count
            for key, count in self._counts.most_common()
            if key not in self._classes
        }

    @cached_property
    def tracks(self) -> tuple[Track, ...]:
        """The tracks of all classes whose files are there.

        Raises
        ------
        DatasetError
            If the music is not there, or gives fewer than two classes.
        """
        classes = self._classes
        return tuple(
            Track(song.id, classes[key], song.artist, song.title, song.path)
            for song in self._there
            if (key := _same(song.label)) in classes
        )

    @property
    def groups(self) -> dict[str, str]:
        """Track id -> group that must not be split: the artist; if unknown, all such tracks of an album or folder."""
        homes = {song.id: song.home for song in self._there}
        return {track.id: track.artist or f"unknown: {homes[track.id]}" for track in self.tracks}

    @property
    def lists(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """None."""
        return {}

    def validate(self) -> list[str]:
        """One sentence for each file that is gone or damaged and each class that cannot be tested; else empty."""
        try:
            tracks, groups = self.tracks, self.groups
        except DatasetError as error:
            return [str(error)]
        faults = [*self._problems, *file_faults((song.label, song.path) for song in self._songs)]
        for label in self.labels:
            of_label = [track for track in tracks if track.label == label]
            if len({groups[track.id] for track in of_label}) == 1:
                artist = of_label[0].artist
                who = (
                    f"by one artist ({artist})"
                    if artist
                    else "without an artist's name and of one album or folder"
                )
                faults.append(
                    f"{label}: all {len(of_label)} tracks are {who}, so that it cannot be tested with artists apart: "
                    f"{'add music of others' if artist else 'tag them'}"
                )
        return faults

    @abstractmethod
    def _find(self) -> tuple[list[_Song], list[str]]:
        """All labelled songs, also those whose files are gone; and what else is wrong, a sentence each."""

    @property
    def _songs(self) -> list[_Song]:
        return self._found[0]

    @property
    def _problems(self) -> list[str]:
        return self._found[1]

    @cached_property
    def _found(self) -> tuple[list[_Song], list[str]]:
        return self._find()

    @cached_property
    def _there(self) -> tuple[_Song, ...]:
        there = tuple(song for song in self._songs if song.path.is_file())
        if self._songs and not there:
            raise DatasetError(
                f"{self.source}: none of its {len(self._songs)} files is there, the first would be "
                f"{self._songs[0].path}: name the folder of the music"
            )
        return there

    @cached_property
    def _counts(self) -> Counter[str]:
        return Counter(_same(song.label) for song in self._there)

    @cached_property
    def _spelling(self) -> dict[str, str]:
        spellings: dict[str, Counter[str]] = defaultdict(Counter)
        for song in self._there:
            spellings[_same(song.label)][song.label] += 1
        return {key: found.most_common(1)[0][0] for key, found in spellings.items()}

    @cached_property
    def _classes(self) -> dict[str, str]:
        """`_same` of a label -> the label, of those that have enough tracks."""
        classes = {key: self._spelling[key] for key, n in self._counts.items() if n >= self.minimum}
        if len(classes) < 2:
            most = [f"{self._spelling[key]} {count}" for key, count in self._counts.most_common(8)]
            more = ", ..." if len(self._counts) > len(most) else ""
            raise DatasetError(
                f"{self.source}: two or more {self.task}s of at least {self.minimum} tracks are needed, and found "
                f"are {', '.join(most) + more if most else 'none'}: add music or ask for fewer tracks each"
            )
        return classes


class OwnFolder(_OwnMusic):
    """A folder that holds one folder a label, with audio files at any depth.

    Which files are audio is decided as by ``genrecore analyze``; artist and title are read from their tags.

    Parameters
    ----------
    root : Path
        The folder.
    minimum : int
        Labels of fewer tracks are left out.
    task : {'genre', 'mood'}
        What the labels are.

    Examples
    --------
    >>> OwnFolder(Path("Sorted")).labels  # doctest: +SKIP
    ('Baroque', 'Klezmer', 'Tango')
    """

    def __init__(self, root: Path, minimum: int = 10, *, task: Task = "genre") -> None:
        super().__init__(root, minimum, task)

    def _find(self) -> tuple[list[_Song], list[str]]:
        try:
            inside = sorted(path for path in self.source.iterdir() if not path.name.startswith("."))
        except OSError as error:
            raise DatasetError(
                f"{self.source} is no folder that can be read ({error.strerror}): name one that holds a folder for "
                f"each {self.task}"
            ) from error
        songs, problems = [], []
        for folder in filter(Path.is_dir, inside):
            files, faults = collect([str(folder)], AUDIO_EXTENSIONS)
            songs += [self._song(folder.name, Path(file)) for file in files]
            problems += faults
        loose = sum(path.is_file() and path.suffix.lower() in AUDIO_EXTENSIONS for path in inside)
        if loose:
            problems.append(
                f"{self.source}: {loose} audio files lie in no {self.task}'s folder and are not used"
            )
        return songs, problems

    def _song(self, label: str, path: Path) -> _Song:
        import mediafile

        place = path.relative_to(self.source)
        try:
            tags = mediafile.MediaFile(path)
            artist, title = _artist(tags.albumartist, tags.artist), tags.title or ""
        except mediafile.UnreadableFileError:  # whether it is audio is found out where it is decoded
            artist, title = "", ""
        return _Song(_text(place), _tidy(_text(Path(label))), artist, title, _text(place.parent), path)


class OwnBeets(_OwnMusic):
    """A beets library: the labels are the values of a field.

    The library is copied and the copy is opened, since beets would bring an older library up to date.

    Parameters
    ----------
    library : Path
        The library file, which ``beet config`` names.
    field : str
        Any field of items, flexible ones too; of several values the first counts.
    minimum : int
        Labels of fewer tracks are left out.
    directory : Path, optional
        Folder of the music, from which the library counts its paths; by default the one that beets is configured with.
    task : {'genre', 'mood'}
        What the labels are.
    query : str
        In beets' language; only items that match are read.
    """

    def __init__(
        self,
        library: Path,
        field: str = "genres",
        minimum: int = 10,
        *,
        directory: Path | None = None,
        task: Task = "genre",
        query: str = "",
    ) -> None:
        super().__init__(library, minimum, task)
        self.field = field
        self.query = query
        self.directory = directory

    def _find(self) -> tuple[list[_Song], list[str]]:
        if not self.source.is_file():
            raise DatasetError(f"{self.source} is missing: name the library file that beet config names")
        with TemporaryDirectory(prefix="genrecore-", ignore_cleanup_errors=True) as folder:
            copy = Path(folder) / "library.db"
            try:
                _copy_database(self.source, copy)
                # In a context of its own, since beets keeps the folder of the music in a context variable.
                return copy_context().run(self._read, copy)
            except sqlite3.Error as error:
                raise DatasetError(f"{self.source} does not read as a beets library ({error})") from error

    def _read(self, library: Path) -> tuple[list[_Song], list[str]]:
        import beets
        from beets.dbcore.query import ParsingError
        from beets.library import Library
        from confuse import ConfigError

        try:
            directory = self.directory or Path(beets.config["directory"].as_filename())
            beets.config["create_backup_before_migrations"].set(False)  # of the copy, up to eleven times
            with redirect_stdout(io.StringIO()):  # which would tell that the copy is brought up to date
                opened = Library(str(library), str(directory.absolute()))
        except ConfigError as error:
            raise DatasetError(f"beets' configuration does not read: {_tidy(str(error))}") from error
        try:
            items = list(opened.items(self.query))
            found = [self._song(item) for item in items]
            heard = sum(self._is_heard(item, song) for item, song in zip(items, found, strict=True))
        except ParsingError as error:
            raise DatasetError(
                f"{self.query!r} is no query that beets understands: {_tidy(str(error))}"
            ) from error
        finally:
            opened._close()
        problems = []
        if heard:
            problems.append(
                f"{self.source}: {heard} of {len(items)} tracks have the {self.task} that genreclf heard in them; "
                "those where it wrote it teach only what it knows: leave them out with --query, for instance with "
                f"'{self.task}_model::^$', which takes only what it has not heard"
            )
        return [song for song in found if song.label], problems

    def _is_heard(self, item: Item, song: _Song) -> bool:
        """Whether a track's label is what genreclf heard in it."""
        if self.field not in ("genres", "genre", "mood"):
            return False
        if self.task == "genre":
            top = item.get("genre_top") or ""
        else:
            try:
                top = json.loads(item.get("mood_histogram") or "{}").get("top", "")
            except ValueError:
                top = ""
        return bool(top) and _same(str(top)).replace(" ", "") == _same(song.label).replace(" ", "")

    def _song(self, item: Item) -> _Song:
        label = _first(item.get(self.field))
        if not label and self.field == "genre":  # a list since beets 2.7
            label = _first(item.get("genres"))
        path = item.filepath
        home = f"album {item.album_id}" if item.album_id else _text(path.parent)
        return _Song(str(item.id), label, _artist(item.albumartist, item.artist), item.title, home, path)


def _copy_database(source: Path, target: Path) -> None:
    address = f"{source.absolute().as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(address, uri=True, timeout=_LOCK_SECONDS)) as reading,
        closing(sqlite3.connect(target)) as writing,
    ):
        reading.execute("BEGIN")
        reading.execute(
            "SELECT id FROM items LIMIT 1"
        ).fetchall()  # waits for a writer, which backup does for ever
        reading.backup(writing)


def _first(value: object) -> str:
    """The first of several values, a list or text as beets stores or shows one; empty if there is none."""
    if not isinstance(value, str) and isinstance(value, Iterable):
        value = next((text for text in map(str, value) if text.strip()), "")
    return _tidy(re.split(r"\\␀|\0|; ", str(value))[0]) if value else ""


def _artist(*names: str | None) -> str:
    """`artist_key` of the first name that is somebody's, without guests; empty if there is none."""
    for name in names:
        alone = _GUESTS.split(_tidy(name or ""))[0]
        key = artist_key(alone)
        if key not in _NOBODY:
            return key
    return ""


def _same(label: str) -> str:
    """Equal for two spellings of a label: ``Hip-Hop`` and ``hip hop``, which would also be one field in beets."""
    return " ".join(re.findall(r"[^\W_]+", label.casefold())) or label.casefold()


def _tidy(text: str) -> str:
    # macOS gives names of files decomposed.
    return " ".join(unicodedata.normalize("NFC", text).split())


def _text(path: Path) -> str:
    """A path as text that can be written to any file, though the name may be no valid Unicode."""
    return path.as_posix().encode("utf-8", "backslashreplace").decode()
