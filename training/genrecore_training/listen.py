"""What a model file says about test tracks, heard exactly as genrecore hears them."""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np
from numpy.typing import NDArray

from genrecore import snippets
from genrecore.analysis import Histogram
from genrecore.analyzer import listen
from genrecore.model import Model
from genrecore_training.datasets import Track

__all__ = ["columns_histogram", "file_histogram", "paired_histogram", "seed_of_id", "windows_histogram"]

SNIPPETS = 100


def seed_of_id(track_id: str) -> int:
    """Seed for a track of which there is no file to hash."""
    return int(hashlib.sha256(track_id.encode()).hexdigest()[:13], 16)


def columns_histogram(
    model: Model, columns: NDArray[np.float32], track_id: str, *, count: int = SNIPPETS
) -> Histogram:
    """Histogram of archived log-mel columns: `count` random snippets.

    Parameters
    ----------
    model : Model
        One that listens to log-mel.
    columns : ndarray of float32, shape (mels, n)
        dB.
    track_id : str
        Seeds the starts.
    count : int
        Number of snippets.
    """
    # As if each column were a place of the grid, as which they were made.
    length, window = columns.shape[1] * snippets.GRID, model.card.input.shape[1] * snippets.GRID
    starts = snippets.draw_starts(length, window, count, seed_of_id(track_id))
    return listen(model, _cut(model, columns, starts // snippets.GRID))


def paired_histogram(
    model: Model, columns: NDArray[np.float32], track: Track, *, count: int = SNIPPETS
) -> Histogram:
    """Histogram of archived columns at the very snippets that `file_histogram` hears of the file.

    What the two say differs by the way to the spectrogram alone, and not by which snippets were drawn.
    """
    spec = model.card.input.logmel
    if spec is None:
        raise ValueError(f"{model.card.id} does not listen to log-mel")
    starts = np.rint(_open(model, track, count).starts / spec.hop_length).astype(np.int64)
    return listen(
        model, _cut(model, columns, np.minimum(starts, columns.shape[1] - model.card.input.shape[1]))
    )


def file_histogram(
    model: Model, track: Track, *, count: int = SNIPPETS, draw: int | None = None
) -> Histogram:
    """Histogram of an audio file: genrecore's own decoding, snippets and spectrogram.

    Parameters
    ----------
    model : Model
        The model.
    track : Track
        With its path.
    count : int
        Number of snippets.
    draw : int, optional
        Seeds other snippets than those that the content of the file does.
    """
    return listen(model, snippets.inputs_for(model.card, _open(model, track, count, draw)))


def windows_histogram(model: Model, track: Track, *, count: int = 10) -> Histogram:
    """Histogram of `count` evenly spaced windows of a full waveform (protocol ``artist_grouped_3``)."""
    opened = _open(model, track, count)
    if opened.samples is None:
        raise ValueError(f"{track.path} is too long to be taken whole")
    room = len(opened.samples) - opened.window
    starts = np.linspace(0, room, count).astype(np.int64) // snippets.GRID * snippets.GRID
    return listen(model, snippets.inputs_for(model.card, dataclasses.replace(opened, starts=starts)))


def _open(model: Model, track: Track, count: int, draw: int | None = None) -> snippets.Track:
    known = None if draw is None else hashlib.sha256(f"{track.id} {draw}".encode()).hexdigest()
    return snippets.open_track(
        str(track.path), count=count, seconds=model.card.snippet_seconds, content_hash=known
    )


def _cut(model: Model, columns: NDArray[np.float32], starts: NDArray[np.int64]) -> NDArray[np.float32]:
    frames = model.card.input.shape[1]
    return np.stack([columns[:, start : start + frames] for start in starts])
