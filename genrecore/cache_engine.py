"""From what the user named to a database ready for use: URL, file, tables, SQLite's settings."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError

from genrecore import cache_file
from genrecore.cache_tables import METADATA
from genrecore.errors import CacheError

__all__ = ["locate", "prepare"]

_LOCK_SECONDS = 60


def locate(url_or_path: str | os.PathLike[str] | None) -> tuple[sa.URL, Path | None]:
    """URL of the database, and its file where it is a SQLite file.

    Raises
    ------
    CacheError
        If it looks like a URL and is none.
    """
    named = os.fspath(url_or_path) if url_or_path else os.fspath(cache_file.default_path())
    if "://" not in named:
        file = Path(os.path.abspath(Path(named).expanduser()))
        return sa.URL.create("sqlite", database=str(file)), file
    try:
        url = sa.make_url(named)
    except ArgumentError as error:
        raise CacheError(f"{named}: this is no database URL") from error
    is_file = url.get_backend_name() == "sqlite" and url.database
    if not is_file or str(url.database).startswith((":memory:", "file:")):
        return url, None
    return url, Path(os.path.abspath(str(url.database)))


def prepare(url: sa.URL) -> sa.Engine:
    """Open a database and make what is missing in it; several processes may do so at the same moment."""
    is_sqlite = url.get_backend_name() == "sqlite"
    engine = sa.create_engine(url, connect_args={"timeout": _LOCK_SECONDS} if is_sqlite else {})
    if is_sqlite:
        sa.event.listen(engine, "connect", _set_up_sqlite)
    try:
        METADATA.create_all(engine)
    except DBAPIError:
        METADATA.create_all(engine)  # another process made the tables first
    return engine


def _set_up_sqlite(connection: Any, record: Any) -> None:
    for attempt in range(5):
        try:
            # Write-ahead log: readers and a writer do not wait for each other. Where it cannot be had (on a
            # network drive), SQLite keeps its old way.
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:
            code = error.sqlite_errorcode & 0xFF
            if code == sqlite3.SQLITE_READONLY:
                return  # it can still be looked up
            if attempt == 4 or code != sqlite3.SQLITE_BUSY:
                raise
    connection.execute("PRAGMA synchronous = NORMAL")  # safe; a power cut may cost the last analyses
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != cache_file.APPLICATION_ID:
        # Before the first table, so that no other process sees tables without the mark.
        connection.execute(f"PRAGMA application_id = {cache_file.APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {cache_file.SCHEMA_VERSION}")
