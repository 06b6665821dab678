"""Splits, named after what they keep apart. Pure functions of lists and seeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

__all__ = ["Split", "artist_grouped", "artist_grouped_3", "everything", "fault_filtered", "hold_out"]


@dataclass(frozen=True)
class Split:
    """Ids of three parts that share no track; which further thing they do not share, the protocol says.

    Parameters
    ----------
    train, validation, test : tuple of str
        Track ids. Decisions (epochs, scalers, temperature) see the first two only.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        parts = (*self.train, *self.validation, *self.test)
        if len(set(parts)) != len(parts):
            raise ValueError("a track stands in two parts of the split")


def fault_filtered(lists: Mapping[str, Sequence[str]]) -> Split:
    """GTZAN's artist-aware, fault-filtered lists (Kereliuk, Sturm, Larsen 2015) as they stand."""
    return Split(tuple(lists["train"]), tuple(lists["validation"]), tuple(lists["test"]))


def artist_grouped(
    labels: Mapping[str, str], groups: Mapping[str, str], *, folds: int = 5, seed: int = 0
) -> tuple[Split, ...]:
    """Stratified folds with no group (artist) on both sides; a part of each training side is held out by group.

    Parameters
    ----------
    labels, groups : mapping of track id to label, to group
        Same keys.
    folds : int
        Number of folds.
    seed : int
        Shuffles the groups.

    Returns
    -------
    tuple of Split
        One a fold; the test parts are disjoint and cover all tracks.
    """
    return _splits(labels, groups, fold_numbers(labels, groups, folds=folds, seed=seed), seed)


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
    return _splits(labels, groups, numbers, seed)


def everything(labels: Mapping[str, str], groups: Mapping[str, str], *, seed: int = 0) -> Split:
    """No test part: for the model that is shipped; an eighth, by group, is held out for decisions."""
    train, validation = hold_out(labels, groups, parts=8, seed=seed)
    return Split(train, validation, ())


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
    labels: Mapping[str, str], groups: Mapping[str, str], numbers: Mapping[str, int], seed: int
) -> tuple[Split, ...]:
    splits = []
    for fold in range(max(numbers.values()) + 1):
        rest = {track: label for track, label in labels.items() if numbers[track] != fold}
        train, validation = hold_out(rest, groups, parts=6, seed=seed)
        splits.append(Split(train, validation, tuple(track for track in labels if numbers[track] == fold)))
    return tuple(splits)
