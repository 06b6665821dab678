"""Blocks of any rate to the rate of the analysis, all of a track or spans of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import gcd

import numpy as np
import soxr
from numpy.typing import NDArray

from genrecore._decode import Block

__all__ = ["MARGIN_SECONDS", "resample", "resample_spans"]

Samples = NDArray[np.float32]

#: What the resampling filter needs to hear on both sides of a span; its length is about 0.005 s.
MARGIN_SECONDS = 0.05

# A break in the clock of the packets longer than this is a gap; shorter ones are rounding by the container.
_GAP_SECONDS = 0.05


def resample(blocks: Iterable[Block], rate: int) -> Iterator[Samples]:
    """Blocks that follow one another, as one signal of `rate` Hz."""
    filters: _Filter | None = None
    for block in blocks:
        if filters is None or filters.source_rate != block.rate:
            if filters is not None:
                yield filters.last()
            filters = _Filter(block.rate, rate)
        yield filters.next(block.samples)
    if filters is not None:
        yield filters.last()


def resample_spans(
    blocks: Iterable[Block], spans: Sequence[tuple[int, int]], rate: int
) -> Iterator[tuple[int, Samples]]:
    """Spans of a track, sample for sample where they stand in the whole resampled track.

    Parameters
    ----------
    blocks : iterable of Block
        In order of time; those outside of the spans are passed over.
    spans : sequence of (int, int)
        First sample and the one after the last, at `rate`; sorted, disjoint.
    rate : int
        Hz.

    Yields
    ------
    position : int
        Where the samples stand in the track, at `rate`.
    samples : ndarray of float32
        Inside of one span; what the blocks do not cover is not yielded.
    """
    waiting = [_Span(begin, end, rate) for begin, end in spans]
    for block in blocks:
        begin = block.seconds
        end = begin + len(block.samples) / block.rate
        while waiting and begin > waiting[0].last_second:
            yield from waiting.pop(0).finish()
        for span in waiting:
            if end < span.first_second:
                break
            yield from span.feed(block)
    for span in waiting:
        yield from span.finish()


class _Filter:
    def __init__(self, source_rate: int, rate: int) -> None:
        self.source_rate = source_rate
        self._stream = soxr.ResampleStream(source_rate, rate, 1) if source_rate != rate else None

    def next(self, samples: Samples) -> Samples:
        return samples if self._stream is None else self._stream.resample_chunk(samples)

    def last(self) -> Samples:
        nothing = np.empty(0, np.float32)
        return nothing if self._stream is None else self._stream.resample_chunk(nothing, last=True)


class _Span:
    """One span on its way through the resampler.

    It begins on a source sample that falls on a sample of the result, so that the result has the phase that
    it has when the whole track is resampled.
    """

    def __init__(self, begin: int, end: int, rate: int) -> None:
        self.begin, self.end, self.rate = begin, end, rate
        self.first_second = begin / rate - MARGIN_SECONDS
        self.last_second = end / rate + MARGIN_SECONDS
        self._filter: _Filter | None = None
        self._expected = 0.0  # seconds at which the next block should begin
        self._position = 0  # of the next sample of the result

    def feed(self, block: Block) -> Iterator[tuple[int, Samples]]:
        skip = 0
        if (
            self._filter is None
            or self._filter.source_rate != block.rate
            or abs(block.seconds - self._expected) > _GAP_SECONDS
        ):
            yield from self.finish()
            skip = self._start(block)
        self._expected = block.seconds + len(block.samples) / block.rate
        room = round((self.last_second - block.seconds) * block.rate)
        samples = block.samples[skip : max(skip, room)]
        assert self._filter is not None
        yield from self._place(self._filter.next(samples))

    def finish(self) -> Iterator[tuple[int, Samples]]:
        if self._filter is not None:
            yield from self._place(self._filter.last())
            self._filter = None

    def _start(self, block: Block) -> int:
        common = gcd(block.rate, self.rate)
        source_unit, unit = block.rate // common, self.rate // common
        here = round(block.seconds * block.rate)
        wanted = max(0, int(self.first_second * block.rate)) // source_unit
        units = max(wanted, -(-here // source_unit))
        self._filter = _Filter(block.rate, self.rate)
        self._position = units * unit
        return units * source_unit - here

    def _place(self, samples: Samples) -> Iterator[tuple[int, Samples]]:
        position = self._position
        self._position += len(samples)
        first = max(0, self.begin - position)
        last = min(len(samples), self.end - position)
        if first < last:
            yield position + first, samples[first:last]
