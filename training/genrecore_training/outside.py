"""Outside tests: what a model says of data sets that were collected and labelled by others, in other words.

Their labels are weak, and not the model's own. Left out are tracks that the model has learnt from, and those that may
be by an artist of whom it has, as far as artists are known.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track as progress
from scipy.stats import bootstrap, spearmanr

from genrecore import model as model_files
from genrecore.analysis import Histogram
from genrecore.errors import AudioError
from genrecore.model import Model
from genrecore_training import recipes as recipe_files
from genrecore_training.datasets import DatasetError, Emotify, FourQuadrant, Track, share_an_artist
from genrecore_training.datasets.mixed_genres import mixed_genres
from genrecore_training.listen import file_histogram
from genrecore_training.material import READERS
from genrecore_training.results import measured, read
from genrecore_training.statistics import INTERVAL, Verdict, accuracy
from genrecore_training.words import may_be

__all__ = ["OutsideTest", "genre_tests", "measure", "mood_test", "read_list"]

#: Which emotion should be felt the more, the more probable a quadrant is.
EMOTIONS = (
    ("happy", "joyful_activation"),
    ("angry", "power"),
    ("angry", "tension"),
    ("sad", "sadness"),
    ("relaxed", "calmness"),
    ("relaxed", "tenderness"),
)
_RESAMPLES = 2000
# Of fewer tracks a correlation says nothing.
_FEWEST = 10


@dataclass(frozen=True)
class OutsideTest:
    """Tracks of another data set, and what may be said of each.

    Parameters
    ----------
    name : str
        For people.
    dataset : str
        Name of the data set, as in the list of what a model has learnt from.
    tracks : tuple of Track
        With their sound.
    allowed : mapping of str to frozenset of str
        Track id -> classes that count as right.
    groups : mapping of str to str
        Track id -> artist, or the track itself where unknown.
    """

    name: str
    dataset: str
    tracks: tuple[Track, ...]
    allowed: Mapping[str, frozenset[str]]
    groups: Mapping[str, str]


def genre_tests(data: Path) -> tuple[OutsideTest, ...]:
    """The outside tests of genre models, of the data sets that are there.

    Raises
    ------
    DatasetError
        If a data set is faulty, or there is none.
    """
    makers = {"4qaed": _of_4_quadrant, "emotify": _of_emotify, "mixed_genres": _of_mixed_genres}
    found = tuple(make(data / name) for name, make in makers.items() if (data / name).is_dir())
    if not found:
        raise DatasetError(
            f"{data} has none of the folders {', '.join(makers)}: name the folder of the data with --data"
        )
    return found


def _of_4_quadrant(root: Path) -> OutsideTest:
    clips = FourQuadrant(root)
    return _test("4-Quadrant, AllMusic's genres", clips.name, clips.tracks, may_be(clips), clips.groups)


def _of_emotify(root: Path) -> OutsideTest:
    emotify = Emotify(root)
    return _test("Emotify", emotify.name, emotify.tracks, may_be(emotify), emotify.groups)


def _of_mixed_genres(root: Path) -> OutsideTest:
    single = mixed_genres(root)
    said = {track.id: frozenset({track.label}) for track in single}
    groups = {track.id: track.artist or f"unknown {track.id}" for track in single}
    return _test("single tracks from many places", "mixed_genres", single, said, groups)


def measure(model_path: Path, listed: Mapping[str, Any], data: Path) -> dict[str, Any]:
    """Test a model on what others have collected.

    Parameters
    ----------
    model_path : Path
        The model file.
    listed : mapping
        What it has learnt from: the list of a shipped model.
    data : Path
        The data sets.

    Returns
    -------
    dict
        For JSON.
    """
    model = model_files.load(model_path, device="cpu")
    learnt = listed["train"]
    made_by = recipe_files.made_by(listed["recipe_hash"])
    chosen_by: dict[str, Iterable[str]] = {made_by.dataset: listed["validation"]} if made_by else {}
    artists = _artists(learnt, data) | _artists(chosen_by, data)

    def fresh(tracks: Iterable[Track], dataset: str) -> list[Track]:
        known = set(learnt.get(dataset, ()))
        return [
            track
            for track in tracks
            if track.id not in known and not any(share_an_artist(track.artist, name) for name in artists)
        ]

    found: dict[str, Any] = {
        "model": model.card.id,
        "weights": model_files.digest(model_path),
        "interval": f"{INTERVAL}; over tracks where no artist is known",
    }
    if model.card.task == "genre":
        tests = genre_tests(data)
        return found | {"tests": [_genre(model, test, fresh(test.tracks, test.dataset)) for test in tests]}
    emotify = Emotify(data / "emotify")
    return found | {"emotions": mood_test(model, emotify, fresh(emotify.tracks, emotify.name))}


def mood_test(model: Model, emotify: Emotify, tracks: list[Track]) -> list[dict[str, Any]]:
    """Rank correlation of quadrants' mean probabilities with the shares of hearers who felt an emotion.

    Parameters
    ----------
    model : Model
        Of the four quadrants.
    emotify : Emotify
        The data set.
    tracks : list of Track
        Those of it that the model knows nothing of.
    """
    heard = _heard(model, tracks, emotify.title)
    if len(heard) < _FEWEST:
        return []
    felt, entries = emotify.annotations["emotions"], []
    for quadrant, emotion in EMOTIONS:
        place = felt.names.index(emotion)
        pairs = [
            (said.probabilities[said.labels.index(quadrant)], felt.values[track.id][place])
            for track, said in heard
        ]
        said_of, felt_of = np.array(pairs).T
        interval = bootstrap(
            (said_of, felt_of),
            lambda one, other: spearmanr(one, other).statistic,
            paired=True,
            vectorized=False,
            n_resamples=_RESAMPLES,
            method="percentile",
            rng=np.random.default_rng(0),
        ).confidence_interval
        entries.append(
            {
                "quadrant": quadrant,
                "emotion": emotion,
                "n": len(pairs),
                "value": round(float(spearmanr(said_of, felt_of).statistic), 4),
                "low": round(float(interval.low), 4),
                "high": round(float(interval.high), 4),
            }
        )
    return entries


def _test(
    name: str,
    dataset: str,
    tracks: Iterable[Track],
    allowed: Mapping[str, frozenset[str]],
    groups: Mapping[str, str],
) -> OutsideTest:
    kept = tuple(track for track in tracks if allowed.get(track.id))
    return OutsideTest(name, dataset, kept, allowed, groups)


def _genre(model: Model, test: OutsideTest, tracks: list[Track]) -> dict[str, Any]:
    verdicts = []
    for track, said in _heard(model, tracks, test.name):
        allowed = test.allowed[track.id]
        label = said.top if said.top in allowed else min(allowed)
        verdicts.append(Verdict(track.id, label, test.groups[track.id], said, "waveform"))
    found: dict[str, Any] = {
        "test": test.name,
        "n": len(verdicts),
        "left out": len(test.tracks) - len(tracks),
    }
    if not verdicts:
        return found
    always = Counter(label for item in verdicts for label in test.allowed[item.id])
    most = max(sorted(always), key=lambda label: always[label])  # of as many the first by name
    return found | {
        "accuracy": measured(verdicts, accuracy),
        "always the same": {"class": most, "accuracy": round(always[most] / len(verdicts), 4)},
        "classes": dict(Counter(item.histogram.top for item in verdicts).most_common()),
    }


def _heard(model: Model, tracks: list[Track], name: str) -> list[tuple[Track, Histogram]]:
    found = []
    for track in progress(tracks, description=name, disable=not sys.stderr.isatty()):
        try:
            found.append((track, file_histogram(model, track)))
        except AudioError as error:
            print(f"left out: {error}", file=sys.stderr)
    return found


def _artists(learnt: Mapping[str, Iterable[str]], data: Path) -> frozenset[str]:
    """Keys of all artists that a model has learnt from."""
    keys: set[str] = set()
    for name, ids in learnt.items():
        dataset = READERS[name](data / name)
        artists = {track.id: track.artist for track in dataset.tracks}
        missing = [track for track in ids if track not in artists]
        if missing:
            raise DatasetError(
                f"{data / name}: {len(missing)} tracks that the model has learnt from are not here, so that their "
                "artists cannot be left out: get the data set again"
            )
        keys |= {artists[track] for track in ids}
    return frozenset(keys - {""})


def read_list(path: Path) -> dict[str, Any]:
    """The list of what a shipped model has learnt from.

    Raises
    ------
    DatasetError
        If there is none.
    ResultError
        If it is damaged.
    """
    if not path.is_file():
        raise DatasetError(
            f"{path} is missing, so nobody knows what the model has learnt from: genrecore-train export writes it"
        )
    return read(path)
