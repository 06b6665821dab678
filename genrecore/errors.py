"""What can go wrong, as types.

Every message is one sentence that names the file (or model, or database) and says what to do, so that a caller
prints ``str(error)`` and nothing else.
"""

from __future__ import annotations

__all__ = [
    "AudioError",
    "CacheError",
    "DamagedAudio",
    "EmptyAudio",
    "GenreCoreError",
    "MissingAudio",
    "ModelError",
    "NoCache",
    "NotAudio",
    "ReportError",
    "RuntimeMissing",
    "SilentAudio",
    "TooShort",
    "UnreadableAudio",
]


class GenreCoreError(Exception):
    """Root of all errors that genrecore raises on purpose."""


class AudioError(GenreCoreError):
    """A file from which no analysis can be made.

    Parameters
    ----------
    path : str
        The file, as the caller named it.
    reason : str
        What is wrong with it and, where something helps, what to do; without the path and without a full stop.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class MissingAudio(AudioError):
    """No such file."""


class UnreadableAudio(AudioError):
    """The file is there, but cannot be opened (permission, a folder, a device, an input/output error)."""


class EmptyAudio(AudioError):
    """The file has no bytes, or an audio stream without a single sample."""


class NotAudio(AudioError):
    """No decoder finds audio in it."""


class DamagedAudio(AudioError):
    """It is audio, but so damaged that nothing of use decodes."""


class TooShort(AudioError):
    """Less than a second of sound."""


class SilentAudio(AudioError):
    """Digital silence, or so close to it that there is nothing to hear."""


class ModelError(GenreCoreError):
    """A model file that is missing, damaged, or contradicts its own description."""


class RuntimeMissing(GenreCoreError):
    """No ONNX Runtime is installed, or several that overwrite each other, or none for the device that is named."""


class CacheError(GenreCoreError):
    """The cache database cannot be used."""


class NoCache(CacheError):
    """There is no cache yet, and none was to be made."""


class ReportError(GenreCoreError):
    """A page or picture that cannot be made or written."""
