"""The ONNX Runtime: which is installed, and sessions on the device that was asked for, without its noise."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

from genrecore.errors import ModelError, RuntimeMissing
from genrecore.interrupts import interrupts_postponed
from genrecore.settings import DEVICES

__all__ = [
    "CPU",
    "Opened",
    "first_line",
    "has_graphics",
    "import_onnxruntime",
    "installed_runtimes",
    "open_session",
]

CPU = "CPUExecutionProvider"

# The distributions that all install the same package `onnxruntime` and overwrite each other.
_RUNTIMES = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino")


@dataclass(frozen=True)
class _Graphics:
    """A way to run models on a graphics card."""

    title: str
    provider: str
    distribution: str
    extra: str
    where: str
    cure: str


# In the order in which `auto` tries them.
_GRAPHICS = {
    "cuda": _Graphics(
        "CUDA",
        "CUDAExecutionProvider",
        "onnxruntime-gpu",
        "gpu",
        "",
        "install the NVIDIA driver, CUDA and cuDNN that {distribution} {version} needs",
    ),
    "directml": _Graphics(
        "DirectML",
        "DmlExecutionProvider",
        "onnxruntime-directml",
        "directml",
        ", on Windows",
        "update Windows and the driver of the graphics card for {distribution} {version}",
    ),
}

# Levels of the runtime's log.
_WARNING, _ERROR, _FATAL = 2, 3, 4


@dataclass(frozen=True)
class Opened:
    """A session.

    Parameters
    ----------
    session : onnxruntime.InferenceSession
        It.
    fallback : str
        Why it is on the processor though a graphics card might have been expected: one sentence that says what
        to do; empty otherwise.
    """

    session: Any
    fallback: str = ""

    @property
    def provider(self) -> str:
        """The execution provider that the model was really loaded on."""
        return str(self.session.get_providers()[0])


def installed_runtimes() -> dict[str, str]:
    """Name and version of every installed distribution of the ONNX Runtime."""
    found = {}
    for name in _RUNTIMES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def has_graphics() -> bool:
    """Whether a distribution for graphics cards is installed; does not load it."""
    return any(graphics.distribution in installed_runtimes() for graphics in _GRAPHICS.values())


def import_onnxruntime() -> ModuleType:
    """The `onnxruntime` module.

    Raises
    ------
    RuntimeMissing
        Where none is installed, or several are, or one in parts, with the command to run.
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
    # Official builds report every model and session to Microsoft unless told not to: since 1.29 on every system,
    # by this variable at its first import; before on Windows, by the function below.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        with interrupts_postponed():  # inside, Ctrl-C would look like damage
            import onnxruntime
    except Exception as error:  # of a damaged package, anything
        raise RuntimeMissing(
            f"{found[0]} is installed but does not load ({first_line(error)}): "
            f"run pip install --force-reinstall {found[0]}."
        ) from error
    if not hasattr(onnxruntime, "InferenceSession"):  # a folder without its files still imports
        raise RuntimeMissing(
            f"{found[0]} is installed but parts of it are gone, as after uninstalling another ONNX Runtime: "
            f"run pip install --force-reinstall {found[0]}."
        )
    onnxruntime.disable_telemetry_events()
    return onnxruntime


def open_session(path: Path, device: str) -> Opened:
    """Load a model file, and see where to: the runtime falls back to the processor by itself, and says nothing.

    Parameters
    ----------
    path : Path
        The file.
    device : {'auto', 'cpu', 'cuda', 'directml'}
        Where to; ``auto`` takes a graphics card if there is one that works.

    Raises
    ------
    ModelError
        If the runtime cannot load the file.
    RuntimeMissing
        If there is no runtime, or none that works on the device that is named.
    ValueError
        If the device is none of the four.
    """
    if device not in DEVICES:
        raise ValueError(f"device is {device!r}, not one of {', '.join(DEVICES)}")
    runtime = import_onnxruntime()
    graphics = _wanted(runtime, device)
    if graphics is None:
        return Opened(_on_processor(runtime, path))
    session, reason = None, ""
    with _default_log(runtime, _FATAL):
        try:
            session = _session(runtime, path, [graphics.provider, CPU], _FATAL)
        except Exception as error:  # the runtime's exceptions share no documented base
            reason = first_line(error)
    if session is not None and session.get_providers()[0] == graphics.provider:
        return Opened(session)
    if session is None:
        session = _on_processor(runtime, path)  # where that fails too, it is the file's fault
    problem = _problem(graphics, reason, fallen_back=device == "auto")
    if device != "auto":
        raise RuntimeMissing(problem)
    return Opened(session, problem)


def _wanted(runtime: ModuleType, device: str) -> _Graphics | None:
    available = runtime.get_available_providers()
    if device == "auto":
        return next((graphics for graphics in _GRAPHICS.values() if graphics.provider in available), None)
    graphics = _GRAPHICS.get(device)
    if graphics is not None and graphics.provider not in available:
        raise RuntimeMissing(
            f"The installed ONNX Runtime has no {graphics.title}: run pip uninstall "
            f'{" ".join(installed_runtimes())}, then pip install "beets-genreclf[{graphics.extra}]"'
            f"{graphics.where}."
        )
    return graphics


def _problem(graphics: _Graphics, reason: str, *, fallen_back: bool) -> str:
    version = installed_runtimes().get(graphics.distribution, "")
    cure = graphics.cure.format(distribution=graphics.distribution, version=version)
    why = f" ({reason})" if reason else ""
    instead = ", so the models run on the processor" if fallen_back else ""
    return f"{graphics.title} does not work here{why}{instead}: {cure}, or set the device to cpu."


def _on_processor(runtime: ModuleType, path: Path) -> Any:
    try:
        return _session(runtime, path, [CPU], _ERROR)
    except Exception as error:
        raise ModelError(
            f"{path}: not a model that the ONNX Runtime can load: {first_line(error)}"
        ) from error


def _session(runtime: ModuleType, path: Path, providers: list[str], log_level: int) -> Any:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1  # a worker a core beats threads in one session (DESIGN.md, 4)
    options.inter_op_num_threads = 1
    options.log_severity_level = log_level
    options.enable_mem_pattern = False  # saves a worker up to 20 MB and costs no time; DirectML requires it
    options.execution_mode = runtime.ExecutionMode.ORT_SEQUENTIAL  # DirectML requires it
    # Its own way of falling back prints to the terminal.
    return runtime.InferenceSession(str(path), options, providers=providers, enable_fallback=0)


@contextmanager
def _default_log(runtime: ModuleType, level: int) -> Iterator[None]:
    """What is logged outside of sessions, such as that the libraries of a provider are not found."""
    runtime.set_default_logger_severity(level)
    try:
        yield
    finally:
        runtime.set_default_logger_severity(_WARNING)


def first_line(error: Exception) -> str:
    """What an exception says, in one line."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
