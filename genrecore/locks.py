"""One process at a time: a lock beside a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

__all__ = ["locked"]


@contextmanager
def locked(path: Path, *, timeout: float) -> Iterator[bool]:
    """Let no other process do the same with a file meanwhile.

    The lock is an empty file beside it, ``<name>-lock``. It stays: removing it would take it from those who
    wait for it. It can be deleted whenever nothing uses the file. Where no lock can be had (the folder is not
    to be written, the network drive knows none, its holder hangs), this goes on without one.

    Parameters
    ----------
    path : Path
        The file; it need not exist.
    timeout : float
        Seconds to wait for another process.

    Yields
    ------
    bool
        Whether there is a lock.
    """
    from filelock import FileLock

    held = None
    with suppress(OSError, NotImplementedError):
        held = FileLock(path.with_name(f"{path.name}-lock"), timeout=timeout).acquire()
    with held or nullcontext():
        yield held is not None
