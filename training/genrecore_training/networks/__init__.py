"""One module a paper, one class a network (or two that differ by a cell); all give logits.

`NETWORKS` has every network by name; ``mel`` holds those of our own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import nn

from genrecore_training.networks.abela import AbelaConv, AbelaConvRecurrent, AbelaEnd2End, AbelaRecurrent
from genrecore_training.networks.cox import CoxGtzanet, CoxZfnet
from genrecore_training.networks.liang import LiangMfccCnn, LiangMfccLstm, LiangSpotifyCnn, LiangSpotifyRnn
from genrecore_training.networks.mel import End2EndGruMel, MelCnn
from genrecore_training.networks.obeirne import ObeirneCnn
from genrecore_training.networks.otero import OteroCrnn

__all__ = ["NETWORKS", "build"]

NETWORKS: dict[str, Callable[..., nn.Module]] = {
    "abela-conv": AbelaConv,
    "abela-blstm": partial(AbelaRecurrent, cell="lstm"),
    "abela-conv-blstm": partial(AbelaConvRecurrent, cell="lstm"),
    "abela-gru": partial(AbelaRecurrent, cell="gru"),
    "abela-conv-bgru": partial(AbelaConvRecurrent, cell="gru"),
    "abela-end2end": partial(AbelaEnd2End, cell="lstm"),
    "abela-end2end-gru": partial(AbelaEnd2End, cell="gru"),
    "cox-gtzanet": CoxGtzanet,
    "cox-zfnet": CoxZfnet,
    "liang-mfcc-cnn": LiangMfccCnn,
    "liang-mfcc-lstm": LiangMfccLstm,
    "liang-spotify-cnn": LiangSpotifyCnn,
    "liang-spotify-rnn": LiangSpotifyRnn,
    "obeirne-cnn": ObeirneCnn,
    "otero-crnn": OteroCrnn,
    "end2end-gru-mel": End2EndGruMel,
    "mel-cnn": MelCnn,
}


def build(name: str, classes: int, shape: tuple[int, ...], options: dict[str, Any]) -> nn.Module:
    """Build a network by name.

    Parameters
    ----------
    name : str
        A key of `NETWORKS`.
    classes : int
        How many.
    shape : tuple of int
        Of one snippet, without the batch: (samples,), (mels, frames) or (numbers,).
    options : dict
        Further arguments of the network's class.

    Raises
    ------
    KeyError
        If there is no network of that name.
    TypeError, ValueError
        If the network does not know an option, or cannot hear that shape.
    """
    return NETWORKS[name](classes, shape, **options)
