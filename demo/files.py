"""Samples to files in the six formats, with tags."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from mediafile import MediaFile

from demo.synth import RATE

__all__ = ["encode", "tag"]

#: Container, codec, sampling rate and bits a second of each format.
_FORMATS = {
    "mp3": ("mp3", "libmp3lame", RATE, 192_000),
    "flac": ("flac", "flac", RATE, None),
    "ogg": ("ogg", "vorbis", RATE, 160_000),
    "opus": ("ogg", "libopus", 48_000, 128_000),
    "m4a": ("ipod", "aac", RATE, 160_000),
    "wav": ("wav", "pcm_s16le", RATE, None),
}


def encode(path: Path, samples: npt.NDArray[np.float32]) -> None:
    """Write float32 [samples, 2] at 44,100 Hz in the format that the suffix of `path` names."""
    container, codec, rate, bit_rate = _FORMATS[path.suffix.removeprefix(".")]
    with av.open(str(path), "w", format=container) as out:
        stream = out.add_stream(codec, rate=rate)
        assert isinstance(stream, av.AudioStream)
        stream.layout = "stereo"
        if bit_rate is not None:
            stream.bit_rate = bit_rate
        if codec == "vorbis":
            stream.codec_context.options = {"strict": "experimental"}  # what FFmpeg calls its own encoder
        for start in range(0, len(samples), RATE):
            block = np.ascontiguousarray(samples[start : start + RATE]).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(block, format="flt", layout="stereo")
            frame.sample_rate, frame.pts = RATE, start
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def tag(path: Path, *, title: str, artist: str, album: str) -> None:
    """Write the tags a shop would: names, but neither genre nor mood."""
    media = MediaFile(path)
    media.title, media.artist, media.albumartist, media.album, media.track = title, artist, artist, album, 1
    media.save()
