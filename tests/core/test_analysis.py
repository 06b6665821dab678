"""Histograms and analyses: aggregation, top, confidence, JSON."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrecore.analysis import Analysis, Histogram, Sampling, aggregate, combine

LABELS = ("blues", "jazz", "rock")
MOODS = ("happy", "angry", "sad", "relaxed")

rows = st.lists(
    st.tuples(*[st.floats(0.01, 1.0) for _ in LABELS]).map(lambda r: [x / sum(r) for x in r]),
    min_size=1,
    max_size=30,
)


def test_counts_and_means_of_three_snippets() -> None:
    heard = aggregate(
        np.array([[0.6, 0.3, 0.1], [0.5, 0.4, 0.1], [0.0, 0.1, 0.9]], np.float32), LABELS, model="m 1"
    )
    assert heard.counts == (2, 0, 1)
    assert heard.probabilities == pytest.approx((1.1 / 3, 0.8 / 3, 1.1 / 3))
    assert heard.top == "blues"
    assert heard.share("rock") == pytest.approx(1 / 3)
    assert heard.ranked() == [("blues", pytest.approx(2 / 3)), ("rock", pytest.approx(1 / 3)), ("jazz", 0.0)]


def test_the_tallest_bar_wins_even_where_the_mean_probability_says_otherwise() -> None:
    assert Histogram(LABELS, (2, 0, 1), (0.40, 0.05, 0.55), "m 1").top == "blues"


def test_of_equal_bars_the_more_probable_wins() -> None:
    assert Histogram(LABELS, (1, 0, 1), (0.3, 0.1, 0.6), "m 1").top == "rock"


def test_confidence_is_the_probability_of_top_after_temperature() -> None:
    mean = (0.2, 0.5, 0.3)
    assert Histogram(LABELS, (0, 3, 0), mean, "m 1", 1.0).confidence == pytest.approx(0.5)
    sharp = Histogram(LABELS, (0, 3, 0), mean, "m 1", 0.5).confidence
    assert sharp == pytest.approx(0.25 / (0.04 + 0.25 + 0.09))
    assert Histogram(LABELS, (0, 3, 0), (0.0, 1.0, 0.0), "m 1", 0.3).confidence == pytest.approx(1.0)


@given(rows)
def test_aggregation_keeps_its_promises(drawn: list[list[float]]) -> None:
    heard = aggregate(drawn, LABELS, model="m 1", temperature=0.7)
    assert sum(heard.counts) == heard.snippets == len(drawn)
    assert math.isclose(sum(heard.probabilities), 1, abs_tol=1e-9)
    assert math.isclose(sum(heard.shares().values()), 1, abs_tol=1e-9)
    assert heard.share(heard.top) == max(heard.shares().values())
    assert 0 < heard.confidence <= 1
    assert aggregate(list(reversed(drawn)), LABELS, model="m 1", temperature=0.7).counts == heard.counts


@given(first=rows, second=rows)
def test_histograms_together_are_those_of_all_their_snippets(
    first: list[list[float]], second: list[list[float]]
) -> None:
    one, two, both = (
        aggregate(drawn, LABELS, model="m 1", temperature=0.7) for drawn in (first, second, first + second)
    )
    together = combine([one, two])
    assert (together.labels, together.counts, together.model) == (both.labels, both.counts, both.model)
    assert together.probabilities == pytest.approx(both.probabilities)
    assert together.confidence == pytest.approx(both.confidence)


def test_only_histograms_of_one_model_have_a_sum() -> None:
    here, there = (Histogram(LABELS, (2, 0, 1), (0.4, 0.05, 0.55), model) for model in ("m 1", "m 2"))
    for wrong in ([], [here, there]):
        with pytest.raises(ValueError, match="of one model"):
            combine(wrong)


@pytest.mark.parametrize("wrong", [[], [[0.5, 0.5]], [[0.2, 0.3, 0.5], [1.0]]])
def test_rows_that_do_not_fit_are_refused(wrong: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="3 probabilities"):
        aggregate(wrong, LABELS, model="m 1")


def analysis(mood: Histogram) -> Analysis:
    genre = Histogram(LABELS, (1, 2, 7), (0.2, 0.2, 0.6), "g 1.0", 0.8)
    return Analysis(
        "a/b.mp3", "1:ab", 12.5, genre, mood, Sampling(10, 3.0, 99), "2026-01-01T00:00:00+00:00", ("odd",)
    )


def test_json_comes_back_as_it_went() -> None:
    before = analysis(Histogram(MOODS, (1, 0, 4, 0), (0.3, 0.1, 0.5, 0.1), "m 1.0"))
    after = Analysis.from_json(before.to_json())
    assert after == before
    assert "\n" not in before.to_json()


def test_valence_and_arousal_are_sums_over_quadrants() -> None:
    heard = analysis(Histogram(MOODS, (1, 0, 4, 0), (0.3, 0.1, 0.5, 0.1), "m 1.0"))
    assert heard.valence == pytest.approx(0.4)
    assert heard.arousal == pytest.approx(0.4)


def test_a_model_of_other_moods_has_no_valence() -> None:
    heard = analysis(Histogram(("calm", "tense"), (1, 4), (0.3, 0.7), "m 1.0"))
    assert heard.valence is None
    assert heard.arousal is None
