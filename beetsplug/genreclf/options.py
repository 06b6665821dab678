"""The configuration under ``genreclf:`` and the flags of the command, as one immutable value."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genrecore.settings import SNIPPETS, TIMEOUT

from .policy import POLICIES, Policy

if TYPE_CHECKING:
    import confuse
    from beets.library import Library

    from genrecore.settings import Settings

__all__ = ["Options", "beside_library", "library_name", "model_name"]


@dataclass(frozen=True)
class Options:
    """What one run is to do.

    Parameters
    ----------
    policy : {'fill', 'add', 'force'}
        See `policy.decide`.
    every : bool
        Look at every track, also at those that the current models have heard.
    min_confidence : float
        Below it no genre or mood is written.
    write : bool
        Write tags to files, not only to the library.
    write_links : bool
        Also to files that are links, see `links.is_spared`.
    pretend : bool
        Write nothing but the cache.
    quiet : bool
        Only warnings and errors.
    genre_model, mood_model : str
        Name or file; empty for the default.
    snippets : int
        How many to draw from a track.
    device : {'auto', 'cpu', 'cuda', 'directml'}
        Where the models run.
    jobs : int or None
        Worker processes; None for one a core.
    timeout : float
        Seconds that a file may take.
    cache : str
        Absolute path or URL of the cache; empty for a file beside the library.
    """

    policy: Policy = "fill"
    every: bool = False
    min_confidence: float = 0.0
    write: bool = True
    write_links: bool = False
    pretend: bool = False
    quiet: bool = False
    genre_model: str = ""
    mood_model: str = ""
    snippets: int = SNIPPETS
    device: str = "auto"
    jobs: int | None = None
    timeout: float = TIMEOUT
    cache: str = ""

    @classmethod
    def read(cls, config: confuse.ConfigView, write: bool, flags: Mapping[str, Any] | None = None) -> Options:
        """Options of a run.

        Parameters
        ----------
        config : confuse view
            The section ``genreclf``.
        write : bool
            Whether tags are written.
        flags : mapping, optional
            Values of the command line: force, pretend, write, quiet, jobs.

        Raises
        ------
        confuse.ConfigError
            If an option has a value that it cannot have.
        """
        import confuse

        from genrecore.settings import DEVICES

        flags = flags or {}
        jobs = flags.get("jobs")
        jobs = config["jobs"].get(int) if jobs is None else jobs
        snippets = config["snippets"].get(int)
        confidence = config["min_confidence"].as_number()
        timeout = config["timeout"].as_number()
        for name, value, least, most in (
            ("jobs", jobs, 0, None),
            ("snippets", snippets, 1, None),
            ("min_confidence", confidence, 0, 1),
            ("timeout", timeout, 1, None),
        ):
            if value < least or (most is not None and value > most):
                limits = f"at least {least}" if most is None else f"from {least} to {most}"
                raise confuse.ConfigValueError(f"genreclf.{name} must be {limits}, not {value}")
        force = bool(flags.get("force"))
        return cls(
            policy="force" if force else config["policy"].as_choice(POLICIES),
            every=force,
            min_confidence=float(confidence),
            write=write,
            write_links=bool(flags.get("write")),
            pretend=bool(flags.get("pretend")),
            quiet=bool(flags.get("quiet")) or config["quiet"].get(bool),
            genre_model=model_name(config["genre_model"]),
            mood_model=model_name(config["mood_model"]),
            snippets=snippets,
            device=config["device"].as_choice(DEVICES),
            jobs=jobs or None,
            timeout=float(timeout),
            cache=_cache(config["cache"]),
        )

    def settings(self) -> Settings:
        """What the core needs to know."""
        from genrecore.settings import Settings

        return Settings(self.genre_model, self.mood_model, self.snippets, self.device)

    def cache_location(self, lib: Library) -> str | Path | None:
        """Where the analyses are kept; None for the core's own place."""
        if "://" in self.cache:
            return self.cache
        if self.cache:
            return Path(self.cache)
        return beside_library(lib, "genreclf.db")


def beside_library(lib: Library, name: str) -> Path | None:
    """A file in the folder of the library's database; None for a library in memory."""
    database = Path(os.fsdecode(lib.path))
    return None if str(database) == ":memory:" else database.absolute().parent / name


def library_name(lib: Library) -> str:
    """Name of the library's database file, as plain text."""
    return os.fsencode(Path(os.fsdecode(lib.path)).name).decode("utf-8", "backslashreplace")


def _cache(view: confuse.ConfigView) -> str:
    value = view.get() or ""
    # As beets' own options do it: a relative path starts at the configuration's folder.
    return str(value) if not value or "://" in str(value) else str(view.as_filename())


def model_name(view: confuse.ConfigView) -> str:
    """The model that an option names: a bundled one by its name, others by an absolute path; empty for none."""
    value = str(view.get() or "")
    is_path = value.endswith(".onnx") or any(mark in value for mark in ("/", "\\", "~"))
    return str(view.as_filename()) if is_path else value
