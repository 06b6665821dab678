"""Any audio file to mono float32 at the analysis rate.

Decoding is PyAV's (FFmpeg's libraries), resampling soxr's. The channels are averaged before resampling. In
`stream`, memory does not grow with the length of the file; the same file gives the same samples on every run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from genrecore._complete import cut_off
from genrecore._decode import decode, decode_spans, measure_seconds
from genrecore._media import Media, open_media
from genrecore._resample import MARGIN_SECONDS, resample, resample_spans
from genrecore._sound import scale_down
from genrecore.errors import AudioError, DamagedAudio, EmptyAudio, NotAudio

__all__ = [
    "ANALYSIS_RATE",
    "AUDIO_EXTENSIONS",
    "DECODER_VERSION",
    "LONG_SECONDS",
    "Audio",
    "AudioInfo",
    "Length",
    "decoders",
    "load",
    "load_up_to",
    "measure",
    "probe",
    "read_spans",
    "stream",
]

Samples = NDArray[np.float32]
Path = str | os.PathLike[str]

#: Hz of everything that is analysed.
ANALYSIS_RATE = 22050

#: Part of the cache key: raised whenever the same file would give other samples.
DECODER_VERSION = 1

#: Longer files are sampled instead of decoded whole: 20 minutes are 106 MB of samples, and from about 15
#: minutes on it is faster to decode 100 snippets than everything.
LONG_SECONDS = 1200.0

#: Extensions, lower case, of the files a walk through a folder takes for audio: all that beets knows and what
#: else collections hold. Whether a file is audio, its content decides.
# fmt: off
AUDIO_EXTENSIONS = frozenset({
    ".aac", ".ac3", ".aif", ".aifc", ".aiff", ".alac", ".ape", ".asf", ".au", ".caf", ".dff", ".dsf", ".dts",
    ".flac", ".m4a", ".m4b", ".m4p", ".m4r", ".mka", ".mp+", ".mp1", ".mp2", ".mp3", ".mp4", ".mpc", ".oga",
    ".ogg", ".opus", ".snd", ".spx", ".tak", ".tta", ".w64", ".wav", ".wave", ".weba", ".wma", ".wv",
})
# fmt: on


@dataclass(frozen=True)
class AudioInfo:
    """What the header of a file says.

    Parameters
    ----------
    duration : float or None
        Seconds, if the header says; it may lie.
    codec, container : str
        FFmpeg's short names, ``alac`` in ``mov``.
    sample_rate : int
        Hz.
    channels : int
        Number of channels.
    """

    duration: float | None
    codec: str
    container: str
    sample_rate: int
    channels: int


@dataclass(frozen=True, eq=False)
class Audio:
    """Decoded sound.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,)
        Mono; full scale is -1 to 1, and peaks of lossy files may exceed it a little.
    rate : int
        Hz.
    duration : float
        Seconds decoded.
    warnings : tuple of str
        What was wrong though it could be decoded: a clause a fault, without the path and without a full stop.
    """

    samples: Samples = field(repr=False)
    rate: int
    duration: float
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Length:
    """What the packets of a file say about its length.

    Parameters
    ----------
    seconds : float
        Duration.
    warnings : tuple of str
        As in `Audio`.
    """

    seconds: float
    warnings: tuple[str, ...] = ()


def probe(path: Path) -> AudioInfo:
    """Read the header of a file: 1 to 2 ms.

    Raises
    ------
    AudioError
        `MissingAudio`, `UnreadableAudio`, `EmptyAudio`, `DamagedAudio` or `NotAudio`, in one sentence.

    Examples
    --------
    >>> probe("song.flac").codec  # doctest: +SKIP
    'flac'
    """
    with open_media(path) as media:
        context = media.stream.codec_context
        return AudioInfo(
            duration=media.header_seconds,
            codec=media.codec,
            container=media.format,
            sample_rate=context.sample_rate or 0,
            channels=len(context.layout.channels),
        )


def measure(path: Path) -> Length:
    """Length of a file by its packets, which do not lie; costs about a tenth of decoding.

    Raises
    ------
    AudioError
        As `probe`.
    """
    with open_media(path) as media:
        seconds = measure_seconds(media)
        return Length(seconds, tuple(cut_off(media, seconds) or media.faults))


def stream(
    path: Path, *, start: float = 0.0, duration: float | None = None, rate: int = ANALYSIS_RATE
) -> Iterator[Samples]:
    """Decode a file block by block, in memory that does not grow with its length.

    Parameters
    ----------
    path : str or path
        The file.
    start : float
        Seconds to leave out at the beginning.
    duration : float, optional
        Seconds to decode; all by default.
    rate : int
        Hz of the result.

    Yields
    ------
    ndarray of float32, shape (n,)
        Mono; blocks of any size.

    Raises
    ------
    AudioError
        As `load`.
    """
    if start < 0 or (duration is not None and duration < 0):
        raise ValueError("start and duration must not be negative")
    with open_media(path) as media:
        found = False
        for block in _blocks(media, start, duration, rate):
            found = found or bool(len(block))
            yield block
        if not found and start == 0 and duration != 0:
            raise _nothing(media)


def load(
    path: Path, *, rate: int = ANALYSIS_RATE, start: float = 0.0, duration: float | None = None
) -> Audio:
    """Decode a file, or a part of it.

    Parameters
    ----------
    path : str or path
        The file. Its content decides what it is, not its name.
    rate : int
        Hz of the result.
    start : float
        Seconds to leave out at the beginning.
    duration : float, optional
        Seconds to decode; all by default.

    Returns
    -------
    Audio
        A damaged or truncated file gives what decodes, with a warning.

    Raises
    ------
    MissingAudio
        There is no such file.
    UnreadableAudio
        No permission, a folder, a pipe, an input/output error.
    EmptyAudio
        No bytes, or no samples.
    DamagedAudio
        Audio of which nothing decodes.
    NotAudio
        No decoder finds audio in it.

    Examples
    --------
    >>> load("song.mp3").samples.shape  # doctest: +SKIP
    (5292000,)
    """
    if start < 0 or (duration is not None and duration < 0):
        raise ValueError("start and duration must not be negative")
    with open_media(path) as media:
        whole = start == 0 and duration is None
        buffer = _Buffer(_expected_samples(media.header_seconds if whole else duration, rate))
        for block in _blocks(media, start, duration, rate):
            buffer.append(block)
        return _finish(media, buffer, rate, whole=whole)


def load_up_to(
    path: Path, seconds: float, *, rate: int = ANALYSIS_RATE, trust_header: bool = True
) -> Audio | None:
    """Decode a whole file, or give None if it is longer than `seconds`, by its header or by what decodes.

    Raises
    ------
    AudioError
        As `load`.
    """
    with open_media(path) as media:
        stated = media.header_seconds
        if trust_header and stated is not None and stated > seconds:
            return None
        buffer = _Buffer(_expected_samples(min(stated or seconds, seconds), rate))
        for block in _blocks(media, 0.0, None, rate):
            if buffer.size + len(block) > seconds * rate:
                return None
            buffer.append(block)
        return _finish(media, buffer, rate, whole=True)


def read_spans(
    path: Path,
    spans: Sequence[tuple[int, int]],
    *,
    rate: int = ANALYSIS_RATE,
    faults: list[str] | None = None,
) -> Iterator[tuple[int, Samples]]:
    """Decode only some spans of a file, each sample where it stands in the whole decoded track.

    Parameters
    ----------
    path : str or path
        The file.
    spans : sequence of (int, int)
        First sample and the one after the last, at `rate`; sorted, disjoint.
    rate : int
        Hz of the result.
    faults : list of str, optional
        What goes wrong without stopping everything is added to it.

    Yields
    ------
    position : int
        Of the first of the samples, at `rate`.
    samples : ndarray of float32, shape (n,)
        Mono, inside of one span. What does not decode is left out.

    Raises
    ------
    AudioError
        As `probe`.
    """
    with open_media(path) as media:
        seconds = [(begin / rate - MARGIN_SECONDS, end / rate + MARGIN_SECONDS) for begin, end in spans]
        yield from resample_spans(decode_spans(media, seconds), spans, rate)
        if faults is not None:
            faults += media.faults


def decoders() -> dict[str, str]:
    """Names and versions of the libraries that decode and resample."""
    import av
    import soxr

    return {"PyAV": av.__version__, "FFmpeg": str(av.ffmpeg_version_info), "soxr": soxr.__version__}


class _Buffer:
    """Samples that grow; sized beforehand by what the header says, so that they need not be copied."""

    def __init__(self, expected: int) -> None:
        self._data = np.empty(expected, np.float32)
        self.size = 0

    def append(self, samples: Samples) -> None:
        end = self.size + len(samples)
        if end > len(self._data):
            larger = np.empty(max(end, len(self._data) * 3 // 2), np.float32)
            larger[: self.size] = self._data[: self.size]
            self._data = larger
        self._data[self.size : end] = samples
        self.size = end

    def take(self) -> Samples:
        wasteful = len(self._data) > 1.1 * self.size + 4096
        samples = self._data[: self.size]
        return samples.copy() if wasteful else samples


def _expected_samples(seconds: float | None, rate: int) -> int:
    # Memory that is never written to is never taken, but a header that lies must not ask for terabytes.
    return int(min(seconds or 60.0, 2 * LONG_SECONDS) * rate) + 4096


def _blocks(media: Media, start: float, duration: float | None, rate: int) -> Iterator[Samples]:
    if start == 0 and duration is None:
        yield from resample(decode(media), rate)
        return
    begin = round(start * rate)
    end = begin + round(duration * rate) if duration is not None else 1 << 62
    seconds = (begin / rate - MARGIN_SECONDS, end / rate + MARGIN_SECONDS)
    for _, samples in resample_spans(decode_spans(media, [seconds]), [(begin, end)], rate):
        yield samples


def _finish(media: Media, buffer: _Buffer, rate: int, *, whole: bool) -> Audio:
    if not buffer.size and whole:
        raise _nothing(media)
    samples = buffer.take()
    duration = len(samples) / rate
    warnings = (cut_off(media, duration) if whole else []) or media.faults
    samples, scaling = scale_down(samples)
    return Audio(samples, rate, duration, (*warnings, *scaling))


def _nothing(media: Media) -> AudioError:
    if media.faults:
        if media.format in ("mp3", "aac"):  # FFmpeg takes much for these two that is neither
            return NotAudio(media.path, "there is no audio in it that can be decoded")
        return DamagedAudio(media.path, "the audio is so damaged that nothing of it decodes: get it again")
    return EmptyAudio(media.path, "there is not a single sample of audio in it")
