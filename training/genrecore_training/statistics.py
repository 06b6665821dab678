"""Figures of a set of tested tracks: accuracy, F1, log loss, with intervals. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from genrecore.analysis import Histogram

__all__ = [
    "FLOOR",
    "INTERVAL",
    "Verdict",
    "accuracy",
    "bootstrap",
    "confusion",
    "correlation_over_time",
    "facts_of",
    "log_loss",
    "losses",
    "macro_f1",
    "mean_accuracy",
    "over_seeds",
    "per_class",
    "snippet_accuracy",
    "top_k",
]

_RESAMPLES = 2000
_SEED = 0
#: Of a probability before its logarithm, as in genrecore's confidence.
FLOOR = 1e-12
_STILL = 1e-9  # a class that moves by less than this over time does not move

#: What results files say of the intervals of `bootstrap`.
INTERVAL = f"95 %, bootstrap of {_RESAMPLES} resamples over artists, seed {_SEED}; exact (Clopper-Pearson) at 0 and 1"


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
    facts = _table(tested).facts
    return float(np.mean(facts["said"] == facts["truth"]))


def mean_accuracy(tested: Sequence[Verdict]) -> float:
    """Share of tracks whose class of highest mean probability is right."""
    return top_k(tested, k=1)


def snippet_accuracy(tested: Sequence[Verdict]) -> float:
    """Share of the snippets of all tracks whose most probable class is right."""
    facts = _table(tested).facts
    return float(facts["hits"].sum() / facts["snippets"].sum())


def top_k(tested: Sequence[Verdict], k: int = 5) -> float:
    """Share of tracks whose label is among the `k` classes of highest mean probability.

    Raises
    ------
    ValueError
        If `k` is less than 1.
    """
    if k < 1:
        raise ValueError(f"the label cannot be among the first {k} classes")
    return float(np.mean(_table(tested).facts["rank"] < k))


def macro_f1(tested: Sequence[Verdict]) -> float:
    """F1 of the tallest bar, averaged over the labels there are; scikit-learn's, in a fraction of its time."""
    table = _table(tested)
    cells = table.facts["truth"] * table.classes + table.facts["said"]
    matrix = np.bincount(cells, minlength=table.classes**2).reshape(table.classes, table.classes)
    held, said = matrix.sum(axis=1), matrix.sum(axis=0)
    there = held > 0
    return float(np.mean(2 * np.diag(matrix)[there] / (held + said)[there]))


def per_class(tested: Sequence[Verdict]) -> dict[str, dict[str, float]]:
    """For each class, ``precision``, ``recall``, ``f1`` (0 where they would be of nothing) and ``n``, its tracks."""
    labels = tested[0].histogram.labels
    truth, said = [item.label for item in tested], [item.histogram.top for item in tested]
    columns = precision_recall_fscore_support(truth, said, labels=labels, zero_division=0)
    named = dict(zip(("precision", "recall", "f1", "n"), columns, strict=True))
    return {
        label: {name: column[k].item() for name, column in named.items()} for k, label in enumerate(labels)
    }


def log_loss(tested: Sequence[Verdict]) -> float:
    """Mean -log of the label's calibrated probability, softmax(log(mean probability) / T); in nats."""
    return float(np.mean(_table(tested).facts["loss"]))


def bootstrap(
    tested: Sequence[Verdict],
    figure: Callable[[Sequence[Verdict]], float],
    *,
    resamples: int = _RESAMPLES,
    seed: int = _SEED,
) -> tuple[float, float]:
    """95 % percentile interval; whole groups are drawn, since tracks of one artist are not independent.

    Where nothing is wrong, or nothing right, drawing again tells nothing: the interval is then the exact one (Clopper
    and Pearson 1934) of as many successes, or failures, as there are groups.

    Parameters
    ----------
    tested : sequence of Verdict
        The tracks.
    figure : callable
        `accuracy`, `macro_f1` or another figure of a sequence of verdicts. Those of this module are quick.
    resamples, seed : int
        Of the bootstrap.
    """
    table = _table(tested)
    groups: dict[str, list[int]] = {}
    for row, item in enumerate(tested):
        groups.setdefault(item.group, []).append(row)
    members = [np.array(held) for held in groups.values()]
    rng = np.random.default_rng(seed)
    figures = []
    for _ in range(resamples):
        picks = rng.integers(len(members), size=len(members))
        rows = np.concatenate([members[pick] for pick in picks])
        figures.append(figure(_Table(table.facts[rows], table.classes)))
    low, high = np.percentile(figures, [2.5, 97.5])
    if low == high and low in (0, 1):
        low, high = binomtest(int(low) * len(members), len(members)).proportion_ci(method="exact")
    return float(low), float(high)


def over_seeds(values: Sequence[float]) -> tuple[float, float]:
    """Mean and sample deviation (n - 1) of a figure over runs that differ by their seed.

    Raises
    ------
    ValueError
        If there are fewer than two.
    """
    if len(values) < 2:
        raise ValueError("a deviation over seeds needs two runs or more")
    return float(np.mean(values)), float(np.std(values, ddof=1))


def confusion(tested: Sequence[Verdict], labels: Sequence[str]) -> list[list[int]]:
    """Rows: what it is; columns: what the model says."""
    matrix: NDArray[np.int64] = confusion_matrix(
        [item.label for item in tested], [item.histogram.top for item in tested], labels=list(labels)
    )
    return [[int(cell) for cell in row] for row in matrix]


def correlation_over_time(tracks: Sequence[ArrayLike]) -> NDArray[np.float64]:
    """Which classes rise and fall together while a track plays (the next step that Otero et al. name).

    Each track is centred on its own mean and all are pooled: the correlation within tracks (Bland and Altman 1995),
    to which a track counts by how much it moves. An average of the tracks' own correlations (in Fisher's z) would
    count the tremor of a track that stays in one class as much as a change of style, and is infinite where just two
    classes trade places. As probabilities sum to 1, K classes without any kinship have about -1 / (K - 1), not 0.

    Parameters
    ----------
    tracks : sequence of array of float, shape (windows, classes)
        A track's probabilities at each point in time.

    Returns
    -------
    ndarray of float64, shape (classes, classes)
        Symmetric, 1 on the diagonal; NaN for a class that never moves.

    Raises
    ------
    ValueError
        If there is no track, or they are not of the same classes.
    """
    matrices = [np.asarray(track, dtype=np.float64) for track in tracks]
    if not matrices or any(m.ndim != 2 or not len(m) or m.shape[1] != matrices[0].shape[1] for m in matrices):
        raise ValueError("a correlation over time needs tracks of shape (windows, classes), alike in classes")
    moves = np.concatenate([matrix - matrix.mean(axis=0) for matrix in matrices])
    spread = np.sqrt(np.mean(moves**2, axis=0))
    spread[spread < _STILL] = np.nan
    found: NDArray[np.float64] = np.clip(moves.T @ moves / len(moves) / np.outer(spread, spread), -1, 1)
    found[np.diag_indices(len(found))] = np.where(np.isnan(spread), np.nan, 1.0)
    return found


def facts_of(tested: Sequence[Verdict]) -> NDArray[np.void]:
    """What figures need of each track, as the fields of an array: see `_FACTS`; in the same order."""
    return _table(tested).facts


_FACTS = np.dtype(
    [
        ("verdict", np.object_),
        ("truth", np.intp),  # this and the next: place among the sorted classes
        ("said", np.intp),
        ("rank", np.intp),  # of the label by mean probability, from 0
        ("hits", np.intp),  # snippets that are right
        ("snippets", np.intp),
        ("confidence", np.float64),
        ("loss", np.float64),
    ]
)


@dataclass(frozen=True, eq=False)
class _Table(Sequence[Verdict]):
    """Verdicts, with what the figures need of each as a row of an array: a resample is then one indexing."""

    facts: NDArray[np.void]
    classes: int

    def __len__(self) -> int:
        return len(self.facts)

    def __getitem__(self, at: Any) -> Any:
        return self.facts["verdict"][at]


def _table(tested: Sequence[Verdict]) -> _Table:
    if isinstance(tested, _Table):
        return tested
    if not tested:
        raise ValueError("there is no figure of no tracks")
    labels = tested[0].histogram.labels
    if any(item.histogram.labels != labels or item.label not in labels for item in tested):
        raise ValueError("a figure needs tracks of one model's classes")
    order = {label: code for code, label in enumerate(sorted(labels))}
    facts = np.empty(len(tested), _FACTS)
    facts["verdict"] = tested
    facts["truth"] = [order[item.label] for item in tested]
    facts["said"] = [order[item.histogram.top] for item in tested]
    facts["snippets"] = [item.histogram.snippets for item in tested]
    facts["confidence"] = [item.histogram.confidence for item in tested]
    truth = np.array([labels.index(item.label) for item in tested])
    facts["hits"] = [item.histogram.counts[column] for item, column in zip(tested, truth, strict=True)]
    mean = np.array([item.histogram.probabilities for item in tested])
    # Stable: among equals the earlier class is first, as with argmax.
    facts["rank"] = np.argmax(np.argsort(-mean, axis=1, kind="stable") == truth[:, None], axis=1)
    temperatures = np.array([item.histogram.temperature for item in tested])
    facts["loss"] = losses(np.log(np.maximum(mean, FLOOR)) / temperatures[:, None], truth)
    return _Table(facts, len(labels))


def losses(logits: NDArray[np.float64], truth: NDArray[np.int64]) -> NDArray[np.float64]:
    """-log of the softmax of each row at its class, in nats."""
    normal = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    return -normal[np.arange(len(truth)), truth]
