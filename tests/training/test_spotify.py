"""The Spotify table: made-up ones for what can be wrong, the real one for what the docstrings say of it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from genrecore_training import recipes
from genrecore_training.datasets import DatasetError, SpotifySongs
from genrecore_training.datasets.spotify import FEATURES
from genrecore_training.lessons import lessons
from genrecore_training.material import Bench
from genrecore_training.protocols import Split

COLUMNS = ("track_id", "track_name", "track_artist", "loudness", "playlist_genre", *reversed(FEATURES))


def line(track: str, genre: str, artist: str = "Abba", name: str = "Song", **features: object) -> str:
    numbers = {feature: number for number, feature in enumerate(FEATURES)} | features
    return ",".join([track, name, artist, "-5", genre, *(str(numbers[f]) for f in reversed(FEATURES))])


def table(folder: Path, *lines: str, columns: tuple[str, ...] = COLUMNS) -> SpotifySongs:
    (folder / "spotify_songs.csv").write_text("\n".join([",".join(columns), *lines]) + "\n", "utf-8")
    return SpotifySongs(folder)


def test_a_track_of_several_playlists_is_one_track(tmp_path: Path) -> None:
    songs = table(
        tmp_path,
        line("a", "rock"),
        line("b", "rap"),
        line("a", "pop"),
        line("a", "pop"),
        line("c", "edm"),
        line("c", "latin"),
    )
    # The most frequent genre; of equally frequent ones the first.
    assert [(track.id, track.label) for track in songs.tracks] == [("a", "pop"), ("b", "rap"), ("c", "edm")]


def test_features_are_found_by_the_names_of_their_columns(tmp_path: Path) -> None:
    songs = table(tmp_path, line("a", "rock", tempo=98.5, duration_ms=241_000))
    features = songs.features("a")
    assert features.dtype == np.float32
    assert features.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 98.5, 241_000]


def test_who_is_unknown_is_not_pretended_to_be_somebody_else(tmp_path: Path) -> None:
    songs = table(
        tmp_path,
        line("a", "rock", "NA", "NA"),
        line("b", "rap", "NA", "NA"),
        line("c", "pop", "Брутто"),
        line("d", "pop", "真之介"),
        line("e", "pop", "The ABBA"),
        line("f", "pop"),
    )
    groups = songs.groups
    assert groups["a"] == groups["b"]
    assert groups["e"] == groups["f"] == "abba"
    assert len(set(groups.values())) == 4
    assert [songs.tracks[0].title, songs.tracks[0].artist] == ["", ""]


@pytest.mark.parametrize(
    ("bad", "what"),
    [
        (line("b", "rock", tempo="fast"), r"line 3, column tempo: 'fast' is no number"),
        (line("b", "rock", key=""), r"line 3, column key: '' is no number"),
        (line("b", "rock", energy="NaN"), r"line 3, column energy: NaN"),
        (line("b", "rock", valence="inf"), r"line 3, column valence: inf"),
        (line("b", "jazz"), r"line 3, column playlist_genre: 'jazz' is none of edm, "),
        (line("", "rock"), r"line 3, column track_id: it is empty"),
        ("b,Song,Abba,-5,rock,1,2", r"line 3, column danceability: the row ends before it"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, bad: str, what: str) -> None:
    songs = table(tmp_path, line("a", "rock"), bad, line("c", "pop"))
    with pytest.raises(DatasetError, match=rf"spotify_songs\.csv, {what}.*remove it$"):
        _ = songs.tracks
    (fault,) = songs.validate()
    assert "line 3" in fault


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (None, "is missing: name the folder"),
        (b"", "line 1: there is no column track_id"),
        (",".join(COLUMNS).encode(), "holds no tracks"),
        (",".join(COLUMNS[:-1]).encode(), "line 1: there is no column danceability"),
        (b"\xff\xfe\x00" * 99, "does not read as a table"),
    ],
)
def test_a_table_that_is_none_is_one_sentence(tmp_path: Path, content: bytes | None, what: str) -> None:
    if content is not None:
        (tmp_path / "spotify_songs.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=what):
        _ = SpotifySongs(tmp_path).tracks
    (fault,) = SpotifySongs(tmp_path).validate()
    assert str(tmp_path) in fault


def test_another_table_is_told_from_the_one_that_is_cited(tmp_path: Path) -> None:
    (fault,) = table(tmp_path, line("a", "rock")).validate()
    assert "checksum" in fault


def test_the_real_table_is_as_described(shared_data: Path) -> None:
    songs = SpotifySongs(shared_data / "spotify")
    assert songs.validate() == []
    assert len(songs.tracks) == len({track.id for track in songs.tracks}) == 28_356
    assert tuple(sorted(songs.labels)) == songs.labels
    assert Counter(track.label for track in songs.tracks) == {
        "rap": 5352,
        "pop": 4947,
        "edm": 4944,
        "r&b": 4544,
        "rock": 4340,
        "latin": 4229,
    }
    rows: dict[str, list[str]] = {}
    for row in songs._rows:
        rows.setdefault(row.track, []).append(row.genre)
    counted = [Counter(genres).most_common() for genres in rows.values() if len(set(genres)) > 1]
    assert len(counted) == 1687
    assert sum(first[1] == second[1] for first, second, *_ in counted) == 1216
    assert sum(group == "unknown" for group in songs.groups.values()) == 4
    matrix = np.stack([songs.features(track.id) for track in songs.tracks])
    assert np.isfinite(matrix).all()
    assert 60 < matrix[:, FEATURES.index("tempo")].mean() < 180


def test_rows_of_a_table_are_lessons(tmp_path: Path) -> None:
    songs = table(tmp_path, line("a", "rock"), line("b", "rap"), line("c", "pop"))
    bench = Bench(recipes.load("liang-spotify-cnn"), songs, tmp_path)
    learnt = lessons(bench, Split(("a", "b"), ("c",), ()), tmp_path, tmp_path)
    assert learnt.tracks == {"spotify": ("a", "b")}
    assert [material.signal.shape for material in learnt.material] == [(11,), (11,)]
