"""Makes the audio files that the tests need: music-like pieces in every format that PyAV can encode."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Format:
    """A container with a codec in it.

    `lossless`: the samples come back as they went in. `rates`: what the codec takes, the first by default.
    """

    extension: str
    codec: str
    container: str
    lossless: bool = False
    bit_rate: int | None = None
    rates: tuple[int, ...] = (44100,)
    sample_format: str | None = None


FORMATS: dict[str, Format] = {
    "mp3": Format("mp3", "libmp3lame", "mp3", bit_rate=128_000),
    "flac": Format("flac", "flac", "flac", lossless=True, sample_format="s16"),
    "flac24": Format("flac", "flac", "flac", lossless=True, sample_format="s32"),
    "m4a": Format("m4a", "aac", "ipod", bit_rate=128_000),
    "alac": Format("m4a", "alac", "ipod", lossless=True, sample_format="s16p"),
    "aac": Format("aac", "aac", "adts", bit_rate=128_000),
    "ogg": Format("ogg", "vorbis", "ogg", bit_rate=160_000),
    "oggflac": Format("oga", "flac", "ogg", lossless=True, sample_format="s16"),
    "opus": Format("opus", "libopus", "ogg", bit_rate=96_000, rates=(48000,)),
    "wav": Format("wav", "pcm_s16le", "wav", lossless=True),
    "wav8": Format("wav", "pcm_u8", "wav"),
    "wav24": Format("wav", "pcm_s24le", "wav", lossless=True),
    "wav32": Format("wav", "pcm_s32le", "wav", lossless=True),
    "wavfloat": Format("wav", "pcm_f32le", "wav", lossless=True),
    "wavdouble": Format("wav", "pcm_f64le", "wav", lossless=True),
    "wavalaw": Format("wav", "pcm_alaw", "wav"),
    "w64": Format("w64", "pcm_s16le", "w64", lossless=True),
    "aiff": Format("aiff", "pcm_s16be", "aiff", lossless=True),
    "aiff24": Format("aif", "pcm_s24be", "aiff", lossless=True),
    "au": Format("au", "pcm_s16be", "au", lossless=True),
    "caf": Format("caf", "pcm_s16le", "caf", lossless=True),
    "wma": Format("wma", "wmav2", "asf", bit_rate=128_000),
    "wv": Format("wv", "wavpack", "wv", lossless=True, sample_format="s16p"),
    "tta": Format("tta", "tta", "tta", lossless=True, sample_format="s16"),
    "mka": Format("mka", "flac", "matroska", lossless=True, sample_format="s16"),
    "ac3": Format("ac3", "ac3", "ac3", bit_rate=192_000),
    "mp2": Format("mp2", "mp2", "mp2", bit_rate=192_000),
}

_LAYOUTS = ("mono", "stereo", "2.1", "quad", "5.0", "5.1", "6.1", "7.1")

#: What a collection is made of; the formats every test of the whole should pass.
COMMON = ("mp3", "flac", "ogg", "opus", "m4a", "wav")


def music(seconds: float, *, rate: int = 44100, channels: int = 2, seed: int = 0) -> Samples:
    """A piece that changes all the time: chords, a bass and a beat. Shape (n, channels), peak about 0.6."""
    rng = np.random.default_rng(seed)
    n = round(seconds * rate)
    t = np.arange(n) / rate
    mix = np.zeros(n)
    for bar in range(int(seconds) + 1):
        part = slice(bar * rate, min(n, (bar + 1) * rate))
        here = t[part]
        for note in rng.choice(25, size=3, replace=False):
            mix[part] += 0.12 * np.sin(2 * np.pi * 220 * 2 ** (note / 12) * here)
        mix[part] += 0.15 * np.sin(2 * np.pi * 55 * 2 ** (rng.integers(12) / 12) * here)
    mix += 0.1 * rng.standard_normal(n) * np.exp(-8 * (t % 0.5))
    sides = 1 - 0.3 * np.arange(channels) / max(1, channels)
    return np.ascontiguousarray(mix[:, None] * sides[None, :], dtype=np.float32)


def write(path: Path, samples: Samples, *, rate: int = 44100, kind: str | None = None) -> Path:
    """Encode samples of shape (n,) or (n, channels) as `kind`, a key of FORMATS, by default the extension."""
    target = FORMATS[kind or path.suffix[1:]]
    samples = samples[:, None] if samples.ndim == 1 else samples
    layout = _LAYOUTS[samples.shape[1] - 1]
    out_rate = rate if rate in target.rates or target.rates == (44100,) else target.rates[0]
    with av.open(str(path), "w", format=target.container) as container:
        stream = container.add_stream(
            target.codec, rate=out_rate, layout=layout, options={"strict": "experimental"}
        )
        if target.sample_format:
            stream.codec_context.format = target.sample_format
        if target.bit_rate:
            stream.codec_context.bit_rate = target.bit_rate
        stream.codec_context.open()
        resampler = av.AudioResampler(
            format=stream.codec_context.format,
            layout=layout,
            rate=out_rate,
            frame_size=stream.codec_context.frame_size or 4096,
        )
        for begin in range(0, len(samples), rate):
            block = np.ascontiguousarray(samples[begin : begin + rate].reshape(1, -1))
            frame = av.AudioFrame.from_ndarray(block, format="flt", layout=layout)
            frame.sample_rate, frame.pts = rate, begin
            for part in resampler.resample(frame):
                container.mux(stream.encode(part))
        for part in resampler.resample(None):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return path


def piece(
    path: Path,
    seconds: float = 4.0,
    *,
    rate: int = 44100,
    channels: int = 2,
    seed: int = 0,
    kind: str | None = None,
) -> Path:
    """Write some `music`."""
    return write(path, music(seconds, rate=rate, channels=channels, seed=seed), rate=rate, kind=kind)


def repeat(source: Path, target: Path, times: int) -> Path:
    """The same piece over and over: a file of hours in seconds, because its packets are encoded once."""
    with (
        av.open(str(source)) as reading,
        av.open(str(target), "w", format=reading.format.name.split(",")[0]) as writing,
    ):
        stream = reading.streams.audio[0]
        copy = writing.add_stream_from_template(stream)
        packets = [(packet, packet.pts, packet.duration) for packet in reading.demux(stream) if packet.size]
        first, length = packets[0][1], sum(duration for _, _, duration in packets)
        for k in range(times):
            for packet, pts, _ in packets:
                packet.stream = copy
                packet.pts = packet.dts = pts - first + k * length
                packet.time_base = stream.time_base
                writing.mux(packet)
    return target


def cut(source: Path, target: Path, fraction: float = 0.5) -> Path:
    """The beginning of a file, as an interrupted download leaves it."""
    data = source.read_bytes()
    target.write_bytes(data[: int(len(data) * fraction)])
    return target
