"""Seeded augmentation: what is drawn is a value, so that applying it can be repeated (after audiotools).

Log-mel snippets are augmented in dB, before the normalisation inside the network; gain is no use there, since the
network is blind to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy.ndimage import map_coordinates

__all__ = [
    "Augmentation",
    "MelChange",
    "WaveChange",
    "apply_mel",
    "apply_wave",
    "draw_mel",
    "draw_wave",
    "mix_styles",
]


class Augmentation(BaseModel):
    """How strong each augmentation is; zero turns it off."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stretch: float = Field(
        0.0, ge=0, lt=0.5, description="largest relative change of tempo (waveform: of speed)"
    )
    jitter: float = Field(
        0.0, ge=0, lt=0.5, description="log-mel: largest displacement of each column, in columns"
    )
    shift: float = Field(0.0, ge=0, description="log-mel: largest shift in mel bands")
    tilt: float = Field(0.0, ge=0, description="deviation of the random equaliser curve, dB")
    floor: float = Field(
        0.0, ge=0, description="log-mel: the floor is raised to between 80 and 80 - floor dB below"
    )
    time_masks: int = Field(0, ge=0, description="log-mel: masked stretches of time (SpecAugment)")
    time_width: int = Field(0, ge=0, description="largest width in columns")
    band_masks: int = Field(0, ge=0, description="log-mel: masked stretches of bands (SpecAugment)")
    band_width: int = Field(0, ge=0, description="largest width in bands")
    noise: float = Field(
        0.0, ge=0, description="log-mel: deviation of noise in dB; waveform: largest noise, relative"
    )
    hiss: float = Field(
        0.0,
        ge=0,
        lt=80,
        description="log-mel: white noise is added, 80 + hiss (inaudible) to 80 - hiss dB below the loudest, uneven "
        "as of clicks",
    )
    cutoff: float = Field(
        0.0,
        ge=0,
        le=1,
        description="log-mel: share of snippets that lose the bands above a random one in the upper sixth, as files of "
        "low sample or bit rates do; of our networks, which drop the eight highest, two in three notice",
    )
    gain: float = Field(0.0, ge=0, description="waveform: largest gain either way, dB")
    style: float = Field(
        0.0,
        ge=0,
        le=1,
        description="log-mel: share of snippets whose bands' means and deviations are mixed with another's "
        "(Freq-MixStyle, Kim et al. 2022)",
    )
    mixup: float = Field(0.0, ge=0, description="alpha of mixup's beta distribution (Zhang et al. 2018)")


@dataclass(frozen=True)
class MelChange:
    """What happens to one log-mel snippet."""

    width: int
    shift: float
    curve: tuple[float, ...]
    dynamic_range: float
    time_masks: tuple[tuple[int, int], ...]
    band_masks: tuple[tuple[int, int], ...]
    noise: float
    hiss: float | None
    cutoff: int
    jitter: float
    seed: int


@dataclass(frozen=True)
class WaveChange:
    """What happens to one waveform snippet."""

    speed: float
    gain: float
    polarity: int
    tilt: float
    noise: float
    noise_seed: int


_CURVE_POINTS = 5
_STYLE_ALPHA = 0.4  # of the beta distribution of the shares, as Kim et al. have it
_LEAST_DEVIATION = 1e-3  # dB
_MEAN_HISS = -80.0  # dB re the loudest
_LEAST_KEPT = 5 / 6  # of the bands: 107 of 128 end at 6.3 kHz
_HISS_DEVIATION = 3.0  # dB, of its level in a column
_DB = 10 / np.log(10)  # of a power's natural logarithm


def draw_mel(rng: np.random.Generator, how: Augmentation, *, mels: int, frames: int) -> MelChange:
    """Draw what happens to a snippet of `frames` columns; `width` columns of the track are needed for it."""

    def masks(count: int, width: int, size: int) -> tuple[tuple[int, int], ...]:
        widths = rng.integers(0, width + 1, count)
        return tuple((int(rng.integers(0, size - w + 1)), int(w)) for w in widths)

    return MelChange(
        width=round(frames * (1 + rng.uniform(-how.stretch, how.stretch))),
        shift=float(rng.uniform(-how.shift, how.shift)),
        curve=tuple(rng.normal(0, how.tilt, _CURVE_POINTS)),
        dynamic_range=80 - float(rng.uniform(0, how.floor)),
        time_masks=masks(how.time_masks, how.time_width, frames),
        band_masks=masks(how.band_masks, how.band_width, mels),
        noise=float(rng.uniform(0, how.noise)),
        jitter=how.jitter,
        seed=int(rng.integers(2**31)),
        # Drawn last: without them, all else is drawn as ever.
        hiss=_MEAN_HISS + float(rng.uniform(-how.hiss, how.hiss)) if how.hiss else None,
        cutoff=int(rng.integers(round(mels * _LEAST_KEPT), mels)) if rng.random() < how.cutoff else mels,
    )


def apply_mel(columns: NDArray[np.float32], change: MelChange, *, frames: int) -> NDArray[np.float32]:
    """Apply a drawn change.

    Parameters
    ----------
    columns : ndarray of float32, shape (mels, change.width)
        dB.
    change : MelChange
        From `draw_mel`.
    frames : int
        Columns of the result.

    Returns
    -------
    ndarray of float32, shape (mels, frames)
    """
    mels = len(columns)
    rng = np.random.default_rng(change.seed)
    rows = np.arange(mels)[:, None] + change.shift
    times = np.linspace(0, columns.shape[1] - 1, frames)[None, :]
    times = times + rng.uniform(-change.jitter, change.jitter, times.shape)
    grid = np.broadcast_arrays(rows, times)
    out = map_coordinates(columns, grid, order=1, mode="nearest")
    out = np.maximum(out, out.max() - change.dynamic_range)
    points = np.linspace(0, mels - 1, _CURVE_POINTS)
    out += np.interp(np.arange(mels), points, change.curve).astype(np.float32)[:, None]
    if change.hiss is not None:
        # White noise is as strong in each band, since the filters' areas are alike; powers add up.
        level = out.max() + change.hiss + _HISS_DEVIATION * rng.standard_normal((1, frames), np.float32)
        out = (_DB * np.logaddexp(out / _DB, level / _DB)).astype(np.float32)
    out[change.cutoff :] = out.max() - change.dynamic_range
    if change.noise:
        out += change.noise * rng.standard_normal(out.shape, np.float32)
    mean = out.mean()
    for begin, width in change.time_masks:
        out[:, begin : begin + width] = mean
    for begin, width in change.band_masks:
        out[begin : begin + width] = mean
    return out


def mix_styles(
    rng: np.random.Generator, snippets: NDArray[np.float32], how: Augmentation
) -> NDArray[np.float32]:
    """Give some snippets of a batch, band by band, a mean and a deviation between their own and another's.

    What they are stays: mean and deviation of a band tell how a recording was made more than what is played.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws which, with whom and how much.
    snippets : ndarray of float32, shape (batch, mels, frames)
        dB.
    how : Augmentation
        `style` is the share of them.
    """
    count = len(snippets)
    share = rng.beta(_STYLE_ALPHA, _STYLE_ALPHA, (count, 1, 1)).astype(np.float32)
    share[rng.random(count) >= how.style] = 1
    other = rng.permutation(count)
    mean = snippets.mean(axis=2, keepdims=True)
    deviation = np.maximum(snippets.std(axis=2, keepdims=True), _LEAST_DEVIATION)
    wanted_mean = share * mean + (1 - share) * mean[other]
    wanted_deviation = share * deviation + (1 - share) * deviation[other]
    mixed: NDArray[np.float32] = (snippets - mean) / deviation * wanted_deviation + wanted_mean
    return mixed


def draw_wave(rng: np.random.Generator, how: Augmentation) -> WaveChange:
    """Draw what happens to a waveform snippet."""
    return WaveChange(
        speed=1 + float(rng.uniform(-how.stretch, how.stretch)),
        gain=float(10 ** (rng.uniform(-how.gain, how.gain) / 20)),
        polarity=int(rng.choice((-1, 1))) if how.gain else 1,
        tilt=float(np.clip(rng.normal(0, how.tilt) / 20, -0.9, 0.9)),
        noise=float(rng.uniform(0, how.noise)),
        noise_seed=int(rng.integers(2**31)),
    )


def apply_wave(samples: NDArray[np.float32], change: WaveChange, *, size: int) -> NDArray[np.float32]:
    """Apply a drawn change.

    Parameters
    ----------
    samples : ndarray of float32, shape (about size * change.speed,)
        Mono, -1 to 1.
    change : WaveChange
        From `draw_wave`.
    size : int
        Samples of the result.

    Returns
    -------
    ndarray of float32, shape (size,)
    """
    out = samples
    if change.speed != 1:
        positions = np.linspace(0, len(samples) - 1, size).astype(np.float32)
        below = positions.astype(np.int64)
        above = np.minimum(below + 1, len(samples) - 1)
        between = samples[below] + (positions - below) * (samples[above] - samples[below])
        out = between.astype(np.float32)
    out = out[:size].astype(np.float32)
    if change.tilt:  # first-order shelf: lifts the treble for negative, the bass for positive values
        out[1:] += np.float32(change.tilt) * out[:-1].copy()
    out *= change.gain * change.polarity
    if change.noise:
        level = change.noise * float(np.sqrt(np.mean(out * out)))
        out += level * np.random.default_rng(change.noise_seed).standard_normal(size, np.float32)
    return out
