"""Worker processes: how they are started, so that they are quiet, cheap and easy to get rid of."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import connection, parent_process
from multiprocessing.context import SpawnContext, SpawnProcess
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["WorkerContext", "cpu_count", "initialise", "start_pool"]

_main_lock = threading.Lock()


class _WorkerProcess(SpawnProcess):
    """A process that does not import the caller's main module.

    A worker needs nothing of it: a program such as ``beet`` would cost each worker memory and time, and a
    script without ``if __name__ == "__main__"`` would run a second time.
    """

    @staticmethod
    def _Popen(process_obj: Any) -> Any:
        with _main_hidden(), _interrupts_blocked():
            return SpawnProcess._Popen(process_obj)


class WorkerContext(SpawnContext):
    """Starts processes afresh (spawn), the one way that exists everywhere and copies no locked locks.

    Its own locks last as long as it does: pebble drops a pool's before it ends the workers, and one that is just
    starting would print that they are gone.
    """

    Process = _WorkerProcess

    def __init__(self) -> None:
        super().__init__()
        self._locks: list[Any] = []

    def RLock(self) -> Any:
        self._locks.append(super().RLock())
        return self._locks[-1]


def cpu_count() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def start_pool(workers: int, load: Callable[..., Any], *args: Any) -> Any:
    """Start a pool of worker processes.

    Parameters
    ----------
    workers : int
        How many.
    load, *args
        What each calls first, so that the time limit of its first file does not run while it loads its models.
        What it raises is passed over: the first task will find out again.

    Returns
    -------
    pebble.ProcessPool
        Running.
    """
    from pebble import ProcessPool

    pool = ProcessPool(
        max_workers=workers, initializer=initialise, initargs=(load, *args), context=WorkerContext()
    )
    assert pool.active  # this starts it
    return pool


def initialise(load: Callable[..., Any], *args: Any) -> None:
    """First thing in a worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    # Pebble's handler, called while Python ends, would be printed about.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # A worker a core: threads inside of one would only be in the others' way. numpy reads this at import.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
        os.environ[name] = "1"
    _offer_to_be_killed_first()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(Exception):
        load(*args)


def _offer_to_be_killed_first() -> None:
    """Where memory runs out, Linux should take a worker rather than the parent or the user's desktop."""
    try:
        Path("/proc/self/oom_score_adj").write_text("1000")
    except OSError:
        return


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


@contextmanager
def _main_hidden() -> Iterator[None]:
    with _main_lock:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """A process begun inside inherits that Ctrl-C does not reach it, from its first moment on."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # begun later, it would lift the block
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
