"""A file is changed as a whole or not at all: a copy is changed, which then takes the file's place.

Tags stand inside the file, mostly before the audio, which mutagen moves about in place: whoever stops it there, or
fills the disk, has neither the old file nor the new one (https://github.com/quodlibet/mutagen/issues/241).
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from genrecore.locks import locked

from .metadata import copy_metadata, put_in_place

__all__ = ["COPY_PREFIX", "replaced"]

#: What the copies' names begin with, in the file's own folder; hidden from players and from `beet import`.
COPY_PREFIX = ".genreclf-"
_LOCK_SECONDS = 60


@contextmanager
def replaced(path: str, lock: Path | None) -> Iterator[str]:
    """Change a copy of a file; it takes the file's place when all went well.

    Where a copy would be another file, or cannot be made (the file has several names, hard links; it belongs to
    another user; nothing can be made in its folder), the file is changed where it is, and put back if that fails.

    Parameters
    ----------
    path : str
        The file; of a symbolic link, what it leads to.
    lock : Path or None
        A file that stands for all who do this for one library, see `genrecore.locks.locked`: one at a time, and what a
        killed one has left in the folder is removed. None if there are no others.

    Yields
    ------
    str
        What to change.

    Raises
    ------
    OSError
        If it cannot be copied, changed or replaced; then it is as it was.
    """
    path = os.path.realpath(path)
    if not os.access(path, os.W_OK):  # the folder alone decides what is replaced
        os.stat(path)  # raises its own error where it is not there
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    with locked(lock, timeout=_LOCK_SECONDS) if lock else nullcontext(False) as alone:
        before = os.stat(path)
        ways = (
            _in_place(path) if _must_stay(path, before) else _by_copy(path, before, lock if alone else None)
        )
        with ways as changed:
            yield changed


def _must_stay(path: str, before: os.stat_result) -> bool:
    others = hasattr(os, "geteuid") and os.geteuid() not in (0, before.st_uid)
    return before.st_nlink > 1 or others or not os.access(os.path.dirname(path), os.W_OK)


@contextmanager
def _by_copy(path: str, before: os.stat_result, lock: Path | None) -> Iterator[str]:
    copy = _copy_of(path, lock)
    try:
        shutil.copyfile(path, copy)
        yield copy
        copy_metadata(path, copy)
        os.utime(copy)
        with open(copy, "rb+") as file:
            os.fsync(file.fileno())
        if _state(os.stat(path)) != _state(before):
            raise OSError(errno.EBUSY, "another program has changed it meanwhile", path)
        put_in_place(copy, path)
    except BaseException:
        with suppress(OSError):
            os.remove(copy)
        raise


@contextmanager
def _in_place(path: str) -> Iterator[str]:
    before = os.stat(path)
    with tempfile.TemporaryDirectory(prefix="genreclf-") as folder:
        copy = shutil.copyfile(path, os.path.join(folder, "copy"))
        try:
            yield path
        except BaseException:
            shutil.copyfile(copy, path)
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
            raise


def _copy_of(path: str, lock: Path | None) -> str:
    """Where a copy goes; with the lock, after removing what a killed one has left there."""
    folder, name = os.path.split(path)
    # Another library may have the same file, and a lock of its own.
    owner = f"{COPY_PREFIX}{_digest(str(lock)) if lock else os.getpid()}-"
    if lock:
        with os.scandir(folder) as found:
            left = [entry.path for entry in found if entry.name.startswith(owner)]
        for stale in left:
            with suppress(OSError):
                os.remove(stale)
    return os.path.join(folder, f"{owner}{_digest(name)}{os.path.splitext(name)[1]}")


def _digest(name: str) -> str:
    return hashlib.sha256(os.fsencode(name)).hexdigest()[:12]


def _state(stat: os.stat_result) -> tuple[int, int, int]:
    return stat.st_ino, stat.st_size, stat.st_mtime_ns
