"""What an analysis changes on a track and what the journal keeps: every field and tag, without files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from beets.library import Item

from beetsplug.genreclf import fields
from beetsplug.genreclf.journal import Entry, merge
from beetsplug.genreclf.naming import Naming
from beetsplug.genreclf.options import Options
from beetsplug.genreclf.plans import Plan, is_settled, plan
from beetsplug.genreclf.policy import Rules, Wrote
from genrecore.analysis import Analysis, Histogram, Sampling

CONTENT = "1:aa"
NO_TAGS = {"genres": None, "mood": None, "genre_histogram": None, "mood_histogram": None}


def heard(genre: str = "jazz", mood: str = "sad", content: str = CONTENT) -> Analysis:
    def histogram(labels: tuple[str, ...], top: str, model: str) -> Histogram:
        counts = tuple(80 if label == top else 20 if label == labels[-1] else 0 for label in labels)
        total = sum(counts)
        return Histogram(labels, counts, tuple(count / total for count in counts), model)

    return Analysis(
        "/m/a.mp3",
        content,
        30.0,
        histogram(("blues", "jazz", "hiphop", "rock"), genre, "g 1"),
        histogram(("happy", "sad", "angry"), mood, "m 1"),
        Sampling(100, 3.0, 5),
    )


def planned(
    analysis: Analysis,
    stored: Mapping[str, Any] | None = None,
    tags: Mapping[str, Any] | None = None,
    known: Entry | None = None,
    *,
    write: bool = True,
    naming: Naming | None = None,
    **rules: Any,
) -> Plan:
    options = Options(rules=dict.fromkeys(fields.TASKS, Rules(**rules)), write=write)
    if naming is not None:
        options = replace(options, naming={**options.naming, "genre": naming})
    return plan(analysis, 1, b"/m/a.mp3", stored or {}, {**NO_TAGS, **(tags or {})}, known, options)


def carried_out(made: Plan, stored: Mapping[str, Any], tags: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """Library and file as they stand afterwards."""
    library = {name: value for name, value in {**stored, **made.library}.items() if value is not None}
    return library, {**NO_TAGS, **tags, **made.file}


def test_a_bare_track_gets_everything() -> None:
    analysis = heard("hiphop")
    made = planned(analysis)
    assert made.outcomes == {"genres": "filled", "mood": "filled"}
    assert made.library == {
        "genres": ("Hip-Hop",),
        "mood": ("Sad",),
        "genreclf_written": "g 1; m 1",
        **fields.values_of(analysis),
    }
    assert made.file == {
        "genres": ("Hip-Hop",),
        "mood": ("Sad",),
        "genre_histogram": made.library["genre_histogram"],
        "mood_histogram": made.library["mood_histogram"],
    }
    assert made.entry.library == {"genres": None, "mood": None}
    assert made.entry.file == NO_TAGS


@pytest.mark.parametrize("policy", ["fill", "add", "force"])
@pytest.mark.parametrize("write", [True, False])
@pytest.mark.parametrize("genres", [(), ("Jazz",), ("Blues", "Soul")])
def test_a_second_look_changes_nothing(policy: Any, write: bool, genres: tuple[str, ...]) -> None:
    stored = {"genres": genres} if genres else {}
    tags = {"genres": genres} if genres else {}
    first = planned(heard(), stored, tags, policy=policy, write=write)
    library, file = carried_out(first, stored, tags)
    second = planned(heard(), library, file, first.entry, policy=policy, write=write)
    assert second.library == {}
    assert second.file == {}


def test_without_writing_the_file_is_left_alone() -> None:
    made = planned(heard(), write=False)
    assert made.file == {}
    assert made.entry.wrote_file == {}
    assert made.entry.wrote_library["genres"] == Wrote(("Jazz",), ("Jazz",))


def test_a_file_that_lags_behind_is_known_by_it() -> None:
    first = planned(heard())
    assert first.library["genreclf_written"] == "g 1; m 1"
    library, file = carried_out(first, {}, {})
    only_library = planned(heard("rock"), library, file, first.entry, write=False)
    assert only_library.library["genreclf_written"] is None
    library, file = carried_out(only_library, library, file)
    known = merge(first.entry, only_library.entry)
    assert planned(heard("rock"), library, file, known, write=False).library == {}
    assert planned(heard("rock"), library, file, known).file["genres"] == ("Rock",)


def test_the_file_s_state_is_no_matter_of_the_journal() -> None:
    made = planned(heard(), {"genreclf_written": "g 0; m 0"})
    assert "genreclf_written" not in made.entry.library


def test_what_the_journal_knows_is_continued() -> None:
    known = Entry(7, CONTENT, b"/m/b.mp3", id=5)
    assert planned(heard(), known=known).entry.id == 5
    assert planned(heard(content="1:bb"), known=known).entry.id is None


def test_another_program_s_values_of_our_fields_go_into_the_journal() -> None:
    made = planned(heard(), {"mood_sad": 0.93, "genres": ("Blues",)}, {"genres": ("Blues",)})
    assert made.entry.library == {"genres": ("Blues",), "mood": None, "mood_sad": 0.93}
    assert made.entry.file["genres"] == ["Blues"]
    assert made.library["mood_sad"] == 0.8
    assert made.outcomes["genres"] == "kept"
    assert "genres" not in made.library
    assert "genres" not in made.file


def test_labels_of_another_model_go() -> None:
    stored = {"genre_histogram": '{"counts":{"polka":3}}', "genre_polka": 1.0, "genre_waltz": 0.5}
    made = planned(heard(), stored)
    assert made.library["genre_polka"] is None
    assert made.entry.library["genre_polka"] == 1.0
    assert "genre_waltz" not in made.library, "nobody said that this one is ours"


def test_what_was_ours_is_renewed_only_on_the_same_audio() -> None:
    first = planned(heard("rock"))
    library, file = carried_out(first, {}, {})
    assert planned(heard("jazz"), library, file, first.entry).outcomes["genres"] == "renewed"
    other = heard("jazz", content="1:bb")
    assert planned(other, library, file, first.entry).outcomes["genres"] == "kept", "the id was used again"


def test_below_the_least_confidence_only_the_shares_are_stored() -> None:
    made = planned(heard(), min_confidence=0.9)
    assert made.outcomes == {"genres": "unsure", "mood": "unsure"}
    assert not {"genres", "mood"} & (made.library.keys() | made.file.keys())
    assert made.library["genre_jazz"] == 0.8
    assert made.file["genre_histogram"] == made.library["genre_histogram"]


def test_several_genres_where_the_histogram_says_so() -> None:
    made = planned(heard("jazz"), naming=Naming(count=3, min_share=0.2))
    assert made.library["genres"] == ("Jazz", "Rock")
    assert made.file["genres"] == ("Jazz", "Rock")
    assert made.library["genre_top"] == "jazz"


def test_a_genre_that_is_never_to_be_written() -> None:
    made = planned(heard("jazz"), naming=Naming(names={"jazz": ()}))
    assert made.outcomes == {"genres": "unnamed", "mood": "filled"}
    assert "genres" not in made.library
    assert made.library["genre_jazz"] == 0.8, "the shares are stored all the same"


@pytest.mark.parametrize("policy", ["fill", "add", "force"])
def test_near_ties_are_the_same_to_all(policy: Any) -> None:
    """The fields hold fewer digits than the analysis: what is written is decided by theirs."""
    tie = Histogram(("blues", "jazz"), (50, 50), (0.400_01, 0.400_02), "g 1")
    analysis = replace(heard(), genre=tie)
    made = planned(analysis, policy=policy, min_confidence=0.5)
    assert made.library["genres"] == ("Blues",)
    item = Item(
        id=1, path=b"/m/a.mp3", **{name: value for name, value in made.library.items() if name != "genres"}
    )
    item["genres"] = list(made.library["genres"])
    item["mood"] = list(made.library["mood"])
    options = Options(rules=dict.fromkeys(fields.TASKS, Rules(policy, min_confidence=0.5)))
    assert is_settled(item, {"genre": "g 1", "mood": "m 1"}, options)
