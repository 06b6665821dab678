"""What is measured on: one generated four-minute piece, in five formats, in copies that differ."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt

from demo.files import encode
from demo.pieces import PIECES
from demo.synth import RATE

__all__ = ["FORMATS", "SECONDS", "make", "short_piece"]

FORMATS = ("mp3", "flac", "m4a", "ogg", "opus")
SECONDS = 240
#: Part of the folder's name: raised when the same file name would hold other sound.
VERSION = 1


@lru_cache(maxsize=1)
def _piece() -> npt.NDArray[np.float32]:
    """All the demo's tunes, one after the other."""
    each = SECONDS / len(PIECES)
    return np.concatenate([piece.render(index, each) for index, piece in enumerate(PIECES)])


def _encode_copy(job: tuple[Path, int]) -> None:
    path, copy = job
    # every copy begins elsewhere in the piece, so that no two share a content hash and each is analysed
    shifted = np.roll(_piece(), -copy * 7 * RATE, axis=0)
    part = path.with_name("unfinished-" + path.name)
    encode(part, shifted)
    part.replace(path)


def make(folder: Path, copies: int, jobs: int) -> list[Path]:
    """The measured files, `copies` of each format, formats in turn; what exists already is kept."""
    folder = folder / f"v{VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [(folder / f"piece-{copy:02}.{suffix}", copy) for copy in range(copies) for suffix in FORMATS]
    missing = [job for job in wanted if not job[0].exists()]
    if missing:
        print(
            f"Making {len(missing)} files of {SECONDS} s (kept in {folder} for the next time) ...", flush=True
        )
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            list(pool.map(_encode_copy, missing))
    return [path for path, _ in wanted]


def short_piece(path: Path, seconds: float = 4.0) -> Path:
    """One short file, to be linked a few thousand times where only the book-keeping is measured."""
    encode(path, PIECES[0].render(0, seconds))
    return path
