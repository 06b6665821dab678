"""Multi-task learning: what a network is asked beside its task, while it is trained.

Tracks of other data sets, and what else is known of a data set's own, are answered by linear heads on the same
embedding (Caruana 1997). The heads are not exported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy.stats import rankdata
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from genrecore_training.datasets import Annotation

__all__ = ["LABEL", "Auxiliary", "Head", "Sounding", "Weak", "answers", "loss_of"]

#: Data sets that can be heard beside a recipe's own.
Sounding = Literal["gtzan", "4qaed", "emotify", "fma"]
#: The target that is a data set's own label.
LABEL = "label"


class Auxiliary(BaseModel):
    """A data set that a network learns from beside its task."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: Sounding = Field(description="its name; the recipe's own for what else is known of its tracks")
    targets: tuple[str, ...] = Field(
        min_length=1,
        description="label, or an annotation: genres, moods, features (4qaed), emotions (emotify)",
    )
    weight: float = Field(1.0, gt=0, description="of each target's loss, beside 1 of the task's")
    crops_per_track: int = Field(
        10, ge=1, description="random snippets of each track of another data set in an epoch"
    )


class Weak(BaseModel):
    """A data set whose own words leave open which of some classes a track is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: Literal["4qaed", "emotify"] = Field(description="its name")
    crops_per_track: int = Field(10, ge=1, description="random snippets of each of its tracks in an epoch")


@dataclass(frozen=True)
class Head:
    """What is asked.

    Parameters
    ----------
    name : str
        ``dataset.target``.
    one_of : bool
        The values are one distribution (softmax), or each one a share of its own (sigmoid).
    size : int
        Values.
    weight : float
        Of its loss.
    """

    name: str
    one_of: bool
    size: int
    weight: float


def answers(annotation: Annotation, tracks: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    """What an annotation says of some tracks, as a head is to say it, by track id.

    Numbers become their ranks among just these tracks, 0 to 1, which no outlier bends.
    """
    known = [track for track in tracks if track in annotation.values]
    values = np.array([annotation.values[track] for track in known], np.float32)
    if annotation.kind == "numbers" and len(known) > 1:
        values = ((rankdata(values, axis=0) - 1) / (len(known) - 1)).astype(np.float32)
    return dict(zip(known, values, strict=True))


def loss_of(outputs: Tensor, targets: Tensor, heads: Sequence[Head], smoothing: float) -> Tensor:
    """The weighted sum of the heads' losses; each is the mean over the snippets of which the answer is known.

    Parameters
    ----------
    outputs, targets : Tensor, shape (batch, sum of sizes)
        Logits, and values in the order of the heads; NaN where nothing is known.
    heads : sequence of Head
        The task's own first.
    smoothing : float
        Label smoothing, of distributions.
    """
    total, begin = outputs.sum() * 0, 0  # of the graph, also where nothing is known
    for head in heads:
        answer = targets[:, begin : begin + head.size]
        said = outputs[:, begin : begin + head.size]
        begin += head.size
        known = ~torch.isnan(answer[:, 0])
        if not known.any():
            continue
        if head.one_of:
            loss = cross_entropy(said[known], answer[known], label_smoothing=smoothing)
        else:
            loss = binary_cross_entropy_with_logits(said[known], answer[known])
        total = total + head.weight * loss
    return total
