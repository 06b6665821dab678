"""What a song sounds like from moment to moment: immutable values, and the decisions that make them. Reads nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from genrecore.analysis import Analysis, Histogram, aggregate
from genrecore.card import ModelCard

__all__ = ["SHORTEST_SECTION", "SMOOTHING", "Flow", "Section", "Timeline", "sections_of", "smooth"]

Array = NDArray[np.float64]

#: Seconds over which probabilities are averaged: two windows of the bundled models.
SMOOTHING = 6.0

#: Seconds: what is shorter is no section of its own.
SHORTEST_SECTION = 5.0


@dataclass(frozen=True)
class Section:
    """A stretch of a song in which one class is the most probable.

    Parameters
    ----------
    start, end : float
        Seconds.
    label : str
        The class; empty for silence.
    probability : float
        Mean of its smoothed probability there, 0 to 1; 0 for silence.
    """

    start: float
    end: float
    label: str
    probability: float

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "start": round(self.start, 3),
            "end": round(self.end, 3),
            "label": self.label or None,
            "probability": round(self.probability, 4),
        }


@dataclass(frozen=True, eq=False)
class Flow:
    """Genre or mood over time.

    Parameters
    ----------
    card : ModelCard
        The model's.
    raw : ndarray of float, shape (windows, classes)
        What the model says of each window, 0 to 1, rows sum to 1; NaN where the window is silent.
    smoothed : ndarray of float, shape (windows, classes)
        The same, averaged over the neighbours: see `smooth`.
    sections : tuple of Section
        Without gaps, from the beginning of the song to its end.
    """

    card: ModelCard
    raw: Array = field(repr=False)
    smoothed: Array = field(repr=False)
    sections: tuple[Section, ...] = field(repr=False)

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes, in the model's order."""
        return self.card.labels

    @property
    def histogram(self) -> Histogram:
        """All windows that are not silent, counted as the snippets of an analysis are."""
        heard = self.raw[~np.isnan(self.raw[:, 0])].tolist()
        return aggregate(heard, self.labels, model=self.card.id, temperature=self.card.temperature)

    def of(self, label: str) -> Array:
        """Smoothed probability of a class, shape (windows,).

        Raises
        ------
        ValueError
            If the model does not know it.
        """
        return self.smoothed[:, self.labels.index(label)]

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: probabilities are the smoothed ones, and null in silence."""
        histogram = self.histogram
        return {
            "model": self.card.id,
            "labels": list(self.labels),
            "top": histogram.top,
            "confidence": round(histogram.confidence, 6),
            "sections": [section.to_dict() for section in self.sections],
            "probabilities": {label: _numbers(self.of(label)) for label in self.labels},
        }


@dataclass(frozen=True, eq=False)
class Timeline:
    """A song from moment to moment; made by `genrecore.timeline`.

    Parameters
    ----------
    analysis : Analysis
        The whole song, by its random snippets.
    hop : float
        Seconds from one window to the next.
    window : float
        Seconds that a window lasts.
    times : ndarray of float, shape (windows,)
        Seconds: the middle of each window.
    loudness : ndarray of float, shape (windows,)
        Root mean square of one hop in the middle of each window, in dB re full scale; -100 at least.
    genre, mood : Flow
        What is heard in the windows.
    warnings : tuple of str
        What was odd, without the path and without a full stop.
    """

    analysis: Analysis
    hop: float
    window: float
    times: Array = field(repr=False)
    loudness: Array = field(repr=False)
    genre: Flow
    mood: Flow
    warnings: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The file."""
        return self.analysis.path

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.analysis.duration

    @property
    def smoothing(self) -> float:
        """Seconds over which probabilities are averaged; 0 where the windows are too far apart for that."""
        return SMOOTHING if _neighbours(self.hop, SMOOTHING) else 0.0

    @property
    def valence(self) -> Array | None:
        """Smoothed probability of happy and relaxed, shape (windows,); None for a model of other moods."""
        return self._quadrants("happy", "relaxed")

    @property
    def arousal(self) -> Array | None:
        """Smoothed probability of happy and angry, shape (windows,); None for a model of other moods."""
        return self._quadrants("happy", "angry")

    def _quadrants(self, *labels: str) -> Array | None:
        if not {"happy", "angry", "sad", "relaxed"} <= set(self.mood.labels):
            return None
        return np.sum([self.mood.of(label) for label in labels], axis=0)

    def columns(self) -> dict[str, list[Any]]:
        """A table, one row a window: time, loudness, each class's smoothed probability, the tops."""
        table: dict[str, list[Any]] = {"time": _numbers(self.times), "loudness": _numbers(self.loudness)}
        for task, flow in (("genre", self.genre), ("mood", self.mood)):
            table[f"{task}_top"] = _tops(flow)
            table |= {f"{task}_{label}": _numbers(flow.of(label)) for label in flow.labels}
        for name, values in (("valence", self.valence), ("arousal", self.arousal)):
            if values is not None:
                table[name] = _numbers(values)
        return table

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        data: dict[str, Any] = {
            "path": self.path,
            "content_hash": self.analysis.content_hash,
            "duration": round(self.duration, 3),
            "hop": self.hop,
            "window": self.window,
            "smoothing": self.smoothing,
            "times": _numbers(self.times),
            "loudness": _numbers(self.loudness),
            "genre": self.genre.to_dict(),
            "mood": self.mood.to_dict(),
            "analysis": self.analysis.to_dict(),
        }
        for name, values in (("valence", self.valence), ("arousal", self.arousal)):
            if values is not None:
                data[name] = _numbers(values)
        if self.warnings:
            data["warnings"] = list(self.warnings)
        return data

    def to_json(self) -> str:
        """`to_dict` on one line."""
        return json.dumps(self.to_dict(), ensure_ascii=False)


def smooth(raw: Array, hop: float, seconds: float = SMOOTHING) -> Array:
    """Average probabilities over their neighbours, the nearer the more (a Hann window).

    Parameters
    ----------
    raw : ndarray of float, shape (windows, classes)
        Rows sum to 1, or are NaN.
    hop : float
        Seconds from one row to the next.
    seconds : float
        Width of the Hann window, within which it is not zero.

    Returns
    -------
    ndarray of float, shape (windows, classes)
        Rows sum to 1, or are NaN where they were. NaNs and what lies beyond the ends have no weight.
    """
    half = _neighbours(hop, seconds)
    weights = np.hanning(2 * half + 3)[1:-1]
    heard = ~np.isnan(raw[:, 0])
    total = scipy.ndimage.convolve1d(np.where(heard[:, None], raw, 0.0), weights, axis=0, mode="constant")
    share = scipy.ndimage.convolve1d(heard.astype(np.float64), weights, mode="constant")
    out = np.full_like(total, np.nan)
    np.divide(total, share[:, None], out=out, where=heard[:, None])
    return out


def sections_of(
    smoothed: Array,
    labels: Sequence[str],
    times: Array,
    duration: float,
    shortest: float = SHORTEST_SECTION,
) -> tuple[Section, ...]:
    """Stretches with the same most probable class.

    One that is too short becomes part of its neighbour, of two of the one whose class is more probable in it;
    the shortest goes first.

    Parameters
    ----------
    smoothed : ndarray of float, shape (windows, classes)
        From `smooth`.
    labels : sequence of str
        The classes.
    times : ndarray of float, shape (windows,)
        Seconds: the middle of each window.
    duration : float
        Seconds: where the last section ends.
    shortest : float
        Seconds that a section lasts at least, unless the song is shorter.
    """
    tops = _top_indices(smoothed)
    borders = [0.0, *((times[:-1] + times[1:]) / 2).tolist(), duration]
    changes = np.flatnonzero(np.diff(tops)) + 1
    firsts = [0, *changes.tolist()]
    runs = [(first, int(tops[first])) for first in firsts]
    while len(runs) > 1:
        ends = [first for first, _ in runs[1:]] + [len(tops)]
        lengths = [borders[end] - borders[first] for (first, _), end in zip(runs, ends, strict=True)]
        k = int(np.argmin(lengths))
        if lengths[k] >= shortest:
            break
        inside = smoothed[runs[k][0] : ends[k]]
        neighbours = [runs[j][1] for j in (k - 1, k + 1) if 0 <= j < len(runs)]
        label = max(neighbours, key=lambda label: _mean(inside, label))
        runs = _joined([*runs[:k], (runs[k][0], label), *runs[k + 1 :]])
    ends = [first for first, _ in runs[1:]] + [len(tops)]
    return tuple(
        Section(
            borders[first], borders[end], labels[top] if top >= 0 else "", _mean(smoothed[first:end], top)
        )
        for (first, top), end in zip(runs, ends, strict=True)
    )


def _neighbours(hop: float, seconds: float) -> int:
    """How many windows on either side count."""
    return max(0, math.ceil(seconds / hop / 2) - 1)


def _joined(runs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return [run for before, run in zip([(0, -2), *runs], runs, strict=False) if before[1] != run[1]]


def _mean(rows: Array, label: int) -> float:
    heard = rows[~np.isnan(rows[:, 0])]
    return float(heard[:, label].mean()) if label >= 0 and len(heard) else 0.0


def _top_indices(smoothed: Array) -> NDArray[np.int64]:
    """Index of the most probable class of each row, -1 in silence."""
    return np.where(np.isnan(smoothed[:, 0]), -1, np.argmax(smoothed, axis=1))


def _tops(flow: Flow) -> list[str | None]:
    return [flow.labels[k] if k >= 0 else None for k in _top_indices(flow.smoothed)]


def _numbers(values: Array) -> list[float | None]:
    return [None if math.isnan(value) else round(value, 4) for value in values.tolist()]
