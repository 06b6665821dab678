"""The core, as the plugin uses it: opened when first needed, errors as one sentence."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from functools import cached_property
from typing import TYPE_CHECKING

from beets.util import displayable_path

from . import fields
from .journal import FILE_NAME, Journal
from .options import Options, beside_library, library_name

if TYPE_CHECKING:
    from beets.library import Library
    from beets.logging import BeetsLogger

    from genrecore.cache import Cache
    from genrecore.pool import Pool, Result

__all__ = ["Listening", "open_journal"]


def open_journal(lib: Library) -> Journal | None:
    """The journal of a library; None for one in memory."""
    path = beside_library(lib, FILE_NAME)
    return Journal(path, library_name(lib)) if path else None


class Listening:
    """Models, cache and worker processes for the tracks of one library.

    Parameters
    ----------
    lib : Library
        The library.
    options : Options
        What to use.
    log : Logger
        The plugin's.
    """

    def __init__(self, lib: Library, options: Options, log: BeetsLogger) -> None:
        self._lib = lib
        self._options = options
        self._log = log

    @cached_property
    def models(self) -> Mapping[str, str]:
        """Name and version of the model in use, by task.

        Raises
        ------
        GenreCoreError
            If there is no such model, it is for another task, or there is nothing to run it with.
        """
        from genrecore.errors import ModelError
        from genrecore.model import DEFAULT_MODELS, read_card

        found = {}
        for task, name in (("genre", self._options.genre_model), ("mood", self._options.mood_model)):
            card = read_card(name or DEFAULT_MODELS[task])
            if card.task != task:
                raise ModelError(
                    f"{name}: this is a model for {card.task}: it cannot be genreclf.{task}_model"
                )
            found[task] = card.id
        assert tuple(found) == fields.TASKS
        return found

    @cached_property
    def cache(self) -> Cache | None:
        """The cache, or None where it cannot be used, which is said."""
        from genrecore.cache import open_cache

        return open_cache(self._options.cache_location(self._lib), notify=self._notify)

    @cached_property
    def _pool(self) -> Pool:
        from genrecore.pool import Pool

        options = self._options
        return Pool(
            options.settings(),
            jobs=options.jobs,
            timeout=options.timeout,
            cache=self.cache,
            notify=self._notify,
        )

    def results(self, paths: Sequence[str], stopped: Callable[[], bool] = lambda: False) -> Generator[Result]:
        """Listen to some files, see `genrecore.pool.Pool.analyze`; what is odd or wrong with one is logged."""
        with closing(self._pool.analyze(paths, stopped=stopped)) as results:
            for result in results:
                for warning in result.warnings:
                    self._log.warning("{}: {}", displayable_path(os.fsencode(result.path)), warning)
                if result.error is not None:
                    self._log.error("{}", result.error)
                yield result

    def _notify(self, message: str) -> None:
        self._log.warning("{}", message)

    def close(self) -> None:
        """Stop the workers and let go of the cache."""
        if "_pool" in self.__dict__:
            self._pool.close()
        if "cache" in self.__dict__ and self.cache is not None:
            self.cache.close()
