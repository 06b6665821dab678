"""A file, decoded, with its snippets drawn."""

from __future__ import annotations

import os
from bisect import bisect_right
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from genrecore import audio
from genrecore._sound import require_length, require_sound, scale_down
from genrecore._starts import GRID, Starts, draw_starts, fit, seed_of, window_loudness
from genrecore.content import content_hash as hash_content
from genrecore.errors import DamagedAudio
from genrecore.settings import LONG_FILE_SNIPPETS

__all__ = ["CONTEXT", "Track", "open_track"]

Samples = NDArray[np.float32]

#: Samples on both sides of a window of a long track, for the centred frames of its spectrogram.
CONTEXT = 2 * GRID


@dataclass(frozen=True, eq=False)
class Track:
    """A decoded file and its snippets; made by `open_track`.

    Parameters
    ----------
    path : str
        The file.
    content_hash : str
        Of its audio.
    duration : float
        Seconds decoded, or for a long file measured.
    seed : int
        Of the generator that drew the starts.
    window : int
        Samples of a snippet.
    starts : ndarray of int64, shape (count,)
        First sample of each snippet, ascending; multiples of `GRID`.
    samples : ndarray of float32, shape (n,), or None
        The whole track, mono at 22,050 Hz, at least a window long; None for a long file.
    pieces : ndarray of float32, shape (count, context + window + context), or None
        For a long file: the snippets with what stands before and after them; zeros beyond the ends of the
        track.
    warnings : tuple of str
        What was wrong though it could be decoded.
    """

    path: str
    content_hash: str
    duration: float
    seed: int
    window: int
    starts: Starts = field(repr=False)
    samples: Samples | None = field(repr=False)
    pieces: Samples | None = field(repr=False, default=None)
    warnings: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """Length of a snippet."""
        return self.window / audio.ANALYSIS_RATE


def open_track(
    path: str | os.PathLike[str], *, count: int, seconds: float, content_hash: str | None = None
) -> Track:
    """Decode a file and draw its snippets.

    Parameters
    ----------
    path : str or path
        The file.
    count : int
        How many snippets; of a long file `LONG_FILE_SNIPPETS` at most, with a warning.
    seconds : float
        Length of a snippet: that of the longest any of the models wants.
    content_hash : str, optional
        If it is known already.

    Raises
    ------
    AudioError
        See `genrecore.audio.load`; and `TooShort`, `SilentAudio`.
    """
    name = os.fspath(path)
    digest = content_hash if content_hash is not None else hash_content(name)
    window = round(seconds * audio.ANALYSIS_RATE)
    sound = audio.load_up_to(name, audio.LONG_SECONDS)
    if sound is not None:
        return _whole(name, digest, sound, window, count)
    length = audio.measure(name)
    if length.seconds > audio.LONG_SECONDS:
        return _sampled(name, digest, length, window, count)
    sound = audio.load_up_to(name, audio.LONG_SECONDS, trust_header=False)  # the header lies
    if sound is not None:
        return _whole(name, digest, sound, window, count)
    raise DamagedAudio(name, "its length cannot be told, its clock is damaged: get it again or convert it")


def _whole(path: str, digest: str, sound: audio.Audio, window: int, count: int) -> Track:
    require_length(path, sound.duration)
    samples = sound.samples if len(sound.samples) >= window else fit(sound.samples, window)
    loudness = window_loudness(samples, window)
    require_sound(path, float(loudness.max()))
    seed = seed_of(digest)
    starts = draw_starts(len(samples), window, count, seed, loudness)
    samples.flags.writeable = starts.flags.writeable = False
    return Track(path, digest, sound.duration, seed, window, starts, samples, None, sound.warnings)


def _sampled(path: str, digest: str, length: audio.Length, window: int, count: int) -> Track:
    heard: dict[int, Samples] = {}
    faults: list[str] = []
    limits = (
        (f"it is so long that only {LONG_FILE_SNIPPETS} snippets are heard",)
        if count > LONG_FILE_SNIPPETS
        else ()
    )

    def loudness(starts: Starts) -> NDArray[np.float64]:
        heard.update(_read_pieces(path, sorted(set(starts.tolist()) - heard.keys()), window, faults))
        return np.array([_loudness(heard[start]) for start in starts.tolist()])

    seed = seed_of(digest)
    n_samples = int(length.seconds * audio.ANALYSIS_RATE)
    starts = np.sort(draw_starts(n_samples, window, min(count, LONG_FILE_SNIPPETS), seed, loudness))
    pieces = np.stack([heard[start] for start in starts.tolist()])
    require_sound(path, max(_loudness(piece) for piece in pieces))
    scaled, scaling = scale_down(pieces)
    scaled.flags.writeable = starts.flags.writeable = False
    warnings = (*length.warnings, *dict.fromkeys(faults), *scaling, *limits)
    return Track(path, digest, length.seconds, seed, window, starts, None, scaled, warnings)


def _loudness(piece: Samples) -> float:
    inside = piece[CONTEXT : len(piece) - CONTEXT].astype(np.float64)
    return float(np.sqrt(np.mean(np.square(inside))))


def _read_pieces(path: str, starts: list[int], window: int, faults: list[str]) -> dict[int, Samples]:
    """Windows with their context, by their starts; zeros where the file has nothing."""
    length = window + 2 * CONTEXT
    pieces = {start: np.zeros(length, np.float32) for start in starts}
    for position, samples in audio.read_spans(path, _merged(starts, length), faults=faults):
        # Pieces that may overlap begin less than a length before the samples, and not after their end.
        first = bisect_right(starts, position - length + CONTEXT)
        for start in starts[first:]:
            begin = start - CONTEXT
            if begin >= position + len(samples):
                break
            left, right = max(position, begin), min(position + len(samples), begin + length)
            pieces[start][left - begin : right - begin] = samples[left - position : right - position]
    return pieces


def _merged(starts: list[int], length: int) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for start in starts:
        begin, end = max(0, start - CONTEXT), start - CONTEXT + length
        if spans and begin <= spans[-1][1] + audio.ANALYSIS_RATE:  # a shorter gap than the decoder's run-up
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((begin, end))
    return spans
