"""Decode once, keep: arrays named after the sound they were made from, made in parallel and resumed where it stopped.

In the folder of a `Store` lie ``index.jsonl``, which says what sound is in which file, and a folder for each kind of
array. A line of the index is appended once its array is there: whatever happens, there is at worst an array too many,
and two processes that work at once take nothing from each other.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import track as progress

from genrecore import audio
from genrecore.keys import FileStat
from genrecore.spectrogram import LOGMEL_VERSION, LogMelSpec
from genrecore_training.datasets import Track
from genrecore_training.decoding import (
    FeatureError,
    Kind,
    Order,
    as_float,
    columns,
    file_name,
    make_all,
    save,
    saving,
)

__all__ = ["FeatureError", "Store", "as_float"]

# What is still half written after this time was left by a process that was killed.
_ABANDONED_SECONDS = 3600.0


class Store:
    """Waveforms and log-mels of tracks.

    A file whose size and time are those in the index is taken to be unchanged. Any other is hashed, and decoded if that
    sound is new: files that were moved, tagged or renamed are not decoded again. What serving refuses is refused: files
    that do not decode, are shorter than a second or silent.

    Parameters
    ----------
    folder : Path
        Where the arrays are kept; data sets may share it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._index = _Index(folder / "index.jsonl")
        # Kind of log-mel -> seconds that `prepare_logmel` has cut them to.
        self._longest: dict[tuple[LogMelSpec, int], float] = {}

    def prepare(self, tracks: Sequence[Track], *, jobs: int | None = None) -> dict[str, str]:
        """Decode what is not there yet, in parallel, and keep the waveforms.

        Parameters
        ----------
        tracks : sequence of Track
            With paths.
        jobs : int, optional
            Worker processes; one a core by default.

        Returns
        -------
        dict of str to str
            Why a track has no waveform, in one sentence, by its id; empty if all have one.

        Raises
        ------
        FeatureError
            If the arrays cannot be saved, or no worker process works. What is decoded by then is kept.
        """
        return self._prepare(tracks, Kind(self._waveforms), jobs)

    def prepare_logmel(
        self,
        tracks: Sequence[Track],
        spec: LogMelSpec,
        *,
        least: int = 0,
        longest: float = 600.0,
        jobs: int | None = None,
    ) -> dict[str, str]:
        """Decode what is not there yet, in parallel, and keep the log-mels only: at hop 1708 a twelfth of the space.

        `logmel` finds them where it is asked for the same `spec` and `least`.

        Parameters
        ----------
        tracks, jobs
            As in `prepare`, also for what is returned and raised.
        spec : LogMelSpec
            The spectrogram.
        least : int
            As in `logmel`.
        longest : float
            Seconds; of a longer track the middle is taken.
        """
        self._longest[spec, least] = longest
        return self._prepare(tracks, Kind(self._logmels(spec, least, longest), spec, least, longest), jobs)

    def waveform(self, track: Track) -> NDArray[np.int16]:
        """Samples at the analysis rate, memory-mapped 16-bit integers, shape (n,).

        Raises
        ------
        FeatureError
            If the track is not prepared, or its array is damaged.
        """
        return _load(self._waveforms / self._name(track), track)

    def logmel(self, track: Track, spec: LogMelSpec, *, least: int = 0) -> NDArray[np.float16]:
        """Log-mel of a track in dB re full scale, memory-mapped, shape (mels, frames).

        What `prepare_logmel` has made; else of the whole track, made from its waveform on first use. A track shorter
        than `least` samples is tiled to that length, as serving does.

        Raises
        ------
        FeatureError
            As `waveform`; or if the array cannot be saved.
        """
        name = self._name(track)
        for longest in (self._longest.get((spec, least)), None):
            file = self._logmels(spec, least, longest) / name
            if file.is_file():
                return _load(file, track)
        save(file, columns(self.waveform(track), spec, least))
        return _load(file, track)

    @property
    def _waveforms(self) -> Path:
        return self.folder / f"waveforms-{audio.DECODER_VERSION}"

    def _logmels(self, spec: LogMelSpec, least: int, longest: float | None) -> Path:
        text = json.dumps([spec.to_dict(), least, longest], sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        versions = f"{audio.DECODER_VERSION}.{LOGMEL_VERSION}"
        return self.folder / f"logmels-{versions}-{spec.n_mels}-{spec.hop_length}-{digest}"

    def _name(self, track: Track) -> str:
        entry = self._index.entries.get(_place(track))
        if entry is None:
            raise _not_there(track)
        return file_name(entry.content)

    def _prepare(self, tracks: Sequence[Track], kind: Kind, jobs: int | None) -> dict[str, str]:
        _allow_open_files(2 * len(tracks))
        with saving(kind.folder):
            kind.folder.mkdir(parents=True, exist_ok=True)
            _sweep(kind.folder)
        self._index.read()
        failures = {track.id: f"{track.id}: it has no audio file" for track in tracks if track.path is None}
        todo = [
            (track, order)
            for track in tracks
            if track.path is not None and (order := self._order(track, kind)) is not None
        ]
        if not todo:
            return failures
        with closing(make_all([order for _, order in todo], jobs)) as results:
            for number, made in progress(results, total=len(todo), description="decoding"):
                track, order = todo[number]
                if made.fault is None:
                    self._index.add(_Entry(order.path, order.size, order.mtime_ns, made.content))
                else:
                    self._index.forget(order.path)  # the sound that was there is not there any more
                    failures[track.id] = made.fault
        return failures

    def _order(self, track: Track, kind: Kind) -> Order | None:
        """What is to be done for a track; None if all is there."""
        place = _place(track)
        try:
            stat = FileStat.of(place)
        except (OSError, ValueError):
            return Order(place, -1, -1, "", kind)  # the worker says what is wrong with it
        known = self._index.entries.get(place)
        if known is None or (known.size, known.mtime_ns) != (stat.size, stat.mtime_ns):
            return Order(place, stat.size, stat.mtime_ns, "", kind)
        if (kind.folder / file_name(known.content)).is_file():
            return None
        return Order(place, stat.size, stat.mtime_ns, known.content, kind)


@dataclass(frozen=True)
class _Entry:
    """A file and its sound."""

    path: str
    size: int
    mtime_ns: int
    content: str


class _Index:
    """Entries by path, in a file of JSON objects, of which the last of a path counts."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._entries: dict[str, _Entry] | None = None

    @property
    def entries(self) -> dict[str, _Entry]:
        if self._entries is None:
            self._entries = self.read()
        return self._entries

    def read(self) -> dict[str, _Entry]:
        self._entries = {}
        with suppress(FileNotFoundError):
            for line in self._file.read_text("ascii", errors="replace").splitlines():
                with suppress(ValueError, TypeError):  # it was not written to its end
                    entry = _Entry(**json.loads(line))
                    self._entries[entry.path] = entry
        return self._entries

    def add(self, entry: _Entry) -> None:
        # The line end first: the line before may have none.
        with saving(self._file.parent), self._file.open("a", encoding="ascii") as file:
            file.write(f"\n{json.dumps(asdict(entry))}")
        self.entries[entry.path] = entry

    def forget(self, path: str) -> None:
        self.entries.pop(path, None)


def _load(file: Path, track: Track) -> NDArray[Any]:
    try:
        return np.load(file, mmap_mode="r")
    except FileNotFoundError:
        raise _not_there(track) from None
    except (ValueError, EOFError) as error:
        raise FeatureError(f"{file} is damaged: delete it, and it will be made again") from error
    except OSError as error:
        raise FeatureError(f"{file} cannot be opened ({error.strerror})") from error


def _not_there(track: Track) -> FeatureError:
    return FeatureError(
        f"{track.path or track.id} is not decoded: prepare the features of its data set first"
    )


def _sweep(folder: Path) -> None:
    for half in folder.glob("*.partial"):
        with suppress(FileNotFoundError):
            if time.time() - half.stat().st_mtime > _ABANDONED_SECONDS:
                half.unlink()


def _allow_open_files(count: int) -> None:
    """A mapped array holds a file open, and many systems allow no more than 1024, or 256, unless they are asked."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = hard if hard != resource.RLIM_INFINITY else count + soft
    with suppress(ValueError, OSError):
        if soft != resource.RLIM_INFINITY:
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(count + 512, most)), hard))


def _place(track: Track) -> str:
    return os.path.abspath(track.path or "")
