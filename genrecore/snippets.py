"""The random snippets of a track, and what of them the networks get to hear.

`draw_starts`, `fit` and `seed_of` decide and read nothing; `open_track` decodes a file and draws its
snippets; `cuts_for` cuts them out as a model wants them when it comes to them, `inputs_for` all at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from genrecore._cuts import Columns, Cuts, PieceColumns, Ready, Windows
from genrecore._starts import GRID, QUIET, SHORT_FILES, draw_starts, fit, seed_of, window_loudness
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
    "Cuts",
    "LogMels",
    "Track",
    "cuts_for",
    "draw_starts",
    "fit",
    "inputs_for",
    "open_track",
    "seed_of",
    "window_loudness",
]

Samples = NDArray[np.float32]

#: Part of the cache key: raised whenever the same samples would give other snippets.
SNIPPETS_VERSION = 2


def inputs_for(card: ModelCard, track: Track, logmels: LogMels | None = None) -> Samples:
    """All of `cuts_for` at once.

    Returns
    -------
    ndarray of float32, shape (count, *card.input.shape)

    Examples
    --------
    >>> track = open_track("song.mp3", count=100, seconds=3.0)  # doctest: +SKIP
    >>> inputs_for(model.card, track).shape  # doctest: +SKIP
    (100, 128, 39)
    """
    return cuts_for(card, track, logmels)[:]


def cuts_for(card: ModelCard, track: Track, logmels: LogMels | None = None) -> Cuts:
    """The snippets of a track as a model wants them, to be cut when they are asked for.

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
    Cuts
        Of shape (count, *card.input.shape), in the order of ``track.starts``.

    Raises
    ------
    ModelError
        If the model wants another sample rate than the analysis has.
    """
    if card.input.sample_rate != ANALYSIS_RATE:
        raise ModelError(
            f"{card.id}: the model wants audio at {card.input.sample_rate} Hz, and genrecore analyses at "
            f"{ANALYSIS_RATE} Hz: export it for that rate"
        )
    if card.input.logmel is not None:
        return (logmels or LogMels(track, [card])).cuts(card)
    return _windows(track, card.input.samples)


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

    def cuts(self, card: ModelCard) -> Cuts:
        """The columns of every snippet, [count, mels, frames], as `card` wants them."""
        spec, frames = card.input.logmel, card.input.frames
        if spec is None or frames is None:
            raise ValueError(f"{card.id} does not take spectrograms")
        shared = self._shared(spec)
        step = spec.hop_length // shared.hop_length
        columns = self._columns(shared)
        if self._track.samples is None:
            return PieceColumns(columns, round(CONTEXT / shared.hop_length), frames, step)
        first = np.rint(self._track.starts / shared.hop_length).astype(np.int64)
        return Columns(columns, first, frames, step)

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


def _windows(track: Track, length: int) -> Cuts:
    if track.samples is not None:
        samples = track.samples if len(track.samples) >= length else fit(track.samples, length)
        return Windows(samples, np.minimum(track.starts, len(samples) - length), length)
    assert track.pieces is not None
    if length > track.window + CONTEXT:
        raise ValueError(f"the track was opened for snippets of {track.window} samples, not {length}")
    return Ready(track.pieces[:, CONTEXT : CONTEXT + length])
