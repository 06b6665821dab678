"""From what the user named to a database ready for use: URL, file, tables, SQLite's settings."""

from __future__ import annotations

import os
import re
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError

from genrecore import cache_file
from genrecore.cache_tables import METADATA
from genrecore.errors import CacheError
from genrecore.locks import locked

__all__ = ["begin", "find", "locate", "shown"]

T = TypeVar("T")


def locate(url_or_path: str | os.PathLike[str] | None) -> tuple[sa.URL, Path | None]:
    """URL of the database, and its file where it is a SQLite file.

    Raises
    ------
    CacheError
        If it looks like a URL and is none.
    """
    named = os.fspath(url_or_path) if url_or_path else cache_file.default_path()
    if "://" not in named:
        file = Path(os.path.abspath(Path(named).expanduser()))
        return sa.URL.create("sqlite", database=str(file)), file
    try:
        url = sa.make_url(named)
    except (ArgumentError, ValueError) as error:  # the latter for a port that is no number
        masked = re.sub("//.*@", "//***@", named)
        raise CacheError(f"{masked}: this is no database URL") from error
    is_file = url.get_backend_name() == "sqlite" and url.database
    if not is_file or str(url.database).startswith((":memory:", "file:")):
        return url, None
    return url, Path(os.path.abspath(str(url.database)))


def shown(url: sa.URL, file: Path | None) -> str:
    """What `locate` has found, for the user: without a password."""
    return str(file) if file else url.render_as_string(hide_password=True)


def begin(
    url: sa.URL, file: Path | None, notify: Callable[[str], None], *, thorough: bool = False
) -> sa.Engine:
    """Open a database and make what is missing in it; several processes may do so at the same moment.

    Parameters
    ----------
    url, file : URL, Path or None
        From `locate`.
    notify : callable
        Told where a file that cannot be used was moved.
    thorough : bool
        Look for damage in all of the file.
    """
    if file is None:
        return _connect(url, None, _make_tables)[0]
    file.parent.mkdir(parents=True, exist_ok=True)
    with locked(file, timeout=cache_file.LOCK_SECONDS):
        which = cache_file.identity(file)
        fault = cache_file.fault_of(file, thorough=thorough)
        # Where there is no lock, another process may have been here: its new file must stay.
        if fault is not None and cache_file.identity(file) == which:
            aside = cache_file.set_aside(file)
            notify(
                f"{file}: the cache {fault}, so it was moved to {aside.name}, unchanged, and a new one was "
                "begun (if you named the wrong file, move it back and name another)"
            )
        return _connect(url, file, _make_tables)[0]


def find(url: sa.URL, file: Path | None) -> sa.Engine | None:
    """Open a database that is there, for a look at it: nothing is made, moved or set.

    Returns
    -------
    Engine or None
        None where there is no cache yet.

    Raises
    ------
    CacheError
        If the file is damaged or somebody else's.
    """
    if file is not None:
        if not file.exists():
            return None
        fault = cache_file.fault_of(file)
        if fault is not None:
            raise CacheError(f"{file}: the cache {fault}; it was left as it is")
    engine, complete = _connect(url, file, _has_tables, set_up=False)
    if complete:
        return engine
    engine.dispose()
    return None


def _connect(
    url: sa.URL, file: Path | None, use: Callable[[sa.Engine], T], *, set_up: bool = True
) -> tuple[sa.Engine, T]:
    """An engine, and what its first use gave; a file that may not be written is opened for reading."""
    is_sqlite = url.get_backend_name() == "sqlite"
    engine = sa.create_engine(url, connect_args={"timeout": cache_file.LOCK_SECONDS} if is_sqlite else {})
    if is_sqlite and set_up:
        sa.event.listen(engine, "connect", _set_up_sqlite)
    try:
        return engine, use(engine)
    except (DBAPIError, sqlite3.Error) as error:
        engine.dispose()
        if file is None or not cache_file.is_unwritable(getattr(error, "orig", error)):
            raise
    # No connection is kept: whoever may write the file may begin to do so at any moment.
    engine = sa.create_engine(
        "sqlite://", creator=lambda: cache_file.open_read_only(file), poolclass=sa.NullPool
    )
    return engine, use(engine)


def _make_tables(engine: sa.Engine) -> None:
    try:
        METADATA.create_all(engine)
    except DBAPIError:
        METADATA.create_all(engine)  # another process made the tables first


def _has_tables(engine: sa.Engine) -> bool:
    inspector = sa.inspect(engine)
    return all(inspector.has_table(name) for name in METADATA.tables)


def _set_up_sqlite(connection: Any, record: Any) -> None:
    give_up = time.monotonic() + cache_file.LOCK_SECONDS
    while True:
        try:
            # Write-ahead log: readers and a writer do not wait for each other. Where it cannot be had (on a
            # network drive), SQLite keeps its old way.
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:
            code = error.sqlite_errorcode & 0xFF
            if code == sqlite3.SQLITE_READONLY:
                return  # it can still be looked up
            if code != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(0.05)  # SQLite itself does not always wait here
    connection.execute("PRAGMA synchronous = NORMAL")  # safe; a power cut may cost the last analyses
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != cache_file.APPLICATION_ID:
        # Before the first table, so that no other process sees tables without the mark.
        connection.execute(f"PRAGMA application_id = {cache_file.APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {cache_file.SCHEMA_VERSION}")
