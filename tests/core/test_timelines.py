"""Smoothing, sections and the values of a timeline: pure."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from core.rig import GENRES, MOODS
from hypothesis import given
from hypothesis import strategies as st

from genrecore.analysis import Analysis, Histogram, Sampling
from genrecore.card import ModelCard
from genrecore.sliding import COARSEST_HOP, hop_for
from genrecore.timelines import Flow, Timeline, sections_of, smooth

NAN = np.full(3, np.nan)


def rows(*tops: int, height: float = 0.8) -> np.ndarray:
    """One row a window: most of the probability for a class of three; -1 is silence."""
    rest = (1 - height) / 2
    return np.array([NAN if k < 0 else np.where(np.arange(3) == k, height, rest) for k in tops])


def sections(*tops: int, hop: float = 1.0, shortest: float = 0.0) -> list[tuple[float, float, str]]:
    times = (np.arange(len(tops)) + 0.5) * hop
    found = sections_of(rows(*tops), "abc", times, len(tops) * hop, shortest)
    return [(section.start, section.end, section.label) for section in found]


@st.composite
def probabilities(draw: st.DrawFn) -> np.ndarray:
    n = draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    raw = rng.dirichlet(np.ones(4), n)
    raw[rng.random(n) < draw(st.sampled_from([0.0, 0.3]))] = np.nan
    return raw


@given(probabilities(), st.sampled_from([0.1, 0.5, 2.0, 10.0]))
def test_smoothed_rows_are_probabilities_where_there_is_sound(raw: np.ndarray, hop: float) -> None:
    smoothed = smooth(raw, hop)
    silent = np.isnan(raw[:, 0])
    assert np.array_equal(np.isnan(smoothed).all(axis=1), silent)
    assert np.allclose(smoothed[~silent].sum(axis=1), 1)
    low, high = np.nanmin(raw, axis=0, initial=1), np.nanmax(raw, axis=0, initial=0)
    assert (smoothed[~silent] >= low - 1e-9).all()
    assert (smoothed[~silent] <= high + 1e-9).all()


def test_smoothing_is_an_average_over_neighbours_and_the_nearer_count_more() -> None:
    raw = rows(*[0] * 20, 1, *[0] * 20)
    smoothed = smooth(raw, 0.5, 6.0)
    weights = np.hanning(13)[1:-1]
    assert smoothed[20, 1] == pytest.approx(0.1 + 0.7 * weights[5] / weights.sum())
    assert (np.diff(smoothed[14:21, 1]) > 0).all()
    assert np.allclose(smoothed[:15], raw[0])


def test_a_hop_longer_than_the_smoothing_leaves_the_windows_alone() -> None:
    raw = rows(0, 1, 2, 1)
    assert np.allclose(smooth(raw, 6.0, 6.0), raw)


def test_sections_follow_each_other_from_beginning_to_end() -> None:
    assert sections(0, 0, 1, 1, 1, 2) == [(0, 2, "a"), (2, 5, "b"), (5, 6, "c")]


def test_silence_is_a_section_without_a_class() -> None:
    assert sections(0, 0, -1, -1, 0) == [(0, 2, "a"), (2, 4, ""), (4, 5, "a")]
    assert sections(-1, -1, 2) == [(0, 2, ""), (2, 3, "c")]


def test_a_short_section_joins_its_neighbours() -> None:
    assert sections(0, 0, 0, 1, 0, 0, shortest=2) == [(0, 6, "a")]
    assert sections(0, 1, 1, 1, shortest=2) == [(0, 4, "b")]
    assert sections(0, 1, shortest=5) in ([(0, 2, "a")], [(0, 2, "b")])
    assert sections(0, shortest=5) == [(0, 1, "a")]


def test_of_two_neighbours_the_more_probable_one_takes_it() -> None:
    raw = rows(0, 0, 0, 2, 1, 1, 1)
    raw[3] = (0.1, 0.4, 0.5)
    found = sections_of(raw, "abc", np.arange(7) + 0.5, 7.0, 2.0)
    assert [(section.start, section.label) for section in found] == [(0, "a"), (3, "b")]
    assert found[1].probability == pytest.approx((0.4 + 3 * 0.8) / 4)


@given(probabilities(), st.sampled_from([0.0, 2.0, 5.0, 1000.0]))
def test_sections_have_no_gaps_and_are_long_enough(raw: np.ndarray, shortest: float) -> None:
    duration = float(len(raw))
    found = sections_of(raw, "abcd", np.arange(len(raw)) + 0.5, duration, shortest)
    assert found[0].start == 0
    assert found[-1].end == duration
    assert all(a.end == b.start and a.label != b.label for a, b in pairwise(found))
    assert len(found) == 1 or min(section.end - section.start for section in found) >= shortest
    assert all(0 <= section.probability <= 1 for section in found)


@pytest.mark.parametrize(
    ("duration", "expected"), [(240, 0.5), (2400, 0.5), (2401, 1.0), (7200, 2.0), (36000, 8.0)]
)
def test_long_files_have_a_coarser_hop(duration: float, expected: float) -> None:
    assert hop_for(duration, 0.5) == expected


@given(st.floats(1, 1e7), st.floats(0.01, COARSEST_HOP))
def test_a_hop_is_never_finer_than_wanted_nor_coarser_than_a_minute(duration: float, hop: float) -> None:
    taken = hop_for(duration, hop)
    assert hop <= taken <= COARSEST_HOP
    assert duration / taken <= 4800 or taken > COARSEST_HOP / 2


@pytest.mark.parametrize("hop", [0, -1, float("nan"), 61])
def test_a_senseless_hop_is_refused(hop: float) -> None:
    with pytest.raises(ValueError, match="hop"):
        hop_for(100, hop)


@pytest.fixture
def line(genre_card: ModelCard, mood_card: ModelCard) -> Timeline:
    rng = np.random.default_rng(0)
    times = np.arange(6) + 1.5

    def flow(card: ModelCard) -> Flow:
        raw = rng.dirichlet(np.ones(len(card.labels)), 6)
        raw[2] = np.nan
        return Flow(card, raw, smooth(raw, 1.0), sections_of(raw, card.labels, times, 7.5))

    genre, mood = flow(genre_card), flow(mood_card)
    analysis = Analysis(
        "ü.mp3", "1:ab", 7.5, genre.histogram, mood.histogram, Sampling(5, 3.0, 1), "2026-01-01"
    )
    return Timeline(analysis, 1.0, 3.0, times, np.linspace(-30, -10, 6), genre, mood, ("it is odd",))


def test_the_windows_are_counted_as_snippets_are(line: Timeline) -> None:
    histogram = line.genre.histogram
    assert isinstance(histogram, Histogram)
    assert histogram.snippets == 5  # one is silent
    assert histogram.probabilities == pytest.approx(np.nanmean(line.genre.raw, axis=0))


def test_valence_and_arousal_are_those_of_the_quadrants(line: Timeline) -> None:
    assert line.valence is not None
    assert line.arousal is not None
    happy, angry, _, relaxed = line.mood.smoothed.T
    assert np.allclose(line.valence, happy + relaxed, equal_nan=True)
    assert np.allclose(line.arousal, happy + angry, equal_nan=True)
    other = replace(line, mood=line.genre)
    assert other.valence is None
    assert "valence" not in other.to_dict()
    assert "valence" not in other.columns()


def test_json_has_null_in_silence(line: Timeline) -> None:
    data = json.loads(line.to_json(), parse_constant=lambda name: pytest.fail(name))
    assert data["path"] == "ü.mp3"
    assert data["genre"]["probabilities"]["jazz"][2] is None
    assert data["valence"][2] is None
    assert data["loudness"] == [-30, -26, -22, -18, -14, -10]
    assert data["warnings"] == ["it is odd"]
    assert Analysis.from_dict(data["analysis"]).genre.top == data["genre"]["top"]
    assert {len(values) for values in data["mood"]["probabilities"].values()} == {6}


def test_the_table_has_a_row_a_window(line: Timeline) -> None:
    table = line.columns()
    assert {len(column) for column in table.values()} == {6}
    assert list(table)[:3] == ["time", "loudness", "genre_top"]
    assert {f"genre_{label}" for label in GENRES} | {f"mood_{label}" for label in MOODS} <= set(table)
    assert table["genre_top"][2] is table["mood_sad"][2] is None
    k = int(np.argmax(line.genre.smoothed[0]))
    assert table["genre_top"][0] == GENRES[k]
