"""Negative controls: what the models say of sounds that are no music. The confidence should be low."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import soundfile  # type: ignore[import-untyped]
from rich.progress import track as progress

from genrecore import model as model_files
from genrecore.analysis import Histogram
from genrecore.analyzer import Analyzer, model_names
from genrecore.audio import ANALYSIS_RATE
from genrecore.errors import AudioError
from genrecore.settings import Settings
from genrecore_training import nothing
from genrecore_training.speech import READER, read_aloud

__all__ = ["measure"]

_SECONDS = 20.0


def measure(settings: Settings, thresholds: Mapping[str, float], *, count: int = 20) -> dict[str, Any]:
    """Let both models hear each sound in `count` variants.

    Parameters
    ----------
    settings : Settings
        Which models.
    thresholds : mapping of str to float
        Task -> the least confidence at which a genre or mood is written.
    count : int
        Variants of a sound, seeded by their number.

    Returns
    -------
    dict
        For JSON: for each sound and task the greatest and the mean confidence, the classes, and the share of variants
        on which the model abstains; how often genrecore refuses the sound.
    """
    analyzer = Analyzer(settings)
    found: dict[str, Any] = {
        "count": count,
        "seconds": _SECONDS,
        "thresholds": dict(thresholds),
        "weights": {
            model_files.read_card(name).name: model_files.digest(name) for name in model_names(settings)
        },
        "sounds": [],
    }
    with TemporaryDirectory() as folder:
        for name, write in _writers().items():
            heard, refused = [], 0
            for number in progress(range(count), description=name, disable=not sys.stderr.isatty()):
                path = write(Path(folder) / "sound.wav", number)
                try:
                    heard.append(analyzer.analyze(path))
                except AudioError:
                    refused += 1
            entry: dict[str, Any] = {"sound": name, "refused": refused}
            if heard:
                entry["genre"] = _said([a.genre for a in heard], thresholds["genre"])
                entry["mood"] = _said([a.mood for a in heard], thresholds["mood"])
            found["sounds"].append(entry)
    return found


def _said(histograms: list[Histogram], threshold: float) -> dict[str, Any]:
    sure = [histogram.confidence for histogram in histograms]
    return {
        "model": histograms[0].model,
        "classes": dict(Counter(histogram.top for histogram in histograms).most_common()),
        "greatest confidence": round(max(sure), 4),
        "mean confidence": round(float(np.mean(sure)), 4),
        "abstains": round(float(np.mean([confidence < threshold for confidence in sure])), 4),
    }


def _writers() -> dict[str, Callable[[Path, int], Path]]:
    def of(sound: Callable[[np.random.Generator, float], nothing.Sound]) -> Callable[[Path, int], Path]:
        def write(path: Path, number: int) -> Path:
            soundfile.write(path, sound(np.random.default_rng(number), _SECONDS), ANALYSIS_RATE)
            return path

        return write

    writers = {
        "white noise": of(nothing.noise),
        "pink noise": of(partial(nothing.noise, slope=1.0)),
        "sine": of(nothing.sine),
        "sweep": of(nothing.sweep),
        "clicks": of(nothing.clicks),
        "silence": of(lambda _, seconds: np.zeros(round(seconds * ANALYSIS_RATE), np.float32)),
    }
    if shutil.which(READER) is not None:
        writers["speech"] = read_aloud
    return writers
