"""Sounds that are no music, made up: noise of any colour, tones, sweeps, clicks.

They are of no class. Learnt from, their target is the even distribution (outlier exposure, Hendrycks, Mazeika,
Dietterich 2019).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.signal import chirp

from genrecore.audio import ANALYSIS_RATE

__all__ = ["clicks", "made_up", "noise", "sine", "sweep"]

Sound = NDArray[np.float32]

_PEAK = 0.5


def noise(rng: np.random.Generator, seconds: float, *, slope: float = 0.0) -> Sound:
    """Noise whose power falls with frequency to the power of `slope`: 0 white, 1 pink, 2 brown; peak 0.5."""
    count = round(seconds * ANALYSIS_RATE)
    spectrum = np.fft.rfft(rng.standard_normal(count))
    weights = np.maximum(1, np.arange(len(spectrum))) ** (-slope / 2)
    return _to_peak(np.fft.irfft(spectrum * weights, count))


def sine(rng: np.random.Generator, seconds: float) -> Sound:
    """A tone of 80 Hz to 4 kHz."""
    return _to_peak(np.sin(2 * np.pi * rng.uniform(80, 4000) * _time(seconds)))


def sweep(rng: np.random.Generator, seconds: float) -> Sound:
    """A tone that rises from 50 to 200 Hz up to 3 to 8 kHz."""
    return _to_peak(chirp(_time(seconds), rng.uniform(50, 200), seconds, rng.uniform(3000, 8000)))


def clicks(rng: np.random.Generator, seconds: float) -> Sound:
    """One to ten clicks a second, at random."""
    return _to_peak((rng.random(len(_time(seconds))) < rng.uniform(1, 10) / ANALYSIS_RATE).astype(float))


def made_up(count: int, seconds: float, *, seed: int) -> Iterator[Sound]:
    """Sounds to learn from: noise of all colours, alone or behind a tone, tones and sweeps.

    Clicks are left to the negative controls, which then also hear what no network was taught.

    Parameters
    ----------
    count : int
        How many.
    seconds : float
        How long each is.
    seed : int
        Of all of them.

    Yields
    ------
    ndarray of float32, shape (n,)
        Mono at the analysis rate, peak 0.5.
    """
    rng = np.random.default_rng([seed, count])
    tones: tuple[Callable[[np.random.Generator, float], Sound], ...] = (sine, sweep)
    for number in range(count):
        hiss = noise(rng, seconds, slope=rng.uniform(0, 2))
        tone = tones[number % 2](rng, seconds)
        share = rng.choice((0.0, 1.0, rng.uniform()), p=(0.5, 0.25, 0.25))
        yield _to_peak(share * tone + (1 - share) * hiss)


def _to_peak(samples: NDArray[np.floating]) -> Sound:
    scaled: Sound = (samples / max(1e-9, float(np.abs(samples).max())) * _PEAK).astype(np.float32)
    return scaled


def _time(seconds: float) -> NDArray[np.float64]:
    return np.arange(round(seconds * ANALYSIS_RATE)) / ANALYSIS_RATE
