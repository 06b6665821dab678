"""Abela, "Deep Learning for Music Genre Classification and Music Emotion Recognition", Queen Mary University of London.

The end-to-end networks on raw audio::

    waveform 65,999 -> 2129 steps x 31 channels
        -> [Conv1D, ReLU, BatchNorm, MaxPool stride 1] x 3 -> AveragePool 4 -> 525 x 64
        -> bidirectional GRU or LSTM 128 -> attention over time -> Dense 64 -> Dense, softmax

and five on log-mel, of which the paper draws the order of the layers and not their widths: these are ours::

    conv         Conv2D -> [Conv2D, MaxPool2D] x 4 -> Flatten -> Dense -> Dense, softmax
    blstm, gru   bidirectional recurrent layer, last states -> Dense -> Dense, softmax
    conv-b...    Conv2D -> [Conv2D, MaxPool2D] x 2 -> bidirectional recurrent layer -> Flatten -> Dense
                 -> Dense, softmax

with a dropout after each convolution, pooling and recurrent layer.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from genrecore_training.networks.layers import Attention, Lstm, SnippetNorm, WaveformNorm, keras_init

__all__ = ["AbelaConv", "AbelaConvRecurrent", "AbelaEnd2End", "AbelaRecurrent"]

Cell = Literal["gru", "lstm"]


class AbelaEnd2End(nn.Module):
    """``abela-end2end`` (LSTM, 229,287 parameters with ten classes) and ``abela-end2end-gru`` (180,647).

    The dropout before the first dense layer is ours (0 as published): the paper trained on 7,992 snippets. So is the
    momentum of batch normalisation: Keras' is .01, too slow where an epoch has few batches.
    Shapes: [batch, 65999] at 22,050 Hz -> [batch, classes].
    """

    FRAME = 31

    def __init__(
        self,
        classes: int,
        shape: tuple[int, ...],
        cell: Cell,
        dropout: float = 0.0,
        momentum: float = 0.1,
    ) -> None:
        super().__init__()
        if shape != (65_999,):
            raise ValueError(f"Abela's end-to-end networks hear 65,999 samples, not {shape}")
        self.norm = WaveformNorm()
        self.features = nn.Sequential(
            *_block(self.FRAME, 16, momentum, kernel=6, pool=8),
            *_block(16, 32, momentum, kernel=4, pool=6),
            *_block(32, 64, momentum, kernel=4, pool=6),
            nn.AvgPool1d(4),
        )
        self.recurrent = _recurrent(cell, 64, 128)
        self.attention = Attention(steps=525, features=256)
        self.dropout = nn.Dropout(dropout)
        self.dense = nn.Linear(256, 64)
        self.output = nn.Linear(64, classes)
        keras_init(self)

    def embed(self, samples: Tensor) -> Tensor:
        """What the last but one layer says, [batch, 64]."""
        steps = self.norm(samples).unflatten(1, (-1, self.FRAME))  # consecutive frames are the time steps
        features = self.features(steps.transpose(1, 2)).transpose(1, 2)
        sequence, _ = self.recurrent(features)
        return self.dense(self.dropout(self.attention(sequence)))

    def forward(self, samples: Tensor) -> Tensor:
        return self.output(self.embed(samples))


class AbelaConv(nn.Module):
    """``abela-conv``. Shapes: [batch, mels, frames] in dB -> [batch, classes]."""

    def __init__(
        self,
        classes: int,
        shape: tuple[int, ...],
        widths: tuple[int, ...] = (8, 16, 32, 64, 64),
        dense: int = 64,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        self.norm = SnippetNorm(bands=shape[0])
        self.features = _convolutions(widths, (2, 2, 2, 2), dropout)
        with torch.no_grad():
            flat = self.features(torch.zeros(1, 1, *shape)).numel()
        self.dense = nn.Linear(flat, dense)
        self.output = nn.Linear(dense, classes)
        keras_init(self)

    def embed(self, decibels: Tensor) -> Tensor:
        """What the last but one layer says, [batch, dense]."""
        maps = self.features(self.norm(decibels).unsqueeze(1))
        return torch.relu(self.dense(maps.flatten(1)))

    def forward(self, decibels: Tensor) -> Tensor:
        return self.output(self.embed(decibels))


class AbelaRecurrent(nn.Module):
    """``abela-blstm`` and ``abela-gru``. Shapes: [batch, mels, frames] in dB -> [batch, classes]."""

    def __init__(
        self,
        classes: int,
        shape: tuple[int, ...],
        cell: Cell,
        units: int = 128,
        dense: int = 64,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.norm = SnippetNorm(bands=shape[0])
        self.recurrent = _recurrent(cell, shape[0], units)
        self.units = units
        self.dropout = nn.Dropout(dropout)
        self.dense = nn.Linear(2 * units, dense)
        self.output = nn.Linear(dense, classes)
        keras_init(self)

    def embed(self, decibels: Tensor) -> Tensor:
        """What the last but one layer says, [batch, dense]."""
        sequence, _ = self.recurrent(self.norm(decibels).transpose(1, 2))
        forwards, backwards = sequence[:, -1, : self.units], sequence[:, 0, self.units :]
        return torch.relu(self.dense(self.dropout(torch.cat([forwards, backwards], dim=1))))

    def forward(self, decibels: Tensor) -> Tensor:
        return self.output(self.embed(decibels))


class AbelaConvRecurrent(nn.Module):
    """``abela-conv-blstm`` and ``abela-conv-bgru``. Shapes: [batch, mels, frames] in dB -> [batch, classes]."""

    def __init__(
        self,
        classes: int,
        shape: tuple[int, ...],
        cell: Cell,
        widths: tuple[int, ...] = (12, 24, 48),
        units: int = 128,
        dense: int = 64,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        self.norm = SnippetNorm(bands=shape[0])
        self.features = _convolutions(widths, ((4, 1), (4, 2)), dropout)
        with torch.no_grad():
            _, channels, bands, steps = self.features(torch.zeros(1, 1, *shape)).shape
        self.recurrent = _recurrent(cell, channels * bands, units)
        self.dropout = nn.Dropout(dropout)
        self.dense = nn.Linear(steps * 2 * units, dense)
        self.output = nn.Linear(dense, classes)
        keras_init(self)

    def embed(self, decibels: Tensor) -> Tensor:
        """What the last but one layer says, [batch, dense]."""
        maps = self.features(self.norm(decibels).unsqueeze(1))
        sequence, _ = self.recurrent(maps.flatten(1, 2).transpose(1, 2))
        return torch.relu(self.dense(self.dropout(sequence).flatten(1)))

    def forward(self, decibels: Tensor) -> Tensor:
        return self.output(self.embed(decibels))


def _recurrent(cell: Cell, features: int, units: int) -> nn.Module:
    if cell == "lstm":
        return Lstm(features, units, batch_first=True, bidirectional=True)
    return nn.GRU(features, units, batch_first=True, bidirectional=True)


def _block(
    channels_in: int, channels_out: int, momentum: float, *, kernel: int, pool: int
) -> tuple[nn.Module, ...]:
    return (
        nn.Conv1d(channels_in, channels_out, kernel),
        nn.ReLU(),
        nn.BatchNorm1d(channels_out, eps=1e-3, momentum=momentum),
        nn.MaxPool1d(pool, stride=1),
    )


def _convolutions(
    widths: tuple[int, ...], pools: tuple[int | tuple[int, int], ...], dropout: float
) -> nn.Sequential:
    """Conv2D, Dropout, and then Conv2D, MaxPool2D, Dropout from each width to the next."""
    layers: list[nn.Module] = [nn.Conv2d(1, widths[0], 3, padding=1), nn.ReLU(), nn.Dropout(dropout)]
    for before, after, pool in zip(widths, widths[1:], pools, strict=False):
        layers += [
            nn.Conv2d(before, after, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(pool),
            nn.Dropout(dropout),
        ]
    return nn.Sequential(*layers)
