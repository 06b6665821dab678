"""A window slides over a file, and the models say of each place what they hear."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from genrecore import audio, snippets
from genrecore._sound import scale_down
from genrecore._track import CONTEXT
from genrecore.analyzer import Analyzer
from genrecore.model import Model
from genrecore.settings import HOP, Settings
from genrecore.snippets import GRID, QUIET, Track, window_loudness
from genrecore.timelines import Flow, Timeline, sections_of, smooth

__all__ = ["COARSEST_HOP", "MOST_WINDOWS", "follow", "hop_for", "timeline"]

Samples = NDArray[np.float32]

#: Of longer files the hop is doubled until they have no more windows than this: 40 minutes at the usual hop.
MOST_WINDOWS = 4800

#: Seconds; a hop is never more, so that each part of a long file has windows.
COARSEST_HOP = 60.0

# Of a long file this much is in memory at a time: 26 MB of samples.
_STRETCH_SECONDS = 300
# Smallest loudness, in dB re full scale.
_FLOOR = -100.0


@dataclass(frozen=True, eq=False)
class _Heard:
    """Some of the windows of a file, in order.

    Parameters
    ----------
    loudness, middle : ndarray of float, shape (windows,)
        Root mean square of each window, and of one hop in the middle of it.
    genre, mood : ndarray of float32, shape (windows, classes)
        What the models say.
    """

    loudness: NDArray[np.float64] = field(repr=False)
    middle: NDArray[np.float64] = field(repr=False)
    genre: Samples = field(repr=False)
    mood: Samples = field(repr=False)


def timeline(
    path: str | os.PathLike[str],
    *,
    hop: float = HOP,
    genre_model: str = "",
    mood_model: str = "",
    snippets: int = Settings.snippets,
    device: str = "auto",
) -> Timeline:
    """Genre and mood of a file from moment to moment.

    Parameters
    ----------
    path : str or path
        Any audio file.
    hop : float
        Seconds from one window to the next; doubled for long files until there are at most 4,800 windows,
        with a warning.
    genre_model, mood_model : str
        Name of a bundled model or path of a model file; empty for the default one.
    snippets : int
        How many random snippets are heard for ``analysis``, as by `genrecore.analyze`.
    device : {'auto', 'cpu', 'cuda', 'directml'}
        Where the models run.

    Returns
    -------
    Timeline
        The same file always gives the same.

    Raises
    ------
    AudioError
        If nothing can be heard in it.
    ModelError, RuntimeMissing
        If a model or the ONNX Runtime is missing or faulty, or the device that is named does not work.
    ValueError
        If the hop is not positive, or more than a minute.

    Examples
    --------
    >>> line = genrecore.timeline("song.mp3")  # doctest: +SKIP
    >>> [(section.start, section.label) for section in line.genre.sections]  # doctest: +SKIP
    [(0.0, 'classical'), (171.25, 'metal')]
    """
    return follow(_analyzer(Settings(genre_model, mood_model, snippets, device)), path, hop=hop)


def follow(
    analyzer: Analyzer,
    path: str | os.PathLike[str],
    *,
    hop: float = HOP,
    progress: Callable[[float], None] | None = None,
) -> Timeline:
    """`timeline`, by an analyzer that is there already.

    Parameters
    ----------
    analyzer : Analyzer
        Its models listen.
    path : str or path
        Any audio file.
    hop : float
        Seconds.
    progress : callable, optional
        Gets the seconds that have been heard, now and then.

    Raises
    ------
    AudioError, ModelError, ValueError
        As `timeline`.
    """
    track = analyzer.preparer.open(path)
    analysis = analyzer.infer(analyzer.preparer.cut(track))
    taken = hop_for(track.duration, hop)
    step = max(1, round(taken * audio.ANALYSIS_RATE))
    parts, done = [], 0
    for stretch in _stretches(track, step):
        parts.append(_hear(analyzer, stretch, step))
        done += len(stretch.starts)
        if progress is not None:
            progress(min(track.duration, (done * step + track.window) / audio.ANALYSIS_RATE))
    loudness, middle, genre, mood = (
        np.concatenate([getattr(part, name) for part in parts]).astype(np.float64)
        for name in ("loudness", "middle", "genre", "mood")
    )
    silent = loudness < QUIET * loudness.max()
    times = (np.arange(len(loudness)) * step + track.window / 2) / audio.ANALYSIS_RATE
    times = np.minimum(times, track.duration / 2) if len(times) == 1 else times
    coarser = (
        ()
        if taken == hop
        else (f"it is heard every {taken:g} s, not every {hop:g} s: more windows than that are too many",)
    )
    return Timeline(
        analysis=analysis,
        hop=taken,
        window=track.seconds,
        times=times,
        loudness=np.maximum(_FLOOR, 20 * np.log10(np.maximum(middle, 1e-10))),
        genre=_flow(analyzer.genre, genre, silent, times, taken, track.duration),
        mood=_flow(analyzer.mood, mood, silent, times, taken, track.duration),
        warnings=(*track.warnings, *coarser),
    )


def hop_for(duration: float, hop: float, most: int = MOST_WINDOWS) -> float:
    """The hop that is wanted, doubled until a file has no more than `most` windows.

    Raises
    ------
    ValueError
        If it is not positive, or more than a minute.
    """
    if not 0 < hop <= COARSEST_HOP:
        raise ValueError(f"the hop must be positive and at most {COARSEST_HOP:g} s")
    while duration / hop > most and hop * 2 <= COARSEST_HOP:
        hop *= 2
    return hop


@lru_cache(maxsize=1)
def _analyzer(settings: Settings) -> Analyzer:
    return Analyzer(settings)


def _flow(
    model: Model,
    raw: NDArray[np.float64],
    silent: NDArray[np.bool_],
    times: NDArray[np.float64],
    hop: float,
    duration: float,
) -> Flow:
    raw = np.where(silent[:, None], np.nan, raw)
    smoothed = smooth(raw, hop)
    sections = sections_of(smoothed, model.card.labels, times, duration)
    return Flow(model.card, raw, smoothed, sections)


def _hear(analyzer: Analyzer, stretch: Track, step: int) -> _Heard:
    assert stretch.samples is not None
    samples, starts = stretch.samples, stretch.starts
    cards = (analyzer.genre.card, analyzer.mood.card)
    logmels = snippets.LogMels(stretch, cards)
    genre, mood = (snippets.cuts_for(card, stretch, logmels) for card in cards)
    whole = window_loudness(samples, stretch.window)
    hop = min(step, stretch.window)
    middle = window_loudness(samples, hop)
    places = (starts + (stretch.window - hop) // 2) // GRID
    with ThreadPoolExecutor(2) as pool:  # one file, several cores: the runtime leaves the interpreter alone
        said = [pool.submit(analyzer.genre.run, genre), pool.submit(analyzer.mood.run, mood)]
    return _Heard(
        whole[np.minimum(starts // GRID, len(whole) - 1)],
        middle[np.minimum(places, len(middle) - 1)],
        said[0].result(),
        said[1].result(),
    )


def _stretches(track: Track, step: int) -> Iterator[Track]:
    """The track in parts that fit into memory, each with the windows in it as its snippets.

    Every window has `CONTEXT` samples before and after it, or the end of the track, and parts begin on the
    grid, so that nothing in a spectrogram shows where the track was cut.
    """
    if track.samples is not None:
        yield _part(track, track.samples, 0, step)
        return
    enough = _STRETCH_SECONDS * audio.ANALYSIS_RATE
    kept: list[Samples] = []
    begin = start = 0  # of what is kept, and of the next window
    for block in audio.stream(track.path):
        kept.append(block)
        if sum(map(len, kept)) < enough:
            continue
        samples = np.concatenate(kept)
        part = _part(track, samples, start - begin, step, after=CONTEXT)
        yield part
        start += len(part.starts) * step
        following = min(start - CONTEXT, begin + len(samples)) // GRID * GRID
        kept, begin = [samples[following - begin :]], following
    if sum(map(len, kept)) >= start - begin + track.window:
        yield _part(track, np.concatenate(kept), start - begin, step)


def _part(track: Track, samples: Samples, first: int, step: int, after: int = 0) -> Track:
    """The windows that fit into `samples`, from sample `first` on, with so many samples after the last."""
    starts = np.arange(first, len(samples) - track.window - after + 1, step, dtype=np.int64)
    starts = (starts + GRID // 2) // GRID * GRID  # where columns are, whichever part they are in
    return replace(track, starts=starts, samples=scale_down(samples)[0], pieces=None)
