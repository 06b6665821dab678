"""Networks of our own on log-mel.

``end2end-gru-mel`` keeps the body of Abela's end-to-end network (convolutions, bidirectional GRU 128, attention, dense)
and lets it read a log-mel spectrogram, which exists for every GTZAN track; ``mel-cnn-mood`` is a plain residual CNN.
Widths are ours.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genrecore_training.networks.layers import Attention, SnippetNorm

__all__ = ["End2EndGruMel", "MelCnn"]


class End2EndGruMel(nn.Module):
    """Log-mel in, logits out.

    Convolutions shorten the frequency axis only, so that the recurrent layer sees every column.
    Shapes: [batch, 128, frames] in dB -> [batch, classes].
    """

    def __init__(
        self,
        classes: int,
        shape: tuple[int, ...],
        widths: tuple[int, int, int] = (24, 48, 64),
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.norm = SnippetNorm()
        first, second, third = widths
        self.features = nn.Sequential(
            *_stem(first, pool=(2, 1)),  # 120 bands -> 30
            *_conv(first, second, pool=(4, 1)),  # -> 7
            *_conv(second, third, pool=(3, 1)),  # -> 2
        )
        self.dropout = nn.Dropout(dropout)
        self.recurrent = nn.GRU(2 * third, 128, batch_first=True, bidirectional=True)
        self.attention = Attention(steps=shape[1], features=256)
        self.dense = nn.Linear(256, 64)
        self.output = nn.Linear(64, classes)

    def embed(self, decibels: Tensor) -> Tensor:
        """What the output layer hears, [batch, 64]."""
        maps = self.features(self.norm(decibels).unsqueeze(1))
        columns = maps.flatten(1, 2).transpose(1, 2)  # [batch, frames, channels x bands]
        sequence, _ = self.recurrent(self.dropout(columns))
        return self.dense(self.dropout(self.attention(sequence)))

    def forward(self, decibels: Tensor) -> Tensor:
        return self.output(self.embed(decibels))


class MelCnn(nn.Module):
    """Residual CNN on log-mel: a stem, three residual blocks, mean and maximum over time, dense.

    Shapes: [batch, 128, frames] in dB -> [batch, classes].
    """

    def __init__(
        self,
        classes: int,
        shape: tuple[int, ...],
        widths: tuple[int, int, int, int] = (16, 32, 48, 64),
        dropout: float = 0.4,
        bands: int = 120,
    ) -> None:
        super().__init__()
        self.norm = SnippetNorm(bands)
        stem, *rest = widths
        self.stem = nn.Sequential(*_stem(stem, pool=(2, 2)))
        inputs = (stem, *rest[:-1])
        self.blocks = nn.Sequential(*(_Residual(a, b) for a, b in zip(inputs, rest, strict=True)))
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(2 * rest[-1], classes)

    def embed(self, decibels: Tensor) -> Tensor:
        """What the output layer hears, [batch, twice the last width]."""
        maps = self.blocks(self.stem(self.norm(decibels).unsqueeze(1)))
        bands = maps.mean(dim=2)
        return self.dropout(torch.cat([bands.mean(dim=2), bands.amax(dim=2)], dim=1))

    def forward(self, decibels: Tensor) -> Tensor:
        return self.output(self.embed(decibels))


class _Residual(nn.Module):
    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(),
            nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
        )
        self.shortcut = nn.Conv2d(channels_in, channels_out, 1, bias=False)
        self.pool = nn.MaxPool2d(2)

    def forward(self, maps: Tensor) -> Tensor:
        return self.pool(torch.relu(self.body(maps) + self.shortcut(maps)))


def _stem(channels: int, *, pool: tuple[int, int]) -> tuple[nn.Module, ...]:
    """The first convolution takes every second band: the costly one, since it sees the whole picture."""
    return (
        nn.Conv2d(1, channels, (5, 3), stride=(2, 1), padding=(2, 1), bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
        nn.MaxPool2d(pool),
    )


def _conv(channels_in: int, channels_out: int, *, pool: tuple[int, int]) -> tuple[nn.Module, ...]:
    return (
        nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
        nn.MaxPool2d(pool),
    )
