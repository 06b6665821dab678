"""What a file system knows of a file beside its content, carried over to the file that replaces it."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from contextlib import suppress

__all__ = ["copy_metadata", "put_in_place"]

# <copyfile.h>: access list, mode and times, extended attributes (Finder's tags and comments are some).
_COPYFILE_METADATA = 1 << 0 | 1 << 1 | 1 << 2


def copy_metadata(source: str, target: str) -> None:
    """Give a copy the rights, group and attributes of its source, as far as there are such, and it may."""
    with suppress(OSError):
        shutil.copystat(source, target)
    if sys.platform == "darwin":
        with suppress(OSError, AttributeError):
            paths = os.fsencode(source), os.fsencode(target)
            ctypes.CDLL(None).copyfile(*paths, None, ctypes.c_uint32(_COPYFILE_METADATA))
    if sys.platform != "win32":
        before = os.stat(source)
        with suppress(OSError):
            os.chown(target, before.st_uid if os.geteuid() == 0 else -1, before.st_gid)


def put_in_place(copy: str, path: str) -> None:
    """Let a file take another's place, at one moment.

    Raises
    ------
    OSError
        If it cannot; then both are as they were.
    """
    if sys.platform == "win32" and ctypes.windll.kernel32.ReplaceFileW(path, copy, None, 0, None, None):
        return  # access list, streams and date of creation are those of the file that was there
    os.replace(copy, path)
