"""What networks of several kinds take."""

from __future__ import annotations

from genrecore import audio
from genrecore.card import InputSpec, ModelCard
from genrecore.spectrogram import LogMelSpec

RATE = audio.ANALYSIS_RATE
WINDOW = 3 * RATE


def make_card(
    samples: int = WINDOW, *, hop: int | None = None, frames: int | None = None, rate: int = RATE
) -> ModelCard:
    spec = LogMelSpec(hop_length=hop, sample_rate=rate, fmax=rate / 2) if hop else None
    shape = InputSpec("logmel" if spec else "waveform", rate, samples, spec, frames)
    return ModelCard("m", "1", "genre", ("a", "b"), shape, samples / rate, "MIT", "nothing")


RAW, RAW_SHORTER = make_card(), make_card(65999)
COARSE, FINE = make_card(hop=1708, frames=39), make_card(hop=854, frames=77)
OTHER = make_card(hop=512, frames=120)
