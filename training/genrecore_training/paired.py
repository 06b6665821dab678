"""Two models, or two ways of hearing, on the same tracks: is the one better than the other? Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest, permutation_test

from genrecore_training.statistics import Verdict

__all__ = ["Difference", "Paired", "difference", "mcnemar"]

_DRAWS = 20_000
_RESAMPLES = 2000
_SEED = 0


@dataclass(frozen=True)
class Paired:
    """Two models, or two ways of hearing, on the same tracks.

    Parameters
    ----------
    n : int
        Tracks.
    only_one, only_other : int
        Tracks that only the one, or only the other, has right.
    p : float
        Two-sided, of as uneven a split if both were equally good; 1 where they are never apart. Each track counts as
        independent of the others.
    groups : int
        Artists (or other groups) of the tracks.
    p_of_groups : float
        The same question where a group's tracks change sides together.
    """

    n: int
    only_one: int
    only_other: int
    p: float
    groups: int
    p_of_groups: float


@dataclass(frozen=True)
class Difference:
    """How much more often the one is right than the other.

    Parameters
    ----------
    value : float
        Difference of the accuracies; 0 if they are the same.
    low, high : float
        95 % interval, bootstrap over groups.
    """

    value: float
    low: float
    high: float


def difference(one: Sequence[Verdict], other: Sequence[Verdict]) -> Difference:
    """Difference of two accuracies on the same tracks, with a paired interval; whole groups are drawn.

    Parameters
    ----------
    one, other : sequence of Verdict
        In any order; a track that was heard more than once, as with several seeds, counts by its mean.

    Raises
    ------
    ValueError
        If the two were not tested on the same tracks.
    """
    first, second = _share_right(one), _share_right(other)
    if first.keys() != second.keys():
        raise ValueError("a paired comparison needs two tests of the same tracks")
    groups: dict[str, list[float]] = {}
    for (track, group), share in first.items():
        groups.setdefault(group, []).append(share - second[track, group])
    sums, counts = (np.array([figure(held) for held in groups.values()]) for figure in (np.sum, len))
    rng = np.random.default_rng(_SEED)
    drawn = rng.integers(len(sums), size=(_RESAMPLES, len(sums)))
    low, high = np.percentile(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1), [2.5, 97.5])
    return Difference(float(sums.sum() / counts.sum()), float(low), float(high))


def _share_right(tested: Sequence[Verdict]) -> dict[tuple[str, str], float]:
    right: dict[tuple[str, str], list[bool]] = {}
    for item in tested:
        right.setdefault((item.id, item.group), []).append(item.right)
    return {key: float(np.mean(held)) for key, held in right.items()}


def mcnemar(one: Sequence[Verdict], other: Sequence[Verdict]) -> Paired:
    """Exact paired comparison of two models on the same tracks, in any order (McNemar 1947; binomial form).

    Tracks of one artist, and snippets of one recording, are right or wrong together, which makes that p too small.
    Beside it stands that of a randomisation test by group (Fisher 1935): were both models equally good, each group's
    difference could as well have the other sign.

    Raises
    ------
    ValueError
        If the two were not tested on the same tracks, each once.
    """
    first, second = ({(item.id, item.label): item.right for item in tested} for tested in (one, other))
    if first.keys() != second.keys() or not len(first) == len(one) == len(other):
        raise ValueError("a paired comparison needs two tests of the same tracks, each track once")
    only_one = sum(right and not second[key] for key, right in first.items())
    only_other = sum(right and not first[key] for key, right in second.items())
    apart = only_one + only_other
    p = float(binomtest(only_one, apart).pvalue) if apart else 1.0
    ahead: dict[str, int] = {}
    for item in one:
        ahead[item.group] = ahead.get(item.group, 0) + item.right - second[item.id, item.label]
    return Paired(len(first), only_one, only_other, p, len(ahead), _p_of_signs(list(ahead.values())))


def _p_of_signs(differences: Sequence[int]) -> float:
    """Two-sided p of the sum of the differences, where each sign could as well be the other."""
    uneven = np.array([difference for difference in differences if difference])
    if len(uneven) < 2:
        return 1.0
    found = permutation_test(
        (uneven,),
        lambda drawn, axis: drawn.sum(axis=axis),
        permutation_type="samples",
        n_resamples=_DRAWS,
        batch=1000,
        rng=np.random.default_rng(_SEED),
    )
    return float(found.pvalue)
