"""genrecore: hears the genre and the mood of music, offline.

Examples
--------
>>> import genrecore
>>> analysis = genrecore.analyze("song.mp3")  # doctest: +SKIP
>>> analysis.genre.top, analysis.genre.share("jazz"), analysis.mood.top  # doctest: +SKIP
('jazz', 0.62, 'relaxed')

Importing this package costs next to nothing: everything is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genrecore.analysis import Analysis, Histogram, Sampling, combine
    from genrecore.analyzer import Analyzer, analyze
    from genrecore.cache import Cache, open_cache
    from genrecore.errors import AudioError, CacheError, GenreCoreError, ModelError, RuntimeMissing
    from genrecore.model import Model, load
    from genrecore.pool import Result, analyze_many
    from genrecore.settings import Settings
    from genrecore.sliding import timeline
    from genrecore.timelines import Flow, Section, Timeline

    __version__: str

__all__ = [
    "Analysis",
    "Analyzer",
    "AudioError",
    "Cache",
    "CacheError",
    "Flow",
    "GenreCoreError",
    "Histogram",
    "Model",
    "ModelError",
    "Result",
    "RuntimeMissing",
    "Sampling",
    "Section",
    "Settings",
    "Timeline",
    "__version__",
    "analyze",
    "analyze_many",
    "combine",
    "load",
    "open_cache",
    "timeline",
]

_HOME = {
    "analysis": ("Analysis", "Histogram", "Sampling", "combine"),
    "analyzer": ("Analyzer", "analyze"),
    "cache": ("Cache", "open_cache"),
    "errors": ("AudioError", "CacheError", "GenreCoreError", "ModelError", "RuntimeMissing"),
    "model": ("Model", "load"),
    "pool": ("Result", "analyze_many"),
    "settings": ("Settings",),
    "sliding": ("timeline",),
    "timelines": ("Flow", "Section", "Timeline"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        value: Any = _version()
    elif name in _MODULE_OF:
        value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value  # found without this function from now on
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("beets-genreclf")
    except PackageNotFoundError:
        return "unknown"  # run from a folder without being installed
