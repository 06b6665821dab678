"""Recordings as people have them: other codecs, bit rates, channels, sample rates and levels, silence, vinyl."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile  # type: ignore[import-untyped]
import soxr
from numpy.typing import NDArray
from scipy.signal import lfilter

from genrecore.errors import AudioError

__all__ = ["ALTERATIONS", "Alteration", "vinyl"]

Samples = NDArray[np.float32]

# By FFmpeg, of which the names are; the others by libsndfile.
_ENCODERS = {"mp3": "libmp3lame", "opus": "libopus"}

_SECONDS_OF_SILENCE = 1.0
# A worn record in good order: surface noise and rumble some 40 dB below the music, a dozen clicks a second.
_HISS_DB = -42.0
_RUMBLE_DB = -38.0
_CLICKS_A_SECOND = 12.0
_CLICK_DB = -12.0


@dataclass(frozen=True)
class Alteration:
    """What becomes of a recording.

    Parameters
    ----------
    name : str
        For people.
    extension : str
        The file's: ``wav``, ``ogg`` (Vorbis, quality 4), ``mp3`` or ``opus``.
    subtype : str, optional
        Of a WAV file; ``FLOAT`` keeps what is beyond full scale, which is clipped otherwise.
    bit_rate : int, optional
        Of MP3 and Opus, in bits a second.
    rate : int, optional
        Sample rate in Hz; the recording's own if not given.
    channels : int
        1, or 2 with the right one a little quieter.
    change : callable, optional
        (samples, rate) -> samples, before it is encoded.
    """

    name: str
    extension: str = "wav"
    subtype: str | None = None
    bit_rate: int | None = None
    rate: int | None = None
    channels: int = 1
    change: Callable[[Samples, int], Samples] | None = None

    def apply(self, source: Path, folder: Path) -> Path:
        """Write the altered recording, and return its path.

        Raises
        ------
        AudioError
            If libsndfile cannot read it.
        """
        try:
            samples, rate = soundfile.read(source, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise AudioError(str(source), error.error_string) from error
        mono = samples.mean(axis=1)
        changed = self.change(mono, rate) if self.change else mono
        target = self.rate or rate
        if target != rate:
            changed = soxr.resample(changed, rate, target)
        sides = np.array([1.0, 0.8])[: self.channels]
        samples = (changed[:, None] * sides).astype(np.float32)
        if self.subtype != "FLOAT":
            samples = np.clip(samples, -1, 1)
        path = folder / f"{source.stem}.{self.extension}"
        if self.extension in _ENCODERS:
            _encode(samples, target, path, self.bit_rate)
        else:
            soundfile.write(path, samples, target, subtype=self.subtype)
        return path


def _encode(samples: Samples, rate: int, path: Path, bit_rate: int | None) -> None:
    layout = "mono" if samples.shape[1] == 1 else "stereo"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(_ENCODERS[path.suffix[1:]], rate=rate, layout=layout)
        stream.codec_context.bit_rate = bit_rate
        stream.codec_context.open()
        resampler = av.AudioResampler(
            stream.codec_context.format, layout, rate, frame_size=stream.codec_context.frame_size
        )
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.reshape(1, -1)), "flt", layout)
        frame.sample_rate, frame.pts = rate, 0
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))


def vinyl(samples: Samples, rate: int) -> Samples:
    """Surface noise, rumble and clicks, relative to the level of the recording; seeded with its length."""
    rng, count = np.random.default_rng(len(samples)), len(samples)
    level = float(np.sqrt(np.mean(samples**2)))

    def noise(decibels: float, low_pass: float) -> Samples:
        white = lfilter([1 - low_pass], [1, -low_pass], rng.standard_normal(count))
        scaled: Samples = (white / np.std(white) * level * 10 ** (decibels / 20)).astype(np.float32)
        return scaled

    clicks = np.zeros(count)
    places = rng.integers(0, count, round(_CLICKS_A_SECOND * count / rate))
    clicks[places] = rng.choice((-1, 1), len(places)) * rng.exponential(1, len(places))
    ringing = lfilter([1], [1, -0.7], clicks) * 10 ** (_CLICK_DB / 20)
    worn: Samples = samples + noise(_HISS_DB, 0.0) + noise(_RUMBLE_DB, 0.999) + ringing.astype(np.float32)
    return worn


def _gain(decibels: float) -> Callable[[Samples, int], Samples]:
    def change(samples: Samples, _: int) -> Samples:
        return samples * np.float32(10 ** (decibels / 20))

    return change


def _leading_silence(samples: Samples, rate: int) -> Samples:
    return np.concatenate([np.zeros(round(_SECONDS_OF_SILENCE * rate), np.float32), samples])


#: In the order of the table; the first is what the others are compared with.
ALTERATIONS = (
    Alteration("clean"),
    *(
        Alteration(f"MP3, {rate} kb/s", "mp3", bit_rate=rate * 1000, rate=44100, channels=2)
        for rate in (64, 128, 320)
    ),
    Alteration("Opus, 64 kb/s", "opus", bit_rate=64_000, rate=48000, channels=2),
    Alteration("Vorbis, quality 4", "ogg", rate=44100, channels=2),
    Alteration("stereo", channels=2),
    *(Alteration(f"{rate / 1000:g} kHz", rate=rate) for rate in (16000, 22050, 32000, 44100, 48000)),
    Alteration("12 dB quieter", change=_gain(-12)),
    Alteration("12 dB louder", subtype="FLOAT", change=_gain(12)),
    Alteration("12 dB louder, clipped", change=_gain(12)),
    Alteration("a second of silence first", change=_leading_silence),
    Alteration("vinyl", change=vinyl),
)
