"""The cache as a run uses it: trouble with it is told once and stops nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from genrecore.analysis import Analysis
from genrecore.errors import CacheError
from genrecore.keys import FileStat, Method

if TYPE_CHECKING:
    from genrecore.cache import Cache
    from genrecore.pool_worker import Parcel

__all__ = ["Job", "Store"]

T = TypeVar("T")
Notify = Callable[[str], None]

_READING = "what it knows may be analysed again"
_WRITING = "new analyses may not be kept"
# Failures in a row after which there is no more trying: a locked database has taken a minute each time, and one
# that is read-only or full rarely gets better.
_PATIENCE = 5


@dataclass(frozen=True)
class Job:
    """A file on its way."""

    path: str
    stat: FileStat | None
    content_hash: str | None = None
    parcel: Parcel | None = None
    seconds: float = 0.0


class Store:
    """The cache, if there is one and as long as it works; the first trouble is told, a passing one forgiven."""

    def __init__(self, cache: Cache | None, method: Method, notify: Notify) -> None:
        self._cache = cache
        self._method = method
        self._notify = notify
        self._told = False
        self._failures: Counter[str] = Counter()

    @property
    def in_use(self) -> bool:
        return self._cache is not None and self._failures[_READING] < _PATIENCE

    def lookup(self, stats: list[FileStat]) -> tuple[dict[str, Analysis], dict[str, str]]:
        """Analyses, and hashes of files that were analysed in another way, by path."""

        def work(cache: Cache) -> tuple[dict[str, Analysis], dict[str, str]]:
            found = cache.lookup(stats, self._method)
            return found, cache.hashes([stat for stat in stats if stat.path not in found])

        return self._try(work, _READING) or ({}, {})

    def find(self, job: Job) -> Analysis | None:
        """The analysis of a file whose audio is known under another name or tag."""
        stat, content_hash = job.stat, job.content_hash
        if content_hash is None:
            return None
        found = self._try(lambda cache: cache.get(self._method.key(content_hash), job.path), _READING)
        if found is not None and stat is not None:
            self._try(lambda cache: cache.put_file(stat, content_hash), _WRITING)
        return found

    def keep(self, job: Job, analysis: Analysis) -> None:
        key = self._method.key(analysis.content_hash)
        self._try(lambda cache: cache.put(analysis, key, job.stat), _WRITING)

    def _try(self, work: Callable[[Cache], T], kind: str) -> T | None:
        """Do something with the cache; None where it fails, or has failed too often."""
        if self._cache is None or self._failures[kind] >= _PATIENCE:
            return None
        try:
            done = work(self._cache)
        except CacheError as error:
            self._failures[kind] += 1
            if not self._told:
                self._told = True
                self._notify(f"{error}; {kind}")
            return None
        self._failures[kind] = 0
        return done
