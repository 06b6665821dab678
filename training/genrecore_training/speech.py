"""Speech, which is no music: spoken by programs, one to learn from and another for the negative controls."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from genrecore import audio
from genrecore_training.datasets import DatasetError

__all__ = ["READER", "SPEAKER", "check_speaker", "read_aloud", "spoken"]

#: Speaks what networks learn from: its voices are modelled on recordings of four people.
SPEAKER = "flite"
#: Speaks for the controls, so that they are of a voice, a text and mostly a language that no network has learnt.
READER = "espeak-ng"

_VOICES = ("awb", "kal16", "rms", "slt")
_SENTENCES = (
    "The birch canoe slid on the smooth planks.",
    "Glue the sheet to the dark blue background.",
    "It is easy to tell the depth of a well.",
    "These days a chicken leg is a rare dish.",
    "Rice is often served in round bowls.",
    "The juice of lemons makes fine punch.",
    "The box was thrown beside the parked truck.",
    "The hogs were fed chopped corn and garbage.",
    "Four hours of steady work faced us.",
    "A large size in stockings is hard to sell.",
)  # list 1 of the Harvard sentences (IEEE 1969), which have the sounds of English as often as speech has them
_READ_IN = ("en-gb", "en-us", "de", "fr", "es", "it", "pt", "ru", "sv", "tr")
_READ = (
    "The north wind and the sun were disputing which was the stronger, when a traveller came along wrapped in a warm "
    "cloak. They agreed that the one who first succeeded in making the traveller take his cloak off should be "
    "considered stronger than the other. Then the north wind blew as hard as he could."
)


def check_speaker() -> None:
    """Refuse to go on without the program that speaks.

    Raises
    ------
    DatasetError
        If it is not installed, or lacks a voice.
    """
    if shutil.which(SPEAKER) is None:
        raise DatasetError(
            f"{SPEAKER}, which speaks what a network is to learn from, is not installed: install it "
            f"(Debian: apt install {SPEAKER}; macOS: brew install {SPEAKER}), or set speech to 0 in the recipe"
        )
    said = subprocess.run([SPEAKER, "-lv"], check=False, capture_output=True, text=True).stdout.split()
    if missing := [voice for voice in _VOICES if voice not in said]:  # in its place it would take another
        raise DatasetError(
            f"{SPEAKER} has no voice {', '.join(missing)}: install a build of it that has them all"
        )


def spoken(count: int, seconds: float, *, seed: int) -> Iterator[NDArray[np.float32]]:
    """Speech to learn from, in several voices, each time faster or slower, and higher or lower.

    Parameters
    ----------
    count : int
        How many pieces.
    seconds : float
        How long each is at most.
    seed : int
        Of all of them.

    Yields
    ------
    ndarray of float32, shape (n,)
        Mono at the analysis rate.

    Raises
    ------
    DatasetError
        If the program is missing or fails.
    """
    check_speaker()
    rng = np.random.default_rng([seed, count])
    with TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        for number in range(count):
            sentences = " ".join(rng.permutation(_SENTENCES))
            features = {
                "duration_stretch": rng.uniform(0.7, 1.3),
                "int_f0_target_mean": rng.uniform(70, 250),  # Hz
            }
            options = [word for name, value in features.items() for word in ("--setf", f"{name}={value:.3f}")]
            voice = _VOICES[number % len(_VOICES)]
            _say([SPEAKER, "-voice", voice, *options, "-t", sentences, "-o", str(path)], path)
            yield audio.load(path, duration=seconds).samples


def read_aloud(path: Path, number: int) -> Path:
    """Write a WAV file of read speech; the number says in which language and how fast.

    Raises
    ------
    DatasetError
        If the program fails.
    """
    voice, speed = _READ_IN[number % len(_READ_IN)], 140 + 20 * (number // len(_READ_IN))
    _say([READER, "-v", voice, "-s", str(speed), "-w", str(path), _READ], path)
    return path


def _say(command: list[str], path: Path) -> None:
    path.unlink(missing_ok=True)
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode or not path.is_file():  # flite ends with 0, too, where it could not write
        why = " ".join(done.stderr.split()) or "nothing was written"
        raise DatasetError(f"{command[0]} does not speak ({why}): mend it, or take it off PATH")
