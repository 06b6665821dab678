"""Listening during `beet import`.

The library's fields are set in an import stage, before files are copied, so that path formats can use them.
Once the files are in their place the same is done again, now with their tags: beets writes none for as-is
imports, and other plugins have had their say by then (lastgenre may have blanked the genre of every track of
an album).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from beets import config
from beets.util import ancestry, displayable_path

from . import fields
from .albums import update_album
from .changes import Writer
from .copies import Copies
from .journal import Journal, JournalError
from .listening import Listening, open_journal
from .plans import is_settled

if TYPE_CHECKING:
    from beets.importer import ImportSession, ImportTask
    from beets.library import Item, Library
    from beets.logging import BeetsLogger

    from genrecore.analysis import Analysis

    from .options import Options

__all__ = ["Importing"]


class Importing:
    """The plugin's part in one import.

    Parameters
    ----------
    lib : Library
        The library.
    options : Options
        What to do; `write` as in `import.write`.
    log : Logger
        The plugin's.
    """

    def __init__(self, lib: Library, options: Options, log: BeetsLogger) -> None:
        self._lib = lib
        self._options = options
        self._log = log
        self._listening = Listening(lib, options, log)
        self._journal: Journal | None = open_journal(lib)
        self._broken = False
        # What was heard of files that are not yet in their place, by item number.
        self._waiting: dict[int, Analysis] = {}

    def listen(self, session: ImportSession, task: ImportTask) -> None:
        """Analyse the items of a task and set their fields; in the pipeline, before files are copied."""
        from genrecore.errors import GenreCoreError

        if self._broken:
            return
        try:
            writer = self._writer(replace(self._options, write=False))
            self._mark(session, task.imported_items())
            heard = self._hear(task.imported_items(), writer)
            from_scratch = task.apply and config["import"]["from_scratch"].get(bool)
            writer.commit(writer.plans(heard, from_scratch=from_scratch))
            self._sum_up(task)
        except (GenreCoreError, JournalError) as error:
            # Without models or journal the import itself goes on; said once is enough.
            self._broken = True
            self._log.error("{}; nothing is listened to during this import", error)
            return
        self._waiting |= {item.id: analysis for item, analysis in heard if item.id is not None}

    def write_tags(self, session: ImportSession, task: ImportTask) -> None:
        """Write what beets did not; in the pipeline, after files were copied."""
        self._unmark(task.imported_items())
        heard = [
            (item, self._waiting.pop(item.id)) for item in task.imported_items() if item.id in self._waiting
        ]
        # A link leads to the source, which is not ours to touch.
        linked = bool(session.config["link"]) or bool(session.config["hardlink"])
        writer = self._writer(replace(self._options, write=self._options.write and not linked))
        try:
            writer.commit(writer.plans(heard), in_step=True)
            if not self._broken:
                self._sum_up(task)
        except JournalError as error:
            self._log.error("{}", error)

    def _mark(self, session: ImportSession, items: Sequence[Item]) -> None:
        """Remember which files are not the library's yet: if the import ends here, they must not get its tags."""
        if not any(session.config[way] for way in ("copy", "move", "link", "hardlink", "reflink")):
            return
        with self._lib.transaction():
            for item in items:
                if self._lib.directory not in ancestry(item.path):
                    item[fields.IMPORTING_FIELD] = displayable_path(item.path)
                    item.store()

    def _unmark(self, items: Sequence[Item]) -> None:
        with self._lib.transaction():
            for item in items:
                if item.get(fields.IMPORTING_FIELD, None, False) is not None:
                    del item[fields.IMPORTING_FIELD]
                    item.store()

    def close(self) -> None:
        """The import has ended."""
        self._listening.close()
        if self._journal is not None:
            self._journal.close()

    def _sum_up(self, task: ImportTask) -> None:
        """Give an album what its tracks have; it says it again once other plugins have had their say."""
        album = task.imported_items()[0].get_album() if task.is_album and task.imported_items() else None
        if album is not None:
            with self._lib.transaction():
                update_album(album, self._listening.models, self._options, None)

    def _writer(self, options: Options) -> Writer:
        return Writer(
            self._lib, options, self._journal, self._listening.cache, self._log, Copies(self._journal)
        )

    def _hear(self, items: Sequence[Item], writer: Writer) -> list[tuple[Item, Analysis]]:
        models = self._listening.models
        todo = {str(item.filepath): item for item in items if not is_settled(item, models, self._options)}
        heard: list[tuple[Item, Analysis]] = []
        if not todo:
            return heard
        with closing(self._listening.results(list(todo), _is_aborted)) as results:
            for result in results:
                if result.analysis is not None:
                    heard.append((todo[result.path], result.analysis))
                else:
                    writer.note_failure([todo[result.path]], result.error or "")
        return heard


def _is_aborted() -> bool:
    """Whether beets only waits for the present thread: Ctrl-C reaches the main one, the others get a flag."""
    return bool(getattr(threading.current_thread(), "abort_flag", False))
