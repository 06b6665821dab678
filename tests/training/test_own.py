"""A model of the user's own genres: a real beets library in, and the same beets filled by it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import mediafile
import numpy as np
import pytest
import synth
import yaml

from genrecore import model as model_files

ARTISTS = 5


def drone(seed: int) -> synth.Samples:
    """A low chord that stands."""
    rng, t = np.random.default_rng(seed), np.arange(4 * 22050) / 22050
    tones = sum(np.sin(2 * np.pi * f * t + rng.uniform(0, 6)) for f in rng.uniform(80, 300, 4))
    return (0.1 * np.asarray(tones)[:, None]).astype(np.float32)


def clicks(seed: int) -> synth.Samples:
    """Bursts of noise in a steady beat."""
    rng, t = np.random.default_rng(seed), np.arange(4 * 22050) / 22050
    bursts = rng.standard_normal(len(t)) * np.exp(-30 * (t % rng.uniform(0.2, 0.4)))
    return (0.2 * bursts[:, None]).astype(np.float32)


MUSIC = {"Drone": drone, "Clicks": clicks}


def song(folder: Path, genre: str, number: int, *, tagged: bool = True) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = synth.write(folder / f"{genre} {number}.flac", MUSIC[genre](number), rate=22050)
    return tag(path, path.stem, f"{genre} artist {number % ARTISTS}", [genre] if tagged else [])


def tag(path: Path, title: str, artist: str, genres: list[str]) -> Path:
    file = mediafile.MediaFile(path)
    file.title, file.artist, file.genres = title, artist, genres or None
    file.save()
    return path


def beet(home: Path, *arguments: str, **options: object) -> str:
    """The real command, with a configuration of its own."""
    config = {
        "directory": str(home / "music"),
        "library": str(home / "library.db"),
        "plugins": ["genreclf"],
        "import": {"autotag": False, "quiet": True, "copy": True},
        "genreclf": {"auto": False, "snippets": 10, "jobs": 1, **options},
    }
    path = home / "own.yaml"
    path.write_text(yaml.safe_dump(config))
    return run(home, "-m", "beets", "-c", str(path), *arguments)


def train(home: Path, *arguments: str, status: int = 0) -> str:
    words = ["-m", "genrecore_training", "own", "--work", str(home / "work"), *arguments]
    return run(home, *words, status=status)


def run(home: Path, *words: str, status: int = 0) -> str:
    root = Path(__file__).parents[2]
    env = {
        **os.environ,
        "BEETSDIR": str(home),
        "OMP_NUM_THREADS": "1",  # on a busy machine two threads wait for each other most of the time
        "PYTHONPATH": f"{root}{os.pathsep}{root / 'training'}",
    }
    done = subprocess.run(
        [sys.executable, *words], cwd=home, env=env, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout + done.stderr


def test_a_library_of_forty_tracks_trains_the_model_that_fills_it(tmp_path: Path) -> None:
    new = tmp_path / "new"
    for genre in MUSIC:
        for number in range(20):
            song(new, genre, number)
        for number in range(20, 23):
            song(new, genre, number, tagged=False)
    tag(song(new, "Drone", 40), "Polka", "Polka artist", ["Polka"])
    beet(tmp_path, "import", str(new))
    said = train(
        tmp_path, "--beets", "library.db", "--directory", "music", "--epochs", "8", "--to", "mine.onnx"
    )
    assert "Polka is left out: 1 of 10 tracks" in said
    assert "training on 40 tracks: " in said
    assert "Drone 20" in said
    assert f"genre_model: {tmp_path / 'mine.onnx'}" in said
    card = model_files.read_card(tmp_path / "mine.onnx")
    assert card.labels == ("Clicks", "Drone")
    assert [figure.protocol for figure in card.figures] == ["artist_grouped"]
    assert card.figures[0].value == 1.0, "what is that different is told apart"
    assert "genreclf heard" not in said

    beet(tmp_path, "genreclf", "genres::^$", genre_model=str(tmp_path / "mine.onnx"))
    listed = beet(tmp_path, "ls", "-f", "$title|$genres|$genre_model", "genre_model::own-genre")
    assert sorted(listed.splitlines()) == [
        f"{genre} {number}|{genre}|own-genre {card.version}"
        for genre in ("Clicks", "Drone")
        for number in range(20, 23)
    ]
    # Without what was filled in, it is the same music: nothing is trained anew, and the model is the same.
    words = ["--beets", "library.db", "--directory", "music", "--epochs", "8", "--query", "genre_model::^$"]
    again = train(tmp_path, *words, "--to", "again.onnx")
    assert "training on 40 tracks: " in again
    assert "epoch" not in again
    assert "genreclf heard" not in again
    assert (tmp_path / "again.onnx").read_bytes() == (tmp_path / "mine.onnx").read_bytes()


@pytest.fixture(scope="module")
def sorted_music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three genres: of many artists, of many artists, and of a single one."""
    root = tmp_path_factory.mktemp("sorted")
    for number in range(6):
        song(root / "Drone", "Drone", number)
        song(root / "Clicks", "Clicks", number)
        tag(song(root / "Solo", "Drone", 50 + number), "Solo", "The one", ["Solo"])
    return root


def test_a_genre_of_one_artist_is_left_out_and_a_folder_will_do(tmp_path: Path, sorted_music: Path) -> None:
    said = train(tmp_path, "--folder", str(sorted_music), "--minimum", "5", "--epochs", "2", "--no-test")
    assert "Solo is left out: its tracks are by 1 artist(s)" in said
    card = model_files.read_card(tmp_path / "own-genre.onnx")
    assert card.labels == ("Clicks", "Drone")
    assert card.figures == ()


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--beets", "nothing.db"], 1, "nothing.db is missing"),
        (["--folder", "nowhere"], 1, "nowhere is no folder that can be read"),
        (
            ["--folder", "{music}", "--minimum", "30"],
            1,
            "two or more genres of at least 30 tracks are needed",
        ),
        (["--folder", "{music}", "--beets", "a.db"], 2, "either a library with --beets or a folder"),
        (["--folder", "{music}", "--recipe", "own-gener"], 1, "no such recipe"),
        (["--folder", "{music}", "--recipe", "own-mood"], 2, "own-mood decides a mood from logmel"),
        (["--folder", "{music}", "--recipe", "liang-spotify-cnn"], 2, "from table"),
        (["--folder", "{music}", "--minimum", "5", "--accelerator", "cuda"], 1, "accelerator cuda"),
    ],
)
def test_a_wrong_call_is_one_sentence(
    tmp_path: Path, sorted_music: Path, arguments: list[str], status: int, said: str
) -> None:
    words = [word.replace("{music}", str(sorted_music)) for word in arguments]
    assert said in train(tmp_path, *words, status=status)
    assert not list(tmp_path.glob("*.onnx"))
