"""O'Beirne, Zamora, "Music Genre Classification Using Mel Spectrogram Representations", Stanford University.

::

    log-mel 128 x 128 (3 s) -> [Conv 2x2, BatchNorm, ReLU, MaxPool 2x2 stride 1] x 4, strides 2, 1, 2, 1
        -> Dense, BatchNorm, ReLU -> Dense, softmax

The paper gives no widths, and does not say where batch normalisation stands: these are ours. Without it behind the
dense layer, whose inputs are tens of thousands and none negative, the first steps of Adam leave that layer dead.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genrecore_training.networks.layers import SnippetNorm, keras_init

__all__ = ["ObeirneCnn"]


class ObeirneCnn(nn.Module):
    """``obeirne-cnn``. Shapes: [batch, 128, 128] in dB -> [batch, classes]."""

    def __init__(
        self,
        classes: int,
        shape: tuple[int, ...],
        widths: tuple[int, int, int, int] = (16, 32, 32, 64),
        dense: int = 64,
    ) -> None:
        super().__init__()
        self.norm = SnippetNorm(bands=shape[0])
        layers: list[nn.Module] = []
        for before, after, stride in zip((1, *widths), widths, (2, 1, 2, 1), strict=False):
            layers += [
                nn.Conv2d(before, after, 2, stride=stride),
                nn.BatchNorm2d(after),
                nn.ReLU(),
                nn.MaxPool2d(2, stride=1),
            ]
        self.features = nn.Sequential(*layers)
        with torch.no_grad():
            flat = self.features(torch.zeros(1, 1, *shape)).numel()
        self.dense = nn.Sequential(nn.Linear(flat, dense), nn.BatchNorm1d(dense))
        self.output = nn.Linear(dense, classes)
        keras_init(self)

    def embed(self, decibels: Tensor) -> Tensor:
        """What the last but one layer says, [batch, dense]: the paper's t-SNE figure is of it."""
        return torch.relu(self.dense(self.features(self.norm(decibels).unsqueeze(1)).flatten(1)))

    def forward(self, decibels: Tensor) -> Tensor:
        return self.output(self.embed(decibels))
