"""What is installed, what works, and what to do about what does not."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata

from rich.filesize import decimal

from genrecore import cache_file
from genrecore.errors import CacheError, GenreCoreError, NoCache

__all__ = ["Finding", "Section", "examine"]

_DEPENDENCIES = (
    "beets",
    "numpy",
    "scipy",
    "av",
    "soxr",
    "sqlalchemy",
    "mutagen",
    "pebble",
    "click",
    "filelock",
    "rich",
    "platformdirs",
)


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Parameters
    ----------
    name, value : str
        What was looked at, and what it is.
    problem : str or None
        What is wrong with it and what to do, in one sentence.
    """

    name: str
    value: str
    problem: str | None = None


@dataclass(frozen=True)
class Section:
    """A part of the report."""

    title: str
    findings: tuple[Finding, ...]


def examine(cache: str | None = None) -> Iterator[Section]:
    """Look at everything; nothing is changed, and no fault of one part hides another.

    Parameters
    ----------
    cache : str, optional
        Location of the cache, as for `genrecore.cache.Cache`.

    Yields
    ------
    Section
        Versions, runtime, decoders, models, cache.
    """
    checks = {
        "Versions": _versions(),
        "ONNX Runtime": _runtime(),
        "Decoders": _decoders(),
        "Models": _models(),
        "Cache": _cache(cache),
    }
    for title, check in checks.items():
        yield Section(title, tuple(_to_the_end(title, check)))


def _to_the_end(title: str, check: Iterator[Finding]) -> Iterator[Finding]:
    """What a check finds; where it breaks, that is a finding too."""
    try:
        yield from check
    except Exception as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())
        yield Finding(
            "check", "failed", f"The check of {title} fails ({text}): reinstall what it names, or report it."
        )


def _versions() -> Iterator[Finding]:
    import genrecore
    from genrecore.pool_process import cpu_count

    yield Finding("genrecore", genrecore.__version__)
    yield Finding("Python", f"{platform.python_version()} ({sys.executable})")
    yield Finding("system", f"{platform.platform()}, {cpu_count()} cores")
    for name in _DEPENDENCIES:
        try:
            yield Finding(name, metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Finding(name, "missing", f"{name} is not installed: run pip install {name}.")


def _runtime() -> Iterator[Finding]:
    from genrecore import model
    from genrecore.runtime import import_onnxruntime, installed_runtimes

    for name, version in installed_runtimes().items():
        yield Finding(name, version)
    try:
        yield Finding("providers", ", ".join(import_onnxruntime().get_available_providers()))
    except GenreCoreError as error:
        yield Finding("providers", "none", str(error))
        return
    for name in model.DEFAULT_MODELS.values():
        try:
            loaded = model.load(name)
        except GenreCoreError:
            continue  # the models are looked at below
        # What is offered says nothing: a provider whose libraries are missing is offered too.
        yield Finding("in use", loaded.provider, loaded.fallback or None)
        return


def _decoders() -> Iterator[Finding]:
    try:
        from genrecore.audio import decoders

        yield from (Finding(name, version) for name, version in decoders().items())
    except ImportError as error:
        yield Finding("decoding", "broken", f"{error}: run pip install --force-reinstall av soxr numpy.")


def _models() -> Iterator[Finding]:
    from genrecore import model

    # Not model.bundled with a task: that stops at the first faulty file.
    for path in model.bundled():
        try:
            card = model.read_card(path)
            default = ", default" if card.name in model.DEFAULT_MODELS.values() else ""
            yield Finding(path.stem, f"{card.task}, version {card.version}{default}")
        except GenreCoreError as error:
            yield Finding(path.stem, "does not load", str(error))
    for task, name in model.DEFAULT_MODELS.items():
        if not any(path.stem == name for path in model.bundled()):
            yield Finding(
                name,
                "missing",
                f"The default {task} model is missing: install beets-genreclf again.",
            )


def _cache(location: str | None) -> Iterator[Finding]:
    try:
        from genrecore.cache import Cache
        from genrecore.cache_engine import locate, shown

        url, file = locate(location)
    except (CacheError, ImportError) as error:
        yield Finding("location", "?", f"{error}.")
        return
    place = shown(url, file)
    try:
        if file is not None and not file.exists():
            yield Finding("location", f"{file} (not there yet)", _unwritable(file.parent))
            return
        fault = cache_file.fault_of(file) if file is not None else None
        if fault is not None:
            yield Finding("location", place, f"{file}: this file {fault}: the next run moves it aside.")
            return
        with Cache(location, make=False) as cache:
            info = cache.info()
        yield Finding("location", place)
        size = "" if info.size is None else f", {decimal(info.size)}"
        yield Finding("content", f"{info.analyses:,} analyses of {info.files:,} files{size}")
    except NoCache:
        yield Finding("location", f"{place} (empty)")
    except (GenreCoreError, OSError, sqlite3.Error) as error:
        yield Finding("location", place, f"{error}.")


def _unwritable(folder: os.PathLike[str]) -> str | None:
    """Why no file can be made in a folder, which may have to be made itself."""
    existing = os.path.abspath(folder)
    while not os.path.exists(existing):
        existing = os.path.dirname(existing)
    if os.path.isdir(existing) and os.access(existing, os.W_OK):
        return None
    return f"{existing}: no cache can be made here: allow writing, or name another place with --cache."
