"""Worker processes that turn audio files into arrays on disk."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pebble import ProcessExpired

from genrecore import audio, snippets
from genrecore._sound import SILENCE, require_length
from genrecore.content import content_hash
from genrecore.errors import AudioError, SilentAudio
from genrecore.interrupts import interrupts_postponed
from genrecore.pool_process import cpu_count, start_pool
from genrecore.settings import TIMEOUT
from genrecore.spectrogram import LogMelSpec, logmel

__all__ = [
    "FeatureError",
    "Kind",
    "Made",
    "Order",
    "as_float",
    "columns",
    "file_name",
    "make_all",
    "save",
    "saving",
]

# 16-bit steps a unit: lossy files peak above full scale, by 3 dB and more.
_STEPS = 16_000

_NO_WORKERS = "The worker processes that decode have died: run it again, with fewer jobs if memory is short."


class FeatureError(Exception):
    """Features that cannot be saved or are not there; one sentence."""


@dataclass(frozen=True)
class Kind:
    """A kind of array: waveforms, or log-mels if there is a `spec`; whole tracks unless `longest` says otherwise."""

    folder: Path
    spec: LogMelSpec | None = None
    least: int = 0
    longest: float | None = None


@dataclass(frozen=True)
class Order:
    """A file as it was seen, its content hash if that is known, and what to make of it."""

    path: str
    size: int
    mtime_ns: int
    content: str
    kind: Kind


@dataclass(frozen=True)
class Made:
    """The content hash of a sound whose array is there now, or why there is none."""

    content: str = ""
    fault: str | None = None


def as_float(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """Stored 16-bit samples as float32, where full scale is 1."""
    return samples.astype(np.float32) / np.float32(_STEPS)


def make_all(orders: Sequence[Order], jobs: int | None) -> Generator[tuple[int, Made]]:
    """What became of each order, by number, as they finish; closing this stops the workers at once."""
    workers = min(jobs or cpu_count(), len(orders))
    waiting, running = iter(enumerate(orders)), dict[Future[str], int]()
    pool: Any = None
    try:
        with interrupts_postponed():
            pool = start_pool(workers, _warm_up)
        while True:
            for number, order in islice(waiting, 2 * workers - len(running)):
                with interrupts_postponed():  # half way through it, the pool could not be stopped any more
                    running[pool.schedule(_make, args=(order,), timeout=TIMEOUT)] = number
            if not running:
                return
            for future in wait(running, timeout=0.5, return_when=FIRST_COMPLETED).done:
                number = running.pop(future)
                yield number, _outcome(orders[number].path, future)
            if not pool.active:
                raise FeatureError(_NO_WORKERS)
    finally:
        if pool is not None:
            with interrupts_postponed():
                pool.stop()
                pool.join()


def _outcome(path: str, future: Future[str]) -> Made:
    error = future.exception()
    if error is None:
        return Made(future.result())
    if isinstance(error, AudioError):
        return Made(fault=str(error))
    if isinstance(error, MemoryError):
        return Made(fault=f"{path}: there is not enough memory to decode it")
    if isinstance(error, ProcessExpired):
        return Made(fault=f"{path}: the process that decoded it died: it is damaged, or memory ran out")
    if isinstance(error, TimeoutError):
        return Made(fault=f"{path}: it did not decode within {TIMEOUT:g} s: the file or its disk is faulty")
    raise FeatureError(_NO_WORKERS) if isinstance(error, BrokenExecutor) else error


def _warm_up() -> None:
    """A worker that can call this has loaded what it needs."""


def _make(order: Order) -> str:
    """Carry out an order, in a worker; the content hash."""
    content = order.content or content_hash(order.path)
    file = order.kind.folder / file_name(content)
    if not file.is_file():
        save(file, _array(order.path, order.kind))
    return content


def _array(path: str, kind: Kind) -> NDArray[Any]:
    samples = _decode(path, kind.longest)
    # Serving refuses such files too.
    require_length(path, len(samples) / audio.ANALYSIS_RATE)
    if np.abs(samples).max() < SILENCE:
        raise SilentAudio(path, "it is silent: there is nothing to learn from it")
    steps = (np.clip(samples, -2, 2) * _STEPS).round().astype(np.int16)
    # Of the 16-bit samples, so that it is the same by whichever way it is made.
    return steps if kind.spec is None else columns(steps, kind.spec, kind.least)


def _decode(path: str, longest: float | None) -> NDArray[np.float32]:
    if longest is None:
        return audio.load(path).samples
    whole = audio.load_up_to(path, longest)
    if whole is not None:
        return whole.samples
    start = max(0.0, (audio.measure(path).seconds - longest) / 2)
    return audio.load(path, start=start, duration=longest).samples


def columns(samples: NDArray[np.int16], spec: LogMelSpec, least: int) -> NDArray[np.float16]:
    """Log-mel of stored samples, which are tiled if they are fewer than `least`."""
    sound = as_float(samples)
    return logmel(sound if len(sound) >= least else snippets.fit(sound, least), spec).astype(np.float16)


def save(file: Path, array: NDArray[Any]) -> None:
    """Write an array, such that a process that is killed leaves no half one under this name.

    Raises
    ------
    FeatureError
        If it cannot be written.
    """
    half = file.with_name(f"{file.name}.{os.getpid()}.partial")
    with saving(file.parent):
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            with half.open("wb") as stream:
                header = np.lib.format.header_data_from_array_1_0(array)
                np.lib.format.write_array_header_1_0(stream, header)
                # numpy's own way of writing forgets why the disk took no more.
                stream.write(np.ascontiguousarray(array).data)
            half.replace(file)
        except PermissionError:
            if not file.is_file():  # on Windows another process may have made it and have it open
                raise
        finally:
            half.unlink(missing_ok=True)


@contextmanager
def saving(folder: Path) -> Iterator[None]:
    """What goes wrong inside, with the disk, becomes a `FeatureError` that names the folder."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        raise FeatureError(
            f"{folder}: the features cannot be saved there ({why}): free some space or name another folder"
        ) from error


def file_name(content: str) -> str:
    """Name of the array of a sound; Windows allows no colon."""
    return f"{content.replace(':', '-')}.npy"
