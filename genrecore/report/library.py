"""What there is to say of a collection: counted, compared and sampled. Pure: reads and writes nothing."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from genrecore.analysis import Histogram

__all__ = [
    "MOST_LISTED",
    "MOST_POINTS",
    "Disagreement",
    "Entry",
    "Portrait",
    "Share",
    "classes_in",
    "portray",
]

#: Points of the plane of valence and arousal: more would neither be seen nor drawn in time.
MOST_POINTS = 3000

#: Rows of the list of disagreements.
MOST_LISTED = 200

# Rows of the lists of the most and the least certain tracks.
_EXTREMES = 12
# Years before this and after that are typing errors, or 0 for unknown.
_FIRST_YEAR, _LAST_YEAR = 1860, 2200
# Rows and columns of the density of valence and arousal.
_CELLS = 25
_SEED = 0


@dataclass(frozen=True)
class Entry:
    """A track of a collection.

    Parameters
    ----------
    path : str
        The file.
    title, artist : str
        Empty where they are not known.
    year : int or None
        Of the release.
    tagged : tuple of str
        Genres as they stand in its tags.
    genre, mood : Histogram or None
        What was heard; None where it was not.
    key : str
        What a library calls it: a number of beets.
    """

    path: str
    title: str = ""
    artist: str = ""
    year: int | None = None
    tagged: tuple[str, ...] = ()
    genre: Histogram | None = None
    mood: Histogram | None = None
    key: str = ""

    @property
    def name(self) -> str:
        """Artist and title, or the path."""
        return " – ".join(part for part in (self.artist, self.title) if part) or self.path


@dataclass(frozen=True)
class Share:
    """How many tracks have a class.

    Parameters
    ----------
    label : str
        The class.
    sure, unsure : int
        Tracks of which it is the top, with at least the confidence asked for, and with less.
    """

    label: str
    sure: int
    unsure: int


@dataclass(frozen=True)
class Disagreement:
    """A track whose tag says something else than was heard.

    Parameters
    ----------
    entry : Entry
        The track.
    tagged : tuple of str
        The classes that its tags name.
    heard : str
        The class that was heard.
    confidence : float
        Probability that this is right, 0 to 1.
    """

    entry: Entry
    tagged: tuple[str, ...]
    heard: str
    confidence: float


@dataclass(frozen=True, eq=False)
class Portrait:
    """A collection, as the page shows it.

    Parameters
    ----------
    tracks, heard, other_models : int
        All tracks; those of which genre and mood are known; those heard by other models than most, left out.
    models : (str, str)
        Of genre and mood.
    min_confidence : float
        What counts as sure.
    genres, moods : tuple of Share
        In the models' order.
    table : ndarray of int, shape (genres, moods)
        Tracks by what is tallest.
    years : dict of int to tuple of int
        By decade, tracks of each genre.
    points : tuple of Entry
        A random sample of `MOST_POINTS` tracks, or all.
    density : ndarray of int, shape (cells, cells)
        Tracks by arousal and valence, all of them.
    certain, uncertain : tuple of Entry
        Tracks with the greatest and the least confidence of genre.
    disagreements : tuple of Disagreement
        Sure first, `MOST_LISTED` at most.
    n_disagreements, n_comparable : int
        Of all tracks: those that disagree; those whose tags name a class and that are sure.
    closeness : ndarray of float, shape (genres, genres)
        Row by row: where one snippet sounds like this genre, how often does another of the same track sound
        like that one, 0 to 1; NaN for a genre that is never heard.
    """

    tracks: int
    heard: int
    other_models: int
    models: tuple[str, str]
    min_confidence: float
    genres: tuple[Share, ...]
    moods: tuple[Share, ...]
    table: NDArray[np.int64] = field(repr=False)
    years: dict[int, tuple[int, ...]] = field(repr=False)
    points: tuple[Entry, ...] = field(repr=False)
    density: NDArray[np.int64] = field(repr=False)
    certain: tuple[Entry, ...] = field(repr=False)
    uncertain: tuple[Entry, ...] = field(repr=False)
    disagreements: tuple[Disagreement, ...] = field(repr=False)
    n_disagreements: int
    n_comparable: int
    closeness: NDArray[np.float64] = field(repr=False)


def classes_in(tagged: Iterable[str], labels: Sequence[str]) -> tuple[str, ...]:
    """The classes that genre tags name: ``Hard Rock`` names rock, ``Pop/Rock`` two, ``Techno`` none of GTZAN's.

    Parameters
    ----------
    tagged : iterable of str
        Genres as people write them.
    labels : sequence of str
        The model's classes.

    Examples
    --------
    >>> classes_in(["Hip Hop", "Jazz-Funk"], ["hiphop", "jazz", "rock"])
    ('hiphop', 'jazz')
    """
    words: set[str] = set()
    for tag in tagged:
        parts = re.split(r"[\W_]+", tag.casefold())
        words |= {*parts, *map("".join, pairwise(parts))}
    return tuple(label for label in labels if re.sub(r"[\W_]+", "", label.casefold()) in words)


def portray(entries: Iterable[Entry], min_confidence: float) -> Portrait | None:
    """Count, compare and sample a collection.

    Parameters
    ----------
    entries : iterable of Entry
        All tracks.
    min_confidence : float
        What counts as sure, 0 to 1.

    Returns
    -------
    Portrait or None
        None where nothing of it has been heard.
    """
    known = list(entries)
    whole = [entry for entry in known if entry.genre is not None and entry.mood is not None]
    if not whole:
        return None
    # Classes of other models cannot be counted together with these.
    commonest = Counter(map(_models, whole)).most_common(1)[0][0]
    heard = [entry for entry in whole if _models(entry) == commonest]
    genres, moods = (np.array([_top(getattr(entry, task)) for entry in heard]) for task in ("genre", "mood"))
    genre_labels, mood_labels = _labels(heard[0].genre), _labels(heard[0].mood)
    table = np.zeros((len(genre_labels), len(mood_labels)), np.int64)
    np.add.at(table, (genres, moods), 1)
    confidence = np.array([_confidence(entry) for entry in heard])
    order = np.argsort(-confidence, kind="stable").tolist()
    disagreements, comparable = _disagreements([heard[k] for k in order], genre_labels, min_confidence)
    sample = sorted(random.Random(_SEED).sample(range(len(heard)), min(len(heard), MOST_POINTS)))
    return Portrait(
        tracks=len(known),
        heard=len(heard),
        other_models=len(whole) - len(heard),
        models=commonest,
        min_confidence=min_confidence,
        genres=_shares([entry.genre for entry in heard], min_confidence),
        moods=_shares([entry.mood for entry in heard], min_confidence),
        table=table,
        years=_years(heard, genres, len(genre_labels)),
        points=tuple(heard[k] for k in sample),
        density=_density(heard),
        certain=tuple(heard[k] for k in order[:_EXTREMES]),
        uncertain=tuple(heard[k] for k in order[::-1][:_EXTREMES]),
        disagreements=tuple(disagreements[:MOST_LISTED]),
        n_disagreements=len(disagreements),
        n_comparable=comparable,
        closeness=_closeness(heard, len(genre_labels)),
    )


def _models(entry: Entry) -> tuple[str, str]:
    assert entry.genre is not None
    assert entry.mood is not None
    return entry.genre.model, entry.mood.model


def _labels(histogram: Histogram | None) -> tuple[str, ...]:
    assert histogram is not None
    return histogram.labels


def _top(histogram: Histogram) -> int:
    return histogram.labels.index(histogram.top)


def _confidence(entry: Entry) -> float:
    assert entry.genre is not None
    return entry.genre.confidence


def _shares(histograms: Sequence[Histogram | None], min_confidence: float) -> tuple[Share, ...]:
    counts = Counter((h.top, h.confidence >= min_confidence) for h in histograms if h is not None)
    return tuple(Share(name, counts[name, True], counts[name, False]) for name in _labels(histograms[0]))


def _years(heard: Sequence[Entry], genres: NDArray[np.int64], n_genres: int) -> dict[int, tuple[int, ...]]:
    decades: dict[int, list[int]] = {}
    for entry, genre in zip(heard, genres.tolist(), strict=True):
        if entry.year is not None and _FIRST_YEAR <= entry.year <= _LAST_YEAR:
            decades.setdefault(entry.year // 10 * 10, [0] * n_genres)[genre] += 1
    return {decade: tuple(decades[decade]) for decade in sorted(decades)}


def _density(heard: Sequence[Entry]) -> NDArray[np.int64]:
    cells = np.zeros((_CELLS, _CELLS), np.int64)
    for entry in heard:
        assert entry.mood is not None
        valence, arousal = entry.mood.valence, entry.mood.arousal
        if valence is not None and arousal is not None:
            row, column = (min(int(value * _CELLS), _CELLS - 1) for value in (arousal, valence))
            cells[row, column] += 1
    return cells


def _disagreements(
    ordered: Sequence[Entry], labels: Sequence[str], min_confidence: float
) -> tuple[list[Disagreement], int]:
    found, comparable = [], 0
    for entry in ordered:
        assert entry.genre is not None
        tagged = classes_in(entry.tagged, labels)
        if not tagged or _confidence(entry) < min_confidence:
            continue
        comparable += 1
        if entry.genre.top not in tagged:
            found.append(Disagreement(entry, tagged, entry.genre.top, entry.genre.confidence))
    return found, comparable


def _closeness(heard: Sequence[Entry], n_genres: int) -> NDArray[np.float64]:
    counts = np.array([entry.genre.counts for entry in heard if entry.genre is not None], np.float64)
    total = counts.sum(axis=1, keepdims=True)
    # Pairs of different snippets of a track, so that every track has the same weight.
    several = total[:, 0] > 1
    counts, total = counts[several], total[several]
    weight = total * (total - 1)
    pairs = (counts / weight).T @ counts - np.diag((counts / weight).sum(axis=0))
    rows = pairs.sum(axis=1, keepdims=True)
    out = np.full((n_genres, n_genres), np.nan)
    np.divide(pairs, rows, out=out, where=rows > 0)
    return out
