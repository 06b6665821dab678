"""What an analysis says: immutable values, JSON in and out.

Standard library only: the beets plugin reads these values without paying for numpy.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["AGGREGATION_VERSION", "Analysis", "Histogram", "Sampling", "aggregate", "combine"]

#: Part of the cache key: raised whenever the same snippet probabilities would give another histogram.
AGGREGATION_VERSION = 2

_FLOOR = 1e-12


@dataclass(frozen=True)
class Histogram:
    """How the snippets of one track spread over the classes of one model.

    Parameters
    ----------
    labels : tuple of str
        The classes, in the model's order.
    counts : tuple of int
        Snippets whose most probable class is ``labels[k]``; they sum to the number of snippets used.
    probabilities : tuple of float
        Mean probability of each class over those snippets, 0 to 1.
    model : str
        Name and version of the model.
    temperature : float
        The model's calibration temperature, fitted on validation tracks through this very aggregation.
    sequence : tuple of int
        The most probable class of each snippet, as index into `labels`, in the order in which they sound; empty
        where it is not known.
    """

    labels: tuple[str, ...]
    counts: tuple[int, ...]
    probabilities: tuple[float, ...]
    model: str
    temperature: float = 1.0
    sequence: tuple[int, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if not len(self.labels) == len(self.counts) == len(self.probabilities):
            raise ValueError("a histogram needs one count and one probability for each label")
        if not self.snippets:
            raise ValueError("a histogram needs at least one snippet")
        if self.sequence and [self.sequence.count(k) for k in range(len(self.labels))] != list(self.counts):
            raise ValueError("the sequence of a histogram must have the classes that it counts")

    @property
    def snippets(self) -> int:
        """Number of snippets counted."""
        return sum(self.counts)

    @property
    def top(self) -> str:
        """The tallest bar; among equals, the one with the higher mean probability."""
        return self.labels[self._top_index]

    @property
    def confidence(self) -> float:
        """Calibrated probability that `top` is right: softmax(log(mean probability) / T) at `top`, 0 to 1."""
        logits = [math.log(max(p, _FLOOR)) / self.temperature for p in self.probabilities]
        peak = max(logits)
        weights = [math.exp(logit - peak) for logit in logits]
        return weights[self._top_index] / math.fsum(weights)

    def share(self, label: str) -> float:
        """Fraction of the snippets that sound like `label`, 0 to 1.

        Raises
        ------
        KeyError
            If the model does not know the label.
        """
        return self.shares()[label]

    def shares(self) -> dict[str, float]:
        """Every label with its share, in the model's order."""
        total = self.snippets
        return {label: count / total for label, count in zip(self.labels, self.counts, strict=True)}

    @property
    def valence(self) -> float | None:
        """Probability of the pleasant quadrants, happy and relaxed, 0 to 1; None for other labels."""
        return self._quadrants("happy", "relaxed")

    @property
    def arousal(self) -> float | None:
        """Probability of the energetic quadrants, happy and angry, 0 to 1; None for other labels."""
        return self._quadrants("happy", "angry")

    def ranked(self) -> list[tuple[str, float]]:
        """Labels and shares, the tallest bar first."""
        order = sorted(range(len(self.labels)), key=self._height, reverse=True)
        return [(self.labels[k], self.counts[k] / self.snippets) for k in order]

    def to_dict(self) -> dict[str, Any]:
        """The JSON form of DESIGN's contract."""
        return {
            "model": self.model,
            "top": self.top,
            "confidence": round(self.confidence, 6),
            "counts": dict(zip(self.labels, self.counts, strict=True)),
            "probabilities": {k: round(p, 6) for k, p in zip(self.labels, self.probabilities, strict=True)},
            "temperature": self.temperature,
            "sequence": list(self.sequence),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Histogram:
        """Read what `to_dict` wrote."""
        return cls(
            labels=tuple(data["counts"]),
            counts=tuple(data["counts"].values()),
            probabilities=tuple(data["probabilities"][label] for label in data["counts"]),
            model=data["model"],
            temperature=data.get("temperature", 1.0),
            sequence=tuple(data.get("sequence", ())),
        )

    def _quadrants(self, *labels: str) -> float | None:
        mean = dict(zip(self.labels, self.probabilities, strict=True))
        if not {"happy", "angry", "sad", "relaxed"} <= set(mean):
            return None
        return min(1.0, math.fsum(mean[label] for label in labels))

    def _height(self, index: int) -> tuple[int, float]:
        return self.counts[index], self.probabilities[index]

    @property
    def _top_index(self) -> int:
        return max(range(len(self.labels)), key=self._height)


@dataclass(frozen=True)
class Sampling:
    """How the snippets were drawn.

    Parameters
    ----------
    snippets : int
        How many.
    seconds : float
        How long each is.
    seed : int
        Seed of the generator that drew the starts, derived from the content hash.
    """

    snippets: int
    seconds: float
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"snippets": self.snippets, "seconds": self.seconds, "seed": self.seed}


@dataclass(frozen=True)
class Analysis:
    """What genrecore heard in one file.

    Parameters
    ----------
    path : str
        The file.
    content_hash : str
        Hash of its encoded audio, blind to tags.
    duration : float
        Seconds.
    genre, mood : Histogram
        The two histograms.
    sampling : Sampling
        How the snippets were drawn.
    analysed_at : str
        ISO 8601, UTC.
    warnings : tuple of str
        Sentences on what was odd about the file though it could be analysed (cut off, say).
    """

    path: str
    content_hash: str
    duration: float
    genre: Histogram
    mood: Histogram
    sampling: Sampling
    analysed_at: str = ""
    warnings: tuple[str, ...] = field(default=())

    @property
    def valence(self) -> float | None:
        """See `Histogram.valence`."""
        return self.mood.valence

    @property
    def arousal(self) -> float | None:
        """See `Histogram.arousal`."""
        return self.mood.arousal

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of DESIGN's contract."""
        data: dict[str, Any] = {
            "path": self.path,
            "content_hash": self.content_hash,
            "duration": round(self.duration, 3),
            "genre": self.genre.to_dict(),
            "mood": self.mood.to_dict(),
            "sampling": self.sampling.to_dict(),
            "analysed_at": self.analysed_at,
        }
        if self.warnings:
            data["warnings"] = list(self.warnings)
        return data

    def to_json(self) -> str:
        """`to_dict` on one line."""
        return json.dumps(self.to_dict(), ensure_ascii=False)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Analysis:
        """Read what `to_dict` wrote."""
        return cls(
            path=data["path"],
            content_hash=data["content_hash"],
            duration=data["duration"],
            genre=Histogram.from_dict(data["genre"]),
            mood=Histogram.from_dict(data["mood"]),
            sampling=Sampling(**data["sampling"]),
            analysed_at=data.get("analysed_at", ""),
            warnings=tuple(data.get("warnings", ())),
        )

    @classmethod
    def from_json(cls, text: str) -> Analysis:
        """Read what `to_json` wrote."""
        return cls.from_dict(json.loads(text))


def aggregate(
    probabilities: Sequence[Sequence[float]], labels: Sequence[str], *, model: str, temperature: float = 1.0
) -> Histogram:
    """Turn the class probabilities of a track's snippets into its histogram.

    This is the only aggregation: serving, evaluation and calibration all use it.

    Parameters
    ----------
    probabilities : sequence of sequence of float, shape (snippets, classes)
        One row a snippet, in the order in which they sound; rows sum to 1. A numpy array will do.
    labels : sequence of str
        The classes.
    model : str
        Name and version of the model.
    temperature : float
        See `Histogram`.

    Raises
    ------
    ValueError
        If there is no snippet, or a row does not fit the labels.
    """
    rows = [[float(p) for p in row] for row in probabilities]
    if not rows or any(len(row) != len(labels) for row in rows):
        raise ValueError(f"expected rows of {len(labels)} probabilities, and at least one")
    sequence = tuple(max(range(len(row)), key=row.__getitem__) for row in rows)
    counts = tuple(sequence.count(k) for k in range(len(labels)))
    means = [min(1.0, math.fsum(column) / len(rows)) for column in zip(*rows, strict=True)]
    return Histogram(tuple(labels), counts, tuple(means), model, temperature, sequence)


def combine(histograms: Sequence[Histogram]) -> Histogram:
    """Sum histograms of several tracks, an album's say: as if all their snippets were one track's.

    The confidence is that of one track, too: the temperature is not fitted on sums.

    Parameters
    ----------
    histograms : sequence of Histogram
        At least one, all of the same model.

    Raises
    ------
    ValueError
        If there is none, or they are of several models.
    """
    if len({(h.model, h.labels) for h in histograms}) != 1:
        raise ValueError("expected histograms of one model, and at least one")
    first = histograms[0]
    total = sum(h.snippets for h in histograms)
    counts = tuple(map(sum, zip(*(h.counts for h in histograms), strict=True)))
    weighted = zip(*([p * h.snippets for p in h.probabilities] for h in histograms), strict=True)
    means = tuple(min(1.0, math.fsum(column) / total) for column in weighted)
    return Histogram(first.labels, counts, means, first.model, first.temperature)
