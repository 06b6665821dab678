"""The training subproject's tests need the training extra; they are skipped, visibly, without it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import synth

pytest.importorskip("lightning", reason="the training extra is not installed")

if TYPE_CHECKING:
    from genrecore_training.recipes import Recipe

_PITCHES = {"blues": 220.0, "metal": 3520.0}


@pytest.fixture(scope="session")
def small_gtzan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of GTZAN with ten tracks of each of two genres, which differ in pitch, and of Emotify with two clips."""
    root = tmp_path_factory.mktemp("small")
    lines = []
    for genre, pitch in _PITCHES.items():
        (root / "gtzan" / "genres_original" / genre).mkdir(parents=True)
        for number in range(10):
            rng, t = np.random.default_rng(number), np.arange(8 * 22050) / 22050
            tone = np.sin(2 * np.pi * pitch * rng.uniform(0.9, 1.1) * t) + 0.1 * rng.standard_normal(len(t))
            name = f"{genre}.{number:05}"
            path = root / "gtzan" / "genres_original" / genre / f"{name}.wav"
            synth.write(path, (0.2 * tone).astype(np.float32), rate=22050)
            lines.append(f"{name}.wav ::: {genre} artist {number} ::: song")
    (root / "gtzan" / "artists_titles_sturm.txt").write_text("\n".join(lines) + "\n")
    (root / "emotify" / "audio").mkdir(parents=True)
    columns = "amazement,solemnity,tenderness,nostalgia,calmness,power,joyful_activation,tension,sadness"
    rows = "".join(f"{number},pop,40{',0.5' * 9}\n" for number in (1, 2))
    (root / "emotify" / "annotations.csv").write_text(f"track_id,genre,n_raters,{columns}\n{rows}")
    for number in (1, 2):
        synth.piece(root / "emotify" / "audio" / f"{number}.opus", 5, rate=48000, channels=1)
    return root


@pytest.fixture(scope="session")
def small_recipe() -> Callable[..., Recipe]:
    """Makes recipes of a network that learns `small_gtzan` in seconds."""
    from genrecore_training import recipes
    from genrecore_training.recipes import Recipe

    def make(name: str, **changes: object) -> Recipe:
        content = recipes.load("end2end-gru-mel").model_dump(mode="json")
        content["network"], content["network_options"] = "mel-cnn", {"widths": [4, 6, 8, 8], "dropout": 0.0}
        content["optimisation"] |= {
            "epochs": 8,
            "batch": 16,
            "learning_rate": 0.01,
            "ema": None,
            "precision": "32-true",
        }
        content["augmentation"] = {}
        content |= {"name": name, "protocols": ["track_random"], "shares": [0.6, 0.2, 0.2]} | changes
        return Recipe.model_validate(content)

    return make
