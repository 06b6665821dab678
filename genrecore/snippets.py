"""The random snippets of a track, and what of them the networks get to hear.

`draw_starts`, `fit` and `seed_of` decide and read nothing; `open_track` decodes a file and draws its
snippets; `inputs_for` cuts them out as a model wants them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from genrecore._starts import GRID, QUIET, SHORT_FILES, Starts, draw_starts, fit, seed_of, window_loudness
from genrecore._track import CONTEXT, Track, open_track
from genrecore.audio import ANALYSIS_RATE
from genrecore.card import ModelCard
from genrecore.errors import ModelError
from genrecore.spectrogram import LogMelSpec, logmel

__all__ = [
    "GRID",
    "QUIET",
    "SHORT_FILES",
    "SNIPPETS_VERSION",
    "LogMels",
    "Track",
    "draw_starts",
    "fit",
    "inputs_for",
    "open_track",
    "seed_of",
    "window_loudness",
]

Samples = NDArray[np.float32]

#: Part of the cache key: raised whenever the same samples would give other snippets.
SNIPPETS_VERSION = 1


def inputs_for(card: ModelCard, track: Track, logmels: LogMels | None = None) -> Samples:
    """Cut the snippets of a track out as a model wants them.

    Parameters
    ----------
    card : ModelCard
        The model's.
    track : Track
        From `open_track`.
    logmels : LogMels, optional
        The track's spectrograms, where several models share them.

    Returns
    -------
    ndarray of float32, shape (count, *card.input.shape)
        In the order of ``track.starts``.

    Raises
    ------
    ModelError
        If the model wants another sample rate than the analysis has.

    Examples
    --------
    >>> track = open_track("song.mp3", count=100, seconds=3.0)  # doctest: +SKIP
    >>> inputs_for(model.card, track).shape  # doctest: +SKIP
    (100, 128, 39)
    """
    if card.input.sample_rate != ANALYSIS_RATE:
        raise ModelError(
            f"{card.id}: the model wants audio at {card.input.sample_rate} Hz, and genrecore analyses at "
            f"{ANALYSIS_RATE} Hz: export it for that rate"
        )
    if card.input.logmel is not None:
        return (logmels or LogMels(track, [card])).snippets(card)
    return _waveforms(track, card.input.samples)


class LogMels:
    """The log-mel spectrograms of a track, for several models.

    Models whose spectrograms differ in nothing but the hop share one where one hop divides the other.

    Parameters
    ----------
    track : Track
        The track.
    cards : sequence of ModelCard
        All models that will ask; those for waveforms are passed over.
    """

    def __init__(self, track: Track, cards: Sequence[ModelCard]) -> None:
        self._track = track
        self._specs = {card.input.logmel for card in cards if card.input.logmel is not None}
        self._done: dict[LogMelSpec, Samples] = {}

    def snippets(self, card: ModelCard) -> Samples:
        """The columns of every snippet, float32 [count, mels, frames], as `card` wants them."""
        spec, frames = card.input.logmel, card.input.frames
        if spec is None or frames is None:
            raise ValueError(f"{card.id} does not take spectrograms")
        shared = self._shared(spec)
        step = spec.hop_length // shared.hop_length
        if self._track.samples is not None:
            first = np.rint(self._track.starts / shared.hop_length).astype(np.int64)
            return _cut(self._columns(shared), first, frames, step)
        columns = self._columns(shared)
        first = np.array([round(CONTEXT / shared.hop_length)])
        return np.concatenate([_cut(piece, first, frames, step) for piece in columns])

    def _shared(self, spec: LogMelSpec) -> LogMelSpec:
        hops = [other.hop_length for other in self._specs if other.with_hop(spec.hop_length) == spec]
        return spec.with_hop(
            min((hop for hop in hops if spec.hop_length % hop == 0), default=spec.hop_length)
        )

    def _columns(self, spec: LogMelSpec) -> Samples:
        """Of the whole track [mels, frames], or of each piece of a long one [count, mels, frames]."""
        if spec not in self._done:
            track = self._track
            if track.samples is not None:
                self._done[spec] = logmel(track.samples, spec)
            else:
                assert track.pieces is not None
                self._done[spec] = np.stack([logmel(piece, spec) for piece in track.pieces])
        return self._done[spec]


def _cut(columns: Samples, first: Starts, frames: int, step: int) -> Samples:
    """Runs of `frames` columns, `step` apart, moved back where they would pass the end."""
    first = np.clip(first, 0, columns.shape[1] - 1 - (frames - 1) * step)
    cut = columns[:, first[:, None] + step * np.arange(frames)]
    return np.ascontiguousarray(cut.transpose(1, 0, 2))


def _waveforms(track: Track, length: int) -> Samples:
    if track.samples is not None:
        samples = track.samples if len(track.samples) >= length else fit(track.samples, length)
        starts = np.minimum(track.starts, len(samples) - length)
        return np.lib.stride_tricks.sliding_window_view(samples, length)[starts]
    assert track.pieces is not None
    if length > track.window + CONTEXT:
        raise ValueError(f"the track was opened for snippets of {track.window} samples, not {length}")
    return np.ascontiguousarray(track.pieces[:, CONTEXT : CONTEXT + length])
