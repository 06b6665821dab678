"""What a confidence is worth: the band of an exact one, thresholds and what they give."""

from __future__ import annotations

import numpy as np
import pytest

from genrecore.analysis import Histogram
from genrecore_training.calibration import (
    calibrated,
    calibration_band,
    calibration_error,
    risk_coverage,
    threshold_for,
)
from genrecore_training.statistics import Verdict


def verdict(confidence: float, right: bool) -> Verdict:
    histogram = Histogram(("a", "b"), (3, 1), (confidence, 1 - confidence), "m 1")
    return Verdict("t", "a" if right else "b", "g", histogram, "waveform")


def drawn(count: int, *, gap: float = 0.0, seed: int = 0) -> list[Verdict]:
    """Tracks that are right with their confidence less `gap`."""
    rng = np.random.default_rng(seed)
    return [verdict(sure, rng.random() < sure - gap) for sure in rng.uniform(0.55, 0.95, count)]


def test_an_exact_confidence_lies_in_its_band_and_a_boast_above() -> None:
    inside = []
    for seed in range(40):
        tested = drawn(200, seed=seed)
        low, high = calibration_band(tested, simulations=400)
        inside.append(low <= calibration_error(tested) <= high)
    assert sum(inside) >= 34, "about 38 of 40"
    boast = drawn(200, gap=0.2)
    assert calibration_error(boast) > calibration_band(boast)[1]
    low, high = calibration_band(drawn(20))
    assert high > calibration_band(drawn(2000))[1], "few tracks prove little"
    assert 0 < low < high


def test_a_band_of_one_track_by_hand() -> None:
    """Right or wrong: the error is .4 or .6."""
    assert calibration_band([verdict(0.6, True)]) == (pytest.approx(0.4), pytest.approx(0.6))


def test_thresholds_by_hand() -> None:
    tested = [
        verdict(0.9, True),
        verdict(0.8, True),
        verdict(0.8, False),
        verdict(0.6, True),
        verdict(0.55, False),
    ]
    found = [(point.threshold, point.coverage, point.precision) for point in risk_coverage(tested)]
    by_hand = [(0.9, 0.2, 1), (0.8, 0.6, 2 / 3), (0.6, 0.8, 0.75), (0.55, 1, 0.6)]
    assert found == [pytest.approx(point) for point in by_hand]
    for precision, point in ((0.75, by_hand[2]), (0.9, by_hand[0]), (0.6, by_hand[3])):
        chosen = threshold_for(tested, precision)
        assert chosen is not None
        assert (chosen.threshold, chosen.coverage, chosen.precision) == pytest.approx(point)
    assert threshold_for([verdict(0.9, False)], 0.5) is None


def test_calibrated_is_another_temperature_and_nothing_else() -> None:
    (hot,) = calibrated([verdict(0.8, True)], 2.0)
    assert hot.histogram.temperature == 2
    assert hot.histogram.confidence == pytest.approx(2 / 3)
    assert calibrated([hot], 1.0) == [verdict(0.8, True)]
