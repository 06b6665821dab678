"""How files are to be analysed. Standard library only; a value that travels to worker processes."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DEVICES", "HOP", "LONG_FILE_SNIPPETS", "MIN_CONFIDENCE", "SNIPPETS", "TIMEOUT", "Settings"]

#: How many snippets are drawn from a track by default.
SNIPPETS = 100
#: What is less sure than this is not written, and called unsure: docs/models.md says why.
MIN_CONFIDENCE = 0.5
#: Seconds from one window of a timeline to the next by default.
HOP = 0.5
#: Seconds a file may take by default.
TIMEOUT = 300.0
#: Most snippets of a long file: they are held, at 0.7 MB each while it is read, and 300 MB are a worker's budget.
LONG_FILE_SNIPPETS = 250
DEVICES = ("auto", "cpu", "cuda", "directml")


@dataclass(frozen=True)
class Settings:
    """How files are to be analysed.

    Parameters
    ----------
    genre_model, mood_model : str
        Name of a bundled model or path of a model file; empty for the default one.
    snippets : int
        How many snippets are drawn from a track; from a long file `LONG_FILE_SNIPPETS` at most.
    device : {'auto', 'cpu', 'cuda', 'directml'}
        Where the models run; ``auto`` takes a graphics card where the installed ONNX Runtime gets one to work.

    Raises
    ------
    ValueError
        If there would be no snippet, or the device is none of the four.
    """

    genre_model: str = ""
    mood_model: str = ""
    snippets: int = SNIPPETS
    device: str = "auto"

    def __post_init__(self) -> None:
        if self.snippets < 1:
            raise ValueError(f"snippets is {self.snippets}, and at least 1 is needed")
        if self.device not in DEVICES:
            raise ValueError(f"device is {self.device!r}, not one of {', '.join(DEVICES)}")
