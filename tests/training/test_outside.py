"""Outside tests: other data sets in other words, without the artists that a model has learnt from."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import synth
from click.testing import CliRunner
from core.rig import make_model

from genrecore import model as model_files
from genrecore_training import recipes
from genrecore_training.cli import group
from genrecore_training.datasets import DatasetError
from genrecore_training.datasets.emotify import EMOTIONS
from genrecore_training.datasets.mixed_genres import mixed_genres
from genrecore_training.outside import genre_tests, measure, read_list
from genrecore_training.trust import render_outside

SONGS = {
    "MT1": ("blues artist 3", "Jazz"),
    "MT2": ("Someone", "Jazz; Pop/Rock"),
    "MT3": ("Someone", "Electronic"),
    "MT4": ("Another", "Pop/Rock"),
    "MT5": ("Yet Another", "Classical; Vocal"),
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, small_gtzan: Path) -> Path:
    root = tmp_path_factory.mktemp("outside")
    shutil.copytree(small_gtzan / "gtzan", root / "gtzan")
    for folder in ("4qaed", "emotify", "mixed_genres"):
        (root / folder / "audio").mkdir(parents=True)
    pieces = [
        synth.piece(root / f"{seed}.opus", 5, seed=seed, rate=48000, channels=1).read_bytes()
        for seed in range(12)
    ]
    rows = [f"{song},{artist},,Q1,,{words}" for song, (artist, words) in SONGS.items()]
    (root / "4qaed" / "annotations.csv").write_text(
        "song,artist,title,quadrant,moods,genres\n" + "\n".join(rows) + "\n"
    )
    for song, piece in zip(SONGS, pieces, strict=False):
        (root / "4qaed" / "audio" / f"{song}.opus").write_bytes(piece)
    table = [f"track_id,genre,n_raters,{','.join(EMOTIONS)}"]
    for number, piece in enumerate(pieces):
        shares = ",".join(f"{x:.3f}" for x in np.random.default_rng(number).random(9))
        table.append(f"{number},{('pop', 'electronic', 'rock')[number % 3]},40,{shares}")
        (root / "emotify" / "audio" / f"{number}.opus").write_bytes(piece)
    (root / "emotify" / "annotations.csv").write_text("\n".join(table) + "\n")
    (root / "mixed_genres" / "index.csv").write_text(
        "file,genre,artist,title\na.opus,jazz,,x\nb.opus,metal,probably Metal Artist 2 (file name two),y\n"
    )
    for name, piece in zip(("a", "b"), pieces, strict=False):
        (root / "mixed_genres" / "audio" / f"{name}.opus").write_bytes(piece)
    return root


def test_what_may_be_said_of_a_track(data: Path) -> None:
    clips, emotify, single = genre_tests(data)
    assert {track.id for track in clips.tracks} == {"MT1", "MT2", "MT4", "MT5"}, (
        "electronic music is none of ours"
    )
    assert clips.allowed["MT5"] == {"classical"}, "a word of one song only counts as well"
    assert clips.allowed["MT2"] == {"jazz", "pop", "rock", "metal"}
    assert len(emotify.tracks) == 8
    assert emotify.allowed["2"] == {"rock", "metal"}
    assert [track.artist for track in single.tracks] == ["", "metal artist 2"]
    assert single.groups["a"] == "unknown a"


def listed(recipe: str, validation: Sequence[str] = (), **train: list[str]) -> dict[str, Any]:
    """As `genrecore-train export` lists it; ``of_4qaed``, since no name begins with a figure."""
    learnt = {name.removeprefix("of_"): ids for name, ids in train.items()}
    return {"recipe_hash": recipes.load(recipe).digest, "validation": list(validation), "train": learnt}


def test_a_genre_model_hears_no_artist_it_knows(data: Path, tmp_path: Path) -> None:
    model = make_model(tmp_path / "genre.onnx", "genre")
    known = listed("mel-cnn-genre", gtzan=["blues.00003", "metal.00002"], emotify=["0", "2"])
    clips, emotify, single = measure(model, known, data)["tests"]
    assert (clips["n"], clips["left out"]) == (3, 1)
    assert (emotify["n"], emotify["left out"]) == (6, 2), "these it has learnt itself"
    assert (single["n"], single["left out"]) == (1, 1)
    assert sum(clips["classes"].values()) == 3
    # Pop, rock and metal are right two times of three; the first by name is told.
    assert clips["always the same"] == {"class": "metal", "accuracy": 0.6667}
    assert 0 <= emotify["accuracy"]["low"] <= emotify["accuracy"]["value"] <= emotify["accuracy"]["high"] <= 1
    nothing = listed("mel-cnn-genre", gtzan=[])
    assert measure(model, nothing, data)["tests"][0]["n"] == 4
    chosen_by = listed("mel-cnn-genre", ["blues.00003"])
    assert measure(model, chosen_by, data)["tests"][0]["n"] == 3, "its artists have helped to choose"
    known = listed("mel-cnn-genre", emotify=[str(number) for number in range(12)])
    assert measure(model, known, data)["tests"][1] == {"test": "Emotify", "n": 0, "left out": 8}
    with pytest.raises(DatasetError, match="gtzan: 1 tracks that the model has learnt from are not here"):
        measure(model, listed("mel-cnn-genre", gtzan=["blues.00099"]), data)


def test_a_mood_model_is_held_against_what_was_felt(data: Path, tmp_path: Path) -> None:
    model = make_model(tmp_path / "mood.onnx", "mood")
    found = measure(model, listed("mel-cnn-mood", of_4qaed=["MT1"]), data)["emotions"]
    assert {(entry["quadrant"], entry["emotion"]) for entry in found} >= {
        ("sad", "sadness"),
        ("angry", "tension"),
    }
    for entry in found:
        assert entry["n"] == 12
        assert -1 <= entry["low"] <= entry["value"] <= entry["high"] <= 1


def test_what_is_missing_is_named(data: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"index.csv is missing: name the folder of the data with --data"):
        mixed_genres(tmp_path)
    (tmp_path / "index.csv").write_text("file,genre,artist,title\nc.opus,jazz,,x\n")
    with pytest.raises(DatasetError, match=r"c\.opus is missing, and .*index\.csv names it"):
        mixed_genres(tmp_path)
    (tmp_path / "index.csv").write_text("file,genre,artist,title\nc.opus,folk,,x\n")
    with pytest.raises(DatasetError, match=r"c\.opus: genre 'folk' is none of blues,"):
        mixed_genres(tmp_path)
    with pytest.raises(DatasetError, match="has none of the folders 4qaed, emotify, mixed_genres"):
        genre_tests(tmp_path)
    with pytest.raises(DatasetError, match="nobody knows what the model has learnt from"):
        read_list(tmp_path / "none.json")
    done = CliRunner().invoke(group, ["outside", "no-such-model", "--data", str(data)])
    assert done.exit_code == 2
    assert "there is no model no-such-model" in done.output


def test_the_table_has_a_row_a_test(tmp_path: Path) -> None:
    right = {"value": 0.5, "low": 0.25, "high": 0.75}
    (tmp_path / "outside").mkdir()
    genre = {
        "interval": "95 %",
        "tests": [
            {
                "test": "Emotify",
                "n": 185,
                "left out": 3,
                "accuracy": right,
                "always the same": {"class": "pop", "accuracy": 0.35},
            }
        ],
    }
    mood = {
        "interval": "95 %",
        "emotions": [{"quadrant": "sad", "emotion": "joyful_activation", "n": 9, **right}],
    }
    names = tuple(model_files.DEFAULT_MODELS.values())
    for name, entry in zip(names, (genre, mood), strict=True):
        (tmp_path / "outside" / f"{name}.json").write_text(json.dumps(entry))
    table = render_outside(tmp_path)
    assert f"| `{names[0]}` | Emotify | 185 | 3 | **0.500** [0.250, 0.750] | pop, 0.350 |" in table
    assert f"| `{names[1]}` | sad | joyful activation | 9 | **+0.50** [+0.25, +0.75] |" in table
