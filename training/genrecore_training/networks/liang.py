"""Liang, Kelleher, Cole, "Music Genre Classification Using Convolutional and Recurrent Neural Networks".

On 13 MFCC of 6-second segments (259 frames; made here from the log-mel, inside the network, which by default is blind
to the level of a recording: archived log-mels have lost it)::

    mfcc-cnn     [Conv 32, ReLU, MaxPool stride 2, BatchNorm] x 3 -> Dense 64 -> Dropout .3 -> Dense, softmax
    mfcc-lstm    LSTM 64 -> LSTM 64 -> Dense 64 -> Dropout .3 -> Dense, softmax

and on eleven numbers a song from Spotify, standardised; the paper does not say how many layers of which width, so these
are ours::

    spotify-cnn  [Conv1D, MaxPool1D] x 2 -> Dense -> Dense, softmax
    spotify-rnn  bidirectional GRU over the numbers, all steps -> Dense -> Dense, softmax
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genrecore_training.networks.layers import Lstm, Mfcc, ScaledMfcc, SnippetNorm, Standardise, keras_init

__all__ = ["LiangMfccCnn", "LiangMfccLstm", "LiangSpotifyCnn", "LiangSpotifyRnn"]


class LiangMfccCnn(nn.Module):
    """``liang-mfcc-cnn``: 80,330 parameters with ten classes; third kernel 2x2, as in the course code they follow.

    Shapes: [batch, 128, 259] in dB, 6 s -> [batch, classes].
    """

    def __init__(
        self, classes: int, shape: tuple[int, ...], dropout: float = 0.3, level: bool = False
    ) -> None:
        super().__init__()
        self.norm = _mfcc(shape[0], level)
        self.features = nn.Sequential(
            *_conv(1, 3, nn.MaxPool2d(3, stride=2, padding=1)),
            *_conv(32, 3, nn.MaxPool2d(3, stride=2, padding=1)),
            *_conv(32, 2, nn.MaxPool2d((2, 1), stride=2, ceil_mode=True)),
        )
        self.dense = nn.Linear(1_024, 64)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(64, classes)
        keras_init(self)

    def embed(self, decibels: Tensor) -> Tensor:
        """What the last but one layer says, [batch, 64]."""
        maps = self.features(self.norm(decibels).unsqueeze(1))
        return torch.relu(self.dense(maps.flatten(1)))

    def forward(self, decibels: Tensor) -> Tensor:
        return self.output(self.dropout(self.embed(decibels)))


class LiangMfccLstm(nn.Module):
    """``liang-mfcc-lstm``: 57,802 parameters with ten classes.

    Shapes: [batch, 128, 259] in dB, 6 s -> [batch, classes].
    """

    def __init__(
        self, classes: int, shape: tuple[int, ...], dropout: float = 0.3, level: bool = False
    ) -> None:
        super().__init__()
        self.norm = _mfcc(shape[0], level)
        self.recurrent = Lstm(13, 64, num_layers=2, batch_first=True)
        self.dense = nn.Linear(64, 64)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(64, classes)
        keras_init(self)

    def embed(self, decibels: Tensor) -> Tensor:
        """What the last but one layer says, [batch, 64]."""
        sequence, _ = self.recurrent(self.norm(decibels))
        return torch.relu(self.dense(sequence[:, -1]))

    def forward(self, decibels: Tensor) -> Tensor:
        return self.output(self.dropout(self.embed(decibels)))


class LiangSpotifyCnn(nn.Module):
    """``liang-spotify-cnn``. Shapes: [batch, 11] -> [batch, classes]."""

    def __init__(
        self, classes: int, shape: tuple[int, ...], widths: tuple[int, int] = (64, 128), dense: int = 128
    ) -> None:
        super().__init__()
        self.norm = Standardise(*shape)
        first, second = widths
        self.features = nn.Sequential(
            *(nn.Conv1d(1, first, 3, padding=1), nn.ReLU(), nn.MaxPool1d(2, ceil_mode=True)),
            *(nn.Conv1d(first, second, 3, padding=1), nn.ReLU(), nn.MaxPool1d(2, ceil_mode=True)),
        )
        with torch.no_grad():
            flat = self.features(torch.zeros(1, 1, *shape)).numel()
        self.dense = nn.Linear(flat, dense)
        self.output = nn.Linear(dense, classes)
        keras_init(self)

    def embed(self, numbers: Tensor) -> Tensor:
        """What the last but one layer says, [batch, dense]."""
        return torch.relu(self.dense(self.features(self.norm(numbers).unsqueeze(1)).flatten(1)))

    def forward(self, numbers: Tensor) -> Tensor:
        return self.output(self.embed(numbers))


class LiangSpotifyRnn(nn.Module):
    """``liang-spotify-rnn``. Shapes: [batch, 11] -> [batch, classes]."""

    def __init__(self, classes: int, shape: tuple[int, ...], units: int = 64, dense: int = 128) -> None:
        super().__init__()
        self.norm = Standardise(*shape)
        self.recurrent = nn.GRU(1, units, batch_first=True, bidirectional=True)
        self.dense = nn.Linear(shape[0] * 2 * units, dense)
        self.output = nn.Linear(dense, classes)
        keras_init(self)

    def embed(self, numbers: Tensor) -> Tensor:
        """What the last but one layer says, [batch, dense]."""
        sequence, _ = self.recurrent(self.norm(numbers).unsqueeze(2))
        return torch.relu(self.dense(sequence.flatten(1)))

    def forward(self, numbers: Tensor) -> Tensor:
        return self.output(self.embed(numbers))


def _mfcc(bands: int, level: bool) -> nn.Module:
    """MFCC, normalised: [batch, bands, frames] in dB -> [batch, frames, 13]."""
    return ScaledMfcc(bands) if level else nn.Sequential(SnippetNorm(bands=bands), Mfcc(bands))


def _conv(channels: int, kernel: int, pool: nn.Module) -> tuple[nn.Module, ...]:
    return nn.Conv2d(channels, 32, kernel), nn.ReLU(), pool, nn.BatchNorm2d(32, eps=1e-3, momentum=0.01)
