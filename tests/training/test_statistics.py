"""Figures: accuracy, F1, intervals, temperature."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score
from sklearn.metrics import log_loss as sklearn_log_loss

from genrecore.analysis import Histogram
from genrecore_training.calibration import calibrated, calibration_error, fit_temperature, reliability
from genrecore_training.statistics import (
    Verdict,
    accuracy,
    bootstrap,
    confusion,
    correlation_over_time,
    log_loss,
    macro_f1,
    mean_accuracy,
    over_seeds,
    per_class,
    snippet_accuracy,
    top_k,
)

LABELS = ("a", "b")
MANY = tuple("gfedcba")  # not in alphabetical order
FIGURES = (accuracy, mean_accuracy, snippet_accuracy, top_k, macro_f1, log_loss, calibration_error)


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


def test_a_few_tracks_that_are_all_right_or_all_wrong_prove_little() -> None:
    """The exact bound: 1 - .025 ** (1 / n) may be wrong, or right; by artists, not by tracks."""
    right = [verdict("a", "a", str(k % 5)) for k in range(15)]
    assert bootstrap(right, accuracy, resamples=50) == (pytest.approx(0.025 ** (1 / 5)), 1)
    wrong = [verdict("a", "b", str(k % 5)) for k in range(15)]
    assert bootstrap(wrong, accuracy, resamples=50) == (0, pytest.approx(1 - 0.025 ** (1 / 5)))


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


def heard(
    label: str, counts: tuple[int, ...], probabilities: tuple[float, ...], temperature: float = 1.0
) -> Verdict:
    labels = MANY[-len(counts) :]
    return Verdict("t", label, "", Histogram(labels, counts, probabilities, "m 1", temperature), "waveform")


def drawn(tracks: int, groups: int, seed: int, labels: Sequence[str] = MANY) -> list[Verdict]:
    """Verdicts at random, right more often than not."""
    rng, found = np.random.default_rng(seed), []
    for number in range(tracks):
        truth = int(rng.integers(len(labels)))
        leaning = rng.gamma(1, size=len(labels)) + 0.4 * (np.arange(len(labels)) == truth)
        snippets = rng.dirichlet(leaning, 20)
        counts = np.bincount(snippets.argmax(axis=1), minlength=len(labels))
        histogram = Histogram(
            tuple(labels), tuple(counts.tolist()), tuple(snippets.mean(axis=0).tolist()), "m 1", 0.7
        )
        found.append(Verdict(f"t{number}", labels[truth], f"g{rng.integers(groups)}", histogram, "waveform"))
    return found


def sklearn_macro_f1(tested: Sequence[Verdict]) -> float:
    truth, said = [item.label for item in tested], [item.histogram.top for item in tested]
    return float(f1_score(truth, said, average="macro", labels=sorted(set(truth)), zero_division=0))


def plain_bootstrap(tested: list[Verdict], figure, resamples: int) -> tuple[float, float]:  # type: ignore[no-untyped-def]
    """The interval as the first release computed it: lists of verdicts, one resample at a time."""
    groups: dict[str, list[Verdict]] = {}
    for item in tested:
        groups.setdefault(item.group, []).append(item)
    members = list(groups.values())
    rng = np.random.default_rng(0)
    figures = [
        figure([item for pick in rng.integers(len(members), size=len(members)) for item in members[pick]])
        for _ in range(resamples)
    ]
    low, high = np.percentile(figures, [2.5, 97.5])
    return float(low), float(high)


def test_the_tallest_bar_the_highest_mean_and_the_snippets_can_disagree() -> None:
    bar_right = heard("a", (0, 4, 6), (0.1, 0.5, 0.4))  # the classes are c, b, a
    mean_right = heard("b", (0, 4, 6), (0.1, 0.5, 0.4))
    both_wrong = heard("c", (5, 10, 5), (0.3, 0.4, 0.3))
    items = [bar_right, mean_right, both_wrong]
    assert accuracy(items) == pytest.approx(1 / 3)
    assert accuracy([bar_right]) == mean_accuracy([mean_right]) == 1
    assert accuracy([mean_right]) == mean_accuracy([bar_right]) == 0
    assert snippet_accuracy(items) == pytest.approx((6 + 4 + 5) / 40), "pooled, so long tracks count more"


def test_top_k_is_of_the_mean_probability() -> None:
    means = (0.05, 0.1, 0.15, 0.3, 0.25, 0.08, 0.07)  # ranks of g to a: 7, 4, 3, 1, 2, 5, 6
    items = [heard(label, (0, 0, 0, 1, 0, 0, 0), means) for label in MANY]
    assert [top_k(items, k=k) for k in (1, 3, 7, 9)] == pytest.approx([1 / 7, 3 / 7, 1, 1])
    assert [top_k([item]) for item in items] == [0, 1, 1, 1, 1, 1, 0], "five where nothing else is said"
    with pytest.raises(ValueError, match="first 0 classes"):
        top_k(items, k=0)


def test_precision_recall_and_f1_of_each_class() -> None:
    items = [verdict("a", "a")] * 3 + [verdict("a", "b")] + [verdict("b", "b")] * 2
    assert per_class(items) == {
        "a": {"precision": 1, "recall": 0.75, "f1": pytest.approx(6 / 7), "n": 4},
        "b": {"precision": pytest.approx(2 / 3), "recall": 1, "f1": pytest.approx(4 / 5), "n": 2},
    }
    alone = per_class([verdict("a", "a")])
    assert alone["b"] == {"precision": 0, "recall": 0, "f1": 0, "n": 0}
    assert list(per_class(drawn(50, 9, 0))) == list(MANY), "in the model's order"


def test_log_loss_is_that_of_the_calibrated_probabilities() -> None:
    # sqrt(.8), sqrt(.2) are 2 to 1
    assert log_loss([verdict("a", "a", temperature=2)]) == pytest.approx(-math.log(2 / 3))
    assert log_loss([verdict("b", "a", temperature=2)]) == pytest.approx(-math.log(1 / 3))
    items = drawn(60, 9, 1)
    plain = calibrated(items, 1.0)
    assert {item.histogram.temperature for item in plain} == {1.0}
    means = [
        [dict(zip(MANY, i.histogram.probabilities, strict=True))[k] for k in sorted(MANY)] for i in items
    ]
    assert log_loss(plain) == pytest.approx(sklearn_log_loss([i.label for i in items], means))
    assert log_loss([heard("a", (1, 0), (1.0, 0.0))]) == pytest.approx(-math.log(1e-12)), "finite at 0"


def test_the_fitted_temperature_has_the_least_log_loss() -> None:
    items = drawn(200, 30, 2)

    def at(temperature: float) -> float:
        return log_loss(
            [
                dataclasses.replace(i, histogram=dataclasses.replace(i.histogram, temperature=temperature))
                for i in items
            ]
        )

    best = fit_temperature(items)
    assert at(best) < min(at(best * 1.05), at(best / 1.05))


def test_calibrated_gives_the_calibration_error_before_temperature() -> None:
    items = [verdict("a", "a", temperature=2)] * 4 + [verdict("b", "a", temperature=2)]  # confident by 2/3
    assert calibration_error(items) == pytest.approx(0.8 - 2 / 3)
    assert calibration_error(calibrated(items, 1.0)) == pytest.approx(0)


@settings(max_examples=30, deadline=None)
@given(tracks=st.integers(1, 60), groups=st.integers(1, 20), seed=st.integers(0, 999))
def test_figures_are_what_their_definitions_say_in_any_order(tracks: int, groups: int, seed: int) -> None:
    items = drawn(tracks, groups, seed)
    assert macro_f1(items) == sklearn_macro_f1(items)
    assert accuracy(items) == sum(item.right for item in items) / tracks
    values = [top_k(items, k=k) for k in range(1, 8)]
    assert values == sorted(values)
    assert values[-1] == 1
    assert sum(fares["n"] for fares in per_class(items).values()) == tracks
    assert {figure.__name__: figure(items[::-1]) for figure in FIGURES} == pytest.approx(
        {figure.__name__: figure(tuple(items)) for figure in FIGURES}
    )


@settings(max_examples=10, deadline=None)
@given(tracks=st.integers(2, 50), groups=st.integers(1, 30), seed=st.integers(0, 999))
def test_intervals_are_to_the_last_digit_those_of_the_plain_way(tracks: int, groups: int, seed: int) -> None:
    """Results files that are committed must not change; but for 0 and 1, which have intervals of their own."""
    items = drawn(tracks, groups, seed)
    assume(0 < accuracy(items) < 1)
    for figure, plain in ((macro_f1, sklearn_macro_f1), (accuracy, accuracy)):
        assert bootstrap(items, figure, resamples=25) == plain_bootstrap(items, plain, 25)


@pytest.mark.parametrize("figure", FIGURES)
def test_every_figure_has_an_interval_quickly(figure) -> None:  # type: ignore[no-untyped-def]
    items = drawn(300, 100, 3)
    began = time.thread_time()
    low, high = bootstrap(items, figure)
    assert time.thread_time() - began < 3, "a tenth of that on an idle machine"
    assert low < high
    assert bootstrap(items, figure, resamples=40) == pytest.approx(plain_bootstrap(items, figure, 40))


def test_the_interval_of_snippets_draws_whole_tracks_and_artists() -> None:
    """A hundred snippets of one track are not a hundred observations."""
    items = [
        Verdict(f"t{n}", "a", str(n), verdict("a", "ab"[n % 2]).histogram, "waveform") for n in range(40)
    ]
    scaled = [
        dataclasses.replace(
            i,
            histogram=dataclasses.replace(
                i.histogram, counts=tuple(1000 * count for count in i.histogram.counts)
            ),
        )
        for i in items
    ]
    assert bootstrap(items, snippet_accuracy, resamples=200) == bootstrap(
        scaled, snippet_accuracy, resamples=200
    )


def test_a_callers_own_figure_sees_verdicts() -> None:
    items = drawn(40, 10, 4)
    own = bootstrap(items, lambda tested: sum(i.right for i in tested) / len(tested), resamples=50)
    assert own == bootstrap(items, accuracy, resamples=50)


def test_figures_of_nothing_or_of_two_models_are_refused() -> None:
    with pytest.raises(ValueError, match="no tracks"):
        accuracy([])
    with pytest.raises(ValueError, match="one model's classes"):
        accuracy([verdict("a", "a"), heard("a", (0, 0, 1), (0.0, 0.0, 1.0))])
    with pytest.raises(ValueError, match="one model's classes"):
        macro_f1([verdict("unknown", "a")])


def test_mean_and_sample_deviation_over_seeds() -> None:
    assert over_seeds([0.5, 0.6, 0.7]) == pytest.approx((0.6, 0.1))
    with pytest.raises(ValueError, match="two runs"):
        over_seeds([0.5])


def test_reliability_bins_by_hand() -> None:
    sure = [verdict("a", "a", p=0.95)] * 3 + [verdict("b", "a", p=0.95)]
    unsure = [verdict("a", "a", p=0.65)] * 200 + [verdict("b", "a", p=0.65)] * 200
    low, high = reliability([*sure, *unsure])
    assert (low.n, low.confidence, low.right) == (400, pytest.approx(0.65), 0.5)
    assert (high.n, high.confidence, high.right) == (4, pytest.approx(0.95), 0.75)
    # The binomial: .65 +- 1.96 sqrt(.65 x .35 / 400); of four tracks 95 % are all right or all but one.
    assert (low.low, low.high) == (pytest.approx(0.603, abs=0.01), pytest.approx(0.697, abs=0.01))
    assert (high.low, high.high) == (0.75, 1)
    assert reliability([*sure, *unsure]) == (low, high), "seeded"


@settings(max_examples=20, deadline=None)
@given(tracks=st.integers(1, 80), bins=st.integers(1, 15), seed=st.integers(0, 99))
def test_the_reliability_bins_make_the_calibration_error(tracks: int, bins: int, seed: int) -> None:
    items = drawn(tracks, 5, seed)
    found = reliability(items, bins=bins, simulations=10)
    assert sum(part.n for part in found) == tracks
    gaps = sum(part.n * abs(part.confidence - part.right) for part in found)
    assert gaps / tracks == pytest.approx(calibration_error(items, bins=bins))


def test_classes_that_rise_together_and_classes_that_trade_places() -> None:
    rise = np.array([0.0, 0.1, 0.2, 0.3])
    one = np.stack([0.1 + rise, 0.2 + rise, 0.7 - 2 * rise], axis=1)
    found = correlation_over_time([one, one[::-1]])
    assert found == pytest.approx(np.array([[1, 1, -1], [1, 1, -1], [-1, -1, 1]]))


def test_what_differs_between_tracks_alone_is_no_correlation_over_time() -> None:
    """Over all windows the first two classes rise together, since one track has more of both; in time they do not."""
    beat = np.array([[0.02, 0.02], [0.02, -0.02], [-0.02, 0.02], [-0.02, -0.02]])
    quiet, loud = beat + 0.1, beat + 0.4
    tracks = [np.column_stack([part, 1 - part.sum(axis=1)]) for part in (quiet, loud)]
    assert np.corrcoef(np.concatenate(tracks).T)[0, 1] > 0.9
    assert correlation_over_time(tracks)[0, 1] == pytest.approx(0)


def test_a_track_counts_by_how_much_it_moves() -> None:
    together, apart = np.array([[0.1, 0.1], [0.5, 0.5]]), np.array([[0.3, 0.301], [0.301, 0.3]])
    # Centred, the products sum to .08 and -5e-7, the squares of each class to .08 and 5e-7.
    expected = (0.08 - 5e-7) / (0.08 + 5e-7)
    assert correlation_over_time([together, apart])[0, 1] == pytest.approx(expected)


def test_a_class_that_never_moves_has_no_correlation() -> None:
    track = [[0.1, 0.3, 0.6], [0.1, 0.5, 0.4], [0.1, 0.4, 0.5]]
    found = correlation_over_time([track, track])
    assert np.isnan(found[0]).all()
    assert np.isnan(found[:, 0]).all()
    assert found[1:, 1:] == pytest.approx(np.array([[1, -1], [-1, 1]]))


def test_classes_without_kinship_lie_at_their_share_below_nothing() -> None:
    rng = np.random.default_rng(0)
    found = correlation_over_time([rng.dirichlet(np.ones(5), 50) for _ in range(100)])
    assert found[~np.eye(5, dtype=bool)] == pytest.approx(-1 / 4, abs=0.05)


@settings(max_examples=30, deadline=None)
@given(
    tracks=st.integers(1, 5), windows=st.integers(2, 12), classes=st.integers(2, 6), seed=st.integers(0, 99)
)
def test_a_correlation_over_time_is_one(tracks: int, windows: int, classes: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrices = [rng.dirichlet(np.ones(classes), windows) for _ in range(tracks)]
    found = correlation_over_time(matrices)
    assert np.array_equal(found, found.T)
    assert np.array_equal(np.diag(found), np.ones(classes))
    assert np.linalg.eigvalsh(found).min() > -1e-9
    assert found == pytest.approx(correlation_over_time([2 * m + 5 for m in matrices[::-1]]))
    if tracks == 1:
        assert found == pytest.approx(np.corrcoef(matrices[0].T))


@pytest.mark.parametrize(
    "tracks",
    [[], [np.ones(3)], [np.ones((2, 3)), np.ones((2, 4))], [np.ones((0, 3))]],
    ids=["none", "no time", "other classes", "no windows"],
)
def test_tracks_unlike_one_another_have_no_correlation(tracks: list[np.ndarray]) -> None:
    with pytest.raises(ValueError, match="windows, classes"):
        correlation_over_time(tracks)
