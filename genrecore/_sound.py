"""Whether samples can be heard as music."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from genrecore.errors import SilentAudio, TooShort

__all__ = ["MIN_SECONDS", "SILENCE", "require_length", "require_sound", "scale_down"]

Samples = NDArray[np.float32]
Path = str | os.PathLike[str]

#: Less sound than this is refused.
MIN_SECONDS = 1.0

#: Root mean square below which there is nothing to hear: -80 dB re full scale.
SILENCE = 1e-4

# A float file may hold integers as they are: beyond this peak the samples are scaled down to full scale.
_OVERSCALED = 64.0


def require_length(path: Path, seconds: float) -> None:
    """Refuse what is too short to be heard as music.

    Raises
    ------
    TooShort
        Less than a second.
    """
    if seconds < MIN_SECONDS:
        raise TooShort(
            os.fspath(path), f"it holds {seconds:.2f} s of sound, and at least {MIN_SECONDS:g} s is needed"
        )


def require_sound(path: Path, loudest: float) -> None:
    """Refuse what is too quiet to be heard as music, by the root mean square of its loudest window.

    Raises
    ------
    SilentAudio
        Nothing louder than -80 dB.
    """
    if loudest < SILENCE:
        raise SilentAudio(os.fspath(path), "it is silent from beginning to end: there is nothing to hear")


def scale_down(samples: Samples) -> tuple[Samples, tuple[str, ...]]:
    """Bring samples that are far over full scale down to it, with a warning.

    A float file may hold integers as they are, or have been mixed without regard to full scale.
    """
    peak = max(samples.max(), -samples.min()) if samples.size else 0.0
    if peak <= _OVERSCALED:
        return samples, ()
    return samples / np.float32(peak), ("its samples are far over full scale and were scaled down",)
