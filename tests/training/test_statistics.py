"""Figures: accuracy, F1, intervals, temperature."""

from __future__ import annotations

import numpy as np
import pytest

from genrecore.analysis import Histogram
from genrecore_training.statistics import (
    Verdict,
    accuracy,
    bootstrap,
    calibration_error,
    confusion,
    fit_temperature,
    macro_f1,
)

LABELS = ("a", "b")


def verdict(label: str, said: str, group: str = "", p: float = 0.8, temperature: float = 1.0) -> Verdict:
    sure = (p, 1 - p) if said == "a" else (1 - p, p)
    counts = (3, 1) if said == "a" else (1, 3)
    return Verdict(
        "t", label, group or f"{label}{said}", Histogram(LABELS, counts, sure, "m 1", temperature), "waveform"
    )


def test_accuracy_f1_and_confusion_of_known_answers() -> None:
    items = [verdict("a", "a")] * 3 + [verdict("a", "b")] + [verdict("b", "b")] * 2
    assert accuracy(items) == pytest.approx(5 / 6)
    assert macro_f1(items) == pytest.approx((6 / 7 + 4 / 5) / 2)
    assert confusion(items, LABELS) == [[3, 1], [0, 2]]


def test_the_interval_knows_that_tracks_of_one_artist_are_not_independent() -> None:
    right, wrong = verdict("a", "a"), verdict("a", "b")
    apart = [
        Verdict("t", i.label, str(n), i.histogram, "waveform") for n, i in enumerate([right, wrong] * 50)
    ]
    joined = [
        Verdict("t", i.label, str(n // 25 + (n % 2) * 9), i.histogram, "waveform")
        for n, i in enumerate(apart)
    ]
    low, high = bootstrap(apart, accuracy, resamples=500)
    wide_low, wide_high = bootstrap(joined, accuracy, resamples=500)
    assert low < 0.5 < high
    assert high - low < wide_high - wide_low
    assert bootstrap(apart, accuracy, resamples=500) == (low, high)


@pytest.mark.parametrize("share", [0.6, 0.75, 0.95])
def test_temperature_brings_confidence_to_the_share_that_is_right(share: float) -> None:
    """Histograms that always say .8 and are right in `share` of the cases."""
    count = 400
    right = round(share * count)
    items = [verdict("a", "a")] * right + [verdict("b", "a")] * (count - right)
    temperature = fit_temperature(items)
    after = [verdict(i.label, "a", temperature=temperature) for i in items]
    assert after[0].histogram.confidence == pytest.approx(share, abs=0.01)
    assert calibration_error(after) < 0.01 < calibration_error(items)


def test_calibration_error_of_the_overconfident() -> None:
    items = [verdict("a", "a", p=0.9)] * 50 + [verdict("b", "a", p=0.9)] * 50
    order = np.random.default_rng(0).permutation(100)
    assert calibration_error([items[i] for i in order], bins=1) == pytest.approx(0.4)
