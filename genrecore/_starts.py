"""Where the random snippets of a track start: decisions only, nothing is read here."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["GRID", "QUIET", "SHORT_FILES", "Starts", "draw_starts", "fit", "seed_of", "window_loudness"]

Samples = NDArray[np.float32]
Starts = NDArray[np.int64]

#: Snippets start on multiples of this many samples: the hop of the log-mel networks (77 ms), so that a
#: snippet's columns are columns of the track's spectrogram.
GRID = 1708

#: A window this much quieter than the loudest (60 dB, as ratio of amplitudes) is silent and not listened to.
QUIET = 1e-3

#: What is done with a track shorter than a window.
SHORT_FILES: Literal["tile", "pad"] = "tile"

# How often the silent windows are drawn again before they are taken as they are.
_REDRAWS = 8


def seed_of(content_hash: str) -> int:
    """Seed for the starts of a track: the first 52 bits of its content hash, which JSON keeps exactly."""
    return int(content_hash.rpartition(":")[2][:13], 16)


def fit(samples: Samples, window: int, mode: Literal["tile", "pad"] = SHORT_FILES) -> Samples:
    """Bring samples to the length of a window.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,)
        At least one.
    window : int
        Samples wanted; of longer input the beginning is taken.
    mode : {'tile', 'pad'}
        Repeat the samples, or centre them in silence.

    Returns
    -------
    ndarray of float32, shape (window,)
    """
    if not len(samples):
        raise ValueError("there is nothing to fit into a window")
    if len(samples) >= window:
        return samples[:window]
    if mode == "tile":
        return np.resize(samples, window)
    before = (window - len(samples)) // 2
    return np.pad(samples, (before, window - len(samples) - before))


def window_loudness(samples: Samples, window: int) -> NDArray[np.float64]:
    """Root mean square of every window that starts on the grid, shape (places,).

    It is measured over the whole cells of the grid inside of a window.
    """
    cells = max(1, min(window, len(samples)) // GRID)
    usable = max(1, len(samples) // GRID)
    size = min(GRID, len(samples))
    grid = samples[: usable * size].reshape(usable, size)
    energy = np.einsum("ij,ij->i", grid, grid).astype(np.float64) / size
    total = np.concatenate([[0.0], np.cumsum(energy)])
    places = _places(len(samples), window)
    first = np.minimum(np.arange(places), usable - cells)
    return np.sqrt((total[first + cells] - total[first]) / cells)


def draw_starts(
    n_samples: int,
    window: int,
    count: int,
    seed: int,
    loudness: NDArray[np.float64] | Callable[[Starts], NDArray[np.float64]] | None = None,
) -> Starts:
    """Draw where the snippets of a track start.

    One in each of `count` equal parts of what is not silent beside the loudest, at random within it (stratified
    sampling, Cochran 1977, chapter 5): every such place on the grid is equally likely, and what is heard depends
    less on the drawing than if each window could lie anywhere. Where loudness is only known once it is asked
    for, the parts are those of the whole track, and silent windows are drawn again, anywhere, up to 8 times.

    Parameters
    ----------
    n_samples : int
        Length of the track, at least a window.
    window : int
        Length of a snippet in samples.
    count : int
        How many.
    seed : int
        See `seed_of`. The same seed gives the same starts everywhere.
    loudness : ndarray of float, shape (places,), or callable, optional
        Root mean square of the window at each place of the grid; or what gives it for an array of starts,
        and is asked once a round, only for those drawn in it. Without it nothing is silent.

    Returns
    -------
    ndarray of int64, shape (count,)
        Multiples of `GRID`, part by part; ascending but for those that were drawn again.

    Examples
    --------
    >>> draw_starts(22050 * 30, 66150, 3, seed=1).tolist()
    [25620, 365512, 548268]
    """
    if window > n_samples or window <= 0 or count <= 0:
        raise ValueError(f"{count} windows of {window} samples cannot be drawn from {n_samples}")
    places = _places(n_samples, window)
    generator = random.Random(seed)  # its random() is promised to stay the same; numpy's generators are not

    if loudness is None or callable(loudness):
        audible = np.arange(places)
    else:
        audible = np.flatnonzero(loudness >= QUIET * loudness.max())
    inside = [int((part + generator.random()) / count * len(audible)) for part in range(count)]
    # A sum of floats may round up to the end.
    starts: Starts = audible[np.minimum(inside, len(audible) - 1)].astype(np.int64) * GRID
    if not callable(loudness):
        return starts
    levels = loudness(starts)
    loudest = float(levels.max())
    for _ in range(_REDRAWS):
        silent = np.flatnonzero(levels < QUIET * loudest)
        if not len(silent):
            break
        starts[silent] = [int(generator.random() * places) * GRID for _ in silent]
        levels[silent] = loudness(starts[silent])
        loudest = max(loudest, float(levels.max()))
    return starts


def _places(n_samples: int, window: int) -> int:
    return max(0, n_samples - window) // GRID + 1
