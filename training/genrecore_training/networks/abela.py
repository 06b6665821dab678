"""Abela, "Deep Learning for Music Genre Classification and Music Emotion Recognition", Queen Mary University of London.

waveform 65,999 -> 2129 steps x 31 channels
    -> [Conv1D, ReLU, BatchNorm, MaxPool stride 1] x 3 -> AveragePool 4 -> 525 x 64
    -> bidirectional GRU 128 -> attention over time -> Dense 64 -> Dense, softmax
"""

from __future__ import annotations

from torch import Tensor, nn

from genrecore_training.networks.layers import Attention, WaveformNorm

__all__ = ["AbelaEnd2EndGru"]


class AbelaEnd2EndGru(nn.Module):
    """``abela-end2end-gru``: raw audio in, logits out; 180,647 parameters with ten classes.

    The dropout before the first dense layer is ours (0 as published): the paper trained on 7,992 snippets.
    Shapes: [batch, 65999] at 22,050 Hz -> [batch, classes].
    """

    SAMPLES = 65_999
    FRAME = 31

    def __init__(self, classes: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm = WaveformNorm()
        self.features = nn.Sequential(
            *_block(self.FRAME, 16, kernel=6, pool=8),
            *_block(16, 32, kernel=4, pool=6),
            *_block(32, 64, kernel=4, pool=6),
            nn.AvgPool1d(4),
        )
        self.recurrent = nn.GRU(64, 128, batch_first=True, bidirectional=True)
        self.attention = Attention(steps=525, features=256)
        self.dropout = nn.Dropout(dropout)
        self.dense = nn.Linear(256, 64)
        self.output = nn.Linear(64, classes)
        _keras_init(self)

    def forward(self, samples: Tensor) -> Tensor:
        steps = self.norm(samples).unflatten(1, (-1, self.FRAME))  # consecutive frames are the time steps
        features = self.features(steps.transpose(1, 2)).transpose(1, 2)
        sequence, _ = self.recurrent(features)
        return self.output(self.dense(self.dropout(self.attention(sequence))))


def _block(channels_in: int, channels_out: int, *, kernel: int, pool: int) -> tuple[nn.Module, ...]:
    return (
        nn.Conv1d(channels_in, channels_out, kernel),
        nn.ReLU(),
        nn.BatchNorm1d(channels_out, eps=1e-3),
        nn.MaxPool1d(pool, stride=1),
    )


def _keras_init(network: nn.Module) -> None:
    """Initial weights as Keras draws them: Glorot, orthogonal for recurrent kernels, zero biases."""
    for name, parameter in network.named_parameters():
        if "weight_hh" in name:
            for gate in parameter.data.chunk(3):
                nn.init.orthogonal_(gate)
        elif parameter.dim() > 1 and "bias" not in name:
            nn.init.xavier_uniform_(parameter)
        elif "bias" in name:
            nn.init.zeros_(parameter)
