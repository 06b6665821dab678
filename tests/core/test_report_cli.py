"""``genrecore report`` as users start it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import mediafile
import pytest
from core.program import Genrecore, bad_files
from synth import music, write

from genrecore.errors import ReportError
from genrecore.report.page import writing


@pytest.fixture
def collection(genrecore: Genrecore, songs: Path) -> Path:
    folder = genrecore.folder / "My <Music>"
    shutil.copytree(songs, folder)
    for k, path in enumerate(sorted(folder.iterdir())):
        tags = mediafile.MediaFile(path)
        tags.title, tags.artist, tags.year, tags.genres = f"Title {k}", "A & B", 1970 + 10 * k, ["Techno"]
        tags.save()
    return folder


def test_a_folder_has_a_page(genrecore: Genrecore, collection: Path) -> None:
    done = genrecore("report", collection.name, *genrecore.few)
    assert (done.returncode, done.stdout, done.stderr) == (0, "wrote library.html\n", "")
    page = (genrecore.folder / "library.html").read_text("utf-8")
    assert "<h1><bdi>My &lt;Music&gt;</bdi></h1>" in page
    assert "6 tracks heard" in page
    assert "A &amp; B – Title 5" in page
    assert "The year is known of 6 tracks" in page
    assert genrecore.rows() == 6  # and the next time nothing is heard
    assert not list(genrecore.folder.glob(".*part"))


def test_heading_and_what_counts_as_sure(genrecore: Genrecore, collection: Path) -> None:
    options = ["--html", "x.html", "--title", "Ours", "--min-confidence", "0.99"]
    assert genrecore("report", collection, *genrecore.few, *options).returncode == 0
    page = (genrecore.folder / "x.html").read_text("utf-8")
    assert "<h1><bdi>Ours</bdi></h1>" in page
    assert "at least 99 % sure" in page


def test_the_tagged_genre_stands_beside_the_heard_one(genrecore: Genrecore, collection: Path) -> None:
    heard = {
        line.split("/")[-1].split(":")[0]: re.findall(r": (\w+) ", line)[0]
        for line in genrecore.analyze(collection).stdout.splitlines()
    }
    for name, top in heard.items():
        tags = mediafile.MediaFile(collection / name)
        tags.genres = ["Jazz" if top != "jazz" else "Rock"]
        tags.save()
    done = genrecore("report", collection, *genrecore.few, "--min-confidence", "0")
    assert done.returncode == 0
    page = (genrecore.folder / "library.html").read_text("utf-8")
    assert "6 of 6 tracks whose tag names a genre" in page
    assert str(collection / "5 wav.wav").replace("<", "&lt;").replace(">", "&gt;") in page


def test_bad_files_are_told_and_left_out(genrecore: Genrecore, songs: Path) -> None:
    folder = genrecore.folder / "Music"
    bad_files(folder, songs)
    done = genrecore("report", "Music", *genrecore.few)
    assert done.returncode == 1
    assert done.stdout == "wrote library.html\n"
    assert "Traceback" not in done.stderr
    assert "Music/text.mp3: " in done.stderr
    assert "2 tracks heard of 7" in (genrecore.folder / "library.html").read_text("utf-8")


def test_nothing_heard_leaves_no_page(genrecore: Genrecore) -> None:
    folder = genrecore.folder / "Music"
    folder.mkdir()
    done = genrecore("report", "Music", *genrecore.few)
    assert done.returncode == 1
    assert done.stderr == (
        "Music: there is no audio file in this folder\nnothing was heard, so there is no page to write\n"
    )
    write(folder / "hush.wav", 0 * music(3))
    done = genrecore("report", "Music", *genrecore.few)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 2
    assert not (genrecore.folder / "library.html").exists()


@pytest.mark.parametrize("target", ["Music/5 wav.wav", "-", "artist:queen", ""])
def test_songs_and_what_is_no_page_are_never_written(genrecore: Genrecore, songs: Path, target: str) -> None:
    shutil.copytree(songs, genrecore.folder / "Music")
    before = (genrecore.folder / "Music" / "5 wav.wav").read_bytes()
    done = genrecore("report", "Music", *genrecore.few, "--html", target)
    assert done.returncode == 1
    assert done.stderr == f"Error: {target!r}: the name of a page must end in .html: name another file\n"
    assert (genrecore.folder / "Music" / "5 wav.wav").read_bytes() == before
    assert {path.name for path in genrecore.folder.iterdir()} == {"Music"}


def test_a_target_that_cannot_be_is_refused_before_any_listening(
    genrecore: Genrecore, collection: Path
) -> None:
    done = genrecore("report", collection, *genrecore.few, "--html", "none/x.html")
    assert done.returncode == 1
    assert (
        done.stderr
        == "Error: none/x.html: it cannot be written, for its folder does not exist: make it first\n"
    )
    assert genrecore.rows() == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_leaves_the_old_page(tmp_path: Path) -> None:
    target = tmp_path / "old.html"
    target.write_text("the old page")
    unfinished: list[Path] = []

    def write_too_much() -> None:
        with writing(target) as file, open("/dev/full", "wb", buffering=0) as full:
            file.write("half of the new page")
            unfinished.extend(tmp_path.glob(".*part"))
            full.write(b"x")

    with pytest.raises(ReportError, match=r"old\.html: it cannot be written \(No space left on device\)"):
        write_too_much()
    assert len(unfinished) == 1
    assert list(tmp_path.iterdir()) == [target]
    assert target.read_text() == "the old page"
