"""4-Quadrant audio emotion data set (Panda, Malheiro, Paiva, "Novel audio features for music emotion recognition",
IEEE TAC 2018): 30-second previews, one Russell quadrant each.

Licence: none to redistribute; the previews are their owners'.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from genrecore_training.datasets.checks import file_faults
from genrecore_training.datasets.tables import numbers_of, rows_of
from genrecore_training.datasets.track import Annotation, DatasetError, Track, artist_key

__all__ = ["MOODS", "FourQuadrant"]

MOODS = ("happy", "angry", "sad", "relaxed")
_QUADRANTS = dict(zip(("Q1", "Q2", "Q3", "Q4"), MOODS, strict=True))

_OWN = "annotations.csv"
_METADATA = "panda_dataset_taffc_metadata.csv"
_BARE = "panda_dataset_taffc_annotations.csv"

# The authors' 100 best features (IEEE TAC 2018), by song.
_FEATURES = "top100_features_panda.csv"
# A mood word of fewer songs tells a network nothing.
_FEWEST_SONGS = 20

# In order: the authors' bare annotations name no artist, the other two do and have the quadrants as well.
_TABLES = (_OWN, _METADATA, _BARE)

# Where the tables lie in the folders people have: the last is what the authors' archive unpacks to.
_FOLDERS = (".", "audio", "MER_audio_taffc_dataset")

_EXTENSIONS = (".mp3", ".opus", ".wav")


class FourQuadrant:
    """The data set in a folder.

    Parameters
    ----------
    root : Path
        As the authors distribute it: ``Q1/MT0000040632.mp3`` to ``Q4/``, in ``audio/`` or not, with
        ``panda_dataset_taffc_annotations.csv`` and ``panda_dataset_taffc_metadata.csv`` (songs, artists, titles,
        quadrants); or ``annotations.csv`` with ``audio/<song>.opus``.
    """

    name = "4qaed"
    title = "4-Quadrant audio emotion data set"
    task = "mood"
    labels = MOODS
    licence = "none to redistribute; the previews are their owners'"
    citation = "R. Panda, R. Malheiro, R. P. Paiva: Novel audio features for music emotion recognition. IEEE TAC, 2018."
    home = "http://mir.dei.uc.pt/downloads.html"
    #: The authors publish none.
    checksums: Mapping[str, str] = MappingProxyType({})

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def tracks(self) -> tuple[Track, ...]:
        """All annotated songs whose sound is here.

        Raises
        ------
        DatasetError
            If the annotations are missing or faulty, or there is no sound at all.
        """
        found = tuple(track for track in self._annotated if track.path is not None and track.path.is_file())
        if not found:
            raise DatasetError(
                f"{self.root}: there is no sound of the {len(self._annotated)} annotated songs, neither in Q1/ to Q4/ "
                "nor in audio/: name the folder of the data with --data"
            )
        return found

    @property
    def groups(self) -> dict[str, str]:
        """Track id -> group that must not be split: the artist, the track itself where unknown.

        Raises
        ------
        DatasetError
            If the annotations that are here name no artists: groups would only seem to keep them apart.
        """
        if not self._names_artists:
            raise DatasetError(self._no_artists)
        return {track.id: track.artist or f"unknown {track.id}" for track in self.tracks}

    @property
    def lists(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """None: the authors cross-validate."""
        return {}

    @cached_property
    def annotations(self) -> dict[str, Annotation]:
        """AllMusic's ``genres`` and ``moods`` (words of 20 songs or more), the authors' ``features``: what is here.

        Raises
        ------
        DatasetError
            If a table is faulty.
        """
        found = {name: words for name in ("genres", "moods") if (words := _shares(self._words(name))).names}
        path = self._table.with_name(_FEATURES)
        if path.is_file():
            found["features"] = _numbers(path)
        return found

    @property
    def genres(self) -> dict[str, frozenset[str]]:
        """Song -> AllMusic's genres, rare ones too; songs of which none is known are not there."""
        return self._words("genres")

    def _words(self, column: str) -> dict[str, frozenset[str]]:
        def of(row: Mapping[str, str]) -> frozenset[str]:
            words = row.get(
                f"{column}str", row.get(column, "")
            )  # in the authors' table the shorter is a count
            return frozenset(word.strip() for word in words.split(";")) - {""}

        said = {row["song"]: of(row) for _, row in rows_of(self._table, ("song",))}
        return {song: words for song, words in said.items() if words}

    def validate(self) -> list[str]:
        """One sentence for each thing that is missing or damaged; empty if all is well."""
        try:
            files = [(track.label, track.path) for track in self._annotated if track.path is not None]
        except DatasetError as error:
            return [str(error)]
        return ([] if self._names_artists else [self._no_artists]) + file_faults(files)

    @cached_property
    def _table(self) -> Path:
        for table in _TABLES:
            for folder in _FOLDERS:
                if (path := self.root / folder / table).is_file():
                    return path
        raise DatasetError(
            f"{self.root / _OWN} is missing, and so are {_METADATA} and {_BARE}: "
            "name the folder of the data with --data"
        )

    @property
    def _names_artists(self) -> bool:
        return self._table.name != _BARE

    @property
    def _no_artists(self) -> str:
        return (
            f"{self._table.with_name(_METADATA)} is missing, without which no artist can be kept on one side of a "
            f"split: it comes with the data set ({self.home})"
        )

    @cached_property
    def _annotated(self) -> tuple[Track, ...]:
        needed = ("song", "quadrant", "artist", "title") if self._names_artists else ("song", "quadrant")
        tracks: dict[str, Track] = {}
        for line, row in rows_of(self._table, needed):
            song, quadrant = row["song"], row["quadrant"].upper()
            if quadrant not in _QUADRANTS:
                raise DatasetError(
                    f"{self._table}: line {line}: quadrant '{row['quadrant']}' is none of {', '.join(_QUADRANTS)}"
                )
            if not song or song in tracks:
                raise DatasetError(
                    f"{self._table}: line {line}: song '{song}' is empty or stands there twice"
                )
            tracks[song] = Track(
                id=song,
                label=_QUADRANTS[quadrant],
                artist=artist_key(row.get("artist", "")),
                title=row.get("title", ""),
                path=self._path(song, quadrant),
            )
        if not tracks:
            raise DatasetError(f"{self._table} names no song: get it again")
        return tuple(tracks.values())

    def _path(self, song: str, quadrant: str) -> Path:
        """The file, or where it should be."""
        folder = self._table.parent
        folders = (folder / quadrant, folder / "audio" / quadrant, folder / "audio")
        paths = [place / f"{song}{extension}" for place in folders for extension in _EXTENSIONS]
        due = folder / "audio" / f"{song}.opus" if self._table.name == _OWN else paths[0]
        return next((path for path in paths if path.is_file()), due)


def _shares(said: Mapping[str, frozenset[str]]) -> Annotation:
    """Whether a word is said of a song, for each word of not too few."""
    songs = Counter(word for words in said.values() for word in words)
    names = tuple(sorted(word for word, count in songs.items() if count >= _FEWEST_SONGS))
    values = {song: tuple(float(name in words) for name in names) for song, words in said.items()}
    return Annotation("shares", names, values)


def _numbers(path: Path) -> Annotation:
    """A table of numbers by song; the label stands in it as well."""
    rows = rows_of(path, ("songid",))
    names = tuple(name for name in rows[0][1] if name not in ("songid", "quadrant")) if rows else ()
    values = {row["songid"]: numbers_of(row, names, path, line) for line, row in rows}
    return Annotation("numbers", names, values)
