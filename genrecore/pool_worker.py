"""What runs inside of a worker process. Nothing heavy is imported before there is work."""

from __future__ import annotations

import os
import pickle
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from time import perf_counter
from typing import TYPE_CHECKING, Any

from genrecore.errors import AudioError, GenreCoreError
from genrecore.settings import Settings

if TYPE_CHECKING:
    from genrecore.analyzer import Analyzer, Prepared, Preparer

__all__ = [
    "Ground",
    "Outcome",
    "Parcel",
    "analyse_file",
    "hash_file",
    "infer_parcel",
    "load_analyzer",
    "load_preparer",
    "prepare_file",
    "warm_up",
]


@dataclass(frozen=True)
class Outcome:
    """What a task came to.

    Parameters
    ----------
    value : object
        Its result; None if it failed.
    error : str or None
        Why this file failed, in one sentence.
    fatal : GenreCoreError or None
        Why no file can succeed: a faulty model, no runtime.
    detail : str
        Traceback of an unexpected error.
    seconds : float
        Time it took.
    """

    value: Any = None
    error: str | None = None
    fatal: GenreCoreError | None = None
    detail: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Parcel:
    """A prepared track on its way to the process that runs the models, in a file."""

    path: str
    file: str


@dataclass(frozen=True)
class Ground:
    """Where the models of a worker run; as `Analyzer` says it."""

    graphics: bool
    fallback: str


def warm_up(settings: Settings) -> Outcome:
    """Value: the `Ground`; that a worker gets so far says something too."""

    def work() -> Ground:
        analyzer = load_analyzer(settings)
        return Ground(analyzer.graphics, analyzer.fallback)

    return _outcome("", work, lambda: load_analyzer(settings))


def hash_file(path: str) -> Outcome:
    """Value: the content hash."""
    from genrecore.content import content_hash

    return _outcome(path, lambda: content_hash(path))


def analyse_file(path: str, content_hash: str | None, settings: Settings) -> Outcome:
    """Value: the `Analysis`."""
    return _outcome(
        path, lambda: load_analyzer(settings).analyze(path, content_hash), lambda: load_analyzer(settings)
    )


def prepare_file(path: str, content_hash: str | None, settings: Settings, folder: str) -> Outcome:
    """Value: a `Parcel` whose file lies in `folder`."""

    def work() -> Parcel:
        prepared = load_preparer(settings).prepare(path, content_hash)
        handle, file = tempfile.mkstemp(dir=folder)
        with os.fdopen(handle, "wb") as out:
            pickle.dump(prepared.packed(), out, pickle.HIGHEST_PROTOCOL)
        return Parcel(path, file)

    return _outcome(path, work, lambda: load_preparer(settings))


def infer_parcel(parcel: Parcel, settings: Settings) -> Outcome:
    """Value: the `Analysis`; the parcel's file is removed."""

    def work() -> Any:
        with open(parcel.file, "rb") as file:
            prepared: Prepared = pickle.load(file)
        os.remove(parcel.file)
        return load_analyzer(settings).infer(prepared)

    return _outcome(parcel.path, work, lambda: load_analyzer(settings))


def _outcome(path: str, work: Callable[[], Any], load: Callable[[], Any] | None = None) -> Outcome:
    """Do some work; what it raises becomes a value: an exception in the parent means a lost worker."""
    if load is not None:
        try:
            load()
        except GenreCoreError as error:
            return Outcome(fatal=error)
    begin = perf_counter()
    try:
        return Outcome(work(), seconds=perf_counter() - begin)
    except AudioError as error:
        message, detail = str(error), ""
    except GenreCoreError as error:
        message, detail = f"{path}: {error}", ""
    except MemoryError:
        message, detail = f"{path}: there is not enough memory to analyse it", ""
    except Exception as error:
        message = f"{path}: unexpected {type(error).__name__} ({error}): please report it, with the file"
        detail = traceback.format_exc()
    return Outcome(error=message, detail=detail, seconds=perf_counter() - begin)


@lru_cache(maxsize=1)
def load_analyzer(settings: Settings) -> Analyzer:
    """The worker's analyzer, loaded once."""
    from genrecore.analyzer import Analyzer

    return Analyzer(settings, notify=lambda fallback: None)  # the parent says it, once for all workers


@lru_cache(maxsize=1)
def load_preparer(settings: Settings) -> Preparer:
    """The worker's preparer, loaded once."""
    from genrecore.analyzer import Preparer

    return Preparer.for_settings(settings)
