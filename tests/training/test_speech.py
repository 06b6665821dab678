"""Speech, by the programs themselves where they are installed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from core.rig import make_model
from synth import piece

from genrecore.audio import ANALYSIS_RATE
from genrecore_training.cli import group
from genrecore_training.datasets import DatasetError
from genrecore_training.lessons import lessons
from genrecore_training.recipes import Recipe
from genrecore_training.runs import Places, Run
from genrecore_training.speech import SPEAKER, spoken

speaking = pytest.mark.skipif(shutil.which(SPEAKER) is None, reason=f"{SPEAKER} is not installed")


@speaking
def test_speech_is_of_no_class(
    tmp_path: Path, small_gtzan: Path, small_recipe: Callable[..., Recipe]
) -> None:
    places = Places(small_gtzan, tmp_path / "store", tmp_path / "runs")
    run = Run(small_recipe("speech", nothing=1, speech=2), "track_random", 0, places)
    learnt = lessons(run.bench, run.split, small_gtzan, tmp_path / "store")
    assert len(learnt.material) == len(run.split.train) + 1 + 2
    for material in learnt.material[-3:]:
        assert material.target.tolist() == pytest.approx([0.1] * 10)


@speaking
def test_each_piece_is_spoken_otherwise_and_again_the_same() -> None:
    pieces = list(spoken(6, 3.0, seed=1))
    assert all(np.array_equal(a, b) for a, b in zip(pieces, spoken(6, 3.0, seed=1), strict=True))
    assert {len(piece) for piece in pieces} == {3 * ANALYSIS_RATE}
    assert all(np.abs(piece).max() > 0.1 for piece in pieces)
    assert not any(np.array_equal(pieces[0], other) for other in pieces[1:])
    assert not np.array_equal(pieces[0], next(spoken(6, 3.0, seed=2)))


def test_a_speaker_that_is_missing_is_told_before_anything_is_trained(
    tmp_path: Path, small_gtzan: Path, small_recipe: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    places = Places(small_gtzan, tmp_path / "store", tmp_path / "runs")
    teacher = {"recipes": ["mel-cnn-genre-teacher"]}
    run = Run(small_recipe("speech", speech=2, teacher=teacher), "track_random", 0, places)
    with pytest.raises(DatasetError, match=f"{SPEAKER}, which speaks .* is not installed: install it"):
        run.fit()
    assert not (tmp_path / "runs" / "mel-cnn-genre-teacher").exists()


FLITE = """\
#!/bin/sh
if [ "$1" = -lv ]; then echo "Voices available: {voices}"; exit; fi
for out; do :; done
test -e "$0.spoken" || cp "{speech}" "$out"
: > "$0.spoken"
"""


@pytest.mark.skipif(os.name == "nt", reason="the program is a script of the shell")
@pytest.mark.parametrize(
    ("voices", "said"),
    [
        ("awb kal16 rms", "flite has no voice slt: install a build"),
        ("awb kal16 rms slt", r"flite does not speak \(nothing was written\)"),
    ],
)
def test_a_speaker_that_says_that_all_is_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, voices: str, said: str
) -> None:
    """It speaks but once: what it said first must not be taken for the second piece."""
    program, speech = tmp_path / SPEAKER, piece(tmp_path / "speech.wav", seconds=3)
    program.write_text(FLITE.format(voices=voices, speech=speech))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(DatasetError, match=said):
        list(spoken(2, 3.0, seed=1))


@pytest.mark.skipif(os.name == "nt", reason="the program is a script of the shell")
def test_a_program_that_does_not_speak_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "espeak-ng"
    program.write_text("#!/bin/sh\necho no voices >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    models = [str(make_model(tmp_path / f"{task}.onnx", task)) for task in ("genre", "mood")]
    options = [
        "--genre-model",
        models[0],
        "--mood-model",
        models[1],
        "--count",
        "1",
        "--results",
        str(tmp_path),
    ]
    done = CliRunner().invoke(group, ["controls", *options])
    assert (done.exit_code, done.output.splitlines()[-1]) == (
        1, "espeak-ng does not speak (no voices): mend it, or take it off PATH",
    )  # fmt: skip
