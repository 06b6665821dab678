"""``genrecore timeline`` as users start it."""

from __future__ import annotations

import base64
import csv
import json
import os
import re
import shutil
import signal
import sys
import xml.etree.ElementTree as ElementTree
from contextlib import suppress
from pathlib import Path

import mediafile
import pytest
from core.program import Genrecore
from synth import cut, music, piece, repeat, write


@pytest.fixture
def song(genrecore: Genrecore, songs: Path) -> Path:
    path = genrecore.folder / "song.mp3"
    shutil.copy(songs / "0 mp3.mp3", path)
    return path


def leftovers(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"song.mp3", "cache"}


def test_without_options_there_is_a_page_in_this_folder(genrecore: Genrecore, song: Path) -> None:
    done = genrecore("timeline", "song.mp3", *genrecore.models)
    assert (done.returncode, done.stdout, done.stderr) == (0, "wrote song.timeline.html\n", "")
    assert leftovers(genrecore.folder) == {"song.timeline.html"}
    page = (genrecore.folder / "song.timeline.html").read_text("utf-8")
    assert 'src="./song.mp3"' in page
    assert 'class="verdict"' in page


def test_tables_and_pictures(genrecore: Genrecore, song: Path) -> None:
    targets = {kind: genrecore.folder / f"out.{kind}" for kind in ("json", "csv", "png", "svg")}
    options = [word for kind, path in targets.items() for word in (f"--{kind}", path)]
    done = genrecore("timeline", "song.mp3", "--hop", "1", *genrecore.models, *options)
    assert done.returncode == 0, done.stderr
    assert leftovers(genrecore.folder) == {path.name for path in targets.values()}
    data = json.loads(targets["json"].read_text("utf-8"))
    with targets["csv"].open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert [float(row["time"]) for row in table] == data["times"] == [1.5, 2.5, 3.5, 4.5, 5.5, 6.5]
    assert [float(row["mood_sad"]) for row in table] == data["mood"]["probabilities"]["sad"]
    assert targets["png"].read_bytes().startswith(b"\x89PNG")
    texts = "".join(ElementTree.parse(targets["svg"]).getroot().itertext())
    assert "reggae" in texts
    assert "valence" in texts


def test_pictures_are_the_same_each_time(genrecore: Genrecore, song: Path) -> None:
    for name in ("a.svg", "b.svg"):
        assert genrecore("timeline", song, *genrecore.models, "--svg", name).returncode == 0
    a, b = (genrecore.folder / name for name in ("a.svg", "b.svg"))
    assert a.read_bytes() == b.read_bytes()


def test_json_on_standard_output_is_alone_there(genrecore: Genrecore, song: Path) -> None:
    done = genrecore("timeline", song, *genrecore.models, "--json", "-", "--csv", "x.csv")
    assert json.loads(done.stdout)["duration"] == pytest.approx(8, abs=0.1)
    assert done.stderr == "wrote x.csv\n"


def test_the_song_can_be_carried_inside(genrecore: Genrecore, song: Path) -> None:
    done = genrecore("timeline", song, *genrecore.models, "--html", "x.html", "--embed-audio")
    assert done.returncode == 0, done.stderr
    page = (genrecore.folder / "x.html").read_text("utf-8")
    inside = re.search(r'id="sound">([^<]*)<', page)
    assert inside
    assert base64.b64decode(inside[1]) == song.read_bytes()
    assert "media-src blob:" in page
    assert "song.mp3" not in page


def test_the_way_from_the_page_to_the_song(genrecore: Genrecore, song: Path) -> None:
    (genrecore.folder / "pages").mkdir()
    other = genrecore.folder / "a b" / "100%: #1?.mp3"
    other.parent.mkdir()
    shutil.copy(song, other)
    done = genrecore("timeline", other, *genrecore.models, "--html", "pages/x.html")
    assert done.returncode == 0, done.stderr
    assert 'src="./../a%20b/100%25%3A%20%231%3F.mp3"' in (genrecore.folder / "pages" / "x.html").read_text(
        "utf-8"
    )


def test_a_format_that_browsers_do_not_play_is_told(genrecore: Genrecore) -> None:
    piece(genrecore.folder / "x.wma", 4.0)
    done = genrecore("timeline", "x.wma", *genrecore.models)
    assert done.returncode == 0
    assert "x.wma: browsers do not play this format: the page will be silent" in done.stderr


def test_a_file_of_which_half_is_missing_has_a_page_and_a_warning(genrecore: Genrecore, song: Path) -> None:
    cut(song, genrecore.folder / "half.mp3")
    done = genrecore("timeline", "half.mp3", *genrecore.models)
    assert done.returncode == 0
    assert done.stderr.startswith("half.mp3: ")
    assert "cut off" in (genrecore.folder / "half.timeline.html").read_text("utf-8")


@pytest.mark.parametrize("name", ["none.mp3", "empty.mp3", "text.mp3", "blip.wav", "hush.wav"])
def test_bad_files_leave_no_page(genrecore: Genrecore, name: str) -> None:
    path = genrecore.folder / name
    if name == "empty.mp3":
        path.touch()
    elif name == "text.mp3":
        path.write_text("dear diary")
    elif name == "blip.wav":
        piece(path, 0.4)
    elif name == "hush.wav":
        write(path, 0 * music(3))
    done = genrecore("timeline", name, *genrecore.models)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"Error: {name}: ")
    assert done.stderr.count("\n") == 1
    assert leftovers(genrecore.folder) <= {name}


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--html", "none/x.html"], 1, "none/x.html: it cannot be written, for its folder does not exist"),
        (["--html", "song.mp3"], 1, "the name of a page must end in .html"),
        (["--html", ""], 1, "the name of a page must end in .html"),
        (["--csv", "other.flac"], 1, "other.flac: that is the name of a song, which is never written"),
        (["--csv", "-", "--json", "-"], 2, "two of the files"),
        (["--html", "folder"], 2, "is a directory"),
        (["--csv", os.devnull], 1, f"{os.devnull}: it cannot be written, for it is no ordinary file"),
        (["--csv", "x", "--json", "x"], 2, "two of the files"),
        (["--csv", "x", "--embed-audio"], 2, "name it with --html"),
        (["--hop", "0"], 2, "--hop"),
        (["--genre-model", "nothing"], 2, "no such model"),
    ],
)
def test_wrong_targets_are_refused_before_any_listening(
    genrecore: Genrecore, song: Path, arguments: list[str], status: int, words: str
) -> None:
    before = song.read_bytes()
    (genrecore.folder / "folder").mkdir()
    done = genrecore("timeline", "song.mp3", *genrecore.models, *arguments)
    assert done.returncode == status
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert song.read_bytes() == before
    assert leftovers(genrecore.folder) == {"folder"}


def test_a_folder_without_permission(genrecore: Genrecore, song: Path, unprivileged: list[str]) -> None:
    genrecore.prefix = unprivileged
    locked = genrecore.folder / "locked"
    locked.mkdir(mode=0o500)
    done = genrecore("timeline", "song.mp3", *genrecore.models, "--html", "locked/x.html")
    assert done.returncode == 1
    assert "locked/x.html: it cannot be written (no permission in its folder)" in done.stderr
    assert not list(locked.iterdir())


def test_hostile_tags_are_text(genrecore: Genrecore, song: Path) -> None:
    tags = mediafile.MediaFile(song)
    tags.title, tags.artist = "</script><img src=x onerror=alert(1)>", "<b>A & B</b>"
    tags.save()
    done = genrecore("timeline", "song.mp3", *genrecore.models, "--html", "x.html", "--svg", "x.svg")
    assert done.returncode == 0, done.stderr
    page = (genrecore.folder / "x.html").read_text("utf-8")
    assert "<img" not in page[: page.index('id="data"')]
    assert "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;" in page
    texts = "".join(ElementTree.parse(genrecore.folder / "x.svg").getroot().itertext())
    assert "<b>A & B</b> – </script>" in texts


@pytest.mark.skipif(sys.platform != "linux", reason="file systems elsewhere have Unicode names only")
def test_a_name_that_is_no_unicode(genrecore: Genrecore, song: Path) -> None:
    name = os.fsdecode(b"na\xefve.mp3")
    song.rename(genrecore.folder / name)
    done = genrecore(
        "timeline", name, *genrecore.models, "--html", "x.html", "--png", "x.png", "--json", "x.json"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "<h1><bdi>na?ve</bdi></h1>" in (genrecore.folder / "x.html").read_text("utf-8")
    assert 'src="./na%EFve.mp3"' in (genrecore.folder / "x.html").read_text("utf-8")
    assert json.loads((genrecore.folder / "x.json").read_text("utf-8"))["path"] == name
    done = genrecore("timeline", name, *genrecore.models)
    assert (done.returncode, done.stdout) == (0, "wrote na?ve.timeline.html\n")
    done = genrecore("timeline", f"{name}x", *genrecore.models)
    assert (done.returncode, done.stderr) == (1, "Error: na?ve.mp3x: there is no such file\n")


def test_characters_that_are_in_no_font_are_told(genrecore: Genrecore, song: Path) -> None:
    tags = mediafile.MediaFile(song)
    tags.title, tags.artist = "\U00012000 $a$ \n%{x}", "\u0905"
    tags.save()
    done = genrecore("timeline", song.name, *genrecore.models, "--png", "x.png", "--svg", "x.svg")
    assert done.returncode == 0
    assert done.stderr == (
        "song.mp3: no font was found for some characters of the title: boxes stand for them\n"
    )
    assert "\U00012000 $a$  %{x}" in (genrecore.folder / "x.svg").read_text("utf-8")


def test_what_a_link_points_to_is_written(genrecore: Genrecore, song: Path) -> None:
    real = genrecore.folder / "real.csv"
    real.write_text("old")
    (genrecore.folder / "link.csv").symlink_to(real)
    assert genrecore("timeline", song, *genrecore.models, "--csv", "link.csv").returncode == 0
    assert (genrecore.folder / "link.csv").is_symlink()
    assert real.read_text().startswith("time,")


def test_without_the_extra_one_sentence_says_what_to_install(genrecore: Genrecore, song: Path) -> None:
    (genrecore.folder / "sitecustomize.py").write_text(
        "import importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name in ('plotly', 'jinja2') else find(name, *a)\n"
    )
    genrecore.environment["PYTHONPATH"] += f"{os.pathsep}{genrecore.folder}"
    done = genrecore("timeline", "song.mp3", *genrecore.models)
    assert done.returncode == 1
    assert done.stderr == (
        'Error: pages and pictures need plotly and jinja2: run pip install "beets-genreclf[report]"\n'
    )


def test_ctrl_c_leaves_no_page(genrecore: Genrecore, song: Path) -> None:
    repeat(song, genrecore.folder / "mix.mp3", 4000)  # nearly nine hours
    terminal, slave = pytest.importorskip("pty").openpty()
    genrecore.environment["TERM"] = "xterm"
    with genrecore.start("timeline", "mix.mp3", *genrecore.models, stderr=slave) as process:
        os.close(slave)
        seen = b""
        while b"listening" not in seen:
            seen += os.read(terminal, 4096)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    with suppress(OSError):  # Linux's way to say that the other end is closed
        while part := os.read(terminal, 4096):
            seen += part
    os.close(terminal)
    assert (process.returncode, out) == (130, "")
    assert b"interrupted" in seen
    assert b"Traceback" not in seen
    assert leftovers(genrecore.folder) == {"mix.mp3"}
