"""What a cache tells about itself. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CacheInfo", "Holding", "Pruned"]


@dataclass(frozen=True)
class Holding:
    """Analyses made by one method: model names, snippets, version and how many."""

    genre_model: str
    mood_model: str
    snippets: int
    version: str
    analyses: int


@dataclass(frozen=True)
class CacheInfo:
    """What is in a cache.

    Parameters
    ----------
    location : str
        File or URL.
    size : int or None
        Bytes on disk; None for a database server.
    files : int
        Files whose audio is known.
    holdings : tuple of Holding
        Analyses by method, most first.
    """

    location: str
    size: int | None
    files: int
    holdings: tuple[Holding, ...]

    @property
    def analyses(self) -> int:
        """All analyses."""
        return sum(holding.analyses for holding in self.holdings)


@dataclass(frozen=True)
class Pruned:
    """How many files and analyses a `Cache.prune` forgot, or would forget."""

    files: int
    analyses: int
