"""A real beets library of its own for each test, driven by the real command in its own process."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import mediafile
import pytest
import synth
import yaml
from beets.library import Item, Library
from plugin import ears, rawtags

from beetsplug.genreclf import fields

REPOSITORY = Path(__file__).resolve().parents[2]

Song = Callable[..., Path]


@dataclass
class Beets:
    """One user's beets: a folder with configuration, library and music.

    Parameters
    ----------
    home : Path
        The folder.
    config : dict
        The configuration; written before each command.
    path : list of str
        More folders with modules.
    prefix : list of str
        What a command line begins with.
    """

    home: Path
    config: dict[str, Any] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)
    prefix: list[str] = field(default_factory=list)

    @property
    def music(self) -> Path:
        """Where imported files go."""
        return self.home / "music"

    @property
    def library(self) -> Path:
        """The database."""
        return self.home / "library.db"

    @property
    def env(self) -> dict[str, str]:
        """The environment of the commands."""
        path = os.pathsep.join(filter(None, [*self.path, os.environ.get("PYTHONPATH"), str(REPOSITORY)]))
        return {**os.environ, "BEETSDIR": str(self.home), "PYTHONPATH": path, "PYTHONUTF8": "1"}

    def command(self, *args: str) -> list[str]:
        """A command line; the configuration is written first."""
        self.home.joinpath("config.yaml").write_text(yaml.safe_dump(self.config), "utf-8")
        return [*self.prefix, sys.executable, "-m", "beets", *args]

    def run(self, *args: str, status: int = 0, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command, which must end with `status` and without a traceback."""
        done = subprocess.run(
            self.command(*args),
            env=self.env,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=900,
            check=False,
            **options,
        )
        assert done.returncode == status, done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def __call__(self, *args: str, status: int = 0) -> str:
        """Run a command; its output and messages."""
        done = self.run(*args, status=status)
        return done.stdout + done.stderr

    def ls(self, *query: str, form: str = "$title") -> list[str]:
        """What `beet ls` prints."""
        return self.run("ls", "-f", form, *query).stdout.splitlines()

    def items(self, *query: str) -> list[Item]:
        """The items, without any plugin's types, by title."""
        lib = Library(str(self.library), str(self.music))
        try:
            return sorted(lib.items(list(query)), key=lambda item: item.title)
        finally:
            lib._close()

    def item(self, *query: str) -> Item:
        """The only item."""
        (item,) = self.items(*query)
        return item


@pytest.fixture(scope="module")
def media_fields() -> Iterator[None]:
    """The plugin's tags on MediaFile, for tests that need no beets."""
    for name, tag in fields.media_fields().items():
        mediafile.MediaFile.add_field(name, tag)
    yield
    for name in fields.media_fields():
        delattr(mediafile.MediaFile, name)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A genre and a mood model: quiet is jazz and sad, loud is hip-hop and angry."""
    folder = tmp_path_factory.mktemp("models")
    return {
        "genre": ears.make_model(folder / "genre.onnx", "genre", "jazz", "hiphop"),
        "mood": ears.make_model(folder / "mood.onnx", "mood", "sad", "angry"),
    }


@pytest.fixture
def beet(tmp_path: Path, models: dict[str, Path]) -> Beets:
    """A fresh beets with the plugin, that asks nothing and does not listen during import."""
    home = tmp_path / "beets"
    home.mkdir()
    config = {
        "directory": str(home / "music"),
        "library": str(home / "library.db"),
        "plugins": ["genreclf"],
        "paths": {"default": "$title", "singleton": "$title"},
        "import": {"autotag": False, "copy": True, "quiet": True, "resume": False},
        "create_backup_before_migrations": False,
        "ui": {"color": False},
        "genreclf": {
            "auto": False,
            "snippets": 10,
            "jobs": 1,
            "genre_model": str(models["genre"]),
            "mood_model": str(models["mood"]),
        },
    }
    return Beets(home, config)


@pytest.fixture(scope="session")
def pieces() -> Callable[[str, str, int], bytes]:
    """Encoded pieces of a few seconds by format, loudness (quiet, loud, mixed) and seed, each made once."""
    made: dict[tuple[str, str, int], bytes] = {}

    def piece(kind: str, loudness: str, seed: int) -> bytes:
        key = kind, loudness, seed
        if key not in made:
            samples = synth.music(12.0 if loudness == "mixed" else 4.0, seed=seed)
            if loudness == "quiet":
                samples *= 0.2
            elif loudness == "mixed":
                samples[: len(samples) // 2] *= 0.2
            with tempfile.TemporaryDirectory() as folder:
                made[key] = synth.write(Path(folder) / f"a.{kind}", samples).read_bytes()
        return made[key]

    return piece


@pytest.fixture
def song(tmp_path: Path, pieces: Callable[[str, str, int], bytes]) -> Song:
    """Make a tagged song in the folder ``new``: ``song("mp3", "quiet", title="A", genre=["Blues"])``."""
    folder = tmp_path / "new"
    folder.mkdir()
    seeds = count(1)

    def make(kind: str = "mp3", loudness: str = "quiet", *, title: str, **tags: list[str]) -> Path:
        path = folder / f"{title}.{kind}"
        path.write_bytes(pieces(kind, loudness, next(seeds)))
        return rawtags.put(path, title=title, **tags)

    return make


def imported(beet: Beets, *args: str) -> None:
    beet("import", *args, str(beet.home.parent / "new"))


def state(beet: Beets) -> tuple[dict[str, bytes], bytes]:
    """Bytes of all files of the music, and of the library."""
    files = {path.name: path.read_bytes() for path in sorted(beet.music.rglob("*")) if path.is_file()}
    return files, beet.library.read_bytes()
