"""Distillation: a network learns what an ensemble says of each place of a track (Hinton, Vinyals, Dean 2015).

The teachers have heard the same fold's training tracks only. They listen once, at places a quarter of a snippet
apart; a training snippet takes what was said at the nearest place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from genrecore.model import Model
from genrecore_training.crops import Material

__all__ = ["say", "taught"]

_PLACES_A_SNIPPET = 4
# Of the even distribution, where teachers exclude all that a track may be.
_DOUBT = 1e-3


def say(columns: NDArray[np.floating], teachers: Sequence[Model]) -> tuple[NDArray[np.float32], int]:
    """Mean probabilities of some teachers along a log-mel.

    Parameters
    ----------
    columns : ndarray, shape (mels, n)
        dB; repeated where it is shorter than a snippet.
    teachers : sequence of Model
        Of one input and the same classes.

    Returns
    -------
    ndarray of float32, shape (places, classes)
        Places are evenly spaced, the first at the beginning.
    int
        Columns from one place to the next.
    """
    frames = teachers[0].card.input.shape[-1]
    step = max(1, frames // _PLACES_A_SNIPPET)
    if columns.shape[-1] < frames:
        columns = columns[:, np.arange(frames) % columns.shape[-1]]
    starts = range(0, columns.shape[-1] - frames + 1, step)
    snippets = np.stack([columns[:, start : start + frames] for start in starts]).astype(np.float32)
    return np.mean([teacher.run(snippets) for teacher in teachers], axis=0, dtype=np.float32), step


def taught(
    material: Material,
    said: NDArray[np.float32],
    step: int,
    share: float,
    allowed: NDArray[np.float32] | None = None,
) -> Material:
    """A track with what teachers say mixed into its label.

    Parameters
    ----------
    material : Material
        With its target; NaN for the label where there is none, and the teachers' word counts alone.
    said : ndarray of float32, shape (places, classes)
        From `say`.
    step : int
        Samples, or columns, of the material from one place to the next.
    share : float
        Of the teachers, 0 to 1.
    allowed : ndarray of float32, shape (classes,), optional
        Evenly spread over what the track may be, in place of a label: of these classes the teachers' word counts alone
        (learning from partial labels, Lv et al. 2020).
    """
    if allowed is not None:
        kept = np.where(allowed > 0, said, 0) + _DOUBT * allowed
        return replace(
            material, taught=(kept / kept.sum(axis=1, keepdims=True)).astype(np.float32), step=step
        )
    label = material.target[: said.shape[1]]
    mixed = said if np.isnan(label).any() else share * said + (1 - share) * label
    return replace(material, taught=mixed.astype(np.float32), step=step)
