"""Cox, Sato, Kausche, "Using a Convolutional Neural Networks to Classify Musical Genres", a course's final project.

Both look at one picture of 288 x 432 pixels a 30-second track, drawn here from the log-mel::

    GTZANet  [Conv 3x3, ReLU, MaxPool 3 stride 2] x 5, 8 to 128 filters -> Flatten 7,680 -> Dropout .3 -> Dense, softmax
    ZFNet    96@7x7 stride 2, pool, contrast -> 256@5x5 stride 2, pool, contrast -> 384, 384, 256 @3x3, pool
             -> 2 x [Dense 4096, ReLU] -> Dense, softmax

ZFNet is Zeiler and Fergus, "Visualizing and understanding convolutional networks", ECCV 2014. All convolutions and
pools are 'valid', which is what the published sizes say.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genrecore_training.networks.layers import Picture, keras_init

__all__ = ["CoxGtzanet", "CoxZfnet"]


class CoxGtzanet(nn.Module):
    """``cox-gtzanet``: 175,194 parameters with ten classes.

    Shapes: [batch, mels, frames] in dB, 30 s -> [batch, classes].
    """

    def __init__(self, classes: int, shape: tuple[int, ...], dropout: float = 0.3) -> None:
        super().__init__()
        self.picture = Picture()
        layers: list[nn.Module] = []
        for before, after in zip((3, 8, 16, 32, 64), (8, 16, 32, 64, 128), strict=True):
            layers += [nn.Conv2d(before, after, 3), nn.ReLU(), nn.MaxPool2d(3, stride=2)]
        self.features = nn.Sequential(*layers)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(7_680, classes)
        keras_init(self)

    def embed(self, decibels: Tensor) -> Tensor:
        """What the last but one layer says, [batch, 7680]."""
        return self.features(self.picture(decibels)).flatten(1)

    def forward(self, decibels: Tensor) -> Tensor:
        return self.output(self.dropout(self.embed(decibels)))


class CoxZfnet(nn.Module):
    """``cox-zfnet``: 58.3 M parameters with ten classes.

    "Contrast" is each picture's own standardisation (``tf.image.per_image_standardization``), which has no parameters.
    Shapes: [batch, mels, frames] in dB, 30 s -> [batch, classes].
    """

    def __init__(self, classes: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.picture = Picture()
        self.features = nn.Sequential(
            *(nn.Conv2d(3, 96, 7, stride=2), nn.ReLU(), nn.MaxPool2d(3, stride=2), _Contrast()),
            *(nn.Conv2d(96, 256, 5, stride=2), nn.ReLU(), nn.MaxPool2d(3, stride=2), _Contrast()),
            *(nn.Conv2d(256, 384, 3), nn.ReLU()),
            *(nn.Conv2d(384, 384, 3), nn.ReLU()),
            *(nn.Conv2d(384, 256, 3), nn.ReLU(), nn.MaxPool2d(3, stride=2)),
        )
        self.dense = nn.Sequential(nn.Linear(9_216, 4_096), nn.ReLU(), nn.Linear(4_096, 4_096), nn.ReLU())
        self.output = nn.Linear(4_096, classes)
        keras_init(self)

    def embed(self, decibels: Tensor) -> Tensor:
        """What the last but one layer says, [batch, 4096]."""
        return self.dense(self.features(self.picture(decibels)).flatten(1))

    def forward(self, decibels: Tensor) -> Tensor:
        return self.output(self.embed(decibels))


class _Contrast(nn.Module):
    """Zero mean and unit variance over all of a picture's maps."""

    def forward(self, maps: Tensor) -> Tensor:
        centred = maps - maps.mean(dim=(1, 2, 3), keepdim=True)
        return centred / torch.sqrt((centred * centred).mean(dim=(1, 2, 3), keepdim=True) + 1e-6)
