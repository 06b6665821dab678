"""The SQLite file under the cache: where it lies, whether it is ours and sound, how it is moved aside.

Kept apart from `genrecore.cache` because it works on files, before and after SQLAlchemy has them open.
"""

from __future__ import annotations

import os
import sqlite3
import struct
from contextlib import closing
from datetime import datetime
from pathlib import Path

__all__ = [
    "APPLICATION_ID",
    "SCHEMA_VERSION",
    "default_path",
    "fault_of",
    "identity",
    "is_damage",
    "set_aside",
]

#: Stands in the header of every cache file ("GNRC"), so that it is told from somebody else's database.
APPLICATION_ID = 0x474E5243
#: Raised when the tables change.
SCHEMA_VERSION = 1

_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_COMPANIONS = ("", "-wal", "-shm", "-journal")


def default_path() -> Path:
    """Where the cache lies unless told otherwise: ``GENRECORE_CACHE``, else in the user's cache folder."""
    from platformdirs import user_cache_path

    named = os.environ.get("GENRECORE_CACHE")
    if named:
        return Path(named).expanduser()
    return user_cache_path("genrecore", appauthor=False) / "analyses.db"


def fault_of(path: Path, *, thorough: bool = False) -> str | None:
    """Why a file cannot serve as the cache, or None if it can (or is not there, or empty).

    Parameters
    ----------
    path : Path
        The file; it is not changed.
    thorough : bool
        Read all of it, not only what opening it takes.

    Returns
    -------
    str or None
        The end of a sentence that begins with the file's name.

    Raises
    ------
    OSError, sqlite3.OperationalError
        If it cannot be looked at.
    """
    if not path.exists() or not path.stat().st_size:
        return None
    try:
        with closing(sqlite3.connect(path, timeout=30)) as connection:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if application != APPLICATION_ID:
                return "is somebody else's SQLite database" if tables or application else None
            if version > SCHEMA_VERSION:
                return "was made by a newer version of genrecore"
            # SQLite notices a missing tail only when it reads there; reading all takes long.
            suspicious = thorough or _is_shorter_than_it_says(path)
            if suspicious and connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                return "is damaged"
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            return "is damaged or not a database"
        raise
    return None


def is_damage(error: BaseException | None) -> bool:
    """Whether SQLite says that the file itself is broken (and not that it is locked, full or read-only)."""
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(code, int) and code & 0xFF in _DAMAGE


def identity(path: Path) -> tuple[int, int] | None:
    """Which file a path leads to at the moment, so that no other is moved in its place."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def set_aside(path: Path) -> Path:
    """Rename a file, with SQLite's companions, to ``<name>.damaged-<time>``; nothing is ever overwritten.

    Returns
    -------
    Path
        Where it lies now.

    Raises
    ------
    OSError
        If it cannot be renamed.
    """
    stamp = f"{path.name}.damaged-{datetime.now():%Y%m%d-%H%M%S}"
    names = (stamp if not n else f"{stamp}-{n}" for n in range(1000))
    aside = next(path.with_name(name) for name in names if not path.with_name(name).exists())
    for suffix in _COMPANIONS:
        companion = path.with_name(path.name + suffix)
        if companion.exists():
            companion.rename(aside.with_name(aside.name + suffix))
    return aside


def _is_shorter_than_it_says(path: Path) -> bool:
    # https://www.sqlite.org/fileformat.html#the_database_header
    with path.open("rb") as file:
        header = file.read(100)
    if len(header) < 100:
        return True
    (page_size,) = struct.unpack_from(">H", header, 16)
    (changes,) = struct.unpack_from(">I", header, 24)
    (pages,) = struct.unpack_from(">I", header, 28)
    (pages_written_at,) = struct.unpack_from(">I", header, 92)
    size = 65536 if page_size == 1 else page_size
    return bool(changes != pages_written_at or pages * size != path.stat().st_size)
