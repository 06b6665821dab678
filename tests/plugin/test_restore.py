"""`beet genreclf --restore` puts everything back as it was."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from plugin import ears, rawtags
from plugin.conftest import Beets, Song


def imported(beet: Beets) -> None:
    beet("import", str(beet.home.parent / "new"))


def tags(beet: Beets) -> dict[str, dict[str, list[str]]]:
    """All tags with something in them: beets itself leaves empty ones behind."""
    return {
        path.name: {key: values for key, values in rawtags.everything(path).items() if any(values)}
        for path in sorted(beet.music.iterdir())
    }


def fields(beet: Beets) -> dict[str, dict[str, object]]:
    """All item fields that are not empty, but the time of modification."""
    return {
        item.title: {
            key: value for key, value in item.items() if key != "mtime" and value not in ("", [], None)
        }
        for item in beet.items()
    }


@pytest.mark.parametrize("id3v23", [False, True])
def test_library_and_files_in_every_format(beet: Beets, song: Song, id3v23: bool) -> None:
    for kind in rawtags.FORMATS:
        song(kind, title=f"bare {kind}")
        song(kind, title=f"rich {kind}", genre=["Blues", "Soul"], mood=["Happy", "Upbeat"])
    beet.config["id3v23"] = id3v23
    imported(beet)
    beet("write", "-f")
    before = tags(beet), fields(beet)
    beet("genreclf", "-f")
    assert all(rawtags.genre(path) == ["Jazz"] for path in beet.music.iterdir())
    assert "put back 18 tracks" in beet("genreclf", "--restore")
    assert (tags(beet), fields(beet)) == before
    assert "nothing to put back" in beet("genreclf", "--restore")
    if not id3v23:  # there, beets reads several genres as one with slashes, and would write them for ever
        # (Into WavPack, beets writes blank tags for ever.)
        assert beet("write", "-p", "^title:wv").strip() == ""
    assert beet("update").strip() == ""


def test_only_what_the_query_selects(beet: Beets, song: Song) -> None:
    for title in ("a", "b"):
        song(title=title)
    imported(beet)
    beet("genreclf")
    assert "put back 1 track" in beet("genreclf", "--restore", "title:b")
    assert beet.ls("genre:jazz") == ["a"]
    assert rawtags.genre(beet.music / "b.mp3") is None


def test_pretend(beet: Beets, song: Song) -> None:
    song(title="a", genre=["Blues"])
    imported(beet)
    beet("genreclf", "-f")
    before = tags(beet), beet.library.read_bytes()
    out = beet("genreclf", "--restore", "-p")
    assert "- Jazz" in out
    assert "+ Blues" in out
    assert "- Sad" in out
    assert "would put back 1 track" in out
    assert (tags(beet), beet.library.read_bytes()) == before
    assert "put back 1 track" in beet("genreclf", "--restore")


def test_after_several_models_the_first_state_comes_back(beet: Beets, song: Song, tmp_path: Path) -> None:
    song("mp3", title="a", genre=["Blues"])
    song("flac", title="b")
    imported(beet)
    before = tags(beet)
    beet("genreclf", "-f")
    for version, quiet in (("2", "pop"), ("3", "rock")):
        model = ears.make_model(tmp_path / f"{version}.onnx", "genre", quiet, "disco", version=version)
        beet.config["genreclf"]["genre_model"] = str(model)
        beet("genreclf")
    assert beet.ls("title+", form="$genres") == ["Rock", "Rock"]
    beet("genreclf", "--restore")
    assert tags(beet) == before


def test_what_the_user_changed_since_is_left_alone(beet: Beets, song: Song) -> None:
    song("mp3", title="a", genre=["Blues"])
    song("flac", title="b")
    imported(beet)
    beet("genreclf", "-f")
    beet("modify", "-y", "title:a", "genres=Ska")
    rawtags.put(beet.music / "b.flac", mood=["Gloomy"])
    out = beet("genreclf", "--restore")
    assert "genres changed since and left alone" in out
    assert "mood changed since and left alone" in out
    assert rawtags.genre(beet.music / "a.mp3") == ["Ska"]
    assert rawtags.mood(beet.music / "a.mp3") is None
    assert rawtags.genre(beet.music / "b.flac") is None
    assert rawtags.mood(beet.music / "b.flac") == ["Gloomy"]
    assert beet.ls("title+", form="$title $genres") == ["a Ska", "b "]


def test_a_value_of_the_user_that_force_replaced_comes_back(beet: Beets, song: Song) -> None:
    song(title="a")
    imported(beet)
    beet("genreclf")
    beet("modify", "-y", "genres=Ska; Dub")
    beet("genreclf", "-f")
    assert rawtags.genre(beet.music / "a.mp3") == ["Jazz"]
    beet("genreclf", "--restore")
    assert rawtags.genre(beet.music / "a.mp3") == ["Ska", "Dub"]
    assert rawtags.mood(beet.music / "a.mp3") is None


def test_after_renaming_and_moving(beet: Beets, song: Song) -> None:
    song(title="a", genre=["Blues"])
    imported(beet)
    beet("genreclf", "-f")
    beet("modify", "-y", "title=b")
    beet.config["paths"]["default"] = "elsewhere/$title"
    beet("move")
    beet("genreclf", "--restore")
    assert rawtags.genre(beet.music / "elsewhere" / "b.mp3") == ["Blues"]


def test_after_removing_and_importing_again(beet: Beets, song: Song) -> None:
    song("flac", title="a", genre=["Blues"])
    song("flac", title="b", genre=["Ska"])
    imported(beet)
    beet("genreclf", "-f")
    beet.config["import"]["copy"] = False
    beet("remove", "-f")
    for name in ("b", "a"):  # the numbers are given out again, to the others
        beet("import", "-s", str(beet.music / f"{name}.flac"))
    beet("genreclf", "--restore")
    assert beet.ls("title+", form="$title $genres") == ["a Blues", "b Ska"]
    assert rawtags.genre(beet.music / "a.flac") == ["Blues"]
    assert rawtags.genre(beet.music / "b.flac") == ["Ska"]


def in_place(beet: Beets, name: str) -> None:
    """Remove a song from the library and import it again; another song sees to it that its number changes."""
    beet.config["import"]["copy"] = False
    beet("remove", "-f", f"path:{beet.music / name}")
    beet("import", "-s", str(beet.music / name))


def newer(beet: Beets, tmp_path: Path) -> None:
    """Another version of the model, that hears pop."""
    model = ears.make_model(tmp_path / "2.onnx", "genre", "pop", "disco", version="2")
    beet.config["genreclf"]["genre_model"] = str(model)


@pytest.mark.parametrize("heard_again", [False, True])
def test_a_track_with_another_number_is_known_by_its_audio(
    beet: Beets, song: Song, tmp_path: Path, heard_again: bool
) -> None:
    song("flac", title="a")
    song("mp3", title="z")
    imported(beet)
    before = tags(beet)
    beet("genreclf")
    in_place(beet, "a.flac")
    if heard_again:
        newer(beet, tmp_path)
        assert "2 genres written" in beet("genreclf")
        assert beet.ls("title+", form="$id $genres") == ["3 Pop", "2 Pop"]
    assert "put back 2 tracks" in beet("genreclf", "--restore")
    assert tags(beet) == before
    assert beet.ls(form="$genres") == ["", ""]
    assert "nothing to put back" in beet("genreclf", "--restore")


def test_an_album_imported_again_with_a_newer_model(beet: Beets, song: Song, tmp_path: Path) -> None:
    song("flac", title="a", genre=["Blues"])
    song("flac", title="b")
    imported(beet)
    beet("import", "-s", str(song("mp3", title="z")))
    before = tags(beet)
    beet("genreclf", "-f")
    newer(beet, tmp_path)
    beet.config["genreclf"]["auto"] = True
    beet("import", "-L", "-A", "title:a")
    assert beet.ls("id+", form="$id $title $genres") == ["3 z Jazz", "4 a Pop", "5 b Pop"]
    beet("genreclf", "--restore")
    assert tags(beet) == before


def test_numbers_that_were_given_out_again(beet: Beets, song: Song, tmp_path: Path) -> None:
    for title, genre in (("a", ["Blues"]), ("b", []), ("c", ["Ska"])):
        song("flac", title=title, genre=genre)
    imported(beet)
    before = tags(beet)
    beet("genreclf", "-f")
    beet.config["import"]["copy"] = False
    beet("remove", "-f")
    for name in "cab":
        beet("import", "-s", str(beet.music / f"{name}.flac"))
    newer(beet, tmp_path)
    assert "3 genres written" in beet("genreclf")
    beet("genreclf", "--restore")
    assert tags(beet) == before


def test_force_before_and_after_an_import(beet: Beets, song: Song, tmp_path: Path) -> None:
    song("flac", title="a", genre=["Blues"])
    song("flac", title="z")
    imported(beet)
    beet("genreclf", "-f")
    in_place(beet, "a.flac")
    newer(beet, tmp_path)
    beet("genreclf", "-f")
    beet("genreclf", "--restore")
    assert rawtags.genre(beet.music / "a.flac") == ["Blues"]
    assert beet.ls("title+", form="$title $genres") == ["a Blues", "z "]


def test_a_copy_does_not_take_the_entry_of_its_twin(beet: Beets, song: Song, tmp_path: Path) -> None:
    path = song("flac", title="a", genre=["Blues"])
    imported(beet)
    beet("genreclf", "-f")
    beet("modify", "-y", "title=b")
    path.rename(path.with_name("again.flac"))
    beet.config["import"]["duplicate_action"] = "keep"
    imported(beet)  # now it stands where the other one was
    beet("modify", "-y", "title:a", "genres=Ska")
    beet("genreclf", "-f")
    beet("genreclf", "--restore")
    assert rawtags.genre(beet.music / "b.flac") == ["Blues"]
    assert rawtags.genre(beet.music / "a.flac") == ["Ska"]


def test_without_writing_no_file_is_needed(beet: Beets, song: Song) -> None:
    song(title="a")
    imported(beet)
    beet("genreclf", "-W")
    (beet.music / "a.mp3").rename(beet.home / "elsewhere.mp3")
    assert "put back 1 track" in beet("genreclf", "--restore", "-W")
    assert beet.ls(form="$genres") == [""]


def test_pretend_shows_what_only_the_file_gets(beet: Beets, song: Song) -> None:
    song(title="a", genre=["Blues"])
    imported(beet)
    beet("genreclf", "-f")
    assert "in the file" not in beet("genreclf", "--restore", "-p")
    beet("genreclf", "--restore", "-W")
    out = beet("genreclf", "--restore", "-p")
    assert "genres in the file: Jazz -> Blues" in out
    assert "mood in the file: Sad -> nothing" in out


def test_without_writing_only_the_library(beet: Beets, song: Song) -> None:
    song(title="a", genre=["Blues"])
    imported(beet)
    beet("genreclf", "-f")
    beet("genreclf", "--restore", "-W")
    assert beet.ls(form="$genres") == ["Blues"]
    assert rawtags.genre(beet.music / "a.mp3") == ["Jazz"]
    beet("genreclf", "--restore")
    assert rawtags.genre(beet.music / "a.mp3") == ["Blues"]


def test_what_another_plugin_had_in_our_fields_comes_back(beet: Beets, song: Song) -> None:
    song(title="a")
    imported(beet)
    beet("modify", "-y", "mood_sad=0.125", "mood_happy=0.75")
    beet("genreclf")
    assert beet.ls(form="$mood_sad") == ["1.000"]
    beet("genreclf", "--restore")
    assert beet.ls(form="$mood_sad $mood_happy") == ["0.125 0.750"]


def test_a_missing_file_is_told(beet: Beets, song: Song) -> None:
    song(title="a")
    song(title="b")
    imported(beet)
    beet("genreclf")
    (beet.music / "a.mp3").unlink()
    out = beet("genreclf", "--restore", status=1)
    assert "a.mp3: its tags cannot be put back" in out
    assert "put back 1 track, 1 track failed" in out
    with sqlite3.connect(beet.home / "genreclf-journal.db") as connection:
        assert connection.execute("SELECT count(*) FROM entries WHERE closed_at IS NULL").fetchone() == (1,)


def test_then_a_run_starts_afresh(beet: Beets, song: Song) -> None:
    song(title="a")
    imported(beet)
    before = tags(beet)
    beet("genreclf")
    after = tags(beet)
    beet("genreclf", "--restore")
    assert "1 genre written" in beet("genreclf")
    assert tags(beet) == after
    beet("genreclf", "--restore")
    assert tags(beet) == before


def test_nothing_recorded(beet: Beets, song: Song) -> None:
    song(title="a", genre=["Blues"])
    imported(beet)
    assert "nothing to put back" in beet("genreclf", "--restore")
    assert beet("genreclf", "--restore", "-q").strip() == ""
    assert not (beet.home / "genreclf-journal.db").exists()
