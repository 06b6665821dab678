"""Splits, named after what they keep apart. Pure functions of lists and seeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, train_test_split

__all__ = [
    "PARTS",
    "RANDOM",
    "Split",
    "artist_grouped",
    "artist_grouped_3",
    "development",
    "everything",
    "fault_filtered",
    "fewest_groups",
    "group_of",
    "hold_out",
    "share_of",
    "snippet_random",
    "track_random",
]

_EIGHTHS = 8
#: Training, validation, test.
PARTS = 3
#: Protocols that do not look at artists.
RANDOM = frozenset({"snippet_random", "track_random"})


def group_of(protocol: str) -> str:
    """What a group is that intervals and tests take as a whole: ``artists``, or ``tracks`` under the `RANDOM` ones."""
    return "tracks" if protocol in RANDOM else "artists"


@dataclass(frozen=True)
class Split:
    """Ids of three parts that share none; which further thing they do not share, the protocol says.

    Parameters
    ----------
    train, validation, test : tuple of str
        Track ids; snippet ids for `snippet_random`. Decisions (epochs, scalers, temperature) see the first two only.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        parts = (*self.train, *self.validation, *self.test)
        if len(set(parts)) != len(parts):
            raise ValueError("a track stands in two parts of the split")


def snippet_random(
    labels: Mapping[str, str], *, shares: tuple[float, float, float] = (0.8, 0.1, 0.1), seed: int = 0
) -> Split:
    """Snippets at random, so that those of one recording stand on all sides: what most papers did; it leaks.

    Parameters
    ----------
    labels : mapping of snippet id to label
        All snippets.
    shares : tuple of float
        Of train, validation and test; they sum to 1.
    seed : int
        Of the shuffle; stratified by label.
    """
    return _random(labels, shares, seed)


def track_random(
    labels: Mapping[str, str], *, shares: tuple[float, float, float] = (0.8, 0.1, 0.1), seed: int = 0
) -> Split:
    """Tracks at random: no track on two sides, but tracks of one artist, one album, even copies.

    Parameters
    ----------
    labels : mapping of track id to label
        All tracks.
    shares, seed
        As for `snippet_random`.
    """
    return _random(labels, shares, seed)


def fault_filtered(lists: Mapping[str, Sequence[str]]) -> Split:
    """GTZAN's artist-aware, fault-filtered lists (Kereliuk, Sturm, Larsen 2015) as they stand."""
    return Split(tuple(lists["train"]), tuple(lists["validation"]), tuple(lists["test"]))


def artist_grouped(
    labels: Mapping[str, str], groups: Mapping[str, str], *, folds: int = 5, parts: int = 6, seed: int = 0
) -> tuple[Split, ...]:
    """Stratified folds with no group (artist) on both sides; a part of each training side is held out by group.

    Parameters
    ----------
    labels, groups : mapping of track id to label, to group
        Same keys.
    folds : int
        Number of folds.
    parts : int
        About one in so many training tracks is held out for decisions.
    seed : int
        Shuffles the groups.

    Returns
    -------
    tuple of Split
        One a fold; the test parts are disjoint and cover all tracks.
    """
    fewest = fewest_groups(labels, groups)
    if fewest < min(PARTS, folds):
        raise ValueError(
            f"a label has tracks of {fewest} artist(s), and training, validation and test need one each"
        )
    return _splits(labels, groups, fold_numbers(labels, groups, folds=folds, seed=seed), seed, parts)


def artist_grouped_3(
    labels: Mapping[str, str],
    groups: Mapping[str, str],
    waveforms: Sequence[str],
    *,
    shuffles: int = 200,
) -> dict[str, int]:
    """Fold number of each GTZAN track, for networks on waveforms.

    Of `shuffles` shuffles of a 3-fold artist-grouped split the one is taken in which the smallest number of full
    waveforms in any genre and fold is largest, then in which these numbers vary least.

    Parameters
    ----------
    labels, groups : mapping of track id to label, to group
        All tracks.
    waveforms : sequence of str
        Ids of the tracks whose waveforms are here, to be spread evenly.
    shuffles : int
        How many to try.
    """

    def evenness(folds: Mapping[str, int]) -> tuple[int, float]:
        counts = Counter((labels[track], folds[track]) for track in waveforms)
        cells = [counts[label, fold] for label in set(labels.values()) for fold in range(3)]
        return min(cells), -float(np.std(cells))

    drawn = (fold_numbers(labels, groups, folds=3, seed=seed) for seed in range(shuffles))
    return max(drawn, key=evenness)


def splits_of_folds(
    labels: Mapping[str, str], groups: Mapping[str, str], numbers: Mapping[str, int], *, seed: int = 0
) -> tuple[Split, ...]:
    """Splits from a fold file: fold k tests, the others train, artists among them are held out for decisions."""
    return _splits(labels, groups, numbers, seed, parts=6)


def everything(
    labels: Mapping[str, str], groups: Mapping[str, str], *, parts: int = 8, seed: int = 0
) -> Split:
    """No test part: for the model that is shipped; one in `parts`, by group, is held out for decisions."""
    train, validation = hold_out(labels, groups, parts=parts, seed=seed)
    return Split(train, validation, ())


def development(
    labels: Mapping[str, str], groups: Mapping[str, str], *, folds: int = 3, seed: int = 0
) -> tuple[Split, ...]:
    """Folds to choose by: each track validates once, with no group on both sides.

    Parameters
    ----------
    labels, groups : mapping of track id to label, to group
        What the test that is to stay untouched does not read; of the groups there may be more.
    folds, seed : int
        How many, and the seed of their shuffle.
    """
    numbers = fold_numbers(labels, groups, folds=folds, seed=seed)
    parts = [tuple(track for track in labels if numbers[track] == fold) for fold in range(folds)]
    return tuple(
        Split(tuple(track for track in labels if numbers[track] != fold), held, ())
        for fold, held in enumerate(parts)
    )


def share_of(
    labels: Mapping[str, str], groups: Mapping[str, str], share: float, *, seed: int = 0
) -> tuple[str, ...]:
    """Part of some tracks by whole groups, stratified, in eighths; a smaller one lies in a larger.

    Parameters
    ----------
    labels, groups : mapping of track id to label, to group
        The tracks.
    share : float
        0 to 1.
    seed : int
        Of the shuffle.
    """
    numbers = fold_numbers(labels, groups, folds=_EIGHTHS, seed=seed)
    return tuple(track for track in labels if numbers[track] < round(share * _EIGHTHS))


def hold_out(
    labels: Mapping[str, str], groups: Mapping[str, str], *, parts: int, seed: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split ids into (most, about one in `parts`), stratified, with no group on both sides."""
    numbers = fold_numbers(labels, groups, folds=parts, seed=seed)
    kept = tuple(track for track in labels if numbers[track] != 0)
    held = tuple(track for track in labels if numbers[track] == 0)
    return kept, held


def fold_numbers(
    labels: Mapping[str, str], groups: Mapping[str, str], *, folds: int, seed: int
) -> dict[str, int]:
    """Fold number of each track: stratified by label, groups whole."""
    ids = sorted(labels)
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    rows = splitter.split(ids, [labels[i] for i in ids], [groups[i] for i in ids])
    return {ids[row]: fold for fold, (_, test) in enumerate(rows) for row in test}


def _splits(
    labels: Mapping[str, str], groups: Mapping[str, str], numbers: Mapping[str, int], seed: int, parts: int
) -> tuple[Split, ...]:
    splits = []
    for fold in range(max(numbers.values()) + 1):
        rest = {track: label for track, label in labels.items() if numbers[track] != fold}
        train, validation = hold_out(rest, groups, parts=parts, seed=seed)
        splits.append(Split(train, validation, tuple(track for track in labels if numbers[track] == fold)))
    return tuple(splits)


def fewest_groups(labels: Mapping[str, str], groups: Mapping[str, str]) -> int:
    """Number of groups of the label that has fewest: of so many folds each can hold all labels."""
    held: dict[str, set[str]] = {}
    for track, label in labels.items():
        held.setdefault(label, set()).add(groups[track])
    return min(map(len, held.values()))


def _random(labels: Mapping[str, str], shares: tuple[float, float, float], seed: int) -> Split:
    if min(shares) <= 0 or abs(sum(shares) - 1) > 1e-6:
        raise ValueError(f"shares of train, validation and test must be positive and sum to 1, not {shares}")
    label, count = min(Counter(labels.values()).items(), key=lambda item: item[1])
    if count < PARTS:
        raise ValueError(f"{label} has {count} of the {PARTS} that training, validation and test need")
    ids = sorted(labels)
    validation, test = (round(share * len(ids)) for share in shares[1:])
    rest, tested = train_test_split(ids, test_size=test, random_state=seed, stratify=[labels[i] for i in ids])
    train, held = train_test_split(
        rest, test_size=validation, random_state=seed, stratify=[labels[i] for i in rest]
    )
    return Split(tuple(train), tuple(held), tuple(tested))
