"""Readers and splits of the real data; and that nothing leaks from one side to another."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from genrecore_training.datasets import DatasetError, FourQuadrant, Gtzan, artist_key
from genrecore_training.datasets.gtzan import DUPLICATES
from genrecore_training.material import Bench
from genrecore_training.recipes import RecipeError, load


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The Beach Boys", "Beach Boys, The"),
        ("Beyoncé", "BEYONCE"),
        ("Simon & Garfunkel", "Simon and Garfunkel"),
    ],
)
def test_an_artist_is_the_same_however_spelt(one: str, other: str) -> None:
    assert set(artist_key(one).split()) == set(artist_key(other).split())
    if "," not in other:
        assert artist_key(one) == artist_key(other)


def test_a_missing_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"logmel128x387_u8\.npz is missing"):
        _ = Gtzan(tmp_path).tracks
    with pytest.raises(DatasetError, match=r"annotations\.csv is missing"):
        _ = FourQuadrant(tmp_path).tracks
    assert Gtzan(tmp_path).validate()


def test_gtzan_is_whole(shared_data: Path) -> None:
    gtzan = Gtzan(shared_data / "gtzan")
    assert gtzan.validate() == []
    assert Counter(track.label for track in gtzan.tracks) == {
        label: 99 if label == "jazz" else 100 for label in gtzan.labels
    }
    assert sum(track.whole for track in gtzan.waveforms) == 111
    assert len(gtzan.waveforms) == 513
    columns = gtzan.logmel("blues.00000")
    assert columns.shape == (128, 387)
    assert columns.max() == 0
    assert columns.min() == -80
    lists = gtzan.fault_filtered()
    assert [len(lists[part]) for part in ("train", "validation", "test")] == [442, 197, 290]


def test_duplicates_share_a_group(shared_data: Path) -> None:
    gtzan = Gtzan(shared_data / "gtzan")
    for first, second in DUPLICATES:
        assert gtzan.groups[first] == gtzan.groups[second]
        assert np.array_equal(gtzan.logmel(first), gtzan.logmel(second))


def test_four_quadrant_is_whole(shared_data: Path) -> None:
    moods = FourQuadrant(shared_data / "4qaed")
    assert moods.validate() == []
    assert Counter(track.label for track in moods.tracks) == dict.fromkeys(moods.labels, 200)


CASES = [
    ("end2end-gru-mel", "artist_grouped_3", 3),
    ("end2end-gru-mel", "all", 1),
    ("abela-end2end-gru", "artist_grouped_3", 3),
    ("abela-end2end-gru", "all", 1),
    ("mel-cnn-mood", "artist_grouped", 5),
    ("mel-cnn-mood", "all", 1),
]


@pytest.mark.parametrize(("name", "protocol", "folds"), CASES)
def test_no_artist_is_on_two_sides(
    shared_data: Path, tmp_path: Path, name: str, protocol: str, folds: int
) -> None:
    bench = Bench(load(name), shared_data, tmp_path)
    splits = bench.splits(protocol)
    assert len(splits) == folds
    for split in splits:
        sides = [
            {bench.groups[track] for track in part} for part in (split.train, split.validation, split.test)
        ]
        assert len(set.union(*sides)) == sum(map(len, sides))
    tested = [track for split in splits for track in split.test]
    assert sorted(tested) == (sorted(bench.tracks) if folds > 1 else [])


def test_the_fault_filtered_lists_share_no_track(shared_data: Path, tmp_path: Path) -> None:
    bench = Bench(load("end2end-gru-mel"), shared_data, tmp_path)
    (split,) = bench.splits("fault_filtered")
    assert len({*split.train, *split.validation, *split.test}) == 442 + 197 + 290


def test_a_protocol_that_does_not_fit_is_refused(shared_data: Path, tmp_path: Path) -> None:
    for name, protocol in (("abela-end2end-gru", "fault_filtered"), ("mel-cnn-mood", "artist_grouped_3")):
        with pytest.raises(RecipeError, match=protocol):
            Bench(load(name), shared_data, tmp_path).splits(protocol)
