"""Otero, El-Zaru, Loeper, Heimerman, "Using Deep Learning to Categorize Music through Spectrogram Analysis", 2017.

::

    log-mel -> [Conv1D 256@5 over time, ReLU, MaxPool 2] x 3 -> Dropout .5 -> LSTM 256, all steps -> Dropout .5
        -> Dense, softmax at each step -> mean over time

What is particular to it is the distribution at every point in time. The network it follows, on GTZAN: Kozakowski and
Michalak, "Music Genre Recognition", DeepSound, 2016.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genrecore_training.networks.layers import Lstm, SnippetNorm, keras_init

__all__ = ["OteroCrnn"]


class OteroCrnn(nn.Module):
    """``otero-crnn``: 1,348,621 parameters with 13 classes.

    Shapes: [batch, 128, frames] in dB -> [batch, classes]: logarithms of the mean distribution, which are logits of it.
    """

    def __init__(self, classes: int, shape: tuple[int, ...], dropout: float = 0.5) -> None:
        super().__init__()
        self.norm = SnippetNorm(bands=shape[0])
        layers: list[nn.Module] = []
        for before in (shape[0], 256, 256):
            layers += [nn.Conv1d(before, 256, 5), nn.ReLU(), nn.MaxPool1d(2)]
        self.features = nn.Sequential(*layers)
        self.dropout = nn.Dropout(dropout)
        self.recurrent = Lstm(256, 256, batch_first=True)
        self.output = nn.Linear(256, classes)
        keras_init(self)

    def embed(self, decibels: Tensor) -> Tensor:
        """What the last but one layer says, on average over time, [batch, 256]."""
        return self._sequence(decibels).mean(dim=1)

    def over_time(self, decibels: Tensor) -> Tensor:
        """Distribution at each step, [batch, steps, classes]; a step is eight columns."""
        return torch.softmax(self.output(self.dropout(self._sequence(decibels))), dim=2)

    def _sequence(self, decibels: Tensor) -> Tensor:
        features = self.dropout(self.features(self.norm(decibels)).transpose(1, 2))
        sequence, _ = self.recurrent(features)
        return sequence

    def forward(self, decibels: Tensor) -> Tensor:
        return torch.log(self.over_time(decibels).mean(dim=1) + 1e-9)
