"""Hand-made features: what they know of artists is worth nothing where artists are kept apart."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import synth
from click.testing import CliRunner

from genrecore_training import tables
from genrecore_training.cli import group
from genrecore_training.results import read

ARTISTS, SONGS = 24, 4


@pytest.fixture
def quadrants(tmp_path: Path) -> Path:
    """Folder of 4-Quadrant whose features tell each artist from all others, and nothing else."""
    folder = tmp_path / "4qaed"
    (folder / "audio").mkdir(parents=True)
    clip = synth.piece(tmp_path / "clip.opus", 2, rate=48000, channels=1)
    rng = np.random.default_rng(0)
    songs, features = ["song,artist,title,quadrant,moods,genres"], ["SongID,F1,F2,F3,F4,F5,F6,F7,F8"]
    for artist in range(ARTISTS):
        voice = rng.normal(size=8)
        for number in range(SONGS):
            song = f"MT{artist:02}{number}"
            songs.append(f"{song},Artist {artist},,Q{artist % 4 + 1},,")
            heard = voice + 0.01 * rng.normal(size=8)
            features.append(",".join([song, *(f"{value:.4f}" for value in heard)]))
            os.link(clip, folder / "audio" / f"{song}.opus")
    (folder / "annotations.csv").write_text("\n".join(songs) + "\n")
    (folder / "top100_features_panda.csv").write_text("\n".join(features) + "\n")
    return folder


def hand_made(quadrants: Path, results: Path) -> tuple[int, str]:
    done = CliRunner().invoke(
        group, ["hand-made", "--data", str(quadrants.parent), "--results", str(results)]
    )
    return done.exit_code, done.output


def test_artists_on_both_sides_flatter(quadrants: Path, tmp_path: Path) -> None:
    code, said = hand_made(quadrants, tmp_path)
    assert code == 0, said
    found = {test["protocol"]: test for test in read(tmp_path / "handmade.json")["tests"]}
    assert {test["n"] for test in found.values()} == {ARTISTS * SONGS}
    assert found["track_random"]["accuracy"]["value"] > 0.95
    assert found["artist_grouped"]["accuracy"]["value"] < 0.5
    assert "over artists" in found["artist_grouped"]["interval"]
    assert "over tracks" in found["track_random"]["interval"]
    right = found["track_random"]["accuracy"]["value"]
    assert f"track_random: {right:.3f} [" in said
    rows = tables.render_handmade(tmp_path)
    assert f"| SVM on 8 features | track_random | 5 | {ARTISTS * SONGS} | **{right:.3f}** [" in rows


def test_without_the_features_it_says_so(quadrants: Path, tmp_path: Path) -> None:
    (quadrants / "top100_features_panda.csv").unlink()
    code, said = hand_made(quadrants, tmp_path)
    assert code == 1
    assert said == f"{quadrants}: the authors' table of features is not there\n"
    assert tables.render_handmade(tmp_path) == "??\n"
