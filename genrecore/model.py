"""Self-describing ONNX model files: find, load, check, run."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrecore.card import CARD_KEY, ModelCard
from genrecore.errors import ModelError, RuntimeMissing

__all__ = [
    "DEFAULT_MODELS",
    "Model",
    "bundled",
    "digest",
    "find",
    "import_onnxruntime",
    "installed_runtimes",
    "load",
    "read_card",
    "resolve_device",
]

WEIGHTS = Path(__file__).parent / "weights"
DEFAULT_MODELS = {"genre": "end2end-gru-mel", "mood": "mel-cnn-mood"}

# The distributions that all install the same package `onnxruntime` and overwrite each other.
_RUNTIMES = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino")

# Snippets a call: large enough to feed the matrix units, small enough for the cache (DESIGN.md, 4).
_BATCH = 20

_PROVIDERS = {"cpu": ["CPUExecutionProvider"], "cuda": ["CUDAExecutionProvider", "CPUExecutionProvider"]}


def installed_runtimes() -> dict[str, str]:
    """Name and version of every installed distribution of the ONNX Runtime."""
    found = {}
    for name in _RUNTIMES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def import_onnxruntime() -> ModuleType:
    """The `onnxruntime` module.

    Raises
    ------
    RuntimeMissing
        Where none is installed, or several are, with the command to run.
    """
    found = sorted(installed_runtimes())
    if not found:
        raise RuntimeMissing(
            'No ONNX Runtime is installed: run pip install "beets-genreclf[cpu]" '
            "(or [gpu] for CUDA, [directml] for Windows graphics cards)."
        )
    if len(found) > 1:
        keep = next((name for name in found if name != "onnxruntime"), found[0])
        raise RuntimeMissing(
            f"{' and '.join(found)} are both installed and overwrite each other: run "
            f"pip uninstall {' '.join(found)}, then pip install {keep}."
        )
    try:
        import onnxruntime
    except ImportError as error:
        raise RuntimeMissing(
            f"{found[0]} is installed but does not load ({error}): run pip install --force-reinstall {found[0]}."
        ) from error
    return onnxruntime


def resolve_device(device: str) -> str:
    """Turn ``auto``, ``cpu`` or ``cuda`` into ``cpu`` or ``cuda``.

    Raises
    ------
    RuntimeMissing
        If CUDA is asked for and the installed ONNX Runtime has none.
    ValueError
        If the name is none of the three.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise ValueError(f"device is {device!r}, not auto, cpu or cuda")
    if device == "cpu":
        return "cpu"
    has_cuda = "CUDAExecutionProvider" in import_onnxruntime().get_available_providers()
    if device == "cuda" and not has_cuda:
        raise RuntimeMissing(
            "The installed ONNX Runtime has no CUDA: run pip uninstall onnxruntime, then "
            'pip install "beets-genreclf[gpu]".'
        )
    return "cuda" if has_cuda else "cpu"


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
    device : {'auto', 'cpu', 'cuda'}
        Where to run it; ``auto`` takes CUDA if the installed ONNX Runtime finds it.

    Raises
    ------
    ModelError
        In one sentence: the file and its fault.
    RuntimeMissing
        If no ONNX Runtime, or more than one, is installed.
    """
    path = find(name_or_path)
    file_digest = digest(path)
    session = _open_session(path, resolve_device(device))
    text = session.get_modelmeta().custom_metadata_map.get(CARD_KEY)
    if text is None:
        raise ModelError(f"{path}: the model does not describe itself (its metadata lack {CARD_KEY!r})")
    card = ModelCard.from_json(text, str(path))
    _check_shapes(session, card, path)
    return Model(card, path, file_digest, session)


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
        The ONNX Runtime execution provider in use.
    """

    def __init__(self, card: ModelCard, path: Path, file_digest: str, session: Any) -> None:
        self.card = card
        self.path = path
        self.digest = file_digest
        self.provider: str = session.get_providers()[0]
        self._session = session
        self._input: str = session.get_inputs()[0].name

    def run(self, snippets: NDArray[np.float32]) -> NDArray[np.float32]:
        """Class probabilities of a number of snippets.

        Parameters
        ----------
        snippets : ndarray of float32, shape (n, *card.input.shape)
            Waveforms, or log-mel spectrograms in dB re full scale.

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
            raise ModelError(f"{self.path}: the model does not run: {_first_line(error)}") from error
        return np.asarray(result, np.float32)


def _open_session(path: Path, device: str) -> Any:
    runtime = import_onnxruntime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1  # a worker a core beats threads in one session (DESIGN.md, 4)
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_mem_pattern = False  # saves a worker up to 20 MB, and costs no time
    try:
        return runtime.InferenceSession(str(path), options, providers=_PROVIDERS[device])
    except Exception as error:  # the runtime's exceptions share no documented base
        raise ModelError(
            f"{path}: not a model that the ONNX Runtime can load: {_first_line(error)}"
        ) from error


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


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
