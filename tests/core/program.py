"""The command ``genrecore`` as users start it, in a process of its own."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from synth import cut, music, piece, write

from genrecore.settings import Settings

REPOSITORY = Path(__file__).parents[2]


class Genrecore:
    """The command with a cache of its own and, for ``analyze``, small models."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder = folder
        self.prefix: list[str] = []
        self.database = folder / "cache" / "analyses.db"
        self.environment = os.environ | {
            "GENRECORE_CACHE": str(self.database),
            "PYTHONPATH": str(REPOSITORY),
            "NO_COLOR": "1",
        }
        self.models = ["--genre-model", settings.genre_model, "--mood-model", settings.mood_model]
        self.few = [*self.models, "--snippets", "20"]

    def __call__(self, *args: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
        with self.start(*args, **options) as process:
            out, err = process.communicate(timeout=300)
        return subprocess.CompletedProcess(args, process.returncode, out, err)

    def start(self, *args: str | Path, **options: Any) -> subprocess.Popen[str]:
        command = [*self.prefix, sys.executable, "-m", "genrecore", *map(str, args)]
        pipes = {
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "stdin": subprocess.DEVNULL,
            "text": True,
        }
        return subprocess.Popen(command, env=self.environment, cwd=self.folder, **pipes | options)

    def analyze(self, *args: str | Path) -> subprocess.CompletedProcess[str]:
        return self("analyze", *self.few, *args)

    def rows(self) -> int:
        if not self.database.exists():
            return 0
        with closing(sqlite3.connect(self.database, timeout=30)) as connection:
            try:
                return int(connection.execute("SELECT count(*) FROM genrecore_analyses").fetchone()[0])
            except sqlite3.OperationalError:
                return 0  # not made yet


def bad_files(folder: Path, songs: Path) -> None:
    """Make a folder with five files that cannot be analysed, and two that were cut off and can."""
    folder.mkdir()
    (folder / "empty.mp3").touch()
    (folder / "noise.mp3").write_bytes(os.urandom(20_000))
    (folder / "text.mp3").write_text("dear diary\n" * 100)
    cut(songs / "0 mp3.mp3", folder / "half.mp3")
    cut(songs / "1 flac.flac", folder / "half.flac")
    piece(folder / "blip.wav", seconds=0.4)
    write(folder / "hush.wav", 0 * music(3))
