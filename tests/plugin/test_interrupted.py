"""Stopped in the middle: what is finished stays, the next run goes on, and files and library agree."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import mutagen
import pytest
from plugin import rawtags
from plugin.conftest import Beets, Song

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows sends these signals differently")

N = 24
KINDS = ("mp3", "flac", "ogg", "m4a", "wav", "opus")


@pytest.fixture
def many(beet: Beets, song: Song) -> Beets:
    """A library of some songs, enough snippets for a run to last a while."""
    for n in range(N):
        song(KINDS[n % len(KINDS)], title=f"{n:02}")
    beet("import", str(beet.home.parent / "new"))
    beet.config["genreclf"]["snippets"] = 400
    return beet


def start(beet: Beets, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        beet.command("genreclf", *args),
        env=beet.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def read_until(process: subprocess.Popen[str], line: str) -> str:
    """What it says until some line."""
    assert process.stderr is not None
    seen = ""
    for text in process.stderr:
        seen += text
        if line in text:
            return seen
    raise AssertionError(f"it ended before {line!r}: {seen}")


def consistent(beet: Beets) -> int:
    """Check that every file is whole and says what the library says; how many are done."""
    done = 0
    for item in beet.items():
        path = item.filepath
        assert mutagen.File(path).info.length > 3.5
        heard = "genre_model" in item
        done += heard
        if heard:
            assert rawtags.genre(path) == item.genres == ["Jazz"]
            assert rawtags.mood(path) == ["Sad"]
            assert rawtags.histogram(path, "mood") == [item["mood_histogram"]]
    return done


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_keeps_what_is_finished(many: Beets, sent: signal.Signals) -> None:
    many.config["plugins"] = ["genreclf", "smartplaylist"]
    many.config["smartplaylist"] = {
        "playlist_dir": str(many.home),
        "playlists": [{"name": "sad.m3u", "query": "mood:sad"}],
    }
    process = start(many)
    said = read_until(process, f"5/{N} ")
    process.send_signal(sent)
    said += process.communicate(timeout=600)[1]
    assert process.returncode == 128 + sent
    assert (many.home / "sad.m3u").is_file(), "what others do at the end is done"
    assert "Traceback" not in said
    (done, left) = map(int, re.search(r"stopped: (\d+) tracks in .*; (\d+) left", said).groups())
    assert done + left == N
    assert 5 <= done == consistent(many)
    assert f"{left} tracks in" in many("genreclf")
    assert consistent(many) == N


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_of_the_whole_group(many: Beets, sent: signal.Signals) -> None:
    """As a terminal or a service manager sends it: to the workers too."""
    process = start(many, "-j", "2")
    read_until(process, f"3/{N} ")
    os.killpg(process.pid, sent)
    said = process.communicate(timeout=600)[1]
    assert process.returncode == 128 + sent
    assert "Traceback" not in said
    assert 3 <= consistent(many) < N


@pytest.mark.parametrize("seen", [1, pytest.param(12, marks=pytest.mark.slow)])
def test_killed_and_started_again(many: Beets, seen: int) -> None:
    many.config["genreclf"]["snippets"] = 1500  # so that some are left when the line has been read
    process = start(many)
    read_until(process, f"{seen}/{N} ")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=600)
    stored = consistent(many)
    assert seen <= stored < N
    many.config["genreclf"]["timeout"] = 100
    out = many("genreclf")
    assert f"{N - stored} tracks in" in out
    assert consistent(many) == N
    assert f"put back {N} tracks" in many("genreclf", "--restore")
    assert all(rawtags.genre(path) is None for path in many.music.iterdir())


def test_killed_between_tag_and_library(beet: Beets, song: Song, tmp_path: Path) -> None:
    """The file has the new genre, the library does not: the next run knows it for its own."""
    song("flac", title="a")
    beet("import", str(beet.home.parent / "new"))
    before = beet.library.read_bytes()
    beet("genreclf")
    beet.library.write_bytes(before)
    assert beet.ls("genres:jazz") == []
    assert "1 genre written" in beet("genreclf")
    assert beet.ls(form="$genres $mood") == ["Jazz Sad"]
    beet("genreclf", "--restore")
    assert rawtags.genre(beet.music / "a.flac") is None
    assert beet.ls(form="$genres") == [""]


@pytest.mark.parametrize("threaded", [True, False])
def test_ctrl_c_during_import(beet: Beets, song: Song, threaded: bool) -> None:
    for n in range(12):
        song("flac", title=f"{n:02}")
    beet.config["genreclf"] |= {"auto": True, "snippets": 400}
    beet.config["threaded"] = threaded
    process = subprocess.Popen(
        [*beet.command("-v", "import", "-s", str(beet.home.parent / "new"))],
        env=beet.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    read_until(process, "03.flac")
    time.sleep(2)
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate(timeout=600)[1]
    assert "Error" not in said
    for item in beet.items():
        assert mutagen.File(item.filepath).info.length > 3.5
    beet("import", "-s", "-i", str(beet.home.parent / "new"))
    beet("genreclf")
    for item in beet.items():
        assert item.genres == rawtags.genre(item.filepath) == ["Jazz"]
        assert rawtags.histogram(item.filepath, "mood") == [item["mood_histogram"]]


def test_two_runs_at_once(many: Beets) -> None:
    first, second = start(many), start(many)
    said = [process.communicate(timeout=900)[1] for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], said
    assert consistent(many) == N
    assert "nothing to do" in many("genreclf")
    many("genreclf", "--restore")
    assert all(rawtags.genre(path) is None for path in many.music.iterdir())


def test_a_bar_on_a_terminal(beet: Beets, song: Song) -> None:
    pty = pytest.importorskip("pty")
    for title in ("a", "b"):
        song(title=title)
    beet("import", str(beet.home.parent / "new"))
    (beet.music / "b.mp3").write_bytes(b"")
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        beet.command("genreclf"), env={**beet.env, "TERM": "xterm", "COLUMNS": "100"}, stderr=follower
    )
    os.close(follower)
    shown = b""
    while True:
        try:
            shown += os.read(leader, 65536)
        except OSError:  # the other end is closed
            break
        if not shown.endswith(b"\n") and process.poll() is not None:
            break
    os.close(leader)
    assert process.wait(600) == 1
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    assert "listening" in text
    assert "2/2" in text
    assert "1/2 a" not in text
    assert re.search(r"^genreclf: .*b\.mp3: ", text.replace("\r", "\n"), re.MULTILINE)
    assert "1 track in" in text.splitlines()[-1]
