"""Readers and splits of the real data; and that nothing leaks from one side to another."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from genrecore_training.datasets import DatasetError, FourQuadrant, Gtzan, artist_key
from genrecore_training.datasets.gtzan import DUPLICATES
from genrecore_training.material import Bench, open_dataset
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
    with pytest.raises(DatasetError, match="--data"):
        _ = Gtzan(tmp_path).tracks
    with pytest.raises(DatasetError, match=r"annotations\.csv"):
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


def test_every_name_has_a_key() -> None:
    assert artist_key("真之介") == "真之介"
    assert artist_key("The The") == "the the"
    assert artist_key("  ") == ""


def test_artists_are_known_again_in_another_data_set(shared_data: Path) -> None:
    """What a test on one data set of a model trained on another must leave out."""
    gtzan, moods = Gtzan(shared_data / "gtzan"), FourQuadrant(shared_data / "4qaed")
    tested = set(gtzan.lists["fault_filtered"]["test"])
    artists = {track.artist for track in gtzan.tracks if track.artist}
    held_out = {track.artist for track in gtzan.tracks if track.artist and track.id in tested}
    assert sum(song.artist in artists for song in moods.tracks) == 59
    assert sum(song.artist in held_out for song in moods.tracks) == 23


def bench_of(name: str, data: Path, store: Path) -> Bench:
    recipe = load(name)
    return Bench(recipe, open_dataset(recipe, data), store)


CASES = [
    ("end2end-gru-mel", "artist_grouped_3", 3),
    ("end2end-gru-mel", "all", 1),
    ("abela-end2end-gru", "artist_grouped_3", 3),
    ("abela-end2end-gru", "all", 1),
    ("mel-cnn-mood", "artist_grouped", 5),
    ("mel-cnn-mood", "all", 1),
    ("abela-end2end-mood", "artist_grouped", 5),
    ("abela-end2end-genre", "artist_grouped_3", 3),
    ("liang-spotify-cnn", "artist_grouped", 5),
]


@pytest.mark.parametrize(("name", "protocol", "folds"), CASES)
def test_no_artist_is_on_two_sides(
    shared_data: Path, tmp_path: Path, name: str, protocol: str, folds: int
) -> None:
    bench = bench_of(name, shared_data, tmp_path)
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
    bench = bench_of("end2end-gru-mel", shared_data, tmp_path)
    (split,) = bench.splits("fault_filtered")
    assert len({*split.train, *split.validation, *split.test}) == 442 + 197 + 290


def test_a_protocol_that_does_not_fit_is_refused(shared_data: Path, tmp_path: Path) -> None:
    for name, protocol in (("abela-end2end-gru", "fault_filtered"), ("mel-cnn-mood", "artist_grouped_3")):
        with pytest.raises(RecipeError, match=protocol):
            bench_of(name, shared_data, tmp_path).splits(protocol)


RANDOM_CASES = [
    # Name, protocol, items: as many as the data at hand give.
    ("abela-conv-genre", "snippet_random", (7992, 999, 999)),
    ("abela-end2end-genre", "snippet_random", (888, 111, 111)),
    ("abela-conv-mood", "snippet_random", (6400, 800, 800)),
    ("cox-gtzanet", "track_random", (699, 100, 200)),
    ("liang-mfcc-cnn", "snippet_random", (3596, 150, 1249)),
    ("obeirne-cnn", "snippet_random", (9490, 250, 250)),
    ("liang-spotify-cnn", "track_random", (22684, 2836, 2836)),
]


@pytest.mark.parametrize(("name", "protocol", "sizes"), RANDOM_CASES)
def test_the_papers_own_splits_have_the_papers_sizes(
    shared_data: Path, tmp_path: Path, name: str, protocol: str, sizes: tuple[int, int, int]
) -> None:
    (split,) = bench_of(name, shared_data, tmp_path).splits(protocol)
    assert (len(split.train), len(split.validation), len(split.test)) == sizes


def test_a_section_is_the_part_of_its_track(shared_data: Path, tmp_path: Path) -> None:
    bench = bench_of("abela-conv-genre", shared_data, tmp_path)
    whole = Gtzan(shared_data / "gtzan").logmel("jazz.00003").astype(np.float16)
    sections = bench.material(["jazz.00003"])
    assert len(sections) == 10
    for number, section in enumerate(sections):
        begin = number * 387 // 10
        assert np.array_equal(section.signal, whole[:, min(begin, 387 - 39) :][:, :39])
        (alone,) = bench.material([f"jazz.00003:{number}"])
        assert np.array_equal(alone.signal, section.signal)
    assert bench.labels[int(sections[0].target.argmax())] == "jazz"


def test_the_archive_is_interpolated_to_a_finer_spectrogram_and_the_result_says_so(
    shared_data: Path, tmp_path: Path
) -> None:
    bench = bench_of("liang-mfcc-cnn", shared_data, tmp_path)
    whole = Gtzan(shared_data / "gtzan").logmel("rock.00010")
    sections = bench.material(["rock.00010"])
    assert [s.signal.shape for s in sections] == [(128, 259)] * 5
    # Of 387 columns 1291 are made: the first of the second section lies at 258 of them, 77.2 of the archive's.
    at = 258 * 386 / 1290
    expected = whole[:, 77] + (at - 77) * (whole[:, 78] - whole[:, 77])
    np.testing.assert_allclose(sections[1].signal[:, 0], expected, atol=0.05)
    said = bench.remark("fault_filtered")
    assert said == "archived log-mel of 12.9 columns a second, interpolated to 43.1"
    plain = bench_of("abela-conv-genre", shared_data, tmp_path).remark("snippet_random")
    assert plain == "archived log-mel of 12.9 columns a second"


def test_a_recipe_without_the_archive_hears_what_there_is_of_sound(shared_data: Path, tmp_path: Path) -> None:
    bench = bench_of("liang-mfcc-cnn-level", shared_data, tmp_path)
    assert bench.archived is None
    (split,) = bench.splits("snippet_random")
    heard = {name.partition(":")[0] for part in (split.train, split.validation, split.test) for name in part}
    assert heard == {track.id for track in bench.dataset.tracks if track.path is not None and track.whole}
    assert bench.remark("snippet_random") == f"waveforms of {len(heard)} tracks"
    columns = bench_of("liang-mfcc-cnn-columns", shared_data, tmp_path)
    assert columns.archived is not None
    assert columns.splits("snippet_random") == (split,)
    assert columns.remark("snippet_random").endswith(f"interpolated to 43.1, {len(heard)} tracks")
    assert re.fullmatch(
        rf"waveforms of {len(heard)} tracks and of \d+ slices", bench.remark("artist_grouped_3")
    )
