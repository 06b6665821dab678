"""Packets to sound: decoded, mixed to mono, freed of values that are no sound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrecore._media import Media, packets

__all__ = ["Block", "decode", "decode_spans", "measure_seconds"]

Samples = NDArray[np.float32]

# Frames are gathered before they cross into numpy: a call for each of 10,000 frames costs half as much as
# decoding.
_GATHER = 1 << 16

# What a decoder needs to hear before its output is right after a jump: bit reservoir of mp3, convergence of
# opus, band replication headers of HE-AAC.
_PREROLL = 1.0

# Seconds by which the clock of the packets may be off before it counts as begun again.
_RESET = 10.0

# Later than the end of any file, in seconds.
_FOR_EVER = 1e9

# Up to this share of damaged packets there is nothing to tell: many an mp3 begins or ends with one.
_HARMLESS = 0.02

# Seconds from which on a seek is cheaper than reading on.
_JUMP = 2.0

# Beyond this no sample can mean anything, not even in a float file that holds 32-bit integers.
_ABSURD = np.float32(2.0**33)


@dataclass(frozen=True)
class Block:
    """A run of mono samples.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,)
        Mono.
    rate : int
        Hz.
    seconds : float
        Where it begins in the track.
    """

    samples: Samples
    rate: int
    seconds: float


def decode(media: Media) -> Iterator[Block]:
    """All of the audio stream, without the packets that do not decode; if they are many, a fault says so."""
    import av

    done = 0.0
    shape = None
    fifo = av.AudioFifo()
    for frame in _frames(media, packets(media)):
        frame.pts = None  # gaps are closed: what decodes is one piece
        # The queue itself does not look at the channels, and crashes where their number changes.
        if (now := (frame.format.name, frame.sample_rate, frame.layout.nb_channels)) != shape:
            for block in _drain(fifo, done, least=1):
                done += len(block.samples) / block.rate
                yield block
            shape, fifo = now, av.AudioFifo()
        fifo.write(frame)
        for block in _drain(fifo, done, least=_GATHER):
            done += len(block.samples) / block.rate
            yield block
    yield from _drain(fifo, done, least=1)


def decode_spans(media: Media, spans: Sequence[tuple[float, float]]) -> Iterator[Block]:
    """Only what lies in some spans of time, plus what the decoder needs before them.

    Parameters
    ----------
    media : Media
        Just opened.
    spans : sequence of (float, float)
        Begin and end in seconds, sorted, disjoint.

    Yields
    ------
    Block
        In order; some lie outside of the spans.
    """
    origin: float | None = None
    end = 0.0
    for frame in _frames(media, _wanted(media, spans)):
        seconds = float(frame.pts * frame.time_base) if frame.pts is not None else end
        if origin is None:  # the first frame is always among the wanted
            origin = seconds
        end = seconds + frame.samples / frame.sample_rate
        yield Block(_mono(frame), frame.sample_rate, seconds - origin)


def measure_seconds(media: Media) -> float:
    """Duration by the packets, which do not lie; costs a tenth of decoding."""
    stated, bit_rate = media.header_seconds, media.stream.codec_context.bit_rate
    if _is_pcm(media) and stated is not None and bit_rate:
        return min(stated, 8 * media.view.size / bit_rate)  # nothing to be learnt from reading gigabytes
    last = 0
    for _, end, _ in _clocked(media):
        last = max(last, end)
    return float(last * media.stream.time_base)


def _clocked(media: Media) -> Iterator[tuple[int, int, Any]]:
    """Packets with begin and end, in the stream's unit of time, from 0.

    Where a packet has no time, or its time jumps, it follows the one before: recordings of radio count anew with
    each piece, and decoding the whole of a damaged file closes its gaps as well.
    """
    jump = _RESET / float(media.stream.time_base) if not _is_pcm(media) else float("inf")
    offset: int | None = None
    end = 0
    for packet in packets(media):
        begin, pts = end, packet.pts
        if pts is not None:
            if offset is None or not -jump < pts + offset - end < jump:
                offset = end - pts
            begin = pts + offset
        end = begin + (packet.duration or 0)
        yield begin, end, packet


def _wanted(media: Media, spans: Sequence[tuple[float, float]]) -> Iterator[Any]:
    """The packets of the spans and of the time before each that the decoder needs."""
    second = 1 / float(media.stream.time_base)
    run_up = int(_PREROLL * second)
    waiting = [
        (int(begin * second) - run_up, int(end * second) + run_up if end < _FOR_EVER else None)
        for begin, end in reversed(spans)
    ]
    first_pts: int | None = None
    skipping = False
    for begin, end, packet in _clocked(media):
        if first_pts is None:
            first_pts = packet.pts or 0
        if begin >= run_up:  # the packets before set the clock, and carry what is to be cut at the beginning
            while waiting and waiting[-1][1] is not None and begin > waiting[-1][1]:
                waiting.pop()
            if not waiting:
                return
            if end < waiting[-1][0]:
                if not skipping and _is_pcm(media) and waiting[-1][0] - end > _JUMP * second:
                    _jump(media, waiting[-1][0] + first_pts)
                skipping = True
                continue
        if skipping:
            media.stream.codec_context.flush_buffers()
            skipping = False
        packet.pts = begin
        yield packet


def _is_pcm(media: Media) -> bool:
    """Whether every byte has its time, so that seeking is exact; in other formats it is not."""
    return media.codec.startswith("pcm_")


def _jump(media: Media, ticks: int) -> None:
    import av

    # A seek that fails costs only the time to read through the file.
    with suppress(av.error.FFmpegError):
        media.container.seek(ticks, stream=media.stream)


def _frames(media: Media, source: Iterator[Any]) -> Iterator[Any]:
    import av

    bad = good = 0
    for packet in source:
        try:
            frames = packet.decode()
        except (av.error.FFmpegError, ValueError, EOFError):
            bad += 1
            continue
        good += 1
        for frame in frames:
            if frame.samples:
                yield frame
    try:
        yield from media.stream.codec_context.decode(None)  # what the decoder holds back
    except (av.error.FFmpegError, ValueError, EOFError):
        bad += 1
    if bad > _HARMLESS * (bad + good):
        media.faults.append(f"{bad} of {bad + good} packets are damaged and were left out")


def _drain(fifo: Any, done: float, *, least: int) -> Iterator[Block]:
    while fifo.samples >= least:
        frame = fifo.read(min(_GATHER, fifo.samples))
        block = Block(_mono(frame), frame.sample_rate, done)
        done += len(block.samples) / block.rate
        yield block


def _mono(frame: Any) -> Samples:
    """Mean of the channels, float32, finite."""
    channels = len(frame.layout.channels)
    data: NDArray[Any] = frame.to_ndarray()
    if not frame.format.is_planar:  # one row of interleaved samples
        data = data.reshape(-1, channels).T
    with np.errstate(over="ignore", invalid="ignore"):
        planes = _as_float(data)
        mix: Samples = planes[0].copy() if channels == 1 else planes[0] + planes[1]
        for plane in planes[2:]:
            mix += plane
        if channels > 1:
            mix *= np.float32(1 / channels)
    if not max(mix.max(), -mix.min()) < _ABSURD:  # NaN compares false as well
        mix[~(np.abs(mix) < _ABSURD)] = 0
    return mix


def _as_float(data: NDArray[Any]) -> Samples:
    if data.dtype == np.float32:
        return data
    if data.dtype == np.uint8:
        return (data.astype(np.float32) - np.float32(128)) * np.float32(1 / 128)
    if np.issubdtype(data.dtype, np.integer):
        return data.astype(np.float32) * np.float32(1 / 2 ** (8 * data.dtype.itemsize - 1))
    return data.astype(np.float32)
