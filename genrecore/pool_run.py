"""One run over many files: what is done next, and what a lost worker means."""

from __future__ import annotations

import logging
import signal
import tempfile
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import replace
from itertools import islice
from time import monotonic
from typing import Any

from genrecore import pool_worker
from genrecore.analysis import Analysis
from genrecore.interrupts import interrupts_postponed
from genrecore.keys import FileStat
from genrecore.pool import Result, WorkersFailed
from genrecore.pool_process import start_pool
from genrecore.pool_store import Job, Store
from genrecore.pool_worker import Ground, Outcome, Parcel
from genrecore.runtime import has_graphics
from genrecore.settings import Settings

__all__ = ["Run"]

# Files looked up in the cache at once.
_CHUNK = 256
# How long a worker may take to load its models.
_START_SECONDS = 300.0

_log = logging.getLogger("genrecore")


class Run:
    """What a `genrecore.pool.Pool` does; see there."""

    def __init__(
        self,
        settings: Settings,
        jobs: int,
        timeout: float,
        store: Store,
        notify: Callable[[str], None],
        analyse: Callable[..., Outcome],
        split: bool | None,
    ) -> None:
        self._settings = settings
        self._jobs = jobs
        self._timeout = timeout
        self._store = store
        self._notify = notify
        self._analyse = analyse
        self._split = split
        self._waiting: deque[Job] = deque()
        self._running: dict[Future[Outcome], Job] = {}
        self._suspects: list[Job] = []
        self._pools: _Pools | None = None
        # Whether a worker has got so far that a lost one can be blamed on its file.
        self._proven = False

    def results(self, paths: Iterator[str], stopped: Callable[[], bool]) -> Generator[Result]:
        """Yield one result a path, as they finish; the workers stay for the next paths."""
        try:
            yield from self._together(paths, stopped)
            yield from self._alone(stopped)
        finally:
            self._keep_finished()
            if self._running:  # left in the middle
                self.stop()
            for left in (self._waiting, self._running, self._suspects):
                left.clear()

    def stop(self) -> None:
        """End the worker processes, whatever they do."""
        if self._pools is not None:
            self._pools.stop()
            self._pools = None

    def _together(self, paths: Iterator[str], stopped: Callable[[], bool]) -> Iterator[Result]:
        more = True
        while (more or self._waiting or self._running) and not stopped():
            if more and len(self._waiting) < self._jobs:
                chunk = list(islice(paths, _CHUNK))
                more = bool(chunk)
                yield from self._look_up(chunk)
            if more and len(self._waiting) < self._jobs and not self._running:
                continue  # how many workers to start is known when there is work for all, or all is read
            self._schedule(ahead=2 * self._jobs)
            yield from self._finished(0.0 if more and not self._waiting else 0.5)

    def _alone(self, stopped: Callable[[], bool]) -> Iterator[Result]:
        """One at a time in fresh workers: who is lost now has only itself to blame."""
        if self._suspects and not stopped():
            self.stop()
        while self._suspects and not stopped():
            self._waiting.append(self._suspects.pop(0))
            while (self._waiting or self._running) and not stopped():
                self._schedule(ahead=1)
                yield from self._finished(0.5, alone=True)

    def _look_up(self, paths: list[str]) -> Iterator[Result]:
        stats = {path: stat for path in paths if (stat := _stat(path)) is not None}
        found, hashes = self._store.lookup(list(stats.values()))
        for path in paths:
            if path in found:
                yield _success(found[path], cached=True)
            else:
                self._waiting.append(Job(path, stats.get(path), hashes.get(path)))

    def _schedule(self, ahead: int) -> None:
        while self._waiting and len(self._running) < ahead:
            pools = self._enough_workers()
            job = self._waiting.popleft()
            try:
                future = self._submit(pools, job)
            except RuntimeError:  # it has broken since the last look
                self._waiting.appendleft(job)
                return
            self._running[future] = job

    def _enough_workers(self) -> _Pools:
        wanted = min(self._jobs, len(self._waiting))
        if self._pools is not None and self._pools.workers < wanted and not self._running:
            self.stop()
            wanted = self._jobs  # once, instead of for each list that is a little longer
        if self._pools is None:
            self._pools = self._start(wanted)
        return self._pools

    def _submit(self, pools: _Pools, job: Job) -> Future[Outcome]:
        if job.parcel is not None:
            return pools.infer(pool_worker.infer_parcel, job.parcel, self._settings)
        if job.content_hash is None and self._store.in_use:
            return pools.work(pool_worker.hash_file, job.path)
        if pools.split:
            prepare = pool_worker.prepare_file
            return pools.work(prepare, job.path, job.content_hash, self._settings, pools.folder)
        return pools.work(self._analyse, job.path, job.content_hash, self._settings)

    def _finished(self, patience: float, *, alone: bool = False) -> Iterator[Result]:
        """Results of what finishes within some seconds; unfinished stages go back to the waiting."""
        wait(self._running, patience, FIRST_COMPLETED)
        broken = self._pools is not None and not self._pools.active
        for future in [future for future in self._running if future.done() or broken]:
            job = self._running.pop(future)
            error = future.exception() if future.done() else BrokenPipeError()
            if error is None:
                result = self._settle(job, future.result())
            elif isinstance(error, TimeoutError):
                self._prove()
                result = Result(job.path, error=_timed_out(job.path, self._timeout), seconds=self._timeout)
            elif alone:
                self._prove()
                result = Result(job.path, error=_crashed(job.path, error))
            else:
                self._suspects.append(Job(job.path, job.stat, job.content_hash))
                continue
            if result is not None:
                yield result
        if broken:
            self.stop()
        if self._suspects and not alone:
            self._prove()

    def _settle(self, job: Job, outcome: Outcome) -> Result | None:
        """The result of a finished task, or None where the file has another stage before it."""
        if outcome.fatal is not None:
            raise outcome.fatal
        job = replace(job, seconds=job.seconds + outcome.seconds)
        if outcome.error is not None:
            if outcome.detail:
                _log.debug("%s\n%s", outcome.error, outcome.detail)
            return Result(job.path, error=outcome.error, seconds=job.seconds)
        if isinstance(outcome.value, Analysis):
            self._proven = True
            self._store.keep(job, outcome.value)
            return _success(outcome.value, seconds=job.seconds)
        if isinstance(outcome.value, Parcel):
            self._waiting.appendleft(replace(job, parcel=outcome.value))
            return None
        job = replace(job, content_hash=str(outcome.value))
        known = self._store.find(job)
        if known is not None:
            return _success(known, cached=True, seconds=job.seconds)
        self._waiting.appendleft(job)
        return None

    def _start(self, workers: int, timeout: float | None = None) -> _Pools:
        if self._split is None:
            self._split = self._on_graphics()
        return _Pools(self._settings, workers, self._split, timeout or self._timeout)

    def _on_graphics(self) -> bool:
        """Whether the models run on a graphics card: what the runtime offers is not what they load on."""
        if self._settings.device not in ("auto", "cpu"):
            return True  # or loading them is an error
        if self._settings.device == "cpu" or not has_graphics():
            return False
        ground = self._try_out(_Pools(self._settings, 1, False, _START_SECONDS))
        if ground.fallback:
            self._notify(ground.fallback)
        if not ground.graphics:
            self._settings = replace(self._settings, device="cpu")  # so that no worker tries it again
        return ground.graphics

    def _prove(self) -> None:
        """Before a file is blamed for a lost worker: see that a worker can load the models at all."""
        if self._proven:
            return
        self._try_out(self._start(1, _START_SECONDS))

    def _try_out(self, pools: _Pools) -> Ground:
        """Let a worker load the models and say where to; the pools are stopped."""
        try:
            task = pools.infer(pool_worker.warm_up, self._settings)
            give_up = monotonic() + _START_SECONDS
            # A pool that breaks before it has taken the task over never answers.
            while not task.done() and pools.active and monotonic() < give_up:
                wait([task], 0.5)
            outcome = task.result(timeout=0)
        except Exception as error:
            raise WorkersFailed(
                f"The worker processes fail while they load the models ({_how(error)}): "
                "run genrecore doctor to see what is installed."
            ) from error
        finally:
            pools.stop()
        if outcome.fatal is not None:
            raise outcome.fatal
        self._proven = True
        ground: Ground = outcome.value
        return ground

    def _keep_finished(self) -> None:
        """On the way out: what finished since the last look is not lost."""
        for future, job in self._running.items():
            if future.done() and not future.cancelled() and future.exception() is None:
                value = future.result().value
                if isinstance(value, Analysis):
                    self._store.keep(job, value)


class _Pools:
    """The worker processes: all of one kind, or with a graphics card many that decode and one that runs the models."""

    def __init__(self, settings: Settings, workers: int, split: bool, timeout: float) -> None:
        self.split = split
        self.workers = workers
        self._timeout = timeout
        load = pool_worker.load_preparer if split else pool_worker.load_analyzer
        self._parcels = tempfile.TemporaryDirectory(prefix="genrecore-") if split else None
        self._started: list[Any] = []
        try:
            with interrupts_postponed():
                self._started.append(start_pool(workers, load, settings))
                if split:
                    self._started.append(start_pool(1, pool_worker.load_analyzer, settings))
        except BaseException:
            self.stop()
            raise
        self._pool, self._inferrer = self._started[0], self._started[-1]

    @property
    def active(self) -> bool:
        return bool(self._pool.active and self._inferrer.active)

    @property
    def folder(self) -> str:
        """Where prepared tracks wait for the models."""
        return self._parcels.name if self._parcels else ""

    def work(self, function: Callable[..., Outcome], *args: Any) -> Future[Outcome]:
        return self._schedule(self._pool, function, args)

    def infer(self, function: Callable[..., Outcome], *args: Any) -> Future[Outcome]:
        return self._schedule(self._inferrer, function, args)

    def stop(self) -> None:
        with interrupts_postponed():
            for pool in self._started:
                pool.stop()
            for pool in self._started:
                pool.join()
        if self._parcels is not None:
            self._parcels.cleanup()

    def _schedule(
        self, pool: Any, function: Callable[..., Outcome], args: tuple[Any, ...]
    ) -> Future[Outcome]:
        # KeyboardInterrupt in the middle of a queue's `put` can leave it such that the next one wakes nobody, and
        # a pool that is to stop then waits for its own thread for ever.
        with interrupts_postponed():
            future: Future[Outcome] = pool.schedule(function, args=args, timeout=self._timeout)
        return future


def _stat(path: str) -> FileStat | None:
    try:
        return FileStat.of(path)
    except (OSError, ValueError):
        return None  # the worker says what is wrong with it


def _success(analysis: Analysis, *, cached: bool = False, seconds: float = 0.0) -> Result:
    return Result(analysis.path, analysis, warnings=analysis.warnings, cached=cached, seconds=seconds)


def _timed_out(path: str, timeout: float) -> str:
    return f"{path}: gave no result within {timeout:g} s: allow more time if it lies on a slow disk"


def _crashed(path: str, error: BaseException) -> str:
    return f"{path}: its worker process died twice ({_how(error)}): the file is probably damaged"


def _how(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer"
    exitcode = getattr(error, "exitcode", None)
    if exitcode is None:
        return "at once"
    if exitcode >= 0:
        return f"exit code {exitcode}"
    try:
        name = signal.Signals(-exitcode).name
    except ValueError:
        name = f"signal {-exitcode}"
    return f"{name}, perhaps for want of memory" if name == "SIGKILL" else name
