"""`beet genreclf --report` and `--show`: they change nothing, and say what was heard."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import mediafile
from plugin.conftest import Beets, Song, imported, state

HOSTILE = "<img src=x onerror=alert(1)>"


def page(beet: Beets) -> str:
    return (beet.home / "library.html").read_text("utf-8")


def heard(beet: Beets, song: Song, **titles: str) -> None:
    for title, loudness in titles.items():
        song("flac", loudness, title=title)
    imported(beet)
    beet("genreclf", "-q")


def test_the_library_has_a_page(beet: Beets, song: Song) -> None:
    heard(beet, song, a="quiet", b="loud", c="mixed")
    before = state(beet)
    target = beet.home / "library.html"
    assert beet("genreclf", "--report", str(target)) == f"wrote {target}\n"
    assert state(beet) == before
    assert "3 tracks heard" in page(beet)
    assert "No track has a genre in its tags that the model knows" in page(beet)  # our own do not count


def test_a_query_and_what_is_not_heard_yet(beet: Beets, song: Song) -> None:
    for title in "abc":
        song("flac", "quiet", title=title)
    imported(beet)
    beet("genreclf", "-q", "title:a")
    beet("genreclf", "--report", str(beet.home / "library.html"))
    assert "1 track heard of 3" in page(beet)
    beet("genreclf", "--report", str(beet.home / "library.html"), "title:a")
    assert "heard of" not in page(beet)


def test_the_line_to_copy_gives_the_track_what_was_heard(beet: Beets, song: Song) -> None:
    song("flac", "loud", title=HOSTILE.replace("/", ""), genre=["Classical"])
    imported(beet)
    beet("genreclf", "-q")
    assert beet.item().genres == ["Classical"]
    beet("genreclf", "--report", str(beet.home / "library.html"))
    assert HOSTILE not in page(beet).partition('id="data"')[0]
    (command,) = re.findall(r"<code>beet (modify [^<]*)</code>", page(beet))
    beet(*shlex.split(command.replace("&#39;", "'")), "-y")
    assert beet.item().genres == ["Hip-Hop"]
    beet("genreclf", "--report", str(beet.home / "library.html"))
    assert "None: of 1 track " in page(beet)  # it is the user's own now


def test_a_genre_of_several_words_is_quoted(beet: Beets, song: Song) -> None:
    beet.config["genreclf"]["genre_map"] = {"hiphop": "Rap & $title"}
    song("flac", "loud", title="a", genre=["Jazz"])
    imported(beet)
    beet("genreclf", "-q")
    beet("genreclf", "--report", str(beet.home / "library.html"))
    (command,) = re.findall(r"<code>beet (modify [^<]*)</code>", page(beet))
    words = shlex.split(command.replace("&#39;", "'").replace("&amp;", "&"))
    beet(*words, "-y")
    assert beet.item().genres == ["Rap & $title"]


def test_damaged_histograms_are_passed_over(beet: Beets, song: Song) -> None:
    heard(beet, song, a="quiet", b="loud", c="loud")
    beet("modify", "-yW", "title:b", "genre_histogram={damaged")
    beet("modify", "-yW", "title:c", 'genre_histogram={"counts":{"jazz":1}}')
    beet("genreclf", "--report", str(beet.home / "library.html"))
    assert "1 track heard of 3" in page(beet)


def test_a_library_of_which_nothing_is_heard_has_no_page(beet: Beets, song: Song) -> None:
    done = beet.run("genreclf", "--report", str(beet.home / "library.html"), status=1)
    assert "no track matches, so there is no page to write" in done.stderr
    song("flac", "quiet", title="a")
    imported(beet)
    done = beet.run("genreclf", "--report", str(beet.home / "library.html"), status=1)
    assert (
        "1 track, and none has been heard yet, so there is no page to write: run beet genreclf first"
        in done.stderr
    )
    assert not (beet.home / "library.html").exists()


def test_a_target_that_cannot_be_is_told(beet: Beets, song: Song) -> None:
    heard(beet, song, a="quiet")
    (beet.home / "x.html").mkdir()
    bad = {
        str(beet.home / "none" / "x.html"): "its folder does not exist",
        str(beet.home / "x.html"): "it is a folder",
        str(beet.item().filepath): "must end in .html",
        "artist:queen": "must end in .html",
        "": "must end in .html",
    }
    before = state(beet)
    for target, words in bad.items():
        done = beet.run("genreclf", "--report", target, status=1)
        assert words in done.stderr
        assert "Traceback" not in done.stderr
    done = beet.run("genreclf", "--report", "y.html", "--restore", status=1)
    assert "go with no option that does" in done.stderr
    assert state(beet) == before


def test_what_stood_there_before_is_compared(beet: Beets, song: Song) -> None:
    beet.config["genreclf"]["policy"] = "force"
    song("flac", "loud", title="a", genre=["Classical"])
    imported(beet)
    beet("genreclf", "-q")
    assert beet.item().genres == ["Hip-Hop"]
    beet("genreclf", "--report", str(beet.home / "library.html"))
    assert "1 of 1 track whose tag names a genre" in page(beet)
    assert "<td>Classical</td>" in page(beet)


def test_albums_are_matched_as_elsewhere(beet: Beets, song: Song) -> None:
    for title in "ab":
        path = song("flac", "quiet", title=title)
        tags = mediafile.MediaFile(path)
        tags.album, tags.albumartist = f"Album {title}", "X"
        tags.save()
    beet.config["import"] |= {"singletons": False, "group_albums": True}
    imported(beet)
    beet("genreclf", "-q")
    beet("genreclf", "-a", "--report", str(beet.home / "library.html"), "Album b")
    assert "1 track heard" in page(beet)


def test_show_says_what_is_heard_and_changes_nothing(beet: Beets, song: Song) -> None:
    for title, loudness in {"a": "quiet", "b": "mixed"}.items():
        song("flac", loudness, title=title)
    imported(beet)
    files, _ = state(beet)
    lines = beet("genreclf", "--show").splitlines()
    assert sorted(Path(line.split(": ")[0]).name for line in lines) == ["a.flac", "b.flac"]
    assert any(re.search(r"a.flac: jazz \d+% \(jazz 100\), sad", line) for line in lines)
    assert state(beet)[0] == files
    assert not [item for item in beet.items() if "genre_top" in item]


def test_show_tells_of_what_cannot_be_heard(beet: Beets, song: Song) -> None:
    song("flac", "quiet", title="a")
    song("flac", "quiet", title="b")
    imported(beet)
    beet.item("title:b").filepath.write_bytes(b"dear diary")
    done = beet.run("genreclf", "--show", status=1)
    assert "a.flac: jazz" in done.stdout
    assert done.stderr.count("b.flac") == 1
