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


def taught(material: Material, said: NDArray[np.float32], step: int, share: float) -> Material:
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
    """
    label = material.target[: said.shape[1]]
    mixed = said if np.isnan(label).any() else share * said + (1 - share) * label
    return replace(material, taught=mixed.astype(np.float32), step=step)
