"""One module a paper, one class a network; all take what the model contract says and give logits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from genrecore_training.networks.abela import AbelaEnd2EndGru
from genrecore_training.networks.mel import End2EndGruMel, MelCnn

__all__ = ["NETWORKS", "build"]

NETWORKS: dict[str, Callable[..., nn.Module]] = {
    "abela-end2end-gru": AbelaEnd2EndGru,
    "end2end-gru-mel": End2EndGruMel,
    "mel-cnn": MelCnn,
}


def build(name: str, classes: int, options: dict[str, Any]) -> nn.Module:
    """Build a network by name.

    Raises
    ------
    KeyError
        If there is no network of that name.
    """
    return NETWORKS[name](classes, **options)
