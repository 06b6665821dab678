"""Splits: no leak in any direction, reproducible, stratified."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genrecore_training import protocols
from genrecore_training.datasets import Gtzan
from genrecore_training.material import read_folds


@st.composite
def collections(draw: st.DrawFn) -> tuple[dict[str, str], dict[str, str]]:
    count = draw(st.integers(90, 150))
    labels = {f"t{i:03}": f"g{i % 3}" for i in range(count)}
    # By a seed: drawn one by one they would shrink to a single artist, which no protocol can hold apart.
    chance, artists_a_genre = random.Random(draw(st.integers(0, 999))), draw(st.integers(15, 40))
    artists = [chance.randrange(artists_a_genre) for _ in range(count)]
    groups = {track: f"{labels[track]} a{artist}" for track, artist in zip(labels, artists, strict=True)}
    return labels, groups


@settings(max_examples=25, deadline=None)
@given(collections(), st.integers(0, 5))
def test_no_artist_stands_on_two_sides(collection: tuple[dict[str, str], dict[str, str]], seed: int) -> None:
    labels, groups = collection
    splits = protocols.artist_grouped(labels, groups, folds=3, seed=seed)
    for split in splits:
        sides = [{groups[track] for track in part} for part in (split.train, split.validation, split.test)]
        assert len(set.union(*sides)) == sum(map(len, sides))
        assert {*split.train, *split.validation, *split.test} == set(labels)
    tests = Counter(track for split in splits for track in split.test)
    assert tests == dict.fromkeys(labels, 1)
    assert splits == protocols.artist_grouped(labels, groups, folds=3, seed=seed)


@settings(max_examples=10, deadline=None)
@given(collections())
def test_everything_holds_out_whole_artists(collection: tuple[dict[str, str], dict[str, str]]) -> None:
    labels, groups = collection
    split = protocols.everything(labels, groups)
    assert not split.test
    assert not {groups[t] for t in split.train} & {groups[t] for t in split.validation}
    assert len(split.train) > 4 * len(split.validation) > 0


SHARES = st.sampled_from([(0.8, 0.1, 0.1), (0.7, 0.1, 0.2), (0.65, 0.1, 0.25), (0.5, 0.25, 0.25)])


@settings(max_examples=25, deadline=None)
@given(collections(), SHARES, st.integers(0, 5), st.sampled_from(["track_random", "snippet_random"]))
def test_a_random_split_is_whole_stratified_and_repeatable(
    collection: tuple[dict[str, str], dict[str, str]],
    shares: tuple[float, float, float],
    seed: int,
    name: str,
) -> None:
    labels, _ = collection
    draw = getattr(protocols, name)
    split = draw(labels, shares=shares, seed=seed)
    parts = (split.train, split.validation, split.test)
    assert sorted(track for part in parts for track in part) == sorted(labels)
    for part, share in zip(parts, shares, strict=True):
        assert abs(len(part) - share * len(labels)) <= 1
        held, every = Counter(labels[track] for track in part), Counter(labels.values())
        assert all(abs(held[label] - share * every[label]) <= 2 for label in every), "stratified"
    assert split == draw(dict(reversed(labels.items())), shares=shares, seed=seed), "whatever the order"
    assert split != draw(labels, shares=shares, seed=seed + 1)


def test_random_snippets_of_a_track_stand_on_all_sides() -> None:
    """That is what the papers did, and why it leaks."""
    pieces = {f"t{track}:{k}": f"g{track % 3}" for track in range(30) for k in range(10)}
    split = protocols.snippet_random(pieces)
    sides = [{piece.split(":")[0] for piece in part} for part in (split.train, split.test)]
    assert len(sides[0] & sides[1]) > 10


def test_a_class_too_small_to_be_split_is_named() -> None:
    labels = {f"t{k}": "many" if k else "one" for k in range(20)}
    with pytest.raises(ValueError, match="one has 1 of the 3"):
        protocols.track_random(labels)
    artists = {track: f"{label} {len(track)}" for track, label in labels.items()}
    with pytest.raises(ValueError, match=r"tracks of 1 artist\(s\)"):
        protocols.artist_grouped(labels, artists)


@pytest.mark.parametrize("shares", [(0.9, 0.1, 0.0), (0.5, 0.1, 0.1), (1.2, -0.1, -0.1)])
def test_shares_that_are_none_are_refused(shares: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="sum to 1"):
        protocols.track_random({f"t{k}": f"g{k % 2}" for k in range(40)}, shares=shares)


def test_a_split_with_a_track_on_two_sides_cannot_be() -> None:
    with pytest.raises(ValueError, match="two parts"):
        protocols.Split(("a",), ("b",), ("a",))


def test_the_committed_folds_are_what_the_protocol_draws(shared_data: Path) -> None:
    gtzan = Gtzan(shared_data / "gtzan")
    labels = {track.id: track.label for track in gtzan.tracks}
    folds = read_folds()
    assert folds == protocols.artist_grouped_3(labels, gtzan.groups, [track.id for track in gtzan.waveforms])
    per_group: dict[str, set[int]] = {}
    for track, group in gtzan.groups.items():
        per_group.setdefault(group, set()).add(folds[track])
    assert all(len(numbers) == 1 for numbers in per_group.values())
    cells = Counter((labels[track.id], folds[track.id]) for track in gtzan.waveforms)
    assert len(cells) == 30
    assert min(cells.values()) >= 8
    assert max(cells.values()) <= 28


def test_the_committed_folds_cover_all_tracks_in_three_parts() -> None:
    folds = read_folds()
    assert len(folds) == 999
    assert set(folds.values()) == {0, 1, 2}
    assert "jazz.00054" not in folds


@settings(max_examples=10, deadline=None)
@given(collections())
def test_a_share_of_the_artists_lies_in_a_larger_one(
    collection: tuple[dict[str, str], dict[str, str]],
) -> None:
    labels, groups = collection
    ids = list(labels)
    parts = [protocols.share_of(labels, groups, share) for share in (0.25, 0.5, 1.0)]
    assert set(parts[0]) < set(parts[1]) < set(parts[2]) == set(ids)
    assert 0.1 < len(parts[0]) / len(ids) < 0.4 < len(parts[1]) / len(ids) < 0.6
    for part in parts[:2]:
        rest = set(ids) - set(part)
        assert not {groups[track] for track in part} & {groups[track] for track in rest}


@settings(max_examples=10, deadline=None)
@given(collections())
def test_every_track_validates_once_in_development(
    collection: tuple[dict[str, str], dict[str, str]],
) -> None:
    labels, groups = collection
    splits = protocols.development(labels, groups)
    assert sorted(track for split in splits for track in split.validation) == sorted(labels)
    for split in splits:
        assert not split.test
        assert not {groups[t] for t in split.train} & {groups[t] for t in split.validation}
        assert {*split.train, *split.validation} == set(labels)
