"""What a portrait says of a collection: pure."""

from __future__ import annotations

import numpy as np
import pytest
from core.rig import GENRES, MOODS
from hypothesis import given
from hypothesis import strategies as st

from genrecore.analysis import Histogram
from genrecore.report import library
from genrecore.report.library import Entry, classes_in, portray


def histogram(labels: tuple[str, ...], counts: dict[str, int], model: str) -> Histogram:
    numbers = tuple(counts.get(label, 0) for label in labels)
    return Histogram(labels, numbers, tuple(n / sum(numbers) for n in numbers), model)


def entry(
    number: int = 0,
    *,
    mood: str = "sad",
    model: str = "g 1",
    tagged: str = "",
    year: int | None = None,
    **genre: int,
) -> Entry:
    return Entry(
        path=f"/music/{number}.mp3",
        title=f"Title {number}",
        artist="Artist",
        year=year,
        tagged=(tagged,) if tagged else (),
        genre=histogram(GENRES, genre or {"jazz": 10}, model),
        mood=histogram(MOODS, {mood: 10}, "m 1"),
        key=str(number),
    )


@pytest.mark.parametrize(
    ("tagged", "expected"),
    [
        (["Jazz"], ("jazz",)),
        (["Hip-Hop"], ("hiphop",)),
        (["hip hop", "Rap"], ("hiphop",)),
        (["Pop/Rock"], ("pop", "rock")),
        (["Heavy Metal", "Delta Blues"], ("blues", "metal")),
        (["Rockabilly", "Popcorn", "Techno", ""], ()),
        (["DISCO; Funk"], ("disco",)),
    ],
)
def test_classes_that_tags_name(tagged: list[str], expected: tuple[str, ...]) -> None:
    assert classes_in(tagged, GENRES) == expected


def test_own_labels_of_several_words() -> None:
    assert classes_in(["Drum & Bass"], ["drum_and_bass", "drum bass"]) == ("drum bass",)


def test_nothing_heard_gives_no_portrait() -> None:
    assert portray([], 0.5) is None
    assert portray([Entry("a.mp3"), Entry("b.mp3", title="B")], 0.5) is None


def test_counts_sure_and_unsure_and_the_table() -> None:
    portrait = portray(
        [entry(1), entry(2, jazz=4, blues=3, rock=3), entry(3, mood="happy", rock=9, pop=1), Entry("x.mp3")],
        0.5,
    )
    assert portrait is not None
    assert (portrait.tracks, portrait.heard, portrait.other_models) == (4, 3, 0)
    shares = {share.label: (share.sure, share.unsure) for share in portrait.genres}
    assert (shares["jazz"], shares["rock"], shares["blues"]) == ((1, 1), (1, 0), (0, 0))
    assert portrait.table.sum() == 3
    assert portrait.table[GENRES.index("jazz"), MOODS.index("sad")] == 2
    assert [e.key for e in portrait.certain] == ["1", "3", "2"]
    assert [e.key for e in portrait.uncertain] == ["2", "3", "1"]


def test_tracks_heard_by_other_models_are_counted_apart() -> None:
    portrait = portray([entry(1), entry(2), entry(3, model="g 2")], 0.5)
    assert portrait is not None
    assert portrait.models == ("g 1", "m 1")
    assert (portrait.heard, portrait.other_models) == (2, 1)


def test_disagreements_are_sure_and_named_by_the_tag() -> None:
    tracks = [
        entry(1, tagged="Rock", jazz=9, rock=1),
        entry(2, tagged="Rock", jazz=10),
        entry(3, tagged="Jazz", jazz=10),
        entry(4, tagged="Techno", jazz=10),
        entry(5, tagged="Rock", jazz=4, blues=3, disco=3),
        entry(6, jazz=10),
        entry(7, tagged="Pop/Rock", rock=10),
    ]
    portrait = portray(tracks, 0.5)
    assert portrait is not None
    assert [(d.entry.key, d.tagged, d.heard) for d in portrait.disagreements] == [
        ("2", ("rock",), "jazz"),
        ("1", ("rock",), "jazz"),
    ]
    assert (portrait.n_disagreements, portrait.n_comparable) == (2, 4)


def test_long_lists_are_cut_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "MOST_LISTED", 3)
    monkeypatch.setattr(library, "MOST_POINTS", 5)
    portrait = portray([entry(k, tagged="Rock") for k in range(8)], 0.5)
    assert portrait is not None
    assert (len(portrait.disagreements), portrait.n_disagreements) == (3, 8)
    assert len({e.key for e in portrait.points}) == 5
    assert portrait.density.sum() == 8
    again = portray([entry(k, tagged="Rock") for k in range(8)], 0.5)
    assert again is not None
    assert again.points == portrait.points


def test_years_are_counted_by_decade() -> None:
    years = [1959, 1960, 1969, None, 0, 99999]
    portrait = portray([entry(k, year=year) for k, year in enumerate(years)], 0.5)
    assert portrait is not None
    assert {decade: sum(counts) for decade, counts in portrait.years.items()} == {1950: 1, 1960: 2}


def test_closeness_is_how_often_two_snippets_of_a_track_go_together() -> None:
    portrait = portray([entry(1, jazz=2, blues=1), entry(2, rock=3)], 0.5)
    assert portrait is not None
    jazz, blues, rock, pop = (GENRES.index(name) for name in ("jazz", "blues", "rock", "pop"))
    assert portrait.closeness[jazz, jazz] == pytest.approx(0.5)
    assert portrait.closeness[jazz, blues] == pytest.approx(0.5)
    assert portrait.closeness[blues, jazz] == pytest.approx(1)
    assert portrait.closeness[rock, rock] == pytest.approx(1)
    assert np.isnan(portrait.closeness[pop]).all()


@given(st.lists(st.lists(st.integers(0, 5), min_size=10, max_size=10).filter(any), min_size=1, max_size=8))
def test_rows_of_closeness_are_shares(counts: list[list[int]]) -> None:
    portrait = portray([entry(k, **dict(zip(GENRES, row, strict=True))) for k, row in enumerate(counts)], 0.5)
    assert portrait is not None
    known = portrait.closeness[~np.isnan(portrait.closeness[:, 0])]
    assert np.allclose(known.sum(axis=1), 1)
    assert (known >= 0).all()
