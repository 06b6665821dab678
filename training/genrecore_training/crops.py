"""Random snippets of training tracks, and evenly spaced ones for validation, as torch data sets.

Every snippet is drawn from a generator seeded with (seed, epoch, index): a resumed run draws what
an unbroken one would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from genrecore_training.augment import Augmentation, apply_mel, apply_wave, draw_mel, draw_wave, mix_styles
from genrecore_training.features import as_float

__all__ = ["Crops", "EvenCrops", "Material", "as_batch"]


@dataclass(frozen=True)
class Material:
    """One track as the crops see it.

    Parameters
    ----------
    signal : ndarray
        Waveform, 16-bit integers of shape (n,), log-mel in dB of shape (mels, n), or numbers of a table, float32.
    target : ndarray of float32, shape (classes,)
        One for the label; values of further heads behind it, NaN where nothing is known.
    crops : int
        Snippets an epoch.
    taught : ndarray of float32, shape (places, classes), optional
        What teachers say at every `step` of the signal, in place of the label.
    step : int
        Samples, or columns, from one place to the next.
    """

    signal: NDArray[Any]
    target: NDArray[np.float32]
    crops: int
    taught: NDArray[np.float32] | None = None
    step: int = 1

    @property
    def length(self) -> int:
        """Samples, or columns."""
        return int(self.signal.shape[-1])

    def target_at(self, start: int) -> NDArray[np.float32]:
        """The target of a snippet from `start` on."""
        if self.taught is None:
            return self.target
        said = self.taught[min(round(start / self.step), len(self.taught) - 1)]
        return np.concatenate([said, self.target[len(said) :]])

    def cut(self, start: int, width: int) -> NDArray[np.float32]:
        """Samples or columns from `start` on, from the beginning again after the end, shape (..., width)."""
        if start + width <= self.length:
            piece = self.signal[..., start : start + width]
        else:
            piece = self.signal[..., np.arange(start, start + width) % self.length]
        return as_float(piece) if piece.dtype == np.int16 else piece.astype(np.float32)


class Crops(Dataset[tuple[Tensor, Tensor]]):
    """The random snippets of an epoch.

    Parameters
    ----------
    material : sequence of Material
        The tracks.
    size : int
        Samples, or columns, of a snippet.
    augmentation : Augmentation
        What happens to them.
    seed : int
        Of all that is drawn.
    """

    def __init__(
        self,
        material: Sequence[Material],
        size: int,
        augmentation: Augmentation,
        seed: int,
    ) -> None:
        self.material = tuple(material)
        self.size = size
        self.augmentation = augmentation
        self.seed = seed
        self.epoch = 0
        self._altered = augmentation.model_copy(update={"mixup": 0.0, "style": 0.0}) != Augmentation()
        self._tracks = [track for track, item in enumerate(material) for _ in range(item.crops)]

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch's snippets are to be drawn."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self._tracks)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        snippets, targets = self.__getitems__([index])
        return snippets[0], targets[0]

    def __getitems__(self, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        drawn = [self._draw(index) for index in indices]
        snippets, targets = np.stack([d[0] for d in drawn]), np.stack([d[1] for d in drawn])
        if self.augmentation.style:
            rng = np.random.default_rng([self.seed, self.epoch, indices[0], len(self), 1])
            snippets = mix_styles(rng, snippets, self.augmentation)
        if self.augmentation.mixup:
            rng = np.random.default_rng([self.seed, self.epoch, indices[0], len(self)])
            alpha = self.augmentation.mixup
            share = rng.beta(alpha, alpha, len(indices)).astype(np.float32)
            order = _shuffled_alike(rng, targets)
            targets = _mix(targets, targets[order], share)
            snippets = _mix(snippets, snippets[order], share)
        return torch.from_numpy(snippets), torch.from_numpy(targets)

    def _draw(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        item = self.material[self._tracks[index]]
        if item.length == self.size and not self._altered:
            return item.cut(0, self.size), item.target_at(0)
        rng = np.random.default_rng([self.seed, self.epoch, index])
        if item.signal.ndim == 2:
            mel = draw_mel(rng, self.augmentation, mels=item.signal.shape[0], frames=self.size)
            width = min(mel.width, item.length)
            start = int(rng.integers(item.length - width + 1))
            return apply_mel(item.cut(start, width), mel, frames=self.size), item.target_at(start)
        wave = draw_wave(rng, self.augmentation)
        width = round(self.size * wave.speed)
        # A track shorter than a snippet is tiled, from a random place on.
        room = item.length - width + 1 if item.length >= width else item.length
        start = int(rng.integers(room))
        return apply_wave(item.cut(start, width), wave, size=self.size), item.target_at(start)


class EvenCrops(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """Evenly spaced snippets of each track, unaltered, with the number of the track: for validation.

    Parameters
    ----------
    material : sequence of Material
        The tracks, all labelled.
    size : int
        Samples, or columns, of a snippet.
    count : int
        Snippets of a track; one of a track shorter than a snippet.
    """

    def __init__(self, material: Sequence[Material], size: int, count: int = 10) -> None:
        self.material = tuple(material)
        self.size = size
        self._places = [
            (track, int(start))
            for track, item in enumerate(material)
            for start in np.linspace(0, max(0, item.length - size), count if item.length > size else 1)
        ]

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, Tensor]:
        snippets, targets, tracks = self.__getitems__([index])
        return snippets[0], targets[0], tracks[0]

    def __getitems__(self, indices: Sequence[int]) -> tuple[Tensor, Tensor, Tensor]:
        places = [self._places[index] for index in indices]
        snippets = np.stack([self.material[track].cut(start, self.size) for track, start in places])
        targets = np.array([self.material[track].target for track, _ in places], np.float32)
        return (
            torch.from_numpy(snippets),
            torch.from_numpy(targets),
            torch.tensor([track for track, _ in places]),
        )


def as_batch(batch: Any) -> Any:
    """Collate function: the data sets give whole batches already."""
    return batch


def _shuffled_alike(rng: np.random.Generator, targets: NDArray[np.float32]) -> NDArray[np.intp]:
    """A permutation that moves each row to the place of one of which the same is known."""
    order = np.arange(len(targets))
    kinds = np.unique(np.isnan(targets), axis=0, return_inverse=True)[1].ravel()
    for kind in range(kinds.max() + 1):
        (alike,) = np.nonzero(kinds == kind)
        order[alike] = alike[rng.permutation(len(alike))]
    return order


def _mix(
    one: NDArray[np.float32], other: NDArray[np.float32], share: NDArray[np.float32]
) -> NDArray[np.float32]:
    weight = share.reshape(-1, *[1] * (one.ndim - 1))
    return weight * one + (1 - weight) * other
