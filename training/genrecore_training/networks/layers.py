"""Building blocks that several networks share."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["Attention", "SnippetNorm", "WaveformNorm"]


class SnippetNorm(nn.Module):
    """Normalise a log-mel snippet inside the graph, so that training and serving cannot drift apart.

    Keeps the lowest `bands` bands, clips `dynamic_range` dB below the snippet's maximum, then gives the snippet zero
    mean and unit variance; which cancels any gain and any linear scaling of the dB values but for the clipping. The
    bands above (120 of 128 reach 8.9 kHz) say how a file was resampled and encoded, not what is played: networks that
    see them learn that instead.

    Shapes: [batch, mels, frames] -> [batch, bands, frames].
    """

    def __init__(self, bands: int = 120, dynamic_range: float = 80.0, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.bands = bands
        self.dynamic_range = dynamic_range
        self.epsilon = epsilon

    def forward(self, decibels: Tensor) -> Tensor:
        heard = decibels[:, : self.bands]
        floor = heard.amax(dim=(1, 2), keepdim=True) - self.dynamic_range
        clipped = torch.maximum(heard, floor)
        centred = clipped - clipped.mean(dim=(1, 2), keepdim=True)
        variance = (centred * centred).mean(dim=(1, 2), keepdim=True)
        return centred / torch.sqrt(variance + self.epsilon)


class WaveformNorm(nn.Module):
    """Standardise samples with the mean and deviation of the training set.

    Abela's scaler has one pair a sample position; with snippets drawn at random all positions are alike, so one pair
    says the same. Shapes: [batch, samples] -> [batch, samples].
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("deviation", torch.ones(()))

    def fit(self, mean: float, deviation: float) -> None:
        """Set the two numbers; from training tracks only."""
        self.mean.fill_(mean)
        self.deviation.fill_(deviation)

    def forward(self, samples: Tensor) -> Tensor:
        return (samples - self.mean) / self.deviation


class Attention(nn.Module):
    """Weighted sum over time, weights softmax(tanh(x W + b)), one bias a time step (Abela; Rajan et al. 2019).

    Shapes: [batch, steps, features] -> [batch, features].
    """

    def __init__(self, steps: int, features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(features, 1))
        self.bias = nn.Parameter(torch.zeros(steps, 1))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, sequence: Tensor) -> Tensor:
        weights = torch.softmax(torch.tanh(sequence @ self.weight + self.bias), dim=1)
        return (weights * sequence).sum(dim=1)
