"""Fields and tags: names, types, and what stands in files of every format."""

from __future__ import annotations

import json
from pathlib import Path

import mediafile
import pytest
import synth
from beets.dbcore import types
from mutagen.id3 import ID3
from plugin import rawtags

from beetsplug.genreclf import fields
from beetsplug.genreclf.naming import spell
from genrecore.analysis import Analysis, Histogram, Sampling

FORMATS = (*rawtags.FORMATS, "ape")
TEXT = '{"model":"m 1","counts":{"größe":3}}'


pytestmark = pytest.mark.usefixtures("media_fields")


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("originals")
    made = {kind: synth.piece(folder / f"a.{kind}", 1.0).read_bytes() for kind in rawtags.FORMATS}
    return made | {"ape": rawtags.monkeys_audio()}


@pytest.fixture(params=FORMATS)
def path(request: pytest.FixtureRequest, originals: dict[str, bytes], tmp_path: Path) -> Path:
    path = tmp_path / f"a.{request.param}"
    path.write_bytes(originals[request.param])
    return path


def test_tags_stand_where_players_look(path: Path) -> None:
    file = mediafile.MediaFile(path)
    file.update({"mood": ["Happy", "Upbeat"], "genres": ["Jazz"], "genre_histogram": TEXT})
    file.save()
    assert rawtags.mood(path) == ["Happy", "Upbeat"]
    assert rawtags.genre(path) == ["Jazz"]
    assert rawtags.histogram(path, "genre") == [TEXT]
    assert rawtags.histogram(path, "mood") is None
    again = mediafile.MediaFile(path)
    assert again.mood == ["Happy", "Upbeat"]
    assert again.genre_histogram == TEXT
    assert not again.mood_histogram


@pytest.mark.parametrize("nothing", [None, []])
def test_set_to_nothing_is_deleted_not_left_empty(path: Path, nothing: list[str] | None) -> None:
    before = rawtags.everything(path)
    file = mediafile.MediaFile(path)
    file.update({"mood": ["Happy"], "genre_histogram": TEXT})
    file.save()
    assert rawtags.everything(path) != before
    file = mediafile.MediaFile(path)
    file.update({"mood": nothing, "genre_histogram": nothing and ""})
    file.save()
    assert rawtags.everything(path) == before


def test_an_absent_mood_leaves_no_trace(path: Path) -> None:
    before = rawtags.everything(path)
    file = mediafile.MediaFile(path)
    assert file.mood in (None, [])
    file.update({"mood": [], "mood_histogram": ""})
    file.save()
    assert rawtags.everything(path) == before


def test_id3v23_has_no_tmoo(originals: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(originals["mp3"])
    file = mediafile.MediaFile(path, id3v23=True)
    file.update({"mood": ["Happy", "Upbeat"], "genre_histogram": TEXT})
    file.save()
    raw = ID3(path, translate=False)
    assert raw.version == (2, 3, 0)
    assert "TMOO" not in raw
    assert raw["TXXX:mood"].text == ["Happy/Upbeat"]
    assert raw["TXXX:GENRE_HISTOGRAM"].text == [TEXT]
    assert mediafile.MediaFile(path).mood == ["Happy", "Upbeat"]


def test_id3v24_has_no_user_text_for_mood_unless_it_was_there(
    originals: dict[str, bytes], tmp_path: Path
) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(originals["mp3"])
    file = mediafile.MediaFile(path)
    file.mood = ["Happy"]
    file.save()
    assert not ID3(path).getall("TXXX:mood")
    rawtags.put_user_text(path, "MOOD", "Angry")
    file = mediafile.MediaFile(path)
    file.mood = ["Sad"]
    file.save()
    assert ID3(path)["TMOO"].text == ["Sad"]
    assert [frame.text for frame in ID3(path).getall("TXXX")] == [["Sad"]]
    file = mediafile.MediaFile(path)
    del file.mood
    file.save()
    assert not ID3(path).getall("TXXX")
    assert "TMOO" not in ID3(path)


def _analysis(genre: str = "genre 1") -> Analysis:
    return Analysis(
        path="/music/a.mp3",
        content_hash="1:00",
        duration=200.0,
        genre=Histogram(("hiphop", "jazz"), (3, 7), (0.35, 0.65), genre),
        mood=Histogram(("happy", "angry", "sad", "relaxed"), (1, 2, 6, 1), (0.1, 0.2, 0.6, 0.1), "mood 2"),
        sampling=Sampling(10, 3.0, 42),
    )


def test_values_of_an_analysis() -> None:
    values = fields.values_of(_analysis())
    histogram = json.loads(values.pop("genre_histogram"))
    assert histogram["counts"] == {"hiphop": 3, "jazz": 7}
    assert histogram["sampling"] == {"snippets": 10, "seconds": 3.0}
    assert json.loads(values.pop("mood_histogram"))["top"] == "sad"
    assert values == {
        "genre_top": "jazz",
        "genre_confidence": 0.65,
        "genre_model": "genre 1",
        "genre_hiphop": 0.3,
        "genre_jazz": 0.7,
        "mood_confidence": 0.6,
        "mood_model": "mood 2",
        "mood_happy": 0.1,
        "mood_angry": 0.2,
        "mood_sad": 0.6,
        "mood_relaxed": 0.1,
        "valence": 0.2,
        "arousal": 0.3,
    }


def test_a_histogram_can_be_read_back() -> None:
    analysis = _analysis()
    data = fields.listened(fields.values_of(analysis)["genre_histogram"])
    assert Histogram.from_dict(data) == analysis.genre


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "{",
        "[]",
        3,
        '{"sampling": 3}',
        '{"counts": []}',
        '{"top": null}',
        '{"counts": {"jazz": "x"}}',
    ],
)
def test_a_foreign_histogram_says_nothing(text: object) -> None:
    assert fields.listened(text) == {}


def test_numbers_are_numbers_and_share_one_type() -> None:
    declared = fields.item_types()
    numbers = {name: type_ for name, type_ in declared.items() if name != "mood"}
    assert len(numbers) == 10 + 4 + 4
    assert len({id(type_) for type_ in numbers.values()}) == 1
    assert all(isinstance(type_, types.Float) for type_ in numbers.values())
    assert isinstance(declared["mood"], types.DelimitedString)
    assert declared["mood"].normalize("Sad; Calm") == ["Sad", "Calm"]


@pytest.mark.parametrize(
    ("label", "spelled"),
    [
        ("hiphop", "Hip-Hop"),
        ("jazz", "Jazz"),
        ("sad", "Sad"),
        ("drum_and_bass", "Drum And Bass"),
        ("EDM", "EDM"),
        ("lo-fi 80s drum'n'bass", "Lo-Fi 80s Drum'n'bass"),
        ("música étnica", "Música Étnica"),
    ],
)
def test_spelling(label: str, spelled: str) -> None:
    assert spell(label) == spelled


def test_share_fields_never_hide_another_field() -> None:
    assert fields.share_field("genre", "jazz") == "genre_jazz"
    assert fields.share_field("genre", "Drum & Bass") == "genre_drum_bass"
    assert fields.share_field("genre", "top") == "genre_top_share"
    assert fields.share_field("genre", "演歌") == "genre_演歌"
    assert fields.share_field("genre", "Рок") == "genre_рок"


def test_own_fields_include_those_of_another_model() -> None:
    stored = {"genre_histogram": json.dumps({"counts": {"techno": 3}})}
    assert {"genre_techno", "genre_jazz", "mood_sad", "valence"} <= fields.own_fields(stored)
    assert "genre_techno" not in fields.own_fields({})
    assert not {"genres", "mood"} & fields.own_fields(stored)
