"""Building blocks that several networks share."""

from __future__ import annotations

import numpy as np
import scipy.fft
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

__all__ = [
    "Attention",
    "Lstm",
    "Mfcc",
    "Picture",
    "ScaledMfcc",
    "SnippetNorm",
    "Standardise",
    "WaveformNorm",
    "keras_init",
]


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


class Standardise(nn.Module):
    """Standardise with mean and deviation of the training set, one pair a feature.

    Shapes: [batch, *features] -> the same.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, *features: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("deviation", torch.ones(features))

    def fit(self, snippets: Tensor) -> None:
        """Set the numbers from training snippets; over all but the features' own dimensions."""
        kept = snippets.flatten(0, snippets.dim() - 1 - self.mean.dim())
        self.mean.copy_(kept.mean(0))
        self.deviation.copy_(kept.std(0).clamp(min=1e-6))

    def forward(self, snippets: Tensor) -> Tensor:
        return (snippets - self.mean) / self.deviation


class WaveformNorm(Standardise):
    """Standardise samples with one mean and one deviation.

    Abela's scaler has one pair a sample position; where in a track a snippet begins is arbitrary, so that all
    positions are alike and one pair says the same. Shapes: [batch, samples] -> [batch, samples].
    """

    def __init__(self) -> None:
        super().__init__()


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


class Mfcc(nn.Module):
    """Mel-frequency cepstral coefficients of a log-mel: its DCT-II, orthonormal, as librosa has it.

    Shapes: [batch, mels, frames] in dB -> [batch, frames, coefficients].
    """

    transform: Tensor

    def __init__(self, mels: int = 128, coefficients: int = 13) -> None:
        super().__init__()
        transform = scipy.fft.dct(np.eye(mels, dtype=np.float32), norm="ortho", axis=0)[:coefficients]
        self.register_buffer("transform", torch.from_numpy(transform))

    def forward(self, decibels: Tensor) -> Tensor:
        return decibels.transpose(1, 2) @ self.transform.T


class ScaledMfcc(Standardise):
    """`Mfcc` of the log-mel as it is, standardised coefficient by coefficient over the training set: level is heard.

    Shapes: [batch, mels, frames] in dB -> [batch, frames, coefficients].
    """

    def __init__(self, mels: int = 128, coefficients: int = 13) -> None:
        super().__init__(coefficients)
        self.mfcc = Mfcc(mels, coefficients)

    def fit(self, snippets: Tensor) -> None:
        """Set the numbers from training snippets."""
        super().fit(self.mfcc(snippets))

    def forward(self, decibels: Tensor) -> Tensor:
        return super().forward(self.mfcc(decibels))


class Picture(nn.Module):
    """The coloured picture of a log-mel, as plotting programs draw it: low bands at the bottom, matplotlib's magma.

    The 80 dB below the snippet's maximum, scaled to the picture's size and looked up in the colour map; red, green and
    blue in 0..1. Shapes: [batch, mels, frames] in dB -> [batch, 3, height, width].
    """

    colours: Tensor

    def __init__(self, height: int = 288, width: int = 432, dynamic_range: float = 80.0) -> None:
        super().__init__()
        from matplotlib import colormaps

        colours = colormaps["magma"](np.arange(256))[:, :3]
        self.size = (height, width)
        self.dynamic_range = dynamic_range
        self.register_buffer("colours", torch.tensor(colours, dtype=torch.float32))

    def forward(self, decibels: Tensor) -> Tensor:
        loudest = decibels.amax(dim=(1, 2), keepdim=True)
        level = ((decibels - loudest) / self.dynamic_range + 1).clamp(0, 1).flip(1).unsqueeze(1)
        grey = interpolate(level, self.size, mode="bilinear", align_corners=False).squeeze(1)
        return self.colours[(grey * (len(self.colours) - 1)).round().long()].permute(0, 3, 1, 2)


class Lstm(nn.LSTM):
    """An LSTM with one bias a gate, as Keras has it; the second of PyTorch's is zero and stays so."""

    def __init__(self, *arguments: int, **options: bool | int) -> None:
        super().__init__(*arguments, **options)
        for name, parameter in self.named_parameters():
            if name.startswith("bias_hh"):
                nn.init.zeros_(parameter)
                parameter.requires_grad_(False)


def keras_init(network: nn.Module) -> None:
    """Initial weights as in Keras: Glorot, orthogonal for recurrent kernels; biases 0, 1 where LSTMs forget."""
    for module in network.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if name.startswith("weight_hh"):
                nn.init.orthogonal_(parameter)
            elif name.startswith("bias"):
                nn.init.zeros_(parameter)
                if isinstance(module, nn.LSTM) and name.startswith("bias_ih"):
                    parameter.data[module.hidden_size : 2 * module.hidden_size] = 1
            elif parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)
