"""The cache as a run uses it: trouble with it is told once and stops nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genrecore.analysis import Analysis
from genrecore.errors import CacheError
from genrecore.keys import FileStat, Method

if TYPE_CHECKING:
    from genrecore.cache import Cache
    from genrecore.pool_worker import Parcel

__all__ = ["Job", "Store"]

Notify = Callable[[str], None]


@dataclass(frozen=True)
class Job:
    """A file on its way."""

    path: str
    stat: FileStat | None
    content_hash: str | None = None
    parcel: Parcel | None = None
    seconds: float = 0.0


class Store:
    """The cache, if there is one and as long as it works; the first trouble is told once."""

    def __init__(self, cache: Cache | None, method: Method, notify: Notify) -> None:
        self._cache = cache
        self._method = method
        self._notify = notify
        self._told = False

    @property
    def in_use(self) -> bool:
        return self._cache is not None

    def lookup(self, stats: list[FileStat]) -> tuple[dict[str, Analysis], dict[str, str]]:
        """Analyses, and hashes of files that were analysed in another way, by path."""
        if self._cache is None:
            return {}, {}
        try:
            found = self._cache.lookup(stats, self._method)
            return found, self._cache.hashes([stat for stat in stats if stat.path not in found])
        except CacheError as error:
            self._give_up(error)
            return {}, {}

    def find(self, job: Job) -> Analysis | None:
        """The analysis of a file whose audio is known under another name or tag."""
        if self._cache is None or job.content_hash is None:
            return None
        try:
            found = self._cache.get(self._method.key(job.content_hash), job.path)
        except CacheError as error:
            self._give_up(error)
            return None
        stat, content_hash = job.stat, job.content_hash
        if found is not None and stat is not None:
            self._write(lambda cache: cache.put_file(stat, content_hash))
        return found

    def keep(self, job: Job, analysis: Analysis) -> None:
        key = self._method.key(analysis.content_hash)
        self._write(lambda cache: cache.put(analysis, key, job.stat))

    def _write(self, work: Callable[[Cache], None]) -> None:
        if self._cache is None or self._told:
            return
        try:
            work(self._cache)
        except CacheError as error:
            self._told = True
            self._notify(f"{error}; new analyses are not kept")

    def _give_up(self, error: CacheError) -> None:
        self._cache = None
        if not self._told:
            self._notify(f"{error}; going on without a cache")
