"""Where the music lies: a drive that goes away, a folder that cannot be written, a disk that is full."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess

import pytest
from plugin import rawtags
from plugin.conftest import Beets, Song, imported, state

KINDS = ("mp3", "flac", "ogg", "m4a", "wav", "opus")


@pytest.fixture
def some(beet: Beets, song: Song) -> Beets:
    for n in range(24):
        song(KINDS[n % len(KINDS)], title=f"{n:02}")
    imported(beet)
    return beet


@pytest.mark.parametrize("empty", [False, True], ids=["no folder", "empty folder"])
def test_a_drive_that_is_not_there(some: Beets, empty: bool) -> None:
    beet = some
    elsewhere = beet.home / "elsewhere"

    def take_away() -> None:
        beet.music.rename(elsewhere)
        if empty:
            beet.music.mkdir()

    def bring_back() -> None:
        if empty:
            beet.music.rmdir()
        elsewhere.rename(beet.music)

    take_away()
    out = beet("genreclf", status=1)
    assert f"{beet.music}: the music folder is not there or empty: connect its drive" in out
    assert "24 left" in out
    assert len(out.splitlines()) < 5, "not a line for each track"
    assert beet.ls("genreclf_failed::.") == []
    bring_back()
    assert "24 tracks in" in beet("genreclf")
    take_away()
    out = beet("genreclf", "--restore", status=1)
    assert "connect its drive, and run it again to go on; put back 0 tracks" in out
    bring_back()
    assert "put back 24 tracks" in beet("genreclf", "--restore")
    assert {rawtags.genre(path) for path in beet.music.iterdir()} == {None}


@pytest.mark.skipif(os.name == "nt", reason="what is open cannot be moved there")
def test_a_drive_that_goes_away_in_the_middle(some: Beets) -> None:
    beet = some
    beet.config["genreclf"]["snippets"] = 400
    process = subprocess.Popen(
        beet.command("genreclf"), env=beet.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "5/24 " in line:
            break
    beet.music.rename(beet.home / "elsewhere")
    said = process.communicate(timeout=300)[1]
    assert process.returncode == 1
    assert "Traceback" not in said
    (left,) = map(int, re.search(r"connect its drive.*; (\d+) left", said).groups())
    assert 0 < left < 20
    (beet.home / "elsewhere").rename(beet.music)
    beet("genreclf")
    for item in beet.items():
        assert item.genres == rawtags.genre(item.filepath) == ["Jazz"]


def test_music_may_lie_elsewhere(beet: Beets, song: Song) -> None:
    """Imported in place: the folder of the configuration need not exist, and one file's absence is its own."""
    for title in "ab":
        song(title=title)
    beet.config["import"]["copy"] = False
    imported(beet)
    (beet.home.parent / "new" / "a.mp3").unlink()
    shutil.rmtree(beet.music, ignore_errors=True)
    out = beet("genreclf", status=1)
    assert "1 track failed" in out
    assert beet.ls("genres:jazz") == ["b"]


def test_a_folder_that_cannot_be_written(beet: Beets, song: Song, unprivileged: list[str]) -> None:
    """Files are then changed where they are, as far as they can be."""
    song(title="a")
    song(title="b")
    beet.prefix = unprivileged
    imported(beet)
    before = (beet.music / "a.mp3").read_bytes()
    (beet.music / "a.mp3").chmod(0o444)
    beet.music.chmod(0o555)
    out = beet("genreclf", status=1)
    told = [line for line in out.splitlines() if "its tags cannot be written" in line]
    assert len(told) == 1
    assert "a.mp3" in told[0]
    assert "(Permission denied)" in told[0]
    assert (beet.music / "a.mp3").read_bytes() == before
    assert rawtags.genre(beet.music / "b.mp3") == ["Jazz"]
    beet.music.chmod(0o755)
    (beet.music / "a.mp3").chmod(0o644)
    beet("genreclf", "--failed")
    assert rawtags.genre(beet.music / "a.mp3") == ["Jazz"]


@pytest.mark.skipif(shutil.which("prlimit") is None, reason="no prlimit to fill the disk with")
def test_a_full_disk(beet: Beets, song: Song) -> None:
    """Of which there is room for small files, but not for large ones."""
    for kind, title in (("mp3", "small"), ("wav", "large"), ("ogg", "tiny")):
        song(kind, title=title)
    imported(beet)
    before = (beet.music / "large.wav").read_bytes()
    beet.prefix = ["prlimit", "--fsize=500000"]
    out = beet("genreclf", status=1)
    told = [line for line in out.splitlines() if "large.wav" in line]
    assert len(told) == 1
    assert "its tags cannot be written; the library has them, the next run tries again" in told[0]
    assert (beet.music / "large.wav").read_bytes() == before
    assert rawtags.genre(beet.music / "small.mp3") == rawtags.genre(beet.music / "tiny.ogg") == ["Jazz"]
    beet.prefix = []
    assert "1 track in" in beet("genreclf", "--failed")
    assert rawtags.genre(beet.music / "large.wav") == ["Jazz"]


@pytest.mark.skipif(os.name == "nt", reason="Windows sends this signal differently")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_restore_is_stopped(beet: Beets, song: Song, sent: signal.Signals) -> None:
    for n in range(60):
        song("mp3", title=f"{n:02}")
    imported(beet)
    before = state(beet)[0]
    tags = {name: rawtags.everything(beet.music / name) for name in before}
    beet("genreclf")
    stopped = 0
    for _ in range(3):
        process = subprocess.Popen(
            beet.command("genreclf", "--restore"),
            env=beet.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        changed = True
        while changed and process.poll() is None:
            changed = rawtags.genre(beet.music / "00.mp3") is not None
        process.send_signal(sent)
        said = process.communicate(timeout=60)[1]
        assert "Traceback" not in said
        if process.returncode == 128 + sent:
            stopped += 1
            assert re.search(r"stopped: put back \d+ tracks, run it again to go on", said)
            for item in beet.items():
                assert (item.genres == []) == (rawtags.genre(item.filepath) is None)
            break
        beet("genreclf")
    assert stopped, "this was meant to happen in the middle"
    beet("genreclf", "--restore")
    assert {name: rawtags.everything(beet.music / name) for name in before} == tags
