"""What is wrong with the audio files of a data set, by their names, sizes and headers: nothing is decoded."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from genrecore import audio
from genrecore.errors import AudioError

__all__ = ["file_faults"]

#: More faults of one kind and label than this are told in one sentence.
_MANY = 10

# A clip this much shorter than the others was cut off; encoders and cutters account for a second or two.
_SHORTEST_SHARE = 0.9


def file_faults(files: Iterable[tuple[str, Path]], *, seconds: float = 0.0) -> list[str]:
    """One sentence for each file that is missing or damaged, or one a label where there are more than ten.

    One to ten milliseconds a file. A compressed file that was cut off behind an intact header passes.

    Parameters
    ----------
    files : iterable of (str, Path)
        Label and path of all files that should be there.
    seconds : float
        How long they should be; 0 if that varies.
    """
    labelled: dict[str, list[Path]] = {}
    for label, path in files:
        labelled.setdefault(label, []).append(path)
    faults = []
    for label, paths in labelled.items():
        there = [path for path in paths if path.is_file()]
        missing = [str(path) for path in paths if not path.is_file()]
        damaged = [fault for path in there if (fault := _damage(path, seconds))]
        if len(missing) > _MANY:
            faults.append(
                f"{label}: {len(missing)} of {len(paths)} files are missing, the first is {missing[0]}"
            )
        else:
            faults += [f"{path} is missing" for path in missing]
        if len(damaged) > _MANY:
            faults.append(
                f"{label}: {len(damaged)} of {len(paths)} files are damaged, the first is {damaged[0]}"
            )
        else:
            faults += damaged
    return faults


def _damage(path: Path, seconds: float) -> str | None:
    try:
        info = audio.probe(path)
    except AudioError as error:
        return str(error)
    found = _length(path, info)
    if found is not None and found < _SHORTEST_SHARE * seconds:
        return f"{path}: it ends after {found:.1f} s of about {seconds:.0f} s: get it again"
    return None


def _length(path: Path, info: audio.AudioInfo) -> float | None:
    """Seconds by the header, and by the size too where that tells: a header outlives a broken download."""
    bits = re.fullmatch(r"pcm_[suf](\d+)[bl]e", info.codec)
    if bits is None:
        return info.duration
    held = path.stat().st_size * 8 / (info.sample_rate * info.channels * int(bits[1]))
    return held if info.duration is None else min(held, info.duration)
