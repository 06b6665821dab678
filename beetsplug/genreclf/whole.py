"""A file is changed as a whole or not at all: a copy is changed, which then takes the file's place.

Tags stand inside the file, mostly before the audio, which mutagen moves about in place: whoever stops it there, or
fills the disk, has neither the old file nor the new one (https://github.com/quodlibet/mutagen/issues/241).
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from genrecore.locks import locked

__all__ = ["COPY_PREFIX", "replaced"]

#: What the copies' names begin with, in the file's own folder; hidden from players and from `beet import`.
COPY_PREFIX = ".genreclf-"
_LOCK_SECONDS = 60


@contextmanager
def replaced(path: str, lock: Path | None) -> Iterator[str]:
    """Change a copy of a file; it takes the file's place when all went well.

    A file with several names (hard links) is changed where it is: a copy would be another file.

    Parameters
    ----------
    path : str
        The file; of a symbolic link, what it leads to.
    lock : Path or None
        A file that stands for all who may do this, see `genrecore.locks.locked`: only one does at a time, and what a
        killed one has left is overwritten. None if there are no others.

    Yields
    ------
    str
        What to change.

    Raises
    ------
    OSError
        If it cannot be copied or replaced; then it is as it was.
    """
    path = os.path.realpath(path)
    if not os.access(path, os.W_OK):  # the folder alone decides what is replaced
        os.stat(path)  # raises its own error where it is not there
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    with locked(lock, timeout=_LOCK_SECONDS) if lock else nullcontext(False) as alone:
        before = os.stat(path)
        if before.st_nlink > 1:
            yield path
            return
        copy = _copy_of(path, alone)
        try:
            _make(copy, path)
            yield copy
            _finish(copy, path, before)
            if _state(os.stat(path)) != _state(before):
                raise OSError(errno.EBUSY, "another program has changed it meanwhile", path)
            os.replace(copy, path)
        except BaseException:
            with suppress(OSError):
                os.remove(copy)
            raise


def _copy_of(path: str, alone: bool) -> str:
    folder, name = os.path.split(path)
    digest = hashlib.sha256(os.fsencode(name)).hexdigest()[:16]
    others = "" if alone else f"-{os.getpid()}"
    return os.path.join(folder, f"{COPY_PREFIX}{digest}{others}{os.path.splitext(name)[1]}")


def _make(copy: str, path: str) -> None:
    try:
        shutil.copyfile(path, copy)
    except PermissionError as error:
        raise PermissionError(
            error.errno, f"no copy can be made in its folder: {error.strerror}", copy
        ) from error


def _finish(copy: str, path: str, before: os.stat_result) -> None:
    """Give the copy what is not content, and bring it to the disk."""
    with suppress(OSError):  # some file systems have no owners, others no extended attributes
        shutil.copystat(path, copy)
    with suppress(OSError):
        if hasattr(os, "chown") and (os.stat(copy).st_uid, os.stat(copy).st_gid) != (
            before.st_uid,
            before.st_gid,
        ):
            os.chown(copy, before.st_uid, before.st_gid)
    os.utime(copy)
    with open(copy, "rb+") as file:
        os.fsync(file.fileno())


def _state(stat: os.stat_result) -> tuple[int, int, int]:
    return stat.st_ino, stat.st_size, stat.st_mtime_ns
