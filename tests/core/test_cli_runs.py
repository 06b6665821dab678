"""The command ``genrecore`` interrupted, killed, started twice, and given three hours of sound."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from core.program import Genrecore, bad_files
from synth import music, piece, write

posix = pytest.mark.skipif(os.name == "nt", reason="there are no process groups to send signals to")


@posix
def test_ctrl_c_keeps_what_is_done_and_says_so_in_a_line(genrecore: Genrecore) -> None:
    for seed in range(30):
        piece(genrecore.folder / f"{seed}.wav", seconds=20, seed=seed)
    with genrecore.start("analyze", *genrecore.few, ".", start_new_session=True) as process:
        wait_for(lambda: genrecore.rows() >= 2, process)
        os.killpg(process.pid, signal.SIGINT)  # as the terminal does: to the workers as well
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert re.fullmatch(
        r"interrupted: \d+ of 30 files done; they are kept, and the same command goes on from there\n", err
    )
    assert genrecore.rows() >= max(2, out.count("\n"))
    wait_for(lambda: not in_session(process.pid))


@posix
@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.2, 0.5, 1, 1.5, 2, 2.5, 3, 4])
def test_ctrl_c_at_any_moment_is_quiet(genrecore: Genrecore, songs: Path, delay: float) -> None:
    with genrecore.start("analyze", "--no-cache", *genrecore.models, "--snippets", "3000", songs,
                         start_new_session=True) as process:  # fmt: skip
        time.sleep(delay)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert "spawn_main" not in err  # nothing from a worker
    if "Traceback" in err:  # only from before the command began, while Python was still importing it
        assert "in invoke" not in err
        assert "in <module>" in err or "runpy" in err
    # Where Python was importing, it may end itself by the same signal: to a shell that is 130 as well.
    assert process.returncode in (0, 130, -signal.SIGINT)
    wait_for(lambda: not in_session(process.pid))


@posix
@pytest.mark.slow
def test_after_a_kill_nothing_is_heard_again(genrecore: Genrecore) -> None:
    for seed in range(24):
        piece(genrecore.folder / f"{seed}.wav", seconds=10, seed=seed)
    with genrecore.start("analyze", *genrecore.few, ".", start_new_session=True) as process:
        wait_for(lambda: genrecore.rows() >= 4, process)
        process.kill()
        process.communicate(timeout=60)
    wait_for(lambda: not in_session(process.pid))  # the workers go as well
    before = stored(genrecore)
    assert 4 <= len(before) < 24
    done = genrecore.analyze(".")
    assert (done.returncode, done.stderr, done.stdout.count("\n")) == (0, "", 24)
    after = stored(genrecore)
    assert len(after) == 24
    assert before.items() <= after.items()  # written once, and not again


@pytest.mark.slow
def test_two_runs_over_the_same_files_at_once(genrecore: Genrecore) -> None:
    for seed in range(50):
        piece(genrecore.folder / f"{seed:02}.wav", seconds=4, seed=seed)
    runs = [genrecore.start("analyze", *genrecore.few, ".") for _ in range(2)]
    for run in runs:
        out, err = run.communicate(timeout=300)
        assert (run.returncode, err, out.count("\n")) == (0, "", 50)
    assert genrecore.rows() == 50
    with closing(sqlite3.connect(genrecore.database)) as connection:
        assert connection.execute("SELECT count(*) FROM genrecore_files").fetchone() == (50,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
def test_memory_stays_flat_for_three_hours(genrecore: Genrecore) -> None:
    """A worker needs no more for a file of three hours than for one of ten minutes."""
    long, short = genrecore.folder / "long.mp3", genrecore.folder / "short.mp3"
    sound = music(600, rate=22050, channels=1)
    write(short, sound, rate=22050)
    frames = short.read_bytes()
    long.write_bytes(frames * 18)
    peaks = [
        peak_of_workers(genrecore.start("analyze", "--no-cache", *genrecore.few, path))
        for path in (short, long)
    ]
    assert peaks[1] < peaks[0] + 50e6


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
def test_a_folder_with_everything_that_can_be_wrong(
    genrecore: Genrecore, songs: Path, unprivileged: list[str]
) -> None:
    """Each bad file gets one line, the good ones are done, and no worker needs more than for a good one."""
    folder = genrecore.folder / "Music"
    bad_files(folder, songs)
    good = piece(folder / "good.mp3", seconds=240)
    alone = peak_of_workers(genrecore.start("analyze", "--no-cache", *genrecore.few, good))
    shutil.copy(songs / "5 wav.wav", folder / "secret.wav").chmod(0)
    (folder / "three hours.mp3").write_bytes(piece(genrecore.folder / "a.mp3", seconds=600).read_bytes() * 18)
    genrecore.prefix = unprivileged
    with genrecore.start("analyze", *genrecore.few, "Music") as process:
        peak = peak_of_children(process)
        out, err = process.communicate()
    assert process.returncode == 1
    heard = ["Music/good.mp3", "Music/half.flac", "Music/half.mp3", "Music/three hours.mp3"]
    assert sorted(line.split(":")[0] for line in out.splitlines()) == heard
    bad = ["blip.wav", "empty.mp3", "hush.wav", "noise.mp3", "secret.wav", "text.mp3"]
    told = [line.split(":")[0] for line in err.splitlines() if "half" not in line]
    assert sorted(told) == [f"Music/{name}" for name in bad]
    assert peak < alone + 50e6


def stored(genrecore: Genrecore) -> dict[str, str]:
    with closing(sqlite3.connect(genrecore.database)) as connection:
        return dict(connection.execute("SELECT content_hash, analysed_at || rowid FROM genrecore_analyses"))


def wait_for(condition: Any, process: subprocess.Popen[str] | None = None) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        assert process is None or process.poll() is None
        time.sleep(0.05)


def in_session(session: int) -> bool:
    """Whether any process of a session is left."""
    try:
        os.killpg(session, 0)
    except ProcessLookupError:
        return False
    return True


def peak_of_workers(process: subprocess.Popen[str]) -> float:
    """`peak_of_children` of a run that hears one good file."""
    with process:
        peak = peak_of_children(process)
        out, err = process.communicate()
        assert (process.returncode, err, out.count("\n")) == (0, "", 1)
    return peak


def peak_of_children(process: subprocess.Popen[str]) -> float:
    """Highest resident memory of any child of a process until it ends, in bytes."""
    peak = 0.0
    while process.poll() is None:
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
            except OSError:
                continue
            if int(fields["PPid"]) == process.pid and "VmHWM" in fields:
                peak = max(peak, 1000 * float(fields["VmHWM"].split()[0]))
        time.sleep(0.05)
    return peak
