"""Figures of a set of tested tracks: accuracy, macro F1, calibration, with intervals. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from sklearn.metrics import confusion_matrix, f1_score

from genrecore.analysis import Histogram

__all__ = [
    "INTERVAL",
    "Verdict",
    "accuracy",
    "bootstrap",
    "calibration_error",
    "confusion",
    "fit_temperature",
    "macro_f1",
]

_RESAMPLES = 2000
_SEED = 0

#: What results files say of the intervals of `bootstrap`.
INTERVAL = f"95 %, bootstrap of {_RESAMPLES} resamples over artists, seed {_SEED}"


@dataclass(frozen=True)
class Verdict:
    """A track that a model heard in the test.

    Parameters
    ----------
    id, label, group : str
        The track, what it is, and the artist (or other group) it is resampled with.
    histogram : Histogram
        What the model says, through genrecore's own aggregation.
    kind : str
        What it listened to: ``columns`` (archived log-mel), ``paired`` (the same, at the file's own snippets),
        ``waveform``, ``windows`` or ``slice``.
    """

    id: str
    label: str
    group: str
    histogram: Histogram
    kind: str

    @property
    def right(self) -> bool:
        """Whether the tallest bar is the label."""
        return self.histogram.top == self.label


def accuracy(tested: Sequence[Verdict]) -> float:
    """Share of tracks whose tallest bar is right."""
    return sum(item.right for item in tested) / len(tested)


def macro_f1(tested: Sequence[Verdict]) -> float:
    """F1 of the tallest bar, averaged over the labels."""
    truth, said = [item.label for item in tested], [item.histogram.top for item in tested]
    return float(f1_score(truth, said, average="macro", labels=sorted(set(truth)), zero_division=0))


def bootstrap(
    tested: Sequence[Verdict],
    figure: Callable[[Sequence[Verdict]], float],
    *,
    resamples: int = _RESAMPLES,
    seed: int = _SEED,
) -> tuple[float, float]:
    """95 % percentile interval; whole groups are drawn, since tracks of one artist are not independent.

    Parameters
    ----------
    tested : sequence of Verdict
        The tracks.
    figure : callable
        `accuracy` or `macro_f1`.
    resamples, seed : int
        Of the bootstrap.
    """
    groups: dict[str, list[Verdict]] = {}
    for item in tested:
        groups.setdefault(item.group, []).append(item)
    members = list(groups.values())
    rng = np.random.default_rng(seed)
    figures = [
        figure([item for pick in rng.integers(len(members), size=len(members)) for item in members[pick]])
        for _ in range(resamples)
    ]
    low, high = np.percentile(figures, [2.5, 97.5])
    return float(low), float(high)


def confusion(tested: Sequence[Verdict], labels: Sequence[str]) -> list[list[int]]:
    """Rows: what it is; columns: what the model says."""
    matrix: NDArray[np.int64] = confusion_matrix(
        [item.label for item in tested], [item.histogram.top for item in tested], labels=list(labels)
    )
    return [[int(cell) for cell in row] for row in matrix]


def fit_temperature(tested: Sequence[Verdict]) -> float:
    """Temperature at which softmax(log(mean probability) / T) has the least log loss on these (validation) tracks."""
    logs = np.log(np.maximum([item.histogram.probabilities for item in tested], 1e-12))
    truth = np.array([item.histogram.labels.index(item.label) for item in tested])

    def log_loss(log_temperature: float) -> float:
        scaled = logs / math.exp(log_temperature)
        normal = scaled - np.logaddexp.reduce(scaled, axis=1, keepdims=True)
        return float(-normal[np.arange(len(truth)), truth].mean())

    return float(math.exp(minimize_scalar(log_loss, bounds=(-3, 3), method="bounded").x))


def calibration_error(tested: Sequence[Verdict], *, bins: int = 10) -> float:
    """Expected calibration error of `confidence`, in `bins` bins of equal width (Guo et al. 2017)."""
    held: dict[int, list[Verdict]] = {}
    for item in tested:
        held.setdefault(min(bins - 1, int(item.histogram.confidence * bins)), []).append(item)
    gaps = (
        abs(sum(item.histogram.confidence for item in part) - sum(item.right for item in part))
        for part in held.values()
    )
    return sum(gaps) / len(tested)
