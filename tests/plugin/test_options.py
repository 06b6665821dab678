"""Options, asked of the real command: where files go, links, labels of one's own, wrong values."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from plugin import ears, rawtags
from plugin.conftest import Beets, Song, imported

from genrecore.labels import read_labels
from genrecore.model import DEFAULT_MODELS, bundled, read_card


def test_a_relative_cache_lies_beside_the_configuration(
    beet: Beets, song: Song, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    song(title="a")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    beet.config["genreclf"]["cache"] = "kept/cache.db"
    imported(beet)
    beet("genreclf")
    assert (beet.home / "kept" / "cache.db").is_file()
    assert not list(elsewhere.iterdir())
    beet.config["genreclf"]["cache"] = f"sqlite:///{elsewhere / 'url.db'}"
    beet("genreclf", "-f")
    assert (elsewhere / "url.db").is_file()


def test_a_wrong_auto_is_told_when_something_is_imported(beet: Beets, song: Song) -> None:
    song(title="a")
    imported(beet)
    beet.config["genreclf"]["auto"] = "sometimes"
    assert beet.ls() == ["a"]
    beet("genreclf")
    assert "genreclf.auto" in beet("import", str(beet.home.parent / "new"), status=1)
    assert beet.ls() == ["a"]


def test_a_wrong_option_is_told_before_a_file_is_imported(beet: Beets, song: Song) -> None:
    song(title="a")
    beet.config["genreclf"] |= {"auto": True, "snippets": 0}
    assert "genreclf.snippets must be" in beet("import", str(beet.home.parent / "new"), status=1)
    assert beet.ls() == []


@pytest.mark.parametrize("kind", ["hard link", "symbolic link"])
def test_what_a_link_leads_to_is_left_alone(beet: Beets, song: Song, tmp_path: Path, kind: str) -> None:
    source = song(title="a")
    song("flac", title="b")
    imported(beet)
    path = beet.music / "a.mp3"
    path.unlink()
    if kind == "hard link":
        os.link(source, path)
    else:
        os.symlink(source, path)
    before = source.read_bytes()
    out = beet("genreclf")
    assert "1 link left without tags" in out
    assert source.read_bytes() == before
    assert rawtags.genre(beet.music / "b.flac") == ["Jazz"]
    assert beet.ls("title+", form="$genres") == ["Jazz", "Jazz"]
    assert "nothing to do" in beet("genreclf")
    assert "1 link left" in beet("genreclf", "-f")
    assert source.read_bytes() == before
    assert "link" not in beet("genreclf", "-w")
    assert rawtags.genre(source) == ["Jazz"]


def test_shares_of_own_labels_are_numbers(beet: Beets, song: Song, tmp_path: Path) -> None:
    song(title="a")
    song(loudness="mixed", title="b")
    model = ears.make_model(
        tmp_path / "m.onnx", "genre", "techno", "Drum & Bass", labels=("techno", "Drum & Bass")
    )
    beet.config["genreclf"]["genre_model"] = str(model)
    imported(beet)
    beet("genreclf")
    assert beet.ls("genre_techno:0.9..") == ["a"]
    assert beet.ls("genre_drum_bass:0.1..", form="$title $mood_sad") == [
        f"b {beet.ls('b', form='$mood_sad')[0]}"
    ]
    assert beet.ls("genre_drum_bass-") == ["b", "a"]


def test_a_relative_model_lies_beside_the_configuration(
    beet: Beets, song: Song, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    song(title="a")
    ears.make_model(beet.home / "own.onnx", "genre", "techno", "house", labels=("techno", "house"))
    beet.config["genreclf"]["genre_model"] = "own.onnx"
    monkeypatch.chdir(tmp_path)
    imported(beet)
    beet("genreclf")
    assert beet.ls("genre_techno:0.9..", form="$title $genres") == ["a Techno"]


@pytest.mark.parametrize(
    "content", [None, b"", b"\x72\xff\xff\xff\xff\xff", os.urandom(5000), b"\x72\x00" * 9]
)
def test_a_file_that_is_no_model_has_no_labels(
    beet: Beets, song: Song, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "m.onnx"
    if content is not None:
        path.write_bytes(content)
    assert read_labels(str(path)) == ()
    beet.config["genreclf"]["mood_model"] = str(path)
    assert beet.ls() == []


def test_labels_are_those_of_the_card() -> None:
    assert read_labels(DEFAULT_MODELS["mood"]) == ("happy", "angry", "sad", "relaxed")
    for path in bundled():
        assert read_labels(str(path)) == read_card(path).labels


@pytest.mark.parametrize(
    "query", ["genre:jazz", "genre:=Jazz", "genre:=~jazz", "genre::^Ja", "genres:jazz", "^genre:blues"]
)
def test_genre_is_asked_in_every_way(beet: Beets, song: Song, query: str) -> None:
    song(title="a", genre=["Jazz"])
    song(title="b", genre=["Blues"])
    imported(beet)
    assert beet.ls(query) == ["a"]


def test_another_plugin_may_have_a_genre_of_its_own(beet: Beets, song: Song) -> None:
    song(title="a", genre=["Jazz"])
    beet.config["plugins"] = ["genreclf", "inline"]
    beet.config["item_fields"] = {"genre": "'Own'"}
    imported(beet)
    assert beet.ls(form="$genre") == ["Own"]
