"""Log-mel spectrograms: the only implementation, used for training and for serving.

The numbers are librosa's (``melspectrogram`` then ``power_to_db`` without reference and floor), see
https://librosa.org/doc/0.11.0/generated/librosa.feature.melspectrogram.html, in single precision and without librosa.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import scipy.fft
import scipy.sparse
from numpy.typing import NDArray

__all__ = ["LOGMEL_VERSION", "LogMelSpec", "frames_of", "logmel", "mel_filters"]

#: Part of the cache key: raised whenever the same samples would give another spectrogram.
LOGMEL_VERSION = 1

# Frames per FFT call: keeps the work in the cache and the memory flat for a one-hour track.
_BLOCK = 256


@dataclass(frozen=True)
class LogMelSpec:
    """Everything that decides what a log-mel spectrogram looks like.

    Parameters
    ----------
    sample_rate : int
        Hz of the samples.
    n_fft, hop_length, win_length : int
        Samples.
    window : {'hann'}
        Name of the window; periodic.
    n_mels : int
        Bands.
    fmin, fmax : float
        Hz, edges of the lowest and the highest band.
    scale : {'slaney', 'htk'}
        Formula of the mel scale.
    norm : {'slaney', 'none'}
        Area normalisation of the filters.
    centre : bool
        Frame t is centred on sample t * hop_length; before the start and after the end stands `pad_mode`.
    pad_mode : {'constant'}
        Zeros.
    amin : float
        Smallest power: 1e-10 is -100 dB.
    """

    sample_rate: int = 22050
    n_fft: int = 2048
    hop_length: int = 1708
    win_length: int = 2048
    window: str = "hann"
    n_mels: int = 128
    fmin: float = 0.0
    fmax: float = 11025.0
    scale: str = "slaney"
    norm: str = "slaney"
    centre: bool = True
    pad_mode: str = "constant"
    amin: float = 1e-10

    def __post_init__(self) -> None:
        if self.scale not in ("slaney", "htk") or self.norm not in ("slaney", "none"):
            raise ValueError("mel scale is slaney or htk, norm is slaney or none")
        if self.window != "hann" or self.pad_mode != "constant":
            raise ValueError("the window is hann, and pad_mode constant")
        if not (
            self.hop_length > 0 and 0 < self.win_length <= self.n_fft and self.n_mels > 0 and self.amin > 0
        ):
            raise ValueError(
                "hop, window, bands and amin must be positive, and the window at most n_fft long"
            )
        if not 0 <= self.fmin < self.fmax <= self.sample_rate / 2:
            raise ValueError("the mel bands must lie between 0 Hz and half the sample rate")

    def with_hop(self, hop_length: int) -> LogMelSpec:
        """The same with another hop length."""
        return LogMelSpec(**{**asdict(self), "hop_length": hop_length})

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the metadata of a model file."""
        return asdict(self)


def frames_of(n_samples: int, spec: LogMelSpec) -> int:
    """Number of frames that `logmel` gives for `n_samples` samples."""
    if spec.centre:
        return 1 + n_samples // spec.hop_length
    return max(0, 1 + (n_samples - spec.n_fft) // spec.hop_length)


def logmel(samples: NDArray[np.float32], spec: LogMelSpec) -> NDArray[np.float32]:
    """Log-mel spectrogram in dB re full scale.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,)
        Mono, -1 to 1, at ``spec.sample_rate``.
    spec : LogMelSpec
        Window, hop, bands.

    Returns
    -------
    ndarray of float32, shape (n_mels, frames)
        ``10 log10(max(amin, power))``, without track reference and without top_db; row 0 is the lowest band.

    Examples
    --------
    >>> logmel(np.zeros(22050, np.float32), LogMelSpec()).shape
    (128, 13)
    """
    signal = np.ascontiguousarray(samples, dtype=np.float32)
    frames = frames_of(len(signal), spec)
    out = np.empty((spec.n_mels, frames), np.float32)
    window, bank = _window(spec), _sparse_filters(spec)
    for begin in range(0, frames, _BLOCK):
        end = min(frames, begin + _BLOCK)
        views = np.lib.stride_tricks.sliding_window_view(_stretch(signal, begin, end, spec), spec.n_fft)
        spectrum = scipy.fft.rfft(views[:: spec.hop_length] * window, axis=1)
        power = np.square(spectrum.real) + np.square(spectrum.imag)
        np.maximum(bank @ power.T, spec.amin, out=out[:, begin:end])
    np.log10(out, out=out)
    out *= 10
    return out


def _stretch(signal: NDArray[np.float32], begin: int, end: int, spec: LogMelSpec) -> NDArray[np.float32]:
    """Samples of the frames from `begin` to before `end`; zeros beyond the ends, without a copy of the whole track."""
    first = begin * spec.hop_length - (spec.n_fft // 2 if spec.centre else 0)
    last = first + (end - 1 - begin) * spec.hop_length + spec.n_fft
    inside = signal[max(0, first) : max(0, last)]
    return np.pad(inside, (max(0, -first), max(0, last - len(signal))))


@lru_cache(maxsize=8)
def mel_filters(spec: LogMelSpec) -> NDArray[np.float32]:
    """Triangular mel filters, shape (n_mels, 1 + n_fft // 2), as ``librosa.filters.mel`` makes them."""
    low, high = _hz_to_mel(np.array([spec.fmin, spec.fmax]), spec.scale)
    edges = _mel_to_hz(np.linspace(low, high, spec.n_mels + 2), spec.scale)
    bins = np.fft.rfftfreq(spec.n_fft, 1 / spec.sample_rate)
    widths = np.diff(edges)
    ramps = edges[:, None] - bins[None, :]
    rising = -ramps[:-2] / widths[:-1, None]
    falling = ramps[2:] / widths[1:, None]
    filters = np.maximum(0, np.minimum(rising, falling))
    if spec.norm == "slaney":
        filters *= (2.0 / (edges[2:] - edges[:-2]))[:, None]
    return filters.astype(np.float32)


@lru_cache(maxsize=8)
def _sparse_filters(spec: LogMelSpec) -> Any:
    # Nearly all of a filter is zeros; and unlike BLAS the product is the same to the bit whatever the threads.
    return scipy.sparse.csr_array(mel_filters(spec))


@lru_cache(maxsize=8)
def _window(spec: LogMelSpec) -> NDArray[np.float32]:
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(spec.win_length) / spec.win_length)
    before = (spec.n_fft - spec.win_length) // 2
    return np.pad(window, (before, spec.n_fft - spec.win_length - before)).astype(np.float32)


# Slaney's Auditory Toolbox (1998): linear below 1 kHz, logarithmic above.
_SLANEY_STEP = 200 / 3
_SLANEY_KNEE = 1000.0
_SLANEY_LOG = np.log(6.4) / 27


def _hz_to_mel(hz: NDArray[np.float64], scale: str) -> NDArray[np.float64]:
    if scale == "htk":
        return 2595.0 * np.log10(1.0 + hz / 700.0)
    above = _SLANEY_KNEE / _SLANEY_STEP + np.log(np.maximum(hz, _SLANEY_KNEE) / _SLANEY_KNEE) / _SLANEY_LOG
    return np.where(hz < _SLANEY_KNEE, hz / _SLANEY_STEP, above)


def _mel_to_hz(mel: NDArray[np.float64], scale: str) -> NDArray[np.float64]:
    if scale == "htk":
        return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
    knee = _SLANEY_KNEE / _SLANEY_STEP
    above = _SLANEY_KNEE * np.exp(_SLANEY_LOG * (np.maximum(mel, knee) - knee))
    return np.where(mel < knee, mel * _SLANEY_STEP, above)
