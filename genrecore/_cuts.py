"""Snippets that are cut only when they are asked for: however many, they take the memory of what they are cut from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from math import prod

import numpy as np
from numpy.typing import NDArray

from genrecore._starts import Starts

__all__ = ["Columns", "Cuts", "PieceColumns", "Ready", "Windows"]

Samples = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Cuts(ABC):
    """The snippets of a track as one model wants them; ``cuts[20:40]`` makes those of a range, and keeps nothing.

    Parameters
    ----------
    source : ndarray of float32
        What they are cut from.
    """

    source: Samples = field(repr=False)

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Number of snippets, then the shape of one."""

    @abstractmethod
    def __getitem__(self, part: slice) -> Samples:
        """Some of the snippets, float32."""

    def __len__(self) -> int:
        return self.shape[0]

    def packed(self) -> Cuts:
        """The same in the least room: the source, or where they are few the snippets."""
        return Ready(self[:]) if prod(self.shape) < self.source.size else self


@dataclass(frozen=True, eq=False)
class Ready(Cuts):
    """Snippets that lie there already.

    Parameters
    ----------
    source : ndarray of float32, shape (count, ...)
        They.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        return self.source.shape

    def __getitem__(self, part: slice) -> Samples:
        return np.ascontiguousarray(self.source[part])


@dataclass(frozen=True, eq=False)
class Windows(Cuts):
    """Stretches of a waveform.

    Parameters
    ----------
    source : ndarray of float32, shape (n,)
        The track.
    starts : ndarray of int64, shape (count,)
        Their first samples.
    length : int
        Samples of each.
    """

    starts: Starts = field(repr=False)
    length: int

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.starts), self.length)

    def __getitem__(self, part: slice) -> Samples:
        return np.lib.stride_tricks.sliding_window_view(self.source, self.length)[self.starts[part]]


@dataclass(frozen=True, eq=False)
class Columns(Cuts):
    """Runs of columns of one spectrogram; those that would pass its end are moved back.

    Parameters
    ----------
    source : ndarray of float32, shape (mels, n)
        The spectrogram of the track.
    first : ndarray of int64, shape (count,)
        Their first columns.
    frames, step : int
        How many columns each has, and from one to the next.
    """

    first: Starts = field(repr=False)
    frames: int
    step: int

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.first), len(self.source), self.frames)

    def __getitem__(self, part: slice) -> Samples:
        return _runs(self.source, self.first[part], self.frames, self.step)


@dataclass(frozen=True, eq=False)
class PieceColumns(Cuts):
    """A run of columns out of each of many spectrograms.

    Parameters
    ----------
    source : ndarray of float32, shape (count, mels, n)
        The spectrograms of the pieces of a long track.
    first, frames, step : int
        As for `Columns`.
    """

    first: int
    frames: int
    step: int

    @property
    def shape(self) -> tuple[int, ...]:
        return (*self.source.shape[:2], self.frames)

    def __getitem__(self, part: slice) -> Samples:
        first = np.array([self.first])
        return np.concatenate([_runs(piece, first, self.frames, self.step) for piece in self.source[part]])


def _runs(columns: Samples, first: Starts, frames: int, step: int) -> Samples:
    first = np.clip(first, 0, columns.shape[1] - 1 - (frames - 1) * step)
    cut = columns[:, first[:, None] + step * np.arange(frames)]
    return np.ascontiguousarray(cut.transpose(1, 0, 2))
