"""The SQLite file under the cache: where it lies, whether it is ours and sound, how it is moved aside.

Kept apart from `genrecore.cache` because it works on files, before and after SQLAlchemy has them open.
"""

from __future__ import annotations

import os
import sqlite3
import struct
from contextlib import closing, suppress
from datetime import datetime
from itertools import count
from pathlib import Path

__all__ = [
    "APPLICATION_ID",
    "LOCK_SECONDS",
    "SCHEMA_VERSION",
    "default_path",
    "fault_of",
    "identity",
    "is_damage",
    "is_unwritable",
    "open_read_only",
    "set_aside",
]

#: Stands in the header of every cache file ("GNRC"), so that it is told from somebody else's database.
APPLICATION_ID = 0x474E5243
#: Raised when the tables change.
SCHEMA_VERSION = 1
#: How long another process is waited for.
LOCK_SECONDS = 60

_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_UNWRITABLE = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
_COMPANIONS = ("-wal", "-shm", "-journal")


def default_path() -> str:
    """Where the cache lies unless told otherwise: ``GENRECORE_CACHE``, else in the user's cache folder.

    Returns
    -------
    str
        A file or, if the variable says so, a URL.
    """
    from platformdirs import user_cache_path

    named = os.environ.get("GENRECORE_CACHE")
    return named or str(user_cache_path("genrecore", appauthor=False) / "analyses.db")


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
        with closing(_open(path)) as connection:
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
    return _code(error) in _DAMAGE


def is_unwritable(error: BaseException | None) -> bool:
    """Whether SQLite says that it may not write the file, or not make its companions beside it."""
    return _code(error) in _UNWRITABLE


def open_read_only(path: Path) -> sqlite3.Connection:
    """Open a file that cannot be written, or whose folder cannot.

    Raises
    ------
    sqlite3.DatabaseError
        If it cannot be read either.
    """
    uri = f"{path.absolute().as_uri()}?mode=ro"
    try:
        return _probed(sqlite3.connect(uri, uri=True, timeout=LOCK_SECONDS))
    except sqlite3.OperationalError as error:
        # With a write-ahead log SQLite shares memory with writers, by a file that it cannot make here. It can
        # do without where it is told that there is no writer; a log with something in it would be passed over.
        log = _beside(path, "-wal")
        if not is_unwritable(error) or (log.exists() and log.stat().st_size):
            raise
    return _probed(sqlite3.connect(f"{uri}&immutable=1", uri=True))


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
    aside = _reserve(path)
    try:
        # The file itself last: SQLite deletes a log that it finds without its database.
        for suffix in (*_COMPANIONS, ""):
            if not suffix or _beside(path, suffix).exists():
                _beside(path, suffix).replace(_beside(aside, suffix))
    except OSError:
        aside.unlink()
        raise
    return aside


def _reserve(path: Path) -> Path:
    """Make an empty file under a new name, which is nobody else's from then on."""
    stamp = f"{path.name}.damaged-{datetime.now():%Y%m%d-%H%M%S}"
    for n in count():
        aside = path.with_name(f"{stamp}-{n}" if n else stamp)
        if any(_beside(aside, suffix).exists() for suffix in _COMPANIONS):
            continue
        with suppress(FileExistsError):
            aside.touch(exist_ok=False)
            return aside
    raise AssertionError


def _open(path: Path) -> sqlite3.Connection:
    try:
        return _probed(sqlite3.connect(path, timeout=LOCK_SECONDS))
    except sqlite3.OperationalError as error:
        if not is_unwritable(error):
            raise
    return open_read_only(path)


def _probed(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Read something: only then does SQLite really open the file."""
    try:
        connection.execute("PRAGMA schema_version").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _code(error: BaseException | None) -> int | None:
    code = getattr(error, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


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
