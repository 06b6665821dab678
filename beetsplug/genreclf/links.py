"""Files that are not the library's alone: what is written to a link is written to what it leads to."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from beets.util import syspath

if TYPE_CHECKING:
    from .options import Options

__all__ = ["is_spared"]


def is_spared(path: bytes, options: Options) -> bool:
    """Whether no tags go into a file, since it is a symbolic link or has another name (a hard link)."""
    if options.write_links:
        return False
    try:
        status = os.lstat(syspath(path))
    except OSError:
        return False
    return stat.S_ISLNK(status.st_mode) or status.st_nlink > 1
