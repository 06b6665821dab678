"""What an analysis is filed under: the audio and everything besides it that decides the result.

Standard library only.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

__all__ = ["CacheKey", "FileStat", "Method"]


@dataclass(frozen=True)
class Method:
    """How an analysis is made: what decides its numbers, besides the audio.

    Parameters
    ----------
    genre_model, mood_model : str
        SHA-256 of the model files, which also settle how long a snippet is.
    snippets : int
        How many are drawn from a track.
    version : str
        Versions of decoder, drawing, log-mel and aggregation, see `genrecore.analyzer.ANALYSIS_VERSION`.
    """

    genre_model: str
    mood_model: str
    snippets: int
    version: str

    def key(self, content_hash: str) -> CacheKey:
        """The key of the analysis of one piece of audio."""
        return CacheKey(content_hash, self)


@dataclass(frozen=True)
class CacheKey:
    """Identity of an analysis: the same key always has the same numbers."""

    content_hash: str
    method: Method


@dataclass(frozen=True)
class FileStat:
    """State of a file, by which an unchanged one is known without reading it.

    Parameters
    ----------
    path : str
        As the caller names it.
    size : int
        Bytes.
    mtime_ns : int
        Last modification, nanoseconds since 1970.
    """

    path: str
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: str) -> FileStat:
        """Look at a file.

        Raises
        ------
        OSError, ValueError
            If it cannot be looked at.
        """
        status = os.stat(path)
        return cls(path, status.st_size, status.st_mtime_ns)
