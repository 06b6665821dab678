"""FMA, from a tracks.csv with all 52 columns and a few clips in the folders of fma_medium.zip and the like."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
import synth

from genrecore_training.datasets import DatasetError, Fma
from genrecore_training.datasets.fma import FAULTY_CLIPS

# The header of the real file.
COLUMNS = {
    "album": "comments date_created date_released engineer favorites id information listens producer tags title "
    "tracks type",
    "artist": "active_year_begin active_year_end associated_labels bio comments date_created favorites id latitude "
    "location longitude members name related_projects tags website wikipedia_page",
    "set": "split subset",
    "track": "bit_rate comments composer date_created date_recorded duration favorites genre_top genres genres_all "
    "information interest language_code license listens lyricist number publisher tags title",
}
PAIRS = [(group, column) for group, names in COLUMNS.items() for column in names.split()]

# A biography longer than the csv module takes by itself, with lines, quotes and commas in it.
BIO = '<p>Born in "Ohio",\r\nthey play.</p>\n' * 5000

Row = dict[tuple[str, str], str]


def row(genre: str, subset: str, split: str = "training", artist: str = "Someone", number: str = "1") -> Row:
    return {
        ("track", "genre_top"): genre,
        ("set", "subset"): subset,
        ("set", "split"): split,
        ("artist", "name"): artist,
        ("artist", "id"): number,
        ("artist", "bio"): BIO,
        ("track", "title"): f'A "{genre}" song, no more',
        ("album", "title"): "Not this title",
        ("album", "id"): "99",
    }


ROWS = {
    2: row("Hip-Hop", "small", artist="AWOL", number="1"),
    5: row("Hip-Hop", "medium", "validation", artist="awol", number="1"),
    10: row("Rock", "small", "test", artist="The Kills", number="2"),
    20: row("Old-Time / Historic", "medium", artist="Кино", number="3"),
    21: row("Old-Time / Historic", "medium", artist="Кино", number="3"),
    26: row("International", "medium", artist="", number=""),
    30: row("", "large"),
    1000: row("Jazz", "large", "test", artist="Miles"),
    98565: row("Rock", "small"),
    140: row("Experimental", "small"),
    141: row("Easy Listening", "medium"),
}


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synth.piece(tmp_path_factory.mktemp("fma") / "clip.mp3", 30, rate=22050, channels=1)


def table(root: Path, rows: dict[int, Row], pairs: list[tuple[str, str]] = PAIRS) -> Path:
    path = root / "fma_metadata" / "tracks.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["", *(group for group, _ in pairs)])
        writer.writerow(["", *(column for _, column in pairs)])
        writer.writerow(["track_id", *("" for _ in pairs)])
        for number, cells in rows.items():
            writer.writerow([number, *(cells.get(pair, "") for pair in pairs)])
    return path


def put(root: Path, folder: str, clip: Path, *numbers: int) -> None:
    for number in numbers:
        name = f"{number:06}"
        file = root / folder / name[:3] / f"{name}.mp3"
        file.parent.mkdir(parents=True, exist_ok=True)
        os.link(clip, file)


@pytest.fixture
def root(tmp_path: Path, clip: Path) -> Path:
    table(tmp_path, ROWS)
    put(tmp_path, "fma_medium", clip, *(number for number in ROWS if number != 1000))
    return tmp_path


def ids(fma: Fma) -> list[str]:
    return [track.id for track in fma.tracks]


def test_a_track_is_read_as_fma_writes_it(root: Path) -> None:
    track = Fma(root).tracks[0]
    assert (track.id, track.label, track.artist) == ("000002", "Hip-Hop", "awol")
    assert track.title == 'A "Hip-Hop" song, no more'
    assert track.path == root / "fma_medium" / "000" / "000002.mp3"
    assert track.whole
    assert csv.field_size_limit() == 131072  # other readers of CSV keep their limit


def test_the_subsets_hold_each_other(root: Path, clip: Path) -> None:
    small = ["000002", "000010", "000140"]
    medium = ["000002", "000005", "000010", "000020", "000021", "000026", "000140", "000141"]
    assert ids(Fma(root, "small")) == small  # its clips are among the medium ones
    assert ids(Fma(root)) == medium
    put(root, "fma_large", clip, *ROWS)
    assert sorted(ids(Fma(root, "large"))) == sorted([*medium, "001000"])
    put(root, "fma_full", clip, *ROWS)
    # What was cut wrongly is well uncut.
    assert sorted(ids(Fma(root, "full"))) == sorted([*medium, "001000", "098565"])
    assert Fma(root, "full").tracks[0].path == root / "fma_full" / "000" / "000002.mp3"


def test_labels_are_of_the_selection_whatever_sound_is_here(root: Path) -> None:
    assert Fma(root, "small").labels == ("Experimental", "Hip-Hop", "Rock")
    assert Fma(root).labels == (
        *("Easy Listening", "Experimental", "Hip-Hop", "International", "Old-Time / Historic", "Rock"),
    )
    (root / "fma_medium" / "000" / "000010.mp3").unlink()
    assert "Rock" in Fma(root).labels
    assert "000010" not in ids(Fma(root))


def test_the_crnns_selection_leaves_three_genres_out(root: Path) -> None:
    fma = Fma(root, selection="crnn13")
    assert fma.labels == ("Hip-Hop", "Old-Time / Historic", "Rock")
    assert ids(fma) == ["000002", "000005", "000010", "000020", "000021"]
    assert fma.title == "FMA medium (crnn13)"


def test_all_sixteen_genres_less_three_are_thirteen(tmp_path: Path, shared_data: Path) -> None:
    with (shared_data / "fma" / "genres.csv").open(newline="", encoding="utf-8") as file:
        genres = [line["title"] for line in csv.DictReader(file) if line["parent"] == "0"]
    table(tmp_path, {number: row(genre, "medium") for number, genre in enumerate(genres)})
    assert len(Fma(tmp_path).labels) == 16
    assert len(Fma(tmp_path, selection="crnn13").labels) == 13


def test_groups_are_artists_by_name_or_else_by_number(root: Path) -> None:
    groups = Fma(root).groups
    assert groups["000002"] == groups["000005"] == "awol"
    assert groups["000010"] == "kills"
    assert groups["000020"] == groups["000021"] == "кино"  # a name without Latin letters is its own key
    assert groups["000026"] == "unknown 000026"
    assert set(groups) == set(ids(Fma(root)))


def test_the_official_split_is_of_what_is_here(root: Path) -> None:
    (root / "fma_medium" / "000" / "000021.mp3").unlink()
    assert Fma(root, selection="crnn13").lists == {
        "official": {"train": ("000002", "000020"), "validation": ("000005",), "test": ("000010",)}
    }


def test_validate_names_or_counts_what_is_missing_or_damaged(root: Path, clip: Path) -> None:
    assert Fma(root).validate() == []
    folder = root / "fma_medium"
    for number, data in ((2, b""), (10, b"<html>404</html>")):
        file = folder / "000" / f"{number:06}.mp3"
        file.unlink()
        file.write_bytes(data)
    (folder / "000" / "000020.mp3").unlink()
    (folder / "000" / "000026.mp3").unlink()
    synth.piece(folder / "000" / "000026.mp3", 5, rate=22050, channels=1)
    faults = Fma(root).validate()
    assert [fault.split("0000")[-1][:12] for fault in faults] == [
        *("02.mp3: the ", "10.mp3: ther", "20.mp3 is mi", "26.mp3: it e"),
    ]
    table(root, ROWS | {number: row("Folk", "medium") for number in range(2000, 2037)})
    put(root, "fma_medium", clip, 2000)
    counted = f"Folk: 36 of 37 files are missing, the first is {folder / '002' / '002001.mp3'}"
    assert [fault for fault in Fma(root).validate() if "Folk" in fault] == [counted]


def test_short_tracks_of_the_large_subset_are_no_fault(tmp_path: Path) -> None:
    table(tmp_path, {2: row("Rock", "large")})
    short = synth.piece(tmp_path / "short.mp3", 5, rate=22050, channels=1)
    put(tmp_path, "fma_large", short, 2)
    assert Fma(tmp_path, "large").validate() == []


def test_the_known_faulty_clips() -> None:
    assert {"098565", "098567", "098569", "099134", "108925", "133297"} < FAULTY_CLIPS  # those of fma_small
    assert len(FAULTY_CLIPS) == 21


def test_no_sound_at_all_is_one_sentence(tmp_path: Path) -> None:
    table(tmp_path, ROWS)
    with pytest.raises(
        DatasetError, match=r"none of the 8 mp3 files .* in fma_medium/ or fma_large/.*--data"
    ):
        _ = Fma(tmp_path).tracks


def test_bad_arguments_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no subset 'tiny': there are small, medium, large, full"):
        Fma(tmp_path, "tiny")
    with pytest.raises(DatasetError, match="no selection 'all': there is crnn13"):
        Fma(tmp_path, selection="all")
    with pytest.raises(DatasetError, match="crnn13 is one of subset medium, not of small"):
        Fma(tmp_path, "small", "crnn13")


GOOD = row("Rock", "small")
BAD = [
    (lambda path: path.unlink(), r"tracks\.csv is missing: unpack fma_metadata\.zip"),
    (lambda path: path.write_bytes(b""), r"tracks\.csv is empty"),
    (lambda path: path.write_bytes(b"<html>404</html>"), r"tracks\.csv has no column 'subset' under 'set'"),
    (lambda path: path.write_bytes(b"PK\x03\x04\xff\xfe\x00" * 99), r"tracks\.csv: it cannot be read as CSV"),
    (lambda path: table(path.parents[1], {}), r"tracks\.csv names no track of subset medium"),
    (
        lambda path: table(path.parents[1], {2: GOOD}, [p for p in PAIRS if p != ("track", "genre_top")]),
        r"tracks\.csv has no column 'genre_top' under 'track'",
    ),
    (
        lambda path: table(path.parents[1], {2: GOOD | {("set", "split"): "dev"}}),
        r"line 10004: split 'dev' is none of training, validation, test",
    ),
    (
        lambda path: table(path.parents[1], {2: GOOD | {("set", "subset"): "huge"}}),
        r"subset 'huge' is none of small, medium, large",
    ),
    (
        lambda path: path.write_text(path.read_text().replace("track_id", "id", 1)),
        r"line 3 does not begin with track_id",
    ),
    (
        lambda path: path.write_text(path.read_text().replace("\n2,", "\ntwo,", 1)),
        r"the track id 'two' is no number",
    ),
    # A download that broke off: inside quotes, or between two columns.
    (
        lambda path: path.write_bytes(path.read_bytes()[: path.read_bytes().rindex(b"play")]),
        r"tracks\.csv: it cannot be read as CSV after line",
    ),
    (lambda path: path.write_bytes(path.read_bytes()[:-30]), r"tracks\.csv: line \d+ has \d+ of 53 columns"),
]


@pytest.mark.parametrize(("spoil", "said"), BAD)
def test_a_table_of_another_kind_is_refused_in_one_sentence(tmp_path: Path, spoil: object, said: str) -> None:
    spoil(table(tmp_path, {2: GOOD}))  # type: ignore[operator]
    with pytest.raises(DatasetError, match=said) as caught:
        _ = Fma(tmp_path).tracks
    assert str(tmp_path / "fma_metadata" / "tracks.csv") in str(caught.value)
    assert Fma(tmp_path).validate() == [str(caught.value)]
