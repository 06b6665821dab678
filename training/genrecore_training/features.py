"""Decode once, keep: a folder of arrays, one file a track, made in parallel and taken up again where it stopped."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track as progress

from genrecore import snippets
from genrecore.spectrogram import LOGMEL_VERSION, LogMelSpec, logmel
from genrecore_training.datasets import Track

__all__ = ["Store"]

# 16-bit steps a unit: lossy files peak above full scale, by 3 dB and more.
_STEPS = 16_000


class Store:
    """Waveforms and log-mels of a data set's tracks.

    Parameters
    ----------
    folder : Path
        Where the arrays are kept; one sub-folder a kind and version.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self, tracks: Sequence[Track], *, jobs: int | None = None) -> None:
        """Decode what is not there yet, in parallel.

        Raises
        ------
        genrecore.errors.AudioError
            If a file of the data set does not decode.
        """
        todo = [track for track in tracks if not self._waveform_file(track).is_file()]
        if not todo:
            return
        self._waveform_file(todo[0]).parent.mkdir(parents=True, exist_ok=True)
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            results = pool.map(
                partial(_decode, folder=self._waveform_file(todo[0]).parent), todo, chunksize=8
            )
            for _ in progress(results, total=len(todo), description="decoding"):
                pass

    def waveform(self, track: Track) -> NDArray[np.int16]:
        """Samples at the analysis rate, memory-mapped 16-bit integers, shape (n,)."""
        return np.load(self._waveform_file(track), mmap_mode="r")

    def logmel(self, track: Track, spec: LogMelSpec, *, least: int = 0) -> NDArray[np.float16]:
        """Log-mel of a whole track in dB re full scale, shape (mels, frames); made on first use.

        A track shorter than `least` samples is tiled to that length, as serving does.
        """
        file = self.folder / f"logmel-{LOGMEL_VERSION}-{spec.n_mels}-{spec.hop_length}" / f"{track.id}.npy"
        if not file.is_file():
            file.parent.mkdir(parents=True, exist_ok=True)
            samples = as_float(self.waveform(track))
            fitted = samples if len(samples) >= least else snippets.fit(samples, least)
            _save(file, logmel(fitted, spec).astype(np.float16))
        return np.load(file)

    def _waveform_file(self, track: Track) -> Path:
        from genrecore import audio

        return self.folder / f"waveform-{audio.DECODER_VERSION}" / f"{track.id}.npy"


def as_float(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """Stored 16-bit samples as float32, where full scale is 1."""
    return samples.astype(np.float32) / np.float32(_STEPS)


def _decode(track: Track, folder: Path) -> None:
    from genrecore import audio

    samples = audio.load(str(track.path)).samples
    _save(folder / f"{track.id}.npy", (np.clip(samples, -2, 2) * _STEPS).round().astype(np.int16))


def _save(file: Path, array: NDArray[np.generic]) -> None:
    partial_file = file.with_suffix(
        ".partial.npy"
    )  # a run killed here leaves no half file under the real name
    np.save(partial_file, array)
    partial_file.replace(file)
