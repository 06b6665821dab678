"""Self-describing ONNX model files: find, load, check, run."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrecore._cuts import Cuts
from genrecore.card import CARD_KEY, ModelCard
from genrecore.errors import ModelError
from genrecore.runtime import Opened, first_line, open_session

__all__ = [
    "DEFAULT_MODELS",
    "Model",
    "bundled",
    "digest",
    "find",
    "load",
    "read_card",
]

WEIGHTS = Path(__file__).parent / "weights"
DEFAULT_MODELS = {"genre": "mel-cnn-genre", "mood": "mel-cnn-mood"}

# Snippets a call: large enough to feed the matrix units, small enough for the cache (DESIGN.md, 4).
_BATCH = 20


def bundled(task: str | None = None) -> list[Path]:
    """The model files that come with the package, sorted by name; with `task`, only those for it."""
    files = sorted(WEIGHTS.glob("*.onnx"))
    return [file for file in files if task is None or read_card(file).task == task]


def find(name_or_path: str | os.PathLike[str]) -> Path:
    """Path of a model, given as the name of a bundled one or as a path.

    Raises
    ------
    ModelError
        If there is neither.
    """
    inside = WEIGHTS / f"{os.fspath(name_or_path)}.onnx"
    if inside.parent == WEIGHTS and inside.is_file():
        return inside
    path = Path(name_or_path).expanduser()
    if path.is_file():
        return path
    names = ", ".join(file.stem for file in sorted(WEIGHTS.glob("*.onnx")))
    raise ModelError(f"{os.fspath(name_or_path)}: no such model: name a model file or one of {names}")


@lru_cache(maxsize=32)
def _digest(path: Path, size: int, mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(name_or_path: str | os.PathLike[str]) -> str:
    """SHA-256 of a model file, in hex.

    Raises
    ------
    ModelError
        If there is no such model, or it cannot be read.
    """
    path = find(name_or_path)
    try:
        status = path.stat()
        return _digest(path, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise ModelError(f"{path}: the model file cannot be read: {error.strerror}") from error


def read_card(name_or_path: str | os.PathLike[str]) -> ModelCard:
    """The card of a model.

    Raises
    ------
    ModelError
        If there is no such model, or the file is faulty.
    """
    path = find(name_or_path)
    return _read_card(path, digest(path))


@lru_cache(maxsize=32)
def _read_card(path: Path, file_digest: str) -> ModelCard:
    return load(path, device="cpu").card


def load(name_or_path: str | os.PathLike[str], *, device: str = "auto") -> Model:
    """Load a model and check that it is what it says.

    Parameters
    ----------
    name_or_path : str or path
        Name of a bundled model, or a model file.
    device : {'auto', 'cpu', 'cuda', 'directml'}
        Where to run it; ``auto`` takes a graphics card if the installed ONNX Runtime gets one to work.

    Raises
    ------
    ModelError
        In one sentence: the file and its fault.
    RuntimeMissing
        If no ONNX Runtime, or more than one, is installed, or none that works on the device that is named.
    """
    path = find(name_or_path)
    file_digest = digest(path)
    opened = open_session(path, device)
    session = opened.session
    text = session.get_modelmeta().custom_metadata_map.get(CARD_KEY)
    if text is None:
        raise ModelError(f"{path}: the model does not describe itself (its metadata lack {CARD_KEY!r})")
    card = ModelCard.from_json(text, str(path))
    _check_shapes(session, card, path)
    return Model(card, path, file_digest, opened)


class Model:
    """A loaded model; made by `load`.

    Attributes
    ----------
    card : ModelCard
        What it says about itself.
    path : Path
        The file.
    digest : str
        SHA-256 of the file.
    provider : str
        The ONNX Runtime execution provider that it was really loaded on.
    fallback : str
        Why that is the processor where ``auto`` might have meant a graphics card, in one sentence; or empty.
    """

    def __init__(self, card: ModelCard, path: Path, file_digest: str, opened: Opened) -> None:
        self.card = card
        self.path = path
        self.digest = file_digest
        self.provider = opened.provider
        self.fallback = opened.fallback
        self._session = opened.session
        self._input: str = self._session.get_inputs()[0].name

    def run(self, snippets: NDArray[np.float32] | Cuts) -> NDArray[np.float32]:
        """Class probabilities of a number of snippets.

        Parameters
        ----------
        snippets : ndarray of float32, or Cuts, shape (n, *card.input.shape)
            Waveforms, or log-mel spectrograms in dB re full scale; `Cuts` are cut as their turn comes.

        Returns
        -------
        ndarray of float32, shape (n, classes)
            Rows sum to 1.

        Raises
        ------
        ValueError
            If the snippets have another shape.
        ModelError
            If the model gives anything but probabilities.
        """
        if snippets.shape[1:] != self.card.input.shape or not len(snippets):
            raise ValueError(
                f"{self.card.id} takes snippets of shape {self.card.input.shape}, not {snippets.shape}"
            )
        parts = [self._run(snippets[i : i + _BATCH]) for i in range(0, len(snippets), _BATCH)]
        out = np.concatenate(parts)
        if out.shape != (len(snippets), len(self.card.labels)) or not np.allclose(
            out.sum(axis=1), 1, atol=1e-3
        ):
            raise ModelError(f"{self.path}: the model's output is not one probability for each of its labels")
        return out

    def _run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        try:
            result = self._session.run(None, {self._input: np.ascontiguousarray(batch, np.float32)})[0]
        except Exception as error:  # the runtime's exceptions share no documented base
            raise ModelError(f"{self.path}: the model does not run: {first_line(error)}") from error
        return np.asarray(result, np.float32)


def _check_shapes(session: Any, card: ModelCard, path: Path) -> None:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or inputs[0].type != "tensor(float)":
        raise ModelError(f"{path}: the model must have one input of float32")
    shape = tuple(inputs[0].shape)
    if isinstance(shape[0] if shape else 1, int) or shape[1:] != card.input.shape:
        raise ModelError(
            f"{path}: the model takes {list(shape)}, but describes [batch, {_dims(card.input.shape)}]"
        )
    out = tuple(outputs[0].shape)
    if len(outputs) != 1 or len(out) != 2 or out[1] != len(card.labels):
        raise ModelError(f"{path}: the model gives {list(out)}, but describes {len(card.labels)} labels")


def _dims(shape: tuple[int, ...]) -> str:
    return ", ".join(map(str, shape))
