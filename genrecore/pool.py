"""Many files to analyses: worker processes, a time limit a file, and a cache.

A file that crashes, hangs or fills the memory of its worker costs only itself. Files whose worker died are
tried once more, alone, at the end: so the file at fault is told from its innocent neighbours.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from genrecore.analysis import Analysis
from genrecore.errors import GenreCoreError
from genrecore.settings import TIMEOUT, Settings

if TYPE_CHECKING:
    from genrecore.cache import Cache
    from genrecore.pool_worker import Outcome

__all__ = ["TIMEOUT", "Pool", "Result", "Settings", "WorkersFailed", "analyze_many"]


class WorkersFailed(GenreCoreError):
    """No worker process gets as far as listening to a file."""


@dataclass(frozen=True)
class Result:
    """What became of a file.

    Parameters
    ----------
    path : str
        The file, as the caller named it.
    analysis : Analysis or None
        None if it failed.
    error : str or None
        Why it failed: one sentence that names the file.
    warnings : tuple of str
        What was odd about it though it could be analysed: clauses without the path and without a full stop.
    cached : bool
        Whether the analysis was in the cache.
    seconds : float
        Time the workers took.
    """

    path: str
    analysis: Analysis | None = None
    error: str | None = None
    warnings: tuple[str, ...] = ()
    cached: bool = False
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of DESIGN's contract: the analysis, or ``path`` and ``error``."""
        if self.analysis is None:
            return {"path": self.path, "error": self.error}
        return self.analysis.to_dict()


class Pool:
    """Worker processes that listen to one list of files after the other.

    They are started when a file first needs them, and stay until `close`: models are loaded once. One list at
    a time.

    Parameters
    ----------
    settings, jobs, timeout, cache, notify
        See `analyze_many`, also for what is raised.

    Examples
    --------
    >>> with Pool(jobs=2) as pool:  # doctest: +SKIP
    ...     for album in albums:
    ...         print([result.analysis.genre.top for result in pool.analyze(album)])
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        jobs: int | None = None,
        timeout: float = TIMEOUT,
        cache: Cache | None = None,
        notify: Callable[[str], None] | None = None,
        _analyse: Callable[..., Outcome] | None = None,
        _split: bool | None = None,
    ) -> None:
        if (jobs is not None and jobs < 0) or timeout <= 0:
            raise ValueError("jobs must not be negative, and timeout must be positive")
        from genrecore.analyzer import method_of
        from genrecore.pool_process import cpu_count
        from genrecore.pool_run import Run
        from genrecore.pool_store import Store
        from genrecore.pool_worker import analyse_file

        settings = settings or Settings()
        method = method_of(settings)  # a missing model is told now, not at the first result
        notify = notify or logging.getLogger("genrecore").warning
        store = Store(cache, method, notify)
        self._run = Run(
            settings, jobs or cpu_count(), timeout, store, notify, _analyse or analyse_file, _split
        )

    def analyze(
        self, paths: Iterable[str | os.PathLike[str]], *, stopped: Callable[[], bool] = lambda: False
    ) -> Generator[Result]:
        """Listen to some files.

        Parameters
        ----------
        paths : iterable of str or path
            Files; read as they are needed.
        stopped : callable, optional
            Asked about twice a second; once it is true the iterator ends at once, as if it were closed. For a
            thread, which Ctrl-C does not reach.

        Yields
        ------
        Result
            One a path, as they finish. Closing the iterator before its end stops the workers at once.
        """
        return self._run.results((os.fspath(path) for path in paths), stopped)

    def close(self) -> None:
        """Stop the workers."""
        self._run.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def analyze_many(
    paths: Iterable[str | os.PathLike[str]],
    settings: Settings | None = None,
    *,
    jobs: int | None = None,
    timeout: float = TIMEOUT,
    cache: Cache | None = None,
    notify: Callable[[str], None] | None = None,
    _analyse: Callable[..., Outcome] | None = None,
    _split: bool | None = None,
) -> Generator[Result]:
    """Listen to many files in worker processes.

    Parameters
    ----------
    paths : iterable of str or path
        Files; read as they are needed, so that there may be any number.
    settings : Settings, optional
        Models, number of snippets, device.
    jobs : int, optional
        Worker processes; one a core by default (0 or None).
    timeout : float
        Seconds a file may take.
    cache : Cache, optional
        Where analyses are looked up and, one by one as they come, kept.
    notify : callable, optional
        Gets what the user should know about the run as a whole, one sentence each; by default the logger
        ``genrecore``.

    Yields
    ------
    Result
        One a path, as they finish. Closing the iterator (Ctrl-C does) stops the workers at once; what is
        finished by then is in the cache.

    Raises
    ------
    ModelError, RuntimeMissing
        If a model or the ONNX Runtime is missing or faulty, or the device that is named does not work.
    WorkersFailed
        If worker processes cannot work at all on this machine.
    ValueError
        If `jobs` is negative, or `timeout` not positive.

    Examples
    --------
    >>> for result in analyze_many(["a.mp3", "b.flac"]):  # doctest: +SKIP
    ...     print(result.path, result.error or result.analysis.genre.top)
    """
    pool = Pool(
        settings,
        jobs=jobs,
        timeout=timeout,
        cache=cache,
        notify=notify,
        _analyse=_analyse,
        _split=_split,
    )
    return _once(pool, paths)


def _once(pool: Pool, paths: Iterable[str | os.PathLike[str]]) -> Generator[Result]:
    with pool:
        yield from pool.analyze(paths)
