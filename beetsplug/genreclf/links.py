"""Files that are not the library's alone: links, and what an interrupted import has left where it was."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from beets.util import displayable_path, syspath

from .fields import IMPORTING_FIELD

if TYPE_CHECKING:
    from beets.library import Item

    from .options import Options

__all__ = ["is_source", "is_spared"]


def is_spared(item: Item, options: Options) -> bool:
    """Whether no tags go into a file: a symbolic link, one with another name (a hard link), an import's source."""
    if options.write_links:
        return False
    if is_source(item):
        return True
    try:
        status = os.lstat(syspath(item.path))
    except OSError:
        return False
    return stat.S_ISLNK(status.st_mode) or status.st_nlink > 1


def is_source(item: Item) -> bool:
    """Whether an import that was to copy or move the file has not come to it."""
    return item.get(IMPORTING_FIELD, None, False) == displayable_path(item.path)
