"""The configuration under ``genreclf:`` and the flags of the command, as one immutable value."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genrecore.labels import read_labels
from genrecore.settings import SNIPPETS, TIMEOUT

from . import fields
from .naming import Naming
from .policy import ENDS, POLICIES, Rules
from .reading import between, by_task, check_names, names_map
from .vocabulary import read_vocabulary

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
    rules, naming : mapping of str to Rules, Naming
        By task: what may happen to its field, and what is written there.
    every : bool
        Look at every track, also at those that the current models have heard.
    reapply : bool
        Put back what we wrote where beets has copied another track's value over it.
    write : bool
        Write tags to files, not only to the library.
    write_links : bool
        Also to files that are links, see `links.is_spared`.
    pretend : bool
        Write nothing but the cache.
    quiet : bool
        Only warnings and errors.
    update_playlists : bool
        Let smart playlists follow.
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

    rules: Mapping[str, Rules] = field(default_factory=lambda: dict.fromkeys(fields.TASKS, Rules()))
    naming: Mapping[str, Naming] = field(default_factory=lambda: dict.fromkeys(fields.TASKS, Naming()))
    every: bool = False
    reapply: bool = False
    write: bool = True
    write_links: bool = False
    pretend: bool = False
    quiet: bool = False
    update_playlists: bool = True
    genre_model: str = ""
    mood_model: str = ""
    snippets: int = SNIPPETS
    device: str = "auto"
    jobs: int | None = None
    timeout: float = TIMEOUT
    cache: str = ""

    @classmethod
    def read(cls, config: confuse.Subview, write: bool, flags: Mapping[str, Any] | None = None) -> Options:
        """Options of a run.

        Parameters
        ----------
        config : confuse view
            The section ``genreclf``.
        write : bool
            Whether tags are written.
        flags : mapping, optional
            Values of the command line: force, reapply, pretend, write, quiet, jobs.

        Raises
        ------
        confuse.ConfigError
            If there is no such option, or it has a value that it cannot have.
        """
        from beets import config as everything

        from genrecore.settings import DEVICES

        check_names(config)
        flags = flags or {}
        force, reapply = bool(flags.get("force")), bool(flags.get("reapply"))
        models = {task: model_name(config[fields.model_field(task)]) for task in fields.TASKS}
        for name, value in (
            ("policy", "force" if force else None),
            ("quiet", flags.get("quiet")),
            ("jobs", flags.get("jobs")),
        ):
            if value is not None:
                config[name].set(value)
        return cls(
            rules=_rules(config),
            naming=_naming(config, everything["lastgenre"], models),
            every=force or reapply,
            reapply=reapply and not force,
            write=write,
            write_links=bool(flags.get("write")),
            pretend=bool(flags.get("pretend")),
            quiet=config["quiet"].get(bool),
            update_playlists=config["update_playlists"].get(bool),
            genre_model=models["genre"],
            mood_model=models["mood"],
            snippets=between(config["snippets"], 1, whole=True),
            device=config["device"].as_choice(DEVICES),
            jobs=between(config["jobs"], 0, whole=True) or None,
            timeout=between(config["timeout"], 1),
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


def _rules(config: confuse.Subview) -> dict[str, Rules]:
    policies = by_task(config["policy"], fields.TASKS, lambda view: view.as_choice(POLICIES))
    ends = by_task(config["add_to"], fields.TASKS, lambda view: view.as_choice(ENDS))
    least = by_task(config["min_confidence"], fields.TASKS, partial(between, least=0, most=1))
    return {task: Rules(policies[task], ends[task], least[task]) for task in fields.TASKS}


def _naming(
    config: confuse.Subview, lastgenre: confuse.Subview, models: Mapping[str, str]
) -> dict[str, Naming]:
    title_case = config["title_case"].get(bool)
    names = {
        task: names_map(config[f"{task}_map"], read_labels(models[task]) if models[task] else labels)
        for task, labels in fields.LABELS.items()
    }
    genre = Naming(
        count=between(config["count"], 1, whole=True),
        min_share=between(config["min_share"], 0, 1),
        names=names["genre"],
        title_case=title_case,
        vocabulary=read_vocabulary(config["as_lastgenre"], lastgenre),
    )
    return {"genre": genre, "mood": Naming(names=names["mood"], title_case=title_case)}


def _cache(view: confuse.ConfigView) -> str:
    value = view.get() or ""
    # As beets' own options do it: a relative path starts at the configuration's folder.
    return str(value) if not value or "://" in str(value) else str(view.as_filename())


def model_name(view: confuse.ConfigView) -> str:
    """The model that an option names: a bundled one by its name, others by an absolute path; empty for none."""
    value = str(view.get() or "")
    is_path = value.endswith(".onnx") or any(mark in value for mark in ("/", "\\", "~"))
    return str(view.as_filename()) if is_path else value
