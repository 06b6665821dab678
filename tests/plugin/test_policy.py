"""What is written, kept, renewed and taken over: every rule, without beets."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beetsplug.genreclf.policy import POLICIES, Change, Present, Wrote, decide, settled

OURS = Wrote(("Rock",), ("Rock",))
JAZZ = Wrote(("Jazz",), ("Jazz",))


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        pytest.param(Present(), Change("filled", JAZZ, JAZZ), id="empty"),
        pytest.param(Present(("Blues",), ("Blues",)), Change("kept"), id="user's"),
        pytest.param(Present(("Blues",)), Change("kept"), id="only in the library"),
        pytest.param(Present((), ("Blues",)), Change("adopted", Wrote(("Blues",))), id="only in the file"),
        pytest.param(
            Present((), ("Blues", "Soul")), Change("adopted", Wrote(("Blues", "Soul"))), id="two in the file"
        ),
        pytest.param(
            Present(("Rock",), ("Rock",), OURS, OURS), Change("renewed", JAZZ, JAZZ), id="ours in both"
        ),
        pytest.param(Present(("Jazz",), ("Jazz",), JAZZ, JAZZ), Change("kept"), id="ours and the same"),
        pytest.param(
            Present(("Rock",), (), OURS), Change("renewed", JAZZ, JAZZ), id="ours, file never written"
        ),
        pytest.param(
            Present(("Rock",), ("Rock",), OURS),
            Change("renewed", JAZZ, JAZZ),
            id="ours, written by beet write",
        ),
        pytest.param(
            Present((), ("Rock",), OURS, OURS), Change("renewed", JAZZ, JAZZ), id="killed before store"
        ),
        pytest.param(Present(("Rock",), ("Blues",), OURS, OURS), Change("renewed", JAZZ), id="file retagged"),
        pytest.param(Present(("Blues",), ("Rock",), OURS, OURS), Change("kept"), id="library edited"),
        pytest.param(Present(("Rock",), ("Rock",)), Change("kept"), id="like ours, but not in the journal"),
        pytest.param(
            Present(("Blues",), ("Blues",), Wrote(("Blues",))), Change("kept"), id="adopted is not ours"
        ),
        pytest.param(
            Present(("Blues", "Rock"), ("Blues", "Rock"), *[Wrote(("Blues", "Rock"), ("Rock",))] * 2),
            Change("renewed", *[Wrote(("Blues", "Jazz"), ("Jazz",))] * 2),
            id="added earlier",
        ),
        pytest.param(
            Present(("Blues", "Rock"), ("Blues/Rock",), *[Wrote(("Blues", "Rock"), ("Rock",))] * 2),
            Change("renewed", *[Wrote(("Blues", "Jazz"), ("Jazz",))] * 2),
            id="added earlier, ID3v2.3",
        ),
    ],
)
def test_fill(present: Present, expected: Change) -> None:
    assert decide("fill", present, "Jazz") == expected


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        pytest.param(Present(), Change("added", JAZZ, JAZZ), id="empty"),
        pytest.param(
            Present(("Blues",), ("Blues",)),
            Change("added", *[Wrote(("Blues", "Jazz"), ("Jazz",))] * 2),
            id="behind the user's",
        ),
        pytest.param(Present(("jazz",), ("jazz",)), Change("kept"), id="there in other letters"),
        pytest.param(
            Present((), ("Blues",)),
            Change("added", *[Wrote(("Blues", "Jazz"), ("Jazz",))] * 2),
            id="only in the file",
        ),
        pytest.param(
            Present(("Soul",), ("Blues",)),
            Change("added", Wrote(("Soul", "Jazz"), ("Jazz",)), Wrote(("Blues", "Jazz"), ("Jazz",))),
            id="two opinions",
        ),
        pytest.param(
            Present(("Blues", "Rock"), ("Blues", "Rock"), *[Wrote(("Blues", "Rock"), ("Rock",))] * 2),
            Change("added", *[Wrote(("Blues", "Jazz"), ("Jazz",))] * 2),
            id="renewed",
        ),
    ],
)
def test_add(present: Present, expected: Change) -> None:
    assert decide("add", present, "Jazz") == expected


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        pytest.param(Present(), Change("forced", JAZZ, JAZZ), id="empty"),
        pytest.param(Present(("Blues", "Soul"), ("Blues",)), Change("forced", JAZZ, JAZZ), id="user's"),
        pytest.param(
            Present(("Jazz",), ("Blues",)), Change("forced", None, JAZZ), id="library says so already"
        ),
        pytest.param(Present(("Jazz",), ("Jazz",)), Change("kept"), id="both say so already"),
    ],
)
def test_force(present: Present, expected: Change) -> None:
    assert decide("force", present, "Jazz") == expected


@pytest.mark.parametrize("policy", POLICIES)
def test_an_unsure_model_changes_nothing(policy: str) -> None:
    assert decide(policy, Present(), "Jazz", 0.3, 0.4) == Change("unsure")
    assert decide(policy, Present(("Rock",), ("Rock",), OURS, OURS), "Jazz", 0.3, 0.4) == Change("unsure")
    assert decide(policy, Present(), "Jazz", 0.4, 0.4).library == JAZZ


@pytest.mark.parametrize("policy", POLICIES)
def test_an_unsure_model_still_lets_the_library_know_the_file(policy: str) -> None:
    assert decide(policy, Present((), ("Blues",)), "Jazz", 0.3, 0.4) == Change("adopted", Wrote(("Blues",)))


VALUES = st.lists(st.sampled_from(["Blues", "Rock", "Jazz", "jazz"]), max_size=3, unique=True).map(tuple)
WROTE = st.none() | st.tuples(VALUES, VALUES).map(lambda v: Wrote(v[0], tuple(x for x in v[1] if x in v[0])))
PRESENT = st.builds(Present, VALUES, VALUES, WROTE, WROTE)


@given(st.sampled_from(POLICIES), PRESENT, st.floats(0, 1))
def test_nothing_is_ever_blanked(policy: str, present: Present, confidence: float) -> None:
    change = decide(policy, present, "Jazz", confidence, 0.5)
    for place in (change.library, change.file):
        assert place is None or place.values


@given(PRESENT)
def test_fill_never_takes_away_what_is_not_ours(present: Present) -> None:
    change = decide("fill", present, "Jazz")
    if change.library and present.library:
        assert present.own_library
        assert set(present.library) - set(present.own_library.added) <= set(change.library.values)
    if change.file and present.file:
        assert present.own_file
        assert set(present.file) - set(present.own_file.added) <= set(change.file.values)


@given(st.sampled_from(POLICIES), PRESENT)
def test_a_second_time_changes_nothing(policy: str, present: Present) -> None:
    first = decide(policy, present, "Jazz")
    after = Present(
        first.library.values if first.library else present.library,
        first.file.values if first.file else present.file,
        first.library or present.wrote_library,
        first.file or present.wrote_file,
    )
    second = decide(policy, after, "Jazz")
    assert second.library is None
    assert second.file is None


@given(st.sampled_from(POLICIES), PRESENT, st.floats(0, 1))
def test_a_track_dealt_with_is_settled(policy: str, present: Present, confidence: float) -> None:
    change = decide(policy, present, "Jazz", confidence, 0.5)
    library = change.library.values if change.library else present.library
    assert settled(policy, library, "Jazz", confidence, 0.5)


def test_what_is_not_settled() -> None:
    assert not settled("fill", (), "Jazz", 0.9, 0.5)
    assert not settled("add", ("Blues",), "Jazz", 0.9, 0.5)
    assert not settled("force", ("Blues", "Jazz"), "Jazz", 0.9, 0.5)
    assert all(settled(policy, (), None, 0.0, 0.0) for policy in POLICIES)


def test_every_combination_is_decided() -> None:
    places = ((), ("Blues",), ("Rock",), ("Jazz",))
    for policy, library, file, wrote in itertools.product(POLICIES, places, places, (None, OURS)):
        assert decide(policy, Present(library, file, wrote, wrote), "Jazz").outcome
