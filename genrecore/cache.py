"""Store of analyses, so that nothing is analysed twice.

Two tables: ``genrecore_analyses``, filed under the hash of the audio and the method, and ``genrecore_files``,
which remembers the hash of the audio in a file as long as the file's size and time of modification stay what
they were. Several processes may use one cache at once. It can be thrown away at any time: nothing of the
user's is in it.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from types import TracebackType
from typing import Any, Self, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from genrecore import cache_file
from genrecore.analysis import Analysis
from genrecore.cache_engine import begin, find, locate, shown
from genrecore.cache_file import default_path
from genrecore.cache_info import CacheInfo, Holding, Pruned
from genrecore.cache_tables import (
    ANALYSES,
    FILES,
    analysis_of,
    is_file,
    made_by,
    path_hash,
    store_analysis,
    store_file,
)
from genrecore.errors import CacheError, NoCache
from genrecore.keys import CacheKey, FileStat, Method

__all__ = ["Cache", "CacheInfo", "Holding", "Pruned", "default_path", "open_cache"]

T = TypeVar("T")
Notify = Callable[[str], None]
Location = str | os.PathLike[str] | None

# Below the number of parameters that every database takes in one statement.
_CHUNK = 500


def open_cache(url_or_path: Location = None, *, notify: Notify | None = None) -> Cache | None:
    """Open a cache; where that fails, say so once and go on without.

    Parameters
    ----------
    url_or_path : str or path, optional
        As for `Cache`.
    notify : callable, optional
        Gets every message, one sentence each; the logger ``genrecore`` by default.

    Returns
    -------
    Cache or None
        None where the cache cannot be used.
    """
    try:
        return Cache(url_or_path, notify=notify)
    except CacheError as error:
        (notify or _log)(f"{error}; going on without a cache")
        return None


class Cache:
    """Analyses on disk.

    Parameters
    ----------
    url_or_path : str or path, optional
        A SQLite file, made if it is not there, or any SQLAlchemy URL; `default_path` if left out.
    notify : callable, optional
        Gets messages for the user, one sentence each (a database moved aside); the logger ``genrecore`` by
        default.
    make : bool
        Make what is not there, and move a damaged or foreign SQLite file aside; otherwise neither is done, and
        both are errors.

    Raises
    ------
    NoCache
        If there is none and none is to be made.
    CacheError
        If the database cannot be used.

    Examples
    --------
    >>> with Cache("analyses.db") as cache:
    ...     cache.info().analyses
    0
    """

    def __init__(
        self, url_or_path: Location = None, *, notify: Notify | None = None, make: bool = True
    ) -> None:
        self._notify = notify or _log
        self._make = make
        self._url, self._file = locate(url_or_path)
        self._engine = self._open()

    @property
    def location(self) -> str:
        """File or URL, without a password."""
        return shown(self._url, self._file)

    def lookup(self, stats: Sequence[FileStat], method: Method) -> dict[str, Analysis]:
        """The analyses of unchanged files, without reading them.

        Parameters
        ----------
        stats : sequence of FileStat
            The files as they are now.
        method : Method
            How they should have been analysed.

        Returns
        -------
        dict of str to Analysis
            By ``stat.path``; files that are new, changed or not analysed by this method are left out.
        """
        found: dict[str, Analysis] = {}
        for chunk in _chunks(stats):
            by_hash = _by_hash(chunk)
            query = (
                sa.select(FILES.c.path_hash, FILES.c.size, FILES.c.mtime_ns, ANALYSES)
                .join(ANALYSES, ANALYSES.c.content_hash == FILES.c.content_hash)
                .where(FILES.c.path_hash.in_(by_hash), *made_by(method))
            )
            found |= {stat.path: analysis_of(row, stat.path) for stat, row in self._unchanged(by_hash, query)}
        return found

    def hashes(self, stats: Sequence[FileStat]) -> dict[str, str]:
        """Content hashes of unchanged files, by ``stat.path``, without reading them."""
        found: dict[str, str] = {}
        for chunk in _chunks(stats):
            by_hash = _by_hash(chunk)
            query = sa.select(FILES).where(FILES.c.path_hash.in_(by_hash))
            found |= {stat.path: row.content_hash for stat, row in self._unchanged(by_hash, query)}
        return found

    def get_by_file(self, stat: FileStat, method: Method) -> Analysis | None:
        """The analysis of one unchanged file, see `lookup`."""
        return self.lookup([stat], method).get(stat.path)

    def get(self, key: CacheKey, path: str = "") -> Analysis | None:
        """The analysis filed under a key; `path` is filled in as its path."""
        query = sa.select(ANALYSES).where(ANALYSES.c.content_hash == key.content_hash, *made_by(key.method))
        return next((analysis_of(row, path) for row in self._rows(query)), None)

    def put(self, analysis: Analysis, key: CacheKey, stat: FileStat | None = None) -> None:
        """Store an analysis at once, in place of one under the same key.

        Parameters
        ----------
        analysis : Analysis
            What to store.
        key : CacheKey
            What to file it under.
        stat : FileStat, optional
            The file as it was before it was read; with it, the file is known again without reading it.
        """

        def work(connection: sa.Connection) -> None:
            store_analysis(connection, key, analysis)
            if stat is not None:
                store_file(connection, stat, key.content_hash)

        self._run(work)

    def put_file(self, stat: FileStat, content_hash: str) -> None:
        """Remember which audio a file holds."""
        self._run(lambda connection: store_file(connection, stat, content_hash))

    def refresh_gate(self, before: FileStat, after: FileStat) -> None:
        """Tell that a file was changed without touching its audio, by writing tags.

        Parameters
        ----------
        before, after : FileStat
            The file just before and just after that. Where `before` is not what the cache knows of the file,
            somebody else has changed it too, perhaps its audio: then nothing is vouched for.
        """
        known = (is_file(before.path), FILES.c.size == before.size, FILES.c.mtime_ns == before.mtime_ns)
        change = sa.update(FILES).where(*known).values(size=after.size, mtime_ns=after.mtime_ns)
        self._run(lambda connection: connection.execute(change))

    def info(self) -> CacheInfo:
        """What is in the cache."""
        columns = (
            ANALYSES.c.genre_name,
            ANALYSES.c.mood_name,
            ANALYSES.c.snippets,
            ANALYSES.c.version,
        )
        count = sa.func.count()
        query = sa.select(*columns, count).group_by(*columns).order_by(count.desc(), *columns)

        def work(connection: sa.Connection) -> tuple[int, tuple[Holding, ...]]:
            files = connection.execute(sa.select(sa.func.count()).select_from(FILES)).scalar_one()
            return files, tuple(Holding(*row) for row in connection.execute(query))

        files, holdings = self._run(work)
        return CacheInfo(self.location, self._size(), files, holdings)

    def prune(self, version: str, *, dry_run: bool = False) -> Pruned:
        """Forget files that are gone, and analyses that cannot be used any more.

        The latter are those of another version than `version` and those whose audio no remembered file holds.

        Parameters
        ----------
        version : str
            The version in use: `genrecore.analyzer.ANALYSIS_VERSION`.
        dry_run : bool
            Only count.
        """

        def gone(connection: sa.Connection) -> list[str]:
            rows = connection.execute(sa.select(FILES.c.path_hash, FILES.c.path))
            return [hashed for hashed, path in rows if not os.path.exists(os.fsdecode(path))]

        missing = self._run(gone)

        def work(connection: sa.Connection) -> int:
            for chunk in _chunks(missing):
                connection.execute(sa.delete(FILES).where(FILES.c.path_hash.in_(chunk)))
            known = sa.select(FILES.c.content_hash)
            stale = sa.or_(ANALYSES.c.version != version, ANALYSES.c.content_hash.not_in(known))
            counting = sa.select(sa.func.count()).select_from(ANALYSES).where(stale)
            count = connection.execute(counting).scalar_one()
            connection.execute(sa.delete(ANALYSES).where(stale))
            return count

        stale = self._run(work, keep=not dry_run)
        if not dry_run:
            self._shrink()
        return Pruned(len(missing), stale)

    def clear(self) -> Pruned:
        """Forget everything."""

        def work(connection: sa.Connection) -> Pruned:
            return Pruned(*(connection.execute(sa.delete(table)).rowcount for table in (FILES, ANALYSES)))

        pruned = self._run(work)
        self._shrink()
        return pruned

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self, *, thorough: bool = False) -> sa.Engine:
        try:
            if self._make:
                return begin(self._url, self._file, self._notify, thorough=thorough)
            engine = find(self._url, self._file)
        except (SQLAlchemyError, OSError, ImportError, sqlite3.Error) as error:
            raise self._error(error) from error
        if engine is None:
            raise NoCache(f"{self.location}: there is no cache yet")
        return engine

    def _run(self, work: Callable[[sa.Connection], T], *, keep: bool = True) -> T:
        """Do some work in one transaction; where the database is found damaged, on a new one."""
        try:
            try:
                return self._transact(work, keep)
            except DBAPIError as error:
                if self._file is None or not self._make or not cache_file.is_damage(error.orig):
                    raise
                self._engine.dispose()
                # SQLite said so in the middle of the work: the damage lies deeper than opening it showed.
                self._engine = self._open(thorough=True)
                return self._transact(work, keep)
        except (SQLAlchemyError, OSError, sqlite3.Error) as error:
            raise self._error(error) from error

    def _rows(self, query: sa.Executable) -> Sequence[Any]:
        return self._run(lambda connection: connection.execute(query).all())

    def _unchanged(
        self, by_hash: Mapping[str, list[FileStat]], query: sa.Executable
    ) -> Iterator[tuple[FileStat, Any]]:
        """The files that are still what the cache knows of them, each with its row."""
        for row in self._rows(query):
            for stat in by_hash[row.path_hash]:
                if (row.size, row.mtime_ns) == (stat.size, stat.mtime_ns):
                    yield stat, row

    def _transact(self, work: Callable[[sa.Connection], T], keep: bool) -> T:
        try:
            return self._attempt(work, keep)
        except IntegrityError:
            return self._attempt(work, keep)  # another process put the same in the meantime

    def _attempt(self, work: Callable[[sa.Connection], T], keep: bool) -> T:
        with self._engine.connect() as connection:
            result = work(connection)
            if keep:
                connection.commit()
            return result

    def _error(self, error: BaseException) -> CacheError:
        reason = getattr(error, "orig", None) or getattr(error, "strerror", None) or error
        first_line = (str(reason).strip() or type(error).__name__).splitlines()[0]
        return CacheError(f"{self.location}: the cache cannot be used ({first_line})")

    def _size(self) -> int | None:
        if self._file is None:
            return None
        files = (self._file.with_name(self._file.name + suffix) for suffix in ("", "-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def _shrink(self) -> None:
        if self._url.get_backend_name() != "sqlite":
            return
        try:
            with self._engine.connect() as connection:
                raw = connection.connection.driver_connection
                assert raw is not None
                raw.execute("VACUUM")
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except (SQLAlchemyError, sqlite3.Error):
            return  # another process is using it: the space is reused later


def _log(message: str) -> None:
    logging.getLogger("genrecore").warning("%s", message)


def _by_hash(stats: Iterable[FileStat]) -> dict[str, list[FileStat]]:
    found: dict[str, list[FileStat]] = {}
    for stat in stats:  # a file may be named in several ways
        found.setdefault(path_hash(stat.path), []).append(stat)
    return found


def _chunks(values: Iterable[T]) -> Iterable[list[T]]:
    source = iter(values)
    while chunk := list(islice(source, _CHUNK)):
        yield chunk
