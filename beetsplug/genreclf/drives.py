"""Where the music lies, and whether that is there at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from beets.util import ancestry, displayable_path, syspath

if TYPE_CHECKING:
    from beets.library import Library

__all__ = ["WHAT_TO_DO", "gone"]

#: The rest of a sentence that begins with the folder.
WHAT_TO_DO = "the music folder is not there or empty: connect its drive, and run it again to go on"


def gone(lib: Library, path: bytes) -> str | None:
    """The music folder, as text, where a file should be in it and it is not there, or empty.

    A drive or network share that is not connected leaves an empty folder behind, or none. Then every file would fail.

    Parameters
    ----------
    lib : Library
        The library.
    path : bytes
        A file that could not be read.
    """
    if lib.directory not in ancestry(path):
        return None
    try:
        with os.scandir(syspath(lib.directory)) as found:
            return None if any(found) else displayable_path(lib.directory)
    except PermissionError:
        return None
    except OSError:
        return displayable_path(lib.directory)
