"""What is written, kept, renewed and taken over: every rule, without beets."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beetsplug.genreclf.policy import ENDS, POLICIES, Change, Present, Rules, Wrote, decide, settled

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
    assert decide(Rules(), present, ("Jazz",)) == expected


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
    assert decide(Rules("add"), present, ("Jazz",)) == expected


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
    assert decide(Rules("force"), present, ("Jazz",)) == expected


def test_several_values() -> None:
    two = ("Jazz", "Blues")
    both = Wrote(two, two)
    assert decide(Rules(), Present(), two) == Change("filled", both, both)
    assert decide(Rules("force"), Present(("Rock",)), two) == Change("forced", both, both)
    there = Present(("Blues", "Soul"), ("Blues", "Soul"))
    added = Wrote(("Blues", "Soul", "Jazz"), ("Jazz",))
    assert decide(Rules("add"), there, two) == Change("added", added, added)
    in_front = Wrote(("Jazz", "Blues", "Soul"), ("Jazz",))
    assert decide(Rules("add", "front"), there, two) == Change("added", in_front, in_front)
    assert decide(Rules("add", "front"), Present(), two) == Change("added", both, both)


def test_what_stood_in_front_is_renewed_there() -> None:
    earlier = Wrote(("Rock", "Soul"), ("Rock",))
    renewed = Wrote(("Jazz", "Soul"), ("Jazz",))
    present = Present(earlier.values, earlier.values, earlier, earlier)
    assert decide(Rules("add", "front"), present, ("Jazz",)) == Change("added", renewed, renewed)
    assert decide(Rules("fill", "front"), present, ("Jazz",)) == Change("renewed", renewed, renewed)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(
    ("values", "confidence", "outcome"),
    [(("Jazz",), 0.3, "unsure"), ((), 0.9, "unnamed")],
)
def test_an_unsure_model_and_an_unwanted_genre_change_nothing(
    policy: str, values: tuple[str, ...], confidence: float, outcome: str
) -> None:
    rules = Rules(policy, min_confidence=0.4)
    assert decide(rules, Present(), values, confidence) == Change(outcome)
    assert decide(rules, Present(("Rock",), ("Rock",), OURS, OURS), values, confidence) == Change(outcome)
    adopted = Change("adopted", Wrote(("Blues",)))
    assert decide(rules, Present((), ("Blues",)), values, confidence) == adopted, (
        "the library gets to know it"
    )


def test_just_sure_enough() -> None:
    assert decide(Rules(min_confidence=0.4), Present(), ("Jazz",), 0.4).library == JAZZ


VALUES = st.lists(st.sampled_from(["Blues", "Rock", "Jazz", "jazz"]), max_size=3, unique=True).map(tuple)
HEARD = st.lists(st.sampled_from(["Blues", "Rock", "Jazz"]), max_size=2, unique=True).map(tuple)
WROTE = st.none() | st.tuples(VALUES, VALUES).map(lambda v: Wrote(v[0], tuple(x for x in v[1] if x in v[0])))
PRESENT = st.builds(Present, VALUES, VALUES, WROTE, WROTE)
RULES = st.builds(Rules, st.sampled_from(POLICIES), st.sampled_from(ENDS), st.just(0.5))


@given(RULES, PRESENT, HEARD, st.floats(0, 1))
def test_nothing_is_ever_blanked(
    rules: Rules, present: Present, heard: tuple[str, ...], confidence: float
) -> None:
    change = decide(rules, present, heard, confidence)
    for place in (change.library, change.file):
        assert place is None or place.values


@given(PRESENT, HEARD)
def test_fill_never_takes_away_what_is_not_ours(present: Present, heard: tuple[str, ...]) -> None:
    change = decide(Rules(), present, heard)
    if change.library and present.library:
        assert present.own_library
        assert set(present.library) - set(present.own_library.added) <= set(change.library.values)
    if change.file and present.file:
        assert present.own_file
        assert set(present.file) - set(present.own_file.added) <= set(change.file.values)


@given(RULES, PRESENT, HEARD)
def test_a_second_time_changes_nothing(rules: Rules, present: Present, heard: tuple[str, ...]) -> None:
    first = decide(rules, present, heard)
    after = Present(
        first.library.values if first.library else present.library,
        first.file.values if first.file else present.file,
        first.library or present.wrote_library,
        first.file or present.wrote_file,
    )
    second = decide(rules, after, heard)
    assert second.library is None
    assert second.file is None


@given(RULES, PRESENT, HEARD, st.floats(0, 1))
def test_a_track_dealt_with_is_settled(
    rules: Rules, present: Present, heard: tuple[str, ...], confidence: float
) -> None:
    change = decide(rules, present, heard, confidence)
    library = change.library.values if change.library else present.library
    assert settled(rules, library, heard, confidence)


def test_what_is_not_settled() -> None:
    assert not settled(Rules(), (), ("Jazz",), 0.9)
    assert not settled(Rules("add"), ("Blues",), ("Blues", "Jazz"), 0.9)
    assert not settled(Rules("force"), ("Blues", "Jazz"), ("Jazz",), 0.9)
    assert all(settled(Rules(policy), (), (), 0.9) for policy in POLICIES)


def test_every_combination_is_decided() -> None:
    places = ((), ("Blues",), ("Rock",), ("Jazz",))
    for policy, library, file, wrote in itertools.product(POLICIES, places, places, (None, OURS)):
        assert decide(Rules(policy), Present(library, file, wrote, wrote), ("Jazz",)).outcome
