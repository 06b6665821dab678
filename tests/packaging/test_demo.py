"""The demo's band, and the demo itself from end to end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import av
import mutagen
import numpy as np
import pytest

from demo.files import encode, tag
from demo.pieces import PIECES, Piece

ROOT = Path(__file__).resolve().parents[2]
by_title = pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.title)


@by_title
def test_a_piece_is_its_seed(piece: Piece) -> None:
    samples = piece.render(7, 3.0)
    assert samples.dtype == np.float32
    assert np.array_equal(samples, piece.render(7, 3.0))
    assert not np.array_equal(samples, piece.render(8, 3.0))
    assert 0.05 < np.sqrt(np.mean(samples**2)) < 0.7
    assert np.max(np.abs(samples)) <= 1.0


@by_title
def test_a_piece_becomes_a_tagged_file_of_its_format(piece: Piece, tmp_path: Path) -> None:
    path = tmp_path / f"piece.{piece.suffix}"
    encode(path, piece.render(7, 3.0))
    tag(path, title="A title", artist="An artist", album="An album")
    with av.open(str(path)) as container:
        heard = sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))
    assert heard == pytest.approx(3.0, abs=0.15)
    assert "A title" in str(mutagen.File(path).tags)


def test_the_six_formats_differ() -> None:
    assert sorted(piece.suffix for piece in PIECES) == ["flac", "m4a", "mp3", "ogg", "opus", "wav"]
    assert all(30 <= piece.seconds <= 60 for piece in PIECES)


def run_demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [sys.executable, "-m", "demo", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=1800,
        check=False,
    )


def test_a_folder_that_is_not_the_demos_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    done = run_demo("--out", str(tmp_path))
    assert done.returncode == 1
    assert "did not make" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.slow
def test_the_demo_runs_twice(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for _ in range(2):
        done = run_demo("--out", str(out))
        assert done.returncode == 0, done.stdout + done.stderr
    files = sorted(path for path in (out / "library").rglob("*") if path.is_file())
    assert sorted(path.suffix for path in files) == [".flac", ".m4a", ".mp3", ".ogg", ".opus", ".wav"]
    for path in files:
        text = str(dict(mutagen.File(path).tags)).lower()
        assert "mood" in text, path
        assert "genre_histogram" in text, path
    for original in (out / "music").rglob("*.*"):
        assert "genre_histogram" not in str(dict(mutagen.File(original).tags)).lower(), original


@pytest.mark.parametrize(("own", "out"), [("out/library", "out"), (".", "out"), ("out", "out")])
def test_ones_own_music_is_no_part_of_what_the_demo_empties(tmp_path: Path, own: str, out: str) -> None:
    music = tmp_path / own
    (tmp_path / "out" / "library").mkdir(parents=True)
    (tmp_path / "out" / ".made-by-genreclf-demo").touch()
    (music / "mine.flac").write_bytes(b"mine")
    done = run_demo("--out", str(tmp_path / out), "--music", str(music))
    assert done.returncode == 1
    assert "must not lie in each other" in done.stderr
    assert (music / "mine.flac").read_bytes() == b"mine"


@pytest.mark.slow
def test_the_demo_takes_a_folder_of_ones_own(tmp_path: Path) -> None:
    music = tmp_path / "my music"
    music.mkdir()
    encode(music / "mine.flac", PIECES[0].render(3, 8.0))
    (music / "broken.mp3").write_bytes(b"no music at all")
    before = {path.name: path.read_bytes() for path in music.iterdir()}
    done = run_demo("--out", str(tmp_path / "out"), "--music", str(music))
    assert done.returncode == 0, done.stdout + done.stderr
    assert {path.name: path.read_bytes() for path in music.iterdir()} == before
