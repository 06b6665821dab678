"""Whether a confidence means what it says, and what it is good for. Pure functions."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from genrecore_training.statistics import FLOOR, Verdict, facts_of, losses

__all__ = [
    "Operating",
    "ReliabilityBin",
    "calibrated",
    "calibration_band",
    "calibration_error",
    "fit_temperature",
    "reliability",
    "risk_coverage",
    "threshold_for",
]

_SIMULATIONS = 2000
_SEED = 0


@dataclass(frozen=True)
class ReliabilityBin:
    """Tracks of similar confidence.

    Parameters
    ----------
    n : int
        How many.
    confidence : float
        Their mean confidence.
    right : float
        Share of them that is right.
    low, high : float
        Where `right` would lie in 95 % of such tests were the confidence exact.
    """

    n: int
    confidence: float
    right: float
    low: float
    high: float


@dataclass(frozen=True)
class Operating:
    """What a least confidence gives.

    Parameters
    ----------
    threshold : float
        Below it a model abstains.
    coverage : float
        Share of the tracks on which it does not.
    precision : float
        Share of these that is right.
    """

    threshold: float
    coverage: float
    precision: float


def fit_temperature(tested: Sequence[Verdict]) -> float:
    """Temperature at which softmax(log(mean probability) / T) has the least log loss on these (validation) tracks."""
    logs = np.log(np.maximum([item.histogram.probabilities for item in tested], FLOOR))
    truth = np.array([item.histogram.labels.index(item.label) for item in tested])

    def loss(log_temperature: float) -> float:
        return float(losses(logs / math.exp(log_temperature), truth).mean())

    return float(math.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


def calibrated(tested: Sequence[Verdict], temperature: float) -> list[Verdict]:
    """The same verdicts at another temperature; 1 is what a network says by itself."""
    return [
        dataclasses.replace(item, histogram=dataclasses.replace(item.histogram, temperature=temperature))
        for item in tested
    ]


def calibration_error(tested: Sequence[Verdict], *, bins: int = 10) -> float:
    """Expected calibration error of `confidence`, in `bins` bins of equal width (Guo et al. 2017)."""
    facts = facts_of(tested)
    held, right = _bins(facts["confidence"], bins), facts["said"] == facts["truth"]
    gaps = np.abs(np.bincount(held, facts["confidence"]) - np.bincount(held, right))
    return float(gaps.sum() / len(facts))


def calibration_band(
    tested: Sequence[Verdict], *, bins: int = 10, simulations: int = _SIMULATIONS, seed: int = _SEED
) -> tuple[float, float]:
    """Where `calibration_error` would lie in 95 % of such tests were the confidence exact: above 0, with few tracks.

    Parameters
    ----------
    tested : sequence of Verdict
        The tracks; each is right with the probability that its confidence states, independently of the others.
    bins : int
        As for the error.
    simulations, seed : int
        Of the band.
    """
    sure, rng = facts_of(tested)["confidence"], np.random.default_rng(seed)
    held = _bins(sure, bins)
    members = np.eye(bins)[held]
    right = (rng.random((simulations, len(sure))) < sure) @ members
    errors = np.abs(sure @ members - right).sum(axis=1) / len(sure)
    low, high = np.percentile(errors, [2.5, 97.5])
    return float(low), float(high)


def reliability(
    tested: Sequence[Verdict], *, bins: int = 10, simulations: int = _SIMULATIONS, seed: int = _SEED
) -> tuple[ReliabilityBin, ...]:
    """Confidence against the share that is right, in the bins of `calibration_error` that hold a track.

    The band is that of consistency resampling (Bröcker and Smith 2007): each track is right with the probability
    that its confidence states, independently of the others.

    Parameters
    ----------
    tested : sequence of Verdict
        The tracks.
    bins : int
        Of equal width, 0 to 1.
    simulations, seed : int
        Of the band.
    """
    facts, rng, found = facts_of(tested), np.random.default_rng(seed), []
    held = _bins(facts["confidence"], bins)
    for number in np.unique(held):
        part = facts[held == number]
        sure = part["confidence"]
        low, high = np.percentile((rng.random((simulations, len(part))) < sure).mean(axis=1), [2.5, 97.5])
        right = float(np.mean(part["said"] == part["truth"]))
        found.append(ReliabilityBin(len(part), float(sure.mean()), right, float(low), float(high)))
    return tuple(found)


def risk_coverage(tested: Sequence[Verdict]) -> tuple[Operating, ...]:
    """What each threshold gives (El-Yaniv and Wiener 2010): one for each confidence that occurs, the highest first."""
    facts = facts_of(tested)
    right, sure = facts["said"] == facts["truth"], facts["confidence"]
    found = []
    for threshold in np.unique(sure)[::-1]:
        kept = sure >= threshold
        found.append(Operating(float(threshold), float(kept.mean()), float(right[kept].mean())))
    return tuple(found)


def threshold_for(tested: Sequence[Verdict], precision: float) -> Operating | None:
    """The threshold of most coverage that gives a precision; None if none does.

    Parameters
    ----------
    tested : sequence of Verdict
        Validation tracks: a threshold that was chosen on a test would flatter itself there.
    precision : float
        Wanted, 0 to 1.
    """
    enough = [point for point in risk_coverage(tested) if point.precision >= precision]
    return max(enough, key=lambda point: point.coverage, default=None)


def _bins(confidences: NDArray[np.float64], bins: int) -> NDArray[np.intp]:
    return np.minimum(bins - 1, (confidences * bins).astype(np.intp))
