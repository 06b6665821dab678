"""Analyses and files to fill a cache with."""

from __future__ import annotations

from pathlib import Path

from genrecore.analysis import Analysis, Histogram, Sampling
from genrecore.cache import Cache
from genrecore.keys import Method

MOODS = ("happy", "angry", "sad", "relaxed")
METHOD = Method("a" * 64, "b" * 64, 100, "1.1")


def make_analysis(content_hash: str = "1:abc", path: str = "song.mp3") -> Analysis:
    return Analysis(
        path=path,
        content_hash=content_hash,
        duration=123.456789012345,
        genre=Histogram(("jazz", "rock"), (60, 40), (1 / 3, 2 / 3), "ears 1", 1.7),
        mood=Histogram(MOODS, (1, 2, 3, 94), (0.1, 0.2, 0.3, 0.4), "heart 2", 0.9),
        sampling=Sampling(100, 3.0, 2**52 - 1),
        analysed_at="2026-01-01T00:00:00+00:00",
        warnings=("cut off at 1:02 – décodé",),
    )


def make_file(folder: Path, name: str = "song.mp3", text: str = "sound") -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.endswith(("-wal", "-shm", "-lock"))}


def fill(database: Path, count: int = 300) -> None:
    with Cache(database) as cache:
        for n in range(count):
            cache.put(make_analysis(f"1:{n:064}"), METHOD.key(f"1:{n:064}"))
