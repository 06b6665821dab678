"""Albums in odd situations: genres of the user's, tracks that go away, histograms of other makers."""

from __future__ import annotations

import copy
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import mutagen
import pytest
from plugin import ears, rawtags
from plugin.conftest import Beets, Song, imported

TRACKS = (("flac", "loud", "1"), ("mp3", "quiet", "2"), ("ogg", "quiet", "3"))


@pytest.fixture
def album(beet: Beets, song: Song) -> Beets:
    """An album in the library: a loud track, that is hip-hop, and two quiet ones."""
    for kind, loudness, title in TRACKS:
        song(kind, loudness, title=title)
    imported(beet)
    return beet


def says(beet: Beets) -> str:
    (line,) = beet.ls("-a", form="$genres|%ifdef{album_mood,$album_mood}|%ifdef{album_genre_top}")
    return line


def genres(beet: Beets) -> list[str]:
    return beet.ls("title+", form="$genres")


def update(beet: Beets) -> None:
    """Let beets copy the genre of the first track, which is the one without an artist."""
    path = rawtags.put_artist(beet.music / "2.mp3", "Y")
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime + 10))
    beet("update")
    assert set(genres(beet)) == {"Hip-Hop"}, "what this is about"


class TestGenreOfTheUser:
    """It stays, though it may be one that we wrote on some track."""

    def test_an_album_s_alone_outlives_a_restore(self, album: Beets) -> None:
        album("modify", "-y", "-a", "-I", "genres=Jazz")
        album("genreclf")
        album("genreclf", "--restore")
        assert says(album) == "Jazz||"

    def test_an_album_s_alone_under_force(self, album: Beets) -> None:
        album("modify", "-y", "-a", "-I", "genres=Jazz")
        album.config["genreclf"]["policy"] = "force"
        album("genreclf", "-a")
        album("genreclf", "--restore", "-W")
        album("genreclf", "--restore", "-w")
        assert says(album) == "Jazz||"

    @pytest.mark.parametrize("before", [["genreclf"], ["genreclf", "-a"]])
    def test_an_album_s_and_its_tracks(self, album: Beets, before: list[str]) -> None:
        album(*before)
        album("modify", "-y", "-a", "genres=Hip-Hop")
        for command in (["genreclf", "-a"], ["genreclf", "-a", "--reapply"], ["import", "-L"]):
            album(*command)
            assert says(album).startswith("Hip-Hop|"), command
        album("genreclf", "--restore")
        assert says(album) == "Hip-Hop||"

    def test_numbers_that_were_another_album_s(self, album: Beets, song: Song) -> None:
        album("genreclf")
        album("remove", "-d", "-f")
        for path in (album.home.parent / "new").iterdir():
            path.unlink()
        song("mp3", "loud", title="1")
        song("ogg", "loud", title="2", genre=["Jazz"])
        song("flac", "quiet", title="3", genre=["Jazz"])
        imported(album)
        album("modify", "-y", "-a", "-I", "genres=Jazz")
        for name in ("2.ogg", "3.flac"):
            (album.music / name).write_bytes(b"x")
        album("genreclf", "-a", status=1)
        assert says(album).startswith("Jazz|")


@pytest.mark.parametrize("command", [["--reapply"], ["--restore"]])
def test_ours_come_back_after_a_copy_of_the_user_s(beet: Beets, song: Song, command: list[str]) -> None:
    song("flac", "loud", title="1", genre=["Hip-Hop"])
    song("mp3", "quiet", title="2")
    song("ogg", "quiet", title="3", genre=["Country Blues"])
    imported(beet)
    beet.config["genreclf"]["genre_map"] = {"hiphop": "Rap"}
    beet("genreclf")
    update(beet)
    beet("genreclf", *command)
    assert genres(beet) == ["Hip-Hop", "" if "--restore" in command else "Jazz", "Country Blues"]


def test_a_genre_of_the_user_s_in_the_library_alone_is_no_copy(beet: Beets, song: Song) -> None:
    song("flac", "quiet", title="1", genre=["Blues"])
    song("mp3", "quiet", title="2")
    song("ogg", "quiet", title="3", genre=["Country Blues"])
    imported(beet)
    beet("genreclf")
    beet("modify", "-y", "-W", "title:3", "genres=Blues")
    beet("genreclf", "--reapply")
    assert genres(beet) == ["Blues", "Jazz", "Blues"]


@pytest.mark.parametrize("command", [["-a", "--reapply"], ["--restore"]])
def test_a_track_s_own_genre_comes_back_after_a_copy(beet: Beets, song: Song, command: list[str]) -> None:
    song("flac", "loud", title="1")
    song("mp3", "quiet", title="2")
    song("ogg", "quiet", title="3", genre=["Country Blues"])
    imported(beet)
    beet("genreclf")
    update(beet)
    beet("genreclf", *command)
    ours = ["", ""] if "--restore" in command else ["Hip-Hop", "Jazz"]
    assert genres(beet) == [*ours, "Country Blues"]
    assert rawtags.genre(beet.music / "3.ogg") == ["Country Blues"]


class TestRestore:
    """An album goes back, whenever its tracks did."""

    def test_after_its_last_heard_track_was_removed(self, album: Beets) -> None:
        album("genreclf", "-a")
        album("genreclf", "--restore", "title::[12]")
        assert says(album).startswith("Jazz|Sad|")
        album("remove", "-f", "title:3")
        album("genreclf", "--restore")
        assert says(album) == "||"

    def test_after_a_file_was_gone(self, album: Beets) -> None:
        album("genreclf", "-a")
        (album.music / "3.ogg").unlink()
        album("genreclf", "--restore", status=1)
        album("update")
        album("genreclf", "-a", "--restore")
        assert says(album) == "||"

    @pytest.mark.skipif(os.name == "nt", reason="Windows kills differently")
    def test_after_a_kill_between_tracks_and_album(self, album: Beets) -> None:
        album("genreclf", "-a")
        code = (
            "import os, beetsplug.genreclf.restore as restore\n"
            "restore.put_album_back = lambda *_: os.kill(os.getpid(), 9)\n"
            "from beets.ui import main; main(['genreclf', '--restore'])"
        )
        album.command()
        assert subprocess.run([sys.executable, "-c", code], env=album.env, check=False).returncode == -9
        assert genres(album) == ["", "", ""]
        album("genreclf", "--restore")
        assert says(album) == "||"

    @pytest.mark.parametrize("albums", [[], ["-a"]])
    def test_pretend_says_the_same_after_a_copy(self, album: Beets, albums: list[str]) -> None:
        album("genreclf", *albums)
        update(album)
        pretended = album("genreclf", "--restore", "--pretend").splitlines()[-1]
        assert "put back 3 tracks and 1 album" in pretended
        assert album("genreclf", "--restore").splitlines()[-1] == pretended.replace("would put", "put")
        assert (says(album), genres(album)) == ("||", ["", "", ""])

    def test_the_library_alone_after_a_copy(self, album: Beets) -> None:
        album("genreclf", "-a")
        update(album)
        assert "left alone" not in album("genreclf", "--restore", "-W")
        assert (says(album), genres(album)) == ("||", ["", "", ""])
        album("genreclf", "--restore", "-w")
        assert genres(album) == ["", "", ""]
        assert rawtags.genre(album.music / "1.flac") is None

    def test_files_that_bring_histograms_along(self, album: Beets) -> None:
        album("genreclf", "-a")
        home = album.home.parent / "another"
        home.mkdir()
        config = copy.deepcopy(album.config) | {
            "directory": str(home / "music"),
            "library": str(home / "library.db"),
        }
        another = Beets(home, config)
        another("import", str(album.music))
        before = says(another)
        another("genreclf", "-a")
        another("genreclf", "--restore", "title:1")
        another("genreclf", "--restore")
        assert says(another) == before


class TestForeignHistograms:
    """Any file can carry the tag."""

    def test_a_model_trained_anew_under_the_same_name(self, album: Beets, tmp_path: Path) -> None:
        model = tmp_path / "own.onnx"
        ears.make_model(model, "genre", "metal", "rock", labels=("metal", "rock"))
        album.config["genreclf"]["genre_model"] = str(model)
        album("genreclf", "title:1")
        ears.make_model(model, "genre", "pop", "techno", labels=("pop", "techno", "rock"))
        album("genreclf", "-a")
        assert says(album).startswith("Pop|Sad|")

    @pytest.mark.parametrize(
        "fault", [{"temperature": "x"}, {"temperature": 0}, {"counts": {"x": -1}}, {"counts": {}}, {"top": 3}]
    )
    def test_one_that_is_none(self, album: Beets, fault: dict[str, object]) -> None:
        album("genreclf")
        histogram = json.loads(album.ls("title:2", form="$genre_histogram")[0]) | fault
        with closing(sqlite3.connect(album.library)) as database, database:
            database.execute(
                "UPDATE item_attributes SET value = ? WHERE key = 'genre_histogram' AND entity_id = "
                "(SELECT id FROM items WHERE title = '2')",
                (json.dumps(histogram),),
            )
        album("genreclf", "-a", "--pretend")
        album("genreclf", "-a")
        assert says(album).split("|")[0] in ("Jazz", "Hip-Hop")

    def test_an_import_goes_on(self, beet: Beets, song: Song) -> None:
        for kind, loudness, title in TRACKS[1:]:
            song(kind, loudness, title=title)
        path = song("flac", title="1")
        file = mutagen.File(path)
        for task in ("genre", "mood"):
            file[f"{task}_histogram"] = json.dumps(
                {"model": f"test-{task} 1", "top": "x", "counts": {"x": 3}, "probabilities": {"x": 1.0}}
            )
        file.save()
        path.write_bytes(path.read_bytes()[:9000])
        beet.config["genreclf"]["auto"] = True
        imported(beet)
        assert says(beet).startswith("Jazz|Sad|")


def test_only_albums_of_tracks_that_failed(album: Beets) -> None:
    album("genreclf")
    assert "no track matches" in album("genreclf", "-a", "--failed")
    assert says(album) == "||"


def test_fields_without_a_genre_are_told_as_well(album: Beets) -> None:
    album.config["genreclf"]["min_confidence"] = 1.0
    album("genreclf")
    assert "1 album (0 genres and 0 moods written)" in album("genreclf", "-a")
    assert "nothing to do" in album("genreclf", "-a")


def test_pretend_shows_albums_that_nobody_has_heard(album: Beets) -> None:
    out = album("genreclf", "-a", "--pretend")
    assert "Jazz 63% (filled), Sad 64% (filled)" in out
    assert "1 album (1 genre and 1 mood would be written)" in out
    assert says(album) == "||"
