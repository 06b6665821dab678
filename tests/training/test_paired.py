"""Two models on the same tracks, against answers by hand."""

from __future__ import annotations

import dataclasses

import pytest

from genrecore.analysis import Histogram
from genrecore_training.paired import difference, mcnemar
from genrecore_training.statistics import Verdict


def paired(rights: str, *, start: int = 0, groups: str = "") -> list[Verdict]:
    """A track a letter: r for right; and a letter for the artist, each its own if not given."""
    return [
        Verdict(
            id=f"t{start + n}",
            label="a",
            group=groups[n] if groups else str(n),
            histogram=Histogram(("a", "b"), (3, 1) if right == "r" else (1, 3), (0.5, 0.5), "m 1"),
            kind="waveform",
        )
        for n, right in enumerate(rights)
    ]


@pytest.mark.parametrize(
    ("one", "other", "only_one", "only_other", "p"),
    [
        ("rrwwr", "rrwwr", 0, 0, 1),
        ("rw", "ww", 1, 0, 1),
        ("rrrrrww", "wwwwwww", 5, 0, 2 / 32),
        ("rrrrwr", "wwwwrr", 4, 1, 2 * 6 / 32),  # two-sided: 2 x (C(5,0) + C(5,1)) / 2^5
        ("rwrw", "wrwr", 2, 2, 1),
    ],
)
def test_mcnemar_by_hand(one: str, other: str, only_one: int, only_other: int, p: float) -> None:
    found = mcnemar(paired(one), paired(other)[::-1])
    assert (found.n, found.only_one, found.only_other) == (len(one), only_one, only_other)
    assert found.p == pytest.approx(p)
    # Where each track has an artist of its own the two tests are one.
    assert (found.groups, found.p_of_groups) == (len(one), pytest.approx(p))
    back = mcnemar(paired(other), paired(one))
    assert (back.only_one, back.only_other, back.p) == (only_other, only_one, pytest.approx(p))


def test_tracks_of_one_artist_change_sides_together() -> None:
    """Ten tracks of two artists are two coins, not ten: both ways up in half of the cases."""
    found = mcnemar(
        paired("r" * 10 + "w", groups="xxxxxyyyyyz"), paired("w" * 10 + "w", groups="xxxxxyyyyyz")
    )
    assert found.p == pytest.approx(2 / 2**10)
    assert (found.groups, found.p_of_groups) == (3, pytest.approx(2 / 2**2))
    # What an artist wins and loses cancels: nothing is uneven.
    level = mcnemar(paired("rwrw", groups="xxyy"), paired("wrwr", groups="xxyy"))
    assert (level.p, level.p_of_groups) == (1, 1)


def test_many_artists_are_drawn_not_counted_out() -> None:
    """Sixty artists, 40 ahead: near the binomial's exact answer, and the same when asked again."""
    one, other = paired("r" * 40 + "w" * 20), paired("w" * 40 + "r" * 20)
    found = mcnemar(one, other)
    assert found.p_of_groups == pytest.approx(found.p, abs=0.004)
    assert mcnemar(one, other) == found


@pytest.mark.parametrize(
    "other",
    [
        paired("rr"),
        paired("rrr", start=1),
        [*paired("rwr"), *paired("r")],
        [
            dataclasses.replace(
                item, label="b", histogram=dataclasses.replace(item.histogram, labels=("b", "a"))
            )
            for item in paired("rrr")
        ],
    ],
    ids=["fewer", "others", "twice the same", "otherwise labelled"],
)
def test_mcnemar_needs_the_same_tracks(other: list[Verdict]) -> None:
    with pytest.raises(ValueError, match="the same tracks"):
        mcnemar(paired("rwr"), other)


def test_a_difference_and_its_interval() -> None:
    one, other = paired("rrrw" * 25), paired("rrww" * 25)
    found = difference(one, other[::-1])
    assert found.value == pytest.approx(0.25)
    assert 0.15 < found.low < 0.25 < found.high < 0.35
    assert difference(one, one) == difference(other, other)
    assert (difference(one, one).value, difference(one, one).low, difference(one, one).high) == (0, 0, 0)


def test_a_difference_draws_whole_artists() -> None:
    """A hundred tracks of two artists say no more than two artists do."""
    groups = "x" * 50 + "y" * 50
    found = difference(paired("r" * 50 + "w" * 50, groups=groups), paired("w" * 100, groups=groups))
    assert (found.value, found.low, found.high) == (0.5, 0, 1)


def test_a_difference_takes_the_mean_over_seeds() -> None:
    found = difference(paired("rr") + paired("rw"), paired("wr") + paired("ww"))
    assert found.value == pytest.approx((3 - 1) / 4)
    with pytest.raises(ValueError, match="the same tracks"):
        difference(paired("rr"), paired("r"))
