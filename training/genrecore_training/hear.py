"""What a trained network says of the tracks of a bench, in every way in which they can be heard."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrecore import model as model_files
from genrecore.analysis import Histogram, aggregate
from genrecore.model import Model
from genrecore.runtime import import_onnxruntime
from genrecore_training.datasets import Gtzan
from genrecore_training.export import TABLE_KEY
from genrecore_training.listen import columns_histogram, file_histogram, paired_histogram, windows_histogram
from genrecore_training.material import Bench

__all__ = ["HEARD", "Ear", "hear", "open_ear"]

#: What the ways in which a test track is heard are called, in the order of the tables.
HEARD = {
    "snippet": "single snippets",
    "numbers": "numbers of a table",
    "columns": "archived log-mel of 30 s, 100 snippets",
    "sections": "all sections of a track",
    "waveform": "audio file, 100 snippets",
    "windows": "audio file, 10 windows",
    "slice": "slice of 2 to 3 s, tiled",
    "sound": "all sound: 10 windows of a full track, else its slice",
}


@dataclass(frozen=True)
class Ear:
    """A network's file, opened.

    Parameters
    ----------
    run : callable
        Snippets, float32 [batch, ...], to probabilities [batch, classes].
    labels : tuple of str
        Classes.
    id : str
        Name and version.
    temperature : float
        Of the calibration.
    model : Model or None
        The model file, for networks that hear sound.
    """

    run: Callable[[NDArray[np.float32]], NDArray[np.float32]]
    labels: tuple[str, ...]
    id: str
    temperature: float
    model: Model | None

    def histogram(self, snippets: NDArray[np.float32]) -> Histogram:
        """Histogram of snippets of one track, through genrecore's own aggregation."""
        return aggregate(
            self.run(snippets).tolist(), self.labels, model=self.id, temperature=self.temperature
        )


def open_ear(path: Path, *, table: bool) -> Ear:
    """Open a network's file.

    Parameters
    ----------
    path : Path
        A model file, or an ONNX file on numbers of a table.
    table : bool
        Which of the two.
    """
    if not table:
        model = model_files.load(path, device="cpu")
        card = model.card
        return Ear(model.run, card.labels, card.id, card.temperature, model)
    session = import_onnxruntime().InferenceSession(str(path), providers=["CPUExecutionProvider"])
    about: dict[str, Any] = json.loads(session.get_modelmeta().custom_metadata_map[TABLE_KEY])

    def run(numbers: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(session.run(None, {"snippets": numbers})[0])

    return Ear(run, tuple(about["labels"]), about["id"], about["temperature"], None)


def hear(bench: Bench, ear: Ear, name: str, *, thorough: bool) -> list[tuple[str, Histogram]]:
    """Histograms of a track, or of one snippet of it, with the way in which it was heard.

    Parameters
    ----------
    bench : Bench
        The data.
    ear : Ear
        The network.
    name : str
        A track's or a snippet's id.
    thorough : bool
        In every way; else in a single one, for decisions.
    """
    settings = bench.recipe.input
    if settings.sections is not None:
        heard = ear.histogram(bench.snippets(name))
        track, number = bench.piece_of(name)
        if ear.model is None:
            return [("numbers", heard)]
        return [
            ("snippet" if number is not None else "sections" if bench.is_whole(track) else "slice", heard)
        ]
    if ear.model is None:
        raise ValueError("a network on numbers of a table hears one section")
    if isinstance(bench.dataset, Gtzan):
        return _hear_gtzan(bench, ear.model, name, thorough=thorough)
    return [("waveform", file_histogram(ear.model, bench.tracks[name]))]


def _hear_gtzan(bench: Bench, model: Model, name: str, *, thorough: bool) -> list[tuple[str, Histogram]]:
    track, archive, found = bench.tracks[name], bench.archived, []
    if archive is not None:
        found.append(("columns", columns_histogram(model, archive.logmel(name), name)))
        if not thorough:
            return found
        if track.path is not None and track.whole:
            found.append(("paired", paired_histogram(model, archive.logmel(name), track)))
    if track.path is not None and track.whole:
        found.append(("windows", windows_histogram(model, track)))
        if thorough:
            found.append(("waveform", file_histogram(model, track)))
    elif track.path is not None:
        found.append(("slice", file_histogram(model, track)))
    return found
