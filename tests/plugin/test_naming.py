"""What a histogram is called: how many labels, whose names, which vocabulary; without beets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beetsplug.genreclf.naming import Naming, Vocabulary, key_of

RHAPSODY = {"rock": 40, "classical": 35, "metal": 15, "pop": 10, "disco": 0}
LASTGENRE = Vocabulary(
    {key_of(name): name for name in ("hip hop", "rock", "jazz", "r&b")},
    {"metal": ("rock",), "disco": ("dance", "electronic")},
)


def named(naming: Naming, **counts: int) -> tuple[str, ...]:
    return naming.values(counts, {})


@pytest.mark.parametrize(
    ("naming", "expected"),
    [
        (Naming(), ("Rock",)),
        (Naming(count=2), ("Rock", "Classical")),
        (Naming(count=5, min_share=0.15), ("Rock", "Classical", "Metal")),
        (Naming(count=5, min_share=0.16), ("Rock", "Classical")),
        (Naming(count=5, min_share=0.9), ("Rock",)),
        (Naming(count=5, min_share=0.0), ("Rock", "Classical", "Metal", "Pop")),
        (Naming(names={"rock": ("Rock & Roll",)}), ("Rock & Roll",)),
        (Naming(names={"rock": ("Rock", "Guitar")}), ("Rock", "Guitar")),
        (Naming(count=2, names={"rock": ()}), ("Classical",)),
        (Naming(names={"rock": ()}), ()),
        (Naming(count=2, names={"classical": ("ROCK",)}), ("Rock",)),
        (Naming(title_case=False), ("rock",)),
        (Naming(names={"rock": ("Rock",)}, title_case=False), ("Rock",)),
    ],
)
def test_what_is_written_of_a_song_that_is_several_things(naming: Naming, expected: tuple[str, ...]) -> None:
    assert naming.values(RHAPSODY, {}) == expected


def test_among_equals_the_more_probable_one_is_first() -> None:
    counts = {"blues": 5, "jazz": 5}
    assert Naming().values(counts, {"blues": 0.4, "jazz": 0.5}) == ("Jazz",)
    assert Naming().values(counts, {"blues": 0.5, "jazz": 0.4}) == ("Blues",)
    assert Naming().values(counts, {}) == ("Blues",), "as in the histogram, the first"


def test_nothing_heard_is_nothing_written() -> None:
    assert Naming(count=3).values({}, {}) == ()
    assert Naming(count=3).values({"jazz": 0}, {}) == ()


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("hiphop", ("Hip Hop",)),
        ("Hip-Hop", ("Hip Hop",)),
        ("metal", ("Rock",)),
        ("rnb", ()),
        ("r&b", ("R&B",)),
        ("disco", ()),
        ("polka", ()),
    ],
)
def test_lastgenre_s_words(label: str, expected: tuple[str, ...]) -> None:
    assert named(Naming(vocabulary=LASTGENRE), **{label: 9}) == expected


def test_the_user_s_own_names_need_no_vocabulary() -> None:
    assert named(Naming(names={"disco": ("Disco",)}, vocabulary=LASTGENRE), disco=9) == ("Disco",)


def test_two_labels_of_one_family_are_one_genre() -> None:
    assert named(Naming(count=2, min_share=0, vocabulary=LASTGENRE), rock=5, metal=4) == ("Rock",)


def test_without_a_whitelist_the_most_general_genre_is_taken() -> None:
    everything = Vocabulary(None, {"disco": ("dance", "electronic")})
    assert named(Naming(vocabulary=everything), disco=9) == ("Electronic",)
    assert named(Naming(vocabulary=everything), polka=9) == ("Polka",)


LABELS = st.sampled_from(["rock", "hiphop", "metal", "disco", "Jazz"])


@given(
    st.dictionaries(LABELS, st.integers(0, 50)),
    st.integers(1, 5),
    st.floats(0, 1),
    st.sampled_from([None, LASTGENRE]),
)
def test_no_more_than_asked_and_each_once(
    counts: dict[str, int], count: int, share: float, vocabulary: Vocabulary | None
) -> None:
    found = Naming(count, share, vocabulary=vocabulary).values(counts, {})
    assert len(found) <= count
    assert len({key_of(name) for name in found}) == len(found)
    assert all(name.strip() for name in found)
