"""The user's own music: real folders of real audio, and libraries that beets itself has made."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import mediafile
import pytest
import yaml
from beets.library import Item, Library
from synth import piece

from genrecore_training import protocols
from genrecore_training.datasets import Dataset, DatasetError, OwnBeets, OwnFolder


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return piece(tmp_path_factory.mktemp("own") / "a.flac", 1.0)


def tagged(sound: Path, path: Path, **tags: str) -> Path:
    """The sound at another path, tagged as beets tags."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(sound, path)
    if tags:
        file = mediafile.MediaFile(path)
        for name, value in tags.items():
            setattr(file, name, value)
        file.save()
    return path


def sorted_folder(root: Path, sound: Path, minimum: int = 2) -> OwnFolder:
    """Three tangos by two artists, two klezmers by one, a single polka."""
    tagged(sound, root / "Tango" / "1.flac", artist="Carlos Gardel", title="Volver")
    tagged(
        sound, root / "Tango" / "deep" / "down" / "2.flac", artist="The Astor", albumartist="Various Artists"
    )
    tagged(sound, root / "Tango" / "3.FLAC", artist="CARLOS GARDEL feat. A. Troilo")
    tagged(sound, root / "Klezmer" / "1.flac", artist="guest", albumartist="Giora")
    tagged(sound, root / "Klezmer" / "2.flac", artist="Giora")
    tagged(sound, root / "Polka" / "1.flac")
    return OwnFolder(root, minimum)


def test_a_folder_of_folders_is_a_data_set(tmp_path: Path, sound: Path) -> None:
    music: Dataset = sorted_folder(tmp_path, sound)
    (tmp_path / "Tango" / "cover.jpg").touch()
    tagged(sound, tmp_path / ".trash" / "old.flac")
    tagged(sound, tmp_path / "Tango" / "._2.flac")
    assert music.labels == ("Klezmer", "Tango")
    assert {track.id: (track.label, track.artist, track.title) for track in music.tracks} == {
        "Klezmer/1.flac": ("Klezmer", "giora", ""),
        "Klezmer/2.flac": ("Klezmer", "giora", ""),
        "Tango/1.flac": ("Tango", "carlos gardel", "Volver"),
        "Tango/3.FLAC": ("Tango", "carlos gardel", ""),  # without the guest
        "Tango/deep/down/2.flac": ("Tango", "astor", ""),  # nobody is called various artists
    }
    assert all(track.path == tmp_path / track.id for track in music.tracks)
    assert music.left_out == {"Polka": 1}
    assert music.groups == {track.id: track.artist for track in music.tracks}


def test_what_cannot_be_tested_is_said(tmp_path: Path, sound: Path) -> None:
    music = sorted_folder(tmp_path, sound)
    tagged(sound, tmp_path / "loose.flac")
    (tmp_path / "Empty").mkdir()
    (tmp_path / "Tango" / "broken.flac").write_bytes(b"fLaC and no more")
    said = music.validate()
    assert len(said) == 4, said
    assert any("1 audio files lie in no genre's folder" in fault for fault in said)
    assert any("there is no audio file in this folder" in fault for fault in said)
    assert any(fault.startswith(str(tmp_path / "Tango" / "broken.flac")) for fault in said)
    assert any(fault.startswith("Klezmer: all 2 tracks are by one artist (giora)") for fault in said)


def test_tracks_of_nobody_are_not_pretended_apart(tmp_path: Path, sound: Path) -> None:
    for label, folder, number in (("A", "x", 1), ("A", "x", 2), ("A", "y", 3), ("B", "", 4), ("B", "", 5)):
        tagged(sound, tmp_path / label / folder / f"{number}.flac")
    music = OwnFolder(tmp_path, 2)
    groups = music.groups
    assert groups["A/x/1.flac"] == groups["A/x/2.flac"] != groups["A/y/3.flac"]
    assert len(set(groups.values())) == 3
    (fault,) = music.validate()
    assert fault.startswith("B: all 2 tracks are without an artist's name")


def test_an_artist_without_latin_letters_is_somebody(tmp_path: Path, sound: Path) -> None:
    for number, artist in enumerate(("真之介", "Бардак", "!!!", "真之介")):
        tagged(sound, tmp_path / "AB"[number % 2] / f"{number}.flac", artist=artist)
    assert Counter(OwnFolder(tmp_path, 1).groups.values()) == {"真之介": 2, "бардак": 1, "!!!": 1}


def test_spellings_of_a_label_are_one_class(tmp_path: Path, sound: Path) -> None:
    for folder, number in (
        ("hip hop", 1),
        ("Hip Hop", 2),
        ("Hip  Hop", 3),
        ("cafe\u0301", 4),
        ("Café", 5),
        ("café", 6),
    ):
        tagged(sound, tmp_path / folder / f"{number}.flac")
    music = OwnFolder(tmp_path, 3)
    assert music.labels == ("café", "Hip Hop")
    assert Counter(track.label for track in music.tracks) == {"café": 3, "Hip Hop": 3}


def test_too_little_music_is_one_sentence(tmp_path: Path, sound: Path) -> None:
    with pytest.raises(DatasetError, match=r"none is no folder that can be read.*name one"):
        _ = OwnFolder(tmp_path / "none").tracks
    with pytest.raises(DatasetError, match=r"two or more moods of at least 10 tracks.*found are none"):
        _ = OwnFolder(tmp_path, task="mood").tracks
    music = sorted_folder(tmp_path, sound, minimum=3)
    with pytest.raises(DatasetError, match=r"found are Tango 3, Klezmer 2, Polka 1: add music"):
        _ = music.labels
    (fault,) = music.validate()
    assert "found are Tango 3" in fault


def test_splits_keep_artists_apart(tmp_path: Path, sound: Path) -> None:
    for number in range(40):
        place = tmp_path / f"label {number % 2}" / f"{number}.flac"
        tagged(sound, place, artist=f"artist {number // 4}")
    music = OwnFolder(tmp_path)
    labels = {track.id: track.label for track in music.tracks}
    for split in protocols.artist_grouped(labels, music.groups, folds=3):
        sides = [
            {music.groups[track] for track in part} for part in (split.train, split.validation, split.test)
        ]
        assert all(sides)
        assert len(set.union(*sides)) == sum(map(len, sides))


class Shelf:
    """A beets library with music in a folder beside it."""

    def __init__(self, home: Path, sound: Path) -> None:
        self.file = home / "library.db"
        self.music = home / "music"
        self._sound = sound
        self._numbers = count(1)

    def add(self, *songs: dict[str, Any], album: bool = False) -> None:
        library = Library(str(self.file), str(self.music))
        items = []
        for song in songs:
            path = tagged(self._sound, self.music / f"{next(self._numbers)}.flac")
            item = Item.from_path(os.fsencode(path))
            item.update(song)
            library.add(item)
            items.append(item)
        if album:
            library.add_album(items)
        library._close()

    def read(self, field: str = "genres", minimum: int = 1, **options: Any) -> OwnBeets:
        return OwnBeets(self.file, field, minimum, directory=self.music, **options)


@pytest.fixture
def shelf(tmp_path: Path, sound: Path) -> Shelf:
    return Shelf(tmp_path, sound)


def labels(music: Dataset) -> dict[str, str]:
    return {track.id: track.label for track in music.tracks}


def test_a_library_is_a_data_set(shelf: Shelf) -> None:
    shelf.add(
        {"title": "a", "artist": "X", "genres": ["Dub", "Reggae"]},
        {"title": "b", "artist": "Y", "albumartist": "The X", "genres": ["dub"]},
        {"title": "c", "artist": "Z", "genres": ["Ska"]},
        {"title": "d", "artist": "Z", "genres": []},
        {"title": "e", "artist": "Z", "genres": ["Dub"]},
    )
    music: Dataset = shelf.read()
    assert labels(music) == {"1": "Dub", "2": "Dub", "3": "Ska", "5": "Dub"}
    assert music.groups == {"1": "x", "2": "x", "3": "z", "5": "z"}
    assert [track.title for track in music.tracks] == ["a", "b", "c", "e"]
    assert [track.path for track in music.tracks] == [shelf.music / f"{n}.flac" for n in (1, 2, 3, 5)]
    assert all(track.path is not None and track.path.is_file() for track in music.tracks)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("mood", ["Happy", "Sad"]),
        ("mood", ["Happy\\␀Angry", "Sad; Happy"]),  # a list of a plugin's, stored and shown
        ("vibe", ["Happy", "Sad"]),
        ("grouping", ["Happy", " Sad "]),
        ("genre", ["Happy", "Sad"]),
    ],
)
def test_any_field_gives_labels(shelf: Shelf, field: str, values: list[str]) -> None:
    shelf.add(*({"genres" if field == "genre" else field: [v] if field == "genre" else v} for v in values))
    music = shelf.read(field, task="mood")
    assert labels(music) == {"1": "Happy", "2": "Sad"}
    assert music.task == "mood"


def test_a_number_or_a_field_of_the_album_is_a_label_too(shelf: Shelf) -> None:
    shelf.add({"year": 1999, "album": "A"}, {"year": 1999, "album": "A"}, album=True)
    shelf.add({"year": 2001})
    library = Library(str(shelf.file), str(shelf.music))
    (album,) = library.albums()
    album["shelf"] = "left"
    album.store(inherit=False)
    library._close()
    shelf.add({"shelf": "right"})
    assert labels(shelf.read("year")) == {"1": "1999", "2": "1999", "3": "2001"}
    assert labels(shelf.read("shelf")) == {"1": "left", "2": "left", "4": "right"}


def test_albums_of_nobody_are_kept_together(shelf: Shelf) -> None:
    shelf.add({"genres": ["A"], "album": "1"}, {"genres": ["B"], "album": "1"}, album=True)
    shelf.add(
        {"genres": ["A"], "album": "2"}, {"genres": ["B"], "albumartist": "Various Artists"}, album=True
    )
    shelf.add({"genres": ["A"]}, {"genres": ["B"]})
    groups = shelf.read().groups
    assert [groups[a] == groups[b] for a, b in (("1", "2"), ("3", "4"), ("5", "6"))] == [True] * 3
    assert len(set(groups.values())) == 3


def test_files_that_are_gone_are_named_and_left_out(shelf: Shelf) -> None:
    shelf.add(*({"genres": [genre], "artist": str(n)} for n, genre in enumerate("AABBB")))
    (shelf.music / "5.flac").unlink()
    music = shelf.read(minimum=2)
    assert sorted(labels(music)) == ["1", "2", "3", "4"]
    assert music.validate() == [f"{shelf.music / '5.flac'} is missing"]
    with pytest.raises(DatasetError, match=r"B 2, A 2|A 2, B 2"):
        _ = shelf.read(minimum=3).tracks
    elsewhere = OwnBeets(shelf.file, minimum=2, directory=shelf.music.parent / "elsewhere")
    with pytest.raises(
        DatasetError, match=r"none of its 5 files is there.*elsewhere.*name the folder of the music"
    ):
        _ = elsewhere.tracks


def test_the_library_stays_as_it_is_even_if_it_is_old(
    shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.add({"artist": "X"}, {"artist": "Y"})
    with closing(sqlite3.connect(shelf.file)) as database, database:
        database.execute("ALTER TABLE items ADD COLUMN genre TEXT")
        database.execute("UPDATE items SET genre = 'Dub, Reggae', genres = '' WHERE id = 1")
        database.execute("UPDATE items SET genre = 'Ska', genres = '' WHERE id = 2")
        database.execute("DELETE FROM migrations")
    capsys.readouterr()
    before = shelf.file.read_bytes(), shelf.file.stat().st_mtime_ns, sorted(shelf.file.parent.iterdir())
    assert labels(shelf.read("genre")) == {"1": "Dub", "2": "Ska"}
    assert (
        shelf.file.read_bytes(),
        shelf.file.stat().st_mtime_ns,
        sorted(shelf.file.parent.iterdir()),
    ) == before
    assert capsys.readouterr().out == ""


def test_a_library_that_is_open_is_not_disturbed(shelf: Shelf, tmp_path: Path, sound: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Shelf(tmp_path / "other", sound)
    other.add({"genres": ["C"]}, {"genres": ["D"]})
    shelf.add({"genres": ["A"]}, {"genres": ["B"]})
    library = Library(str(shelf.file), str(shelf.music))
    assert len(other.read().tracks) == 2
    assert [item.filepath for item in library.items()] == [shelf.music / "1.flac", shelf.music / "2.flac"]
    library._close()


def test_a_library_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    missing = tmp_path / "no.db"
    with pytest.raises(DatasetError, match=r"no\.db is missing"):
        _ = OwnBeets(missing).tracks
    assert not missing.exists()
    text = tmp_path / "text.db"
    text.write_text("music " * 999, "utf-8")
    foreign = tmp_path / "foreign.db"
    with closing(sqlite3.connect(foreign)) as database, database:
        database.execute("CREATE TABLE songs (id)")
    for file in (text, foreign):
        with pytest.raises(DatasetError, match=rf"{file.name} does not read as a beets library \("):
            _ = OwnBeets(file, directory=tmp_path).tracks
        assert len(OwnBeets(file, directory=tmp_path).validate()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["foreign.db", "text.db"]


def test_an_unknown_field_is_one_sentence(shelf: Shelf) -> None:
    shelf.add({"genres": ["A"]}, {"genres": ["B"]})
    with pytest.raises(DatasetError, match=r"found are none"):
        _ = shelf.read("gnere").tracks


def test_the_folder_of_the_music_is_the_one_beets_knows(shelf: Shelf) -> None:
    shelf.add({"genres": ["A"]}, {"genres": ["B"]})
    config = {"directory": str(shelf.music), "library": "elsewhere.db"}
    (shelf.file.parent / "config.yaml").write_text(yaml.safe_dump(config), "utf-8")
    program = (
        "import sys; from pathlib import Path; from genrecore_training.datasets import OwnBeets\n"
        "print(*(track.path for track in OwnBeets(Path(sys.argv[1]), minimum=1).tracks), sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(shelf.file)],
        env={**os.environ, "BEETSDIR": str(shelf.file.parent), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [str(shelf.music / "1.flac"), str(shelf.music / "2.flac")]
