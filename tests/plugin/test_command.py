"""`beet genreclf` over a real library of real files."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from core import rig
from plugin import ears, rawtags
from plugin.conftest import Beets, Song, imported, state


@pytest.mark.parametrize("id3v23", [False, True])
def test_every_field_and_tag_in_every_format(beet: Beets, song: Song, id3v23: bool) -> None:
    for kind in rawtags.FORMATS:
        song(kind, "loud" if kind in ("mp3", "opus") else "quiet", title=kind)
    beet.config["id3v23"] = id3v23
    imported(beet)
    out = beet("genreclf")
    assert "9 genres written, 9 moods written" in out
    for item in beet.items():
        path, loud = item.filepath, item.title in ("mp3", "opus")
        genre, mood = ("Hip-Hop", "Angry") if loud else ("Jazz", "Sad")
        assert rawtags.genre(path) == [genre]
        if id3v23 and path.suffix == ".mp3":
            assert rawtags.value(path, "TXXX:mood") == [mood]
            assert rawtags.version(path) == (2, 3, 0)
        else:
            assert rawtags.mood(path) == [mood]
        heard = {task: json.loads(rawtags.histogram(path, task)[0]) for task in ("genre", "mood")}
        assert heard["genre"]["counts"]["hiphop" if loud else "jazz"] == 10
        assert heard["genre"]["model"] == "test-genre 1"
        assert sum(heard["mood"]["counts"].values()) == 10
        assert item.genres == [genre]
        assert item["genre_histogram"] == rawtags.histogram(path, "genre")[0]
    form = "$mood|$genre_top|$genre_jazz|$genre_hiphop|$mood_sad|$genre_model|$mood_model"
    assert beet.ls("title:flac", form=form) == ["Sad|jazz|1.000|0.000|1.000|test-genre 1|test-mood 1"]
    (numbers,) = beet.ls("title:flac", form="$genre_confidence $mood_confidence $valence $arousal")
    genre_confidence, mood_confidence, valence, arousal = map(float, numbers.split())
    assert 0.5 < genre_confidence <= 1
    assert 0.5 < mood_confidence <= 1
    assert valence < 0.5
    assert arousal < 0.5


def test_queries(beet: Beets, song: Song) -> None:
    song("mp3", "quiet", title="soft")
    song("flac", "loud", title="hard")
    song("ogg", "mixed", title="both")
    imported(beet)
    beet("genreclf")
    shares = {item.title: float(item["genre_jazz"]) for item in beet.items()}
    assert shares["soft"] == 1
    assert shares["hard"] == 0
    assert 0 < shares["both"] < 1
    assert set(beet.ls("genre:jazz")) >= {"soft"}
    assert "hard" not in beet.ls("genre:jazz")
    assert beet.ls("genre:hip-hop", "genre_top:hiphop", "title:hard") == ["hard"]
    assert beet.ls(f"genre_jazz:{shares['both']}..", "title+") == ["both", "soft"]
    assert beet.ls("genre_jazz:1..") == ["soft"]
    assert beet.ls("mood:sad", "title:soft") == ["soft"]
    assert beet.ls("mood:angry", "title:soft") == []
    assert beet.ls("mood_sad:0.01..", "mood_sad-") == ["soft", "both"]
    assert beet.ls("mood_sad+") == ["hard", "both", "soft"]
    assert beet.ls("genre_model:test-genre", "title+") == ["both", "hard", "soft"]


def test_smart_playlist(beet: Beets, song: Song) -> None:
    song("mp3", "quiet", title="soft")
    song("flac", "loud", title="hard")
    beet.config["plugins"].append("smartplaylist")
    beet.config["smartplaylist"] = {
        "playlist_dir": str(beet.home / "lists"),
        "playlists": [
            {"name": "sad.m3u", "query": "mood:sad"},
            {"name": "loud.m3u", "query": "mood_sad:..0.5"},
        ],
    }
    imported(beet)
    beet("genreclf")
    beet("splupdate")
    assert (beet.home / "lists" / "sad.m3u").read_text().split() == [str(beet.music / "soft.mp3")]
    assert (beet.home / "lists" / "loud.m3u").read_text().split() == [str(beet.music / "hard.flac")]


def test_what_is_more_likely_wrong_than_right_is_not_written(beet: Beets, song: Song, tmp_path: Path) -> None:
    """By default, here of a model without an opinion of its own."""
    song(title="many")
    model = rig.make_model(tmp_path / "unsure.onnx", "genre")
    beet.config["genreclf"] |= {"genre_model": str(model), "snippets": 20}
    imported(beet)
    assert "(unsure)" in beet("genreclf")
    item = beet.item()
    assert float(item["genre_confidence"]) < 0.5
    assert item["genre_top"]
    assert not item.genres
    assert rawtags.genre(item.filepath) is None
    beet.config["genreclf"]["min_confidence"] = 0
    beet("genreclf", "--reapply")
    assert beet.item().genres


def test_the_bundled_models(beet: Beets, song: Song) -> None:
    song(title="a")
    # Of a made-up piece the models may be sure or not.
    beet.config["genreclf"] |= {"genre_model": "", "mood_model": "", "snippets": 3, "min_confidence": 0}
    imported(beet)
    beet("genreclf")
    item = beet.item()
    assert json.loads(item["genre_histogram"])["top"] == item["genre_top"]
    assert item.genres == rawtags.genre(item.filepath)
    assert rawtags.mood(item.filepath)


def test_a_second_run_does_nothing_and_says_so(beet: Beets, song: Song) -> None:
    for kind in ("mp3", "flac", "m4a"):
        song(kind, title=kind)
    imported(beet)
    beet("genreclf")
    before = state(beet)
    out = beet("genreclf")
    assert "nothing to do: 3 tracks up to date (test-genre 1 and test-mood 1)" in out
    assert state(beet) == before


def test_only_what_the_query_selects(beet: Beets, song: Song) -> None:
    for title in ("a", "b"):
        song(title=title)
    imported(beet)
    assert "1 track in" in beet("genreclf", "title:b")
    assert beet.ls("genre:jazz") == ["b"]
    assert "no track matches" in beet("genreclf", "title:nothing")
    assert "1 track in" in beet("genreclf")


def test_fill_keeps_what_library_or_file_have(beet: Beets, song: Song) -> None:
    song(title="both", genre=["Blues", "Soul"], mood=["Happy", "Upbeat"])
    song(title="none")
    imported(beet)
    beet("genreclf")
    path = beet.music / "both.mp3"
    assert rawtags.genre(path) == ["Blues", "Soul"]
    assert rawtags.mood(path) == ["Happy", "Upbeat"]
    assert beet.ls("title:both", form="$genres / $mood") == ["Blues; Soul / Happy; Upbeat"]
    assert beet.ls("mood_sad:0.5..", "title+") == ["both", "none"]
    assert rawtags.histogram(path, "genre")
    assert rawtags.genre(beet.music / "none.mp3") == ["Jazz"]


def test_what_only_the_file_has_counts_and_becomes_known(beet: Beets, song: Song) -> None:
    song("mp3", title="a")
    song("flac", title="b")
    beet.config["plugins"] = []  # as in a library from before the plugin
    imported(beet)
    for path in (beet.music / "a.mp3", beet.music / "b.flac"):
        rawtags.put(path, genre=["Blues"], mood=["Happy", "Upbeat"])
    beet.config["plugins"] = ["genreclf"]
    beet("genreclf")
    for command in (["modify", "-y", "comments=x"], ["write", "-f"], ["update"], ["genreclf"]):
        beet(*command)
        for path in (beet.music / "a.mp3", beet.music / "b.flac"):
            assert rawtags.genre(path) == ["Blues"], command
            assert rawtags.mood(path) == ["Happy", "Upbeat"], command
    assert beet.ls("genre:blues", "mood:upbeat", "title+") == ["a", "b"]


def test_what_only_the_library_has_counts(beet: Beets, song: Song) -> None:
    song(title="a")
    imported(beet)
    beet("modify", "-y", "-W", "genres=Blues", "mood=Calm")
    beet("genreclf")
    assert beet.ls(form="$genres $mood") == ["Blues Calm"]
    assert rawtags.genre(beet.music / "a.mp3") is None
    assert rawtags.histogram(beet.music / "a.mp3", "genre")


def test_force_overwrites_and_does_not_listen_again(beet: Beets, song: Song) -> None:
    song("flac", title="a", genre=["Blues", "Soul"], mood=["Happy", "Upbeat"])
    imported(beet)
    beet("genreclf")
    out = beet("genreclf", "-f")
    assert "1 from the cache" in out
    assert rawtags.genre(beet.music / "a.flac") == ["Jazz"]
    assert rawtags.mood(beet.music / "a.flac") == ["Sad"]
    assert beet.ls(form="$genres $mood") == ["Jazz Sad"]
    assert "0 genres written (1 kept), 0 moods written (1 kept)" in beet("genreclf", "-f")


def test_add_puts_it_behind(beet: Beets, song: Song) -> None:
    song("m4a", title="a", genre=["Blues"], mood=["sad"])
    beet.config["genreclf"]["policy"] = "add"
    imported(beet)
    beet("genreclf")
    assert rawtags.genre(beet.music / "a.m4a") == ["Blues", "Jazz"]
    assert rawtags.mood(beet.music / "a.m4a") == ["sad"]
    assert "nothing to do" in beet("genreclf")


def test_a_newer_model_renews_what_is_ours(beet: Beets, song: Song, tmp_path: Path) -> None:
    song("mp3", title="ours")
    song("flac", title="theirs", genre=["Blues"], mood=["Happy"])
    song("ogg", title="edited")
    imported(beet)
    beet("genreclf")
    beet("modify", "-y", "title:edited", "genres=Ska")
    beet.config["genreclf"] |= {
        "genre_model": str(ears.make_model(tmp_path / "g2.onnx", "genre", "pop", "rock", version="2")),
        "mood_model": str(ears.make_model(tmp_path / "m2.onnx", "mood", "relaxed", "happy", version="2")),
    }
    assert "3 tracks in" in beet("genreclf")
    assert beet.ls("title+", form="$title $genres $mood $genre_model") == [
        "edited Ska Relaxed test-genre 2",
        "ours Pop Relaxed test-genre 2",
        "theirs Blues Happy test-genre 2",
    ]
    assert rawtags.genre(beet.music / "ours.mp3") == ["Pop"]
    assert rawtags.genre(beet.music / "edited.ogg") == ["Ska"]
    assert rawtags.mood(beet.music / "edited.ogg") == ["Relaxed"]
    assert rawtags.mood(beet.music / "theirs.flac") == ["Happy"]
    assert "nothing to do" in beet("genreclf")


def test_a_newer_model_renews_id3v23_too(beet: Beets, song: Song, tmp_path: Path) -> None:
    song(title="a", genre=["Blues", "Soul"])
    beet.config["id3v23"] = True
    beet.config["genreclf"]["policy"] = "add"
    imported(beet)
    beet("genreclf")
    assert beet.ls(form="$genres $mood") == ["Blues; Soul; Jazz Sad"]
    newer = ears.make_model(tmp_path / "g2.onnx", "genre", "pop", "rock", version="2")
    beet.config["genreclf"]["genre_model"] = str(newer)
    beet("genreclf")
    assert beet.ls(form="$genres $mood") == ["Blues; Soul; Pop Sad"]
    assert rawtags.genre(beet.music / "a.mp3") == ["Blues/Soul/Pop"]
    beet("genreclf", "--restore")
    assert rawtags.genre(beet.music / "a.mp3") == ["Blues/Soul"]
    assert rawtags.value(beet.music / "a.mp3", "TXXX:mood") is None


def test_labels_of_another_model(beet: Beets, song: Song, tmp_path: Path) -> None:
    song(title="a")
    imported(beet)
    beet("genreclf")
    other = ears.make_model(tmp_path / "o.onnx", "genre", "Techno", "ambient", labels=("Techno", "ambient"))
    beet.config["genreclf"]["genre_model"] = str(other)
    beet("genreclf", "-f")
    assert beet.ls(form="$genres $genre_top") == ["Techno Techno"]
    fields = {key: value for key, value in beet.item().items() if key.startswith("genre_")}
    assert float(fields["genre_techno"]) == 1
    assert "genre_jazz" not in fields


def test_other_snippets_are_another_analysis(beet: Beets, song: Song) -> None:
    song(title="a")
    imported(beet)
    beet("genreclf")
    beet.config["genreclf"]["snippets"] = 4
    beet("genreclf")
    assert sum(json.loads(beet.item()["genre_histogram"])["counts"].values()) == 4
    assert "nothing to do" in beet("genreclf")


def test_below_the_least_confidence_nothing_is_written(beet: Beets, song: Song) -> None:
    song(title="a", genre=["Blues"])
    song(title="b")
    beet.config["genreclf"]["min_confidence"] = 1.0
    imported(beet)
    assert "0 genres written (2 unsure)" in beet("genreclf", "-f")
    assert beet.ls("title+", form="$title $genres/${mood_sad}") == ["a Blues/1.000", "b /1.000"]
    assert "nothing to do" in beet("genreclf")
    beet.config["genreclf"]["min_confidence"] = 0.1
    assert "1 genre written" in beet("genreclf")
    assert beet.ls("title+", form="$genres") == ["Blues", "Jazz"]


def test_pretend_writes_nothing_but_the_cache(beet: Beets, song: Song) -> None:
    song("mp3", title="a")
    song("flac", title="b", genre=["Blues"])
    imported(beet)
    before = state(beet)
    out = beet("genreclf", "-p")
    assert re.search(r"a: Jazz \d+% \(filled\), Sad \d+% \(filled\)", out)
    assert re.search(r"b: Jazz \d+% \(kept: Blues\), Sad \d+% \(filled\)", out)
    assert "+ Jazz" in out
    assert state(beet) == before
    assert {p.name.split("-")[0] for p in beet.home.glob("*.db*")} == {"library.db", "genreclf.db"}
    assert "2 from the cache" in beet("genreclf")


def test_nowrite_leaves_files_alone(beet: Beets, song: Song) -> None:
    song(title="a")
    imported(beet)
    files, _ = state(beet)
    beet("genreclf", "-W")
    assert state(beet)[0] == files
    assert beet.ls(form="$genres $mood $mood_sad") == ["Jazz Sad 1.000"]
    beet("write", "-f")
    assert rawtags.genre(beet.music / "a.mp3") == ["Jazz"]
    assert rawtags.mood(beet.music / "a.mp3") == ["Sad"]


@pytest.mark.parametrize("written", [False, True])
def test_tags_that_were_not_written_are_written_later(beet: Beets, song: Song, written: bool) -> None:
    song("mp3", title="a")
    song("flac", title="b", genre=["Blues"])
    imported(beet)
    beet("genreclf", "-W")
    assert "nothing to do" in beet("genreclf", "-W")
    assert beet.ls("genreclf_written:test") == []
    if written:
        beet("write", "-f")
    assert "2 from the cache" in beet("genreclf", "-w")
    assert rawtags.genre(beet.music / "a.mp3") == ["Jazz"]
    assert rawtags.mood(beet.music / "b.flac") == ["Sad"]
    assert rawtags.genre(beet.music / "b.flac") == ["Blues"]
    assert beet.ls(form="$genreclf_written") == ["test-genre 1; test-mood 1"] * 2
    assert "nothing to do" in beet("genreclf", "-w")


def test_what_the_library_got_alone_is_written_later(beet: Beets, song: Song) -> None:
    song(title="a", genre=["Blues"])
    imported(beet)
    beet("genreclf")
    beet("genreclf", "-f", "-W")
    beet.config["genreclf"]["policy"] = "force"
    out = beet("genreclf", "-p")
    assert "genres in the file: Blues -> Jazz" in out
    assert "mood in the file" not in out
    assert rawtags.genre(beet.music / "a.mp3") == ["Blues"]
    beet("genreclf")
    assert rawtags.genre(beet.music / "a.mp3") == ["Jazz"]
    assert "nothing to do" in beet("genreclf")


def test_what_was_put_back_is_no_longer_marked_as_written(beet: Beets, song: Song) -> None:
    song(title="a")
    imported(beet)
    beet("genreclf")
    beet("genreclf", "--restore")
    assert "genreclf_written" not in beet.item()


@pytest.mark.parametrize(("flag", "written"), [([], None), (["-w"], ["Jazz"])])
def test_import_write_no_is_respected(
    beet: Beets, song: Song, flag: list[str], written: list[str] | None
) -> None:
    song(title="a")
    beet.config["import"]["write"] = False
    imported(beet)
    beet("genreclf", *flag)
    assert rawtags.genre(beet.music / "a.mp3") == written
    assert beet.ls("genre:jazz") == ["a"]


def test_quiet_prints_nothing(beet: Beets, song: Song) -> None:
    song(title="a")
    imported(beet)
    assert beet("genreclf", "-q").strip() == ""
    assert beet.ls("genre:jazz") == ["a"]


def test_one_file_twice_in_the_library(beet: Beets, song: Song) -> None:
    path = song(title="a")
    imported(beet)
    path.rename(path.with_name("again.mp3"))
    beet.config["import"]["duplicate_action"] = "keep"
    imported(beet)
    assert len(beet.items()) == 2
    beet("genreclf")
    assert [item.genres for item in beet.items()] == [["Jazz"], ["Jazz"]]
    assert all(rawtags.genre(item.filepath) == ["Jazz"] for item in beet.items())


def test_help_has_examples(beet: Beets) -> None:
    out = beet("genreclf", "--help")
    assert " genreclf [options] [QUERY]\n" in out
    assert "\n  beet genreclf --restore artist:queen   put back what was there before\n" in out
