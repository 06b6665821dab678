"""The example of the documentation, run as a reader would."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import synth

from genrecore import model as model_files
from genrecore.analyzer import Analyzer
from genrecore.settings import Settings

EXAMPLE = Path(__file__).parents[2] / "examples" / "foreign_model.py"


def test_a_model_made_elsewhere_is_heard_by_genrecore(tmp_path: Path) -> None:
    rng, t = np.random.default_rng(1), np.arange(10 * 22050) / 22050
    for genre, low in (("Deep", 60), ("High", 2000), ("Middle", 500)):
        (tmp_path / "music" / genre).mkdir(parents=True)
        for number in range(3):
            tones = sum(np.sin(2 * np.pi * f * t) for f in rng.uniform(low, 1.5 * low, 3))
            synth.write(
                tmp_path / "music" / genre / f"{number}.flac", (0.1 * tones).astype(np.float32), rate=22050
            )
    target = tmp_path / "model.onnx"
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), str(tmp_path / "music"), str(target)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert model_files.read_card(target).labels == ("Deep", "High", "Middle")
    heard = Analyzer(Settings(snippets=5, device="cpu", genre_model=str(target))).analyze(
        tmp_path / "music" / "High" / "0.flac"
    )
    assert heard.genre.top == "High"
    assert heard.genre.model == "foreign 1"
