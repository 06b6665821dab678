"""Killed at any moment of a run over many files: nothing is lost, and the next run completes."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import time
from contextlib import closing

import pytest
from plugin import rawtags
from plugin.conftest import Beets, Song

from genrecore.content import content_hash

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows kills differently")


def whole(beet: Beets, audio: dict[str, str], originals: dict[str, dict[str, list[str]]]) -> None:
    """Files decode and have all their tags, and library, cache and journal open."""
    for path in sorted(beet.music.glob("[!.]*")):
        assert content_hash(str(path)) == audio[path.name], path
        tags = rawtags.everything(path)
        ours = [key.casefold() for key in rawtags.KEYS[path.suffix[1:]][:2]]
        for key, values in originals[path.name].items():
            assert tags.get(key) == values or key.casefold() in ours, (path, key)
    for name in ("library.db", "genreclf.db", "genreclf-journal.db"):
        if (beet.home / name).exists():
            with closing(sqlite3.connect(beet.home / name)) as database:
                assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def seconds_of_a_run(beet: Beets) -> float:
    began = time.monotonic()
    beet("genreclf")
    return time.monotonic() - began


@pytest.mark.parametrize(("files", "kills"), [(18, 3), pytest.param(60, 50, marks=pytest.mark.slow)])
def test_killed_at_random_moments(beet: Beets, song: Song, files: int, kills: int) -> None:
    for n in range(files):
        genre = {"genre": ["Blues"], "mood": ["Calm", "Odd"]} if n % 3 == 0 else {}
        song(rawtags.FORMATS[n % len(rawtags.FORMATS)], title=f"{n:02}", **genre)
    beet("import", str(beet.home.parent / "new"))
    beet.config["genreclf"] |= {"policy": "force", "timeout": 100}
    paths = sorted(beet.music.iterdir())
    originals = {path.name: rawtags.everything(path) for path in paths}
    audio = {path.name: content_hash(str(path)) for path in paths}
    library = beet.ls("title+", form="$title $genres $mood")
    seconds = {"fresh": seconds_of_a_run(beet)}
    beet("genreclf", "--restore")
    seconds["cached"] = seconds_of_a_run(beet)
    beet("genreclf", "--restore")
    rng = random.Random(1)
    for _ in range(kills):
        start = rng.choice(["fresh", "cached"])
        if start == "fresh":
            for left in beet.home.glob("genreclf.db*"):
                left.unlink()
        process = subprocess.Popen(
            beet.command("genreclf"),
            env=beet.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(rng.uniform(0.3, 1.0) * seconds[start])
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(60)
        whole(beet, audio, originals)
        beet("genreclf")
        assert all(rawtags.genre(path) == ["Jazz"] for path in paths)
        beet("genreclf", "--restore")
        assert {path.name: rawtags.everything(path) for path in paths} == originals
        assert beet.ls("title+", form="$title $genres $mood") == library
        assert sorted(beet.music.iterdir()) == paths, "no copy is left behind"


KILLING = """
import os, signal
from beets.plugins import BeetsPlugin


class Killing(BeetsPlugin):
    def __init__(self):
        super().__init__()
        os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_one_left_is_taken_up(beet: Beets, song: Song) -> None:
    path = song("flac", title="a")
    beet("import", str(path.parent))
    plugins = beet.home / "plugins"
    plugins.mkdir()
    (plugins / "killing.py").write_text(KILLING)
    beet.config |= {"pluginpath": [str(plugins)], "plugins": ["genreclf", "killing"]}
    killed = subprocess.run(
        beet.command("genreclf"), env=beet.env, capture_output=True, timeout=300, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert len(list(beet.music.glob(".genreclf-*"))) == 1
    beet.config["plugins"] = ["genreclf"]
    beet("genreclf")
    assert [found.name for found in beet.music.iterdir()] == ["a.flac"]
    assert rawtags.genre(beet.music / "a.flac") == ["Jazz"]
