"""Carries out what is planned for a batch of tracks.

A batch is written in this order, so that a kill at any moment loses nothing and the next run takes up where
this one stopped: the journal (what was there), the files' tags, the library in one transaction, the cache's
gate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from beets import ui
from beets.util import displayable_path

from . import fields
from .journal import Journal
from .plans import Plan, plan, stored_values
from .tags import TagError, TagFile

if TYPE_CHECKING:
    from beets.library import Item, Library
    from beets.logging import BeetsLogger

    from genrecore.analysis import Analysis
    from genrecore.cache import Cache

    from .options import Options

__all__ = ["Writer", "set_fields", "show_tag_changes"]


@dataclass
class Writer:
    """Carries out plans.

    Parameters
    ----------
    lib : Library
        The library.
    options : Options
        Policy, least confidence, and whether tags are written.
    journal : Journal or None
        None for a library in memory, which nobody wants back.
    cache : Cache or None
        Told of every file that was written.
    log : Logger
        The plugin's.
    unwritten : list of str
        Files whose tags could not be written, as shown to the user.
    """

    lib: Library
    options: Options
    journal: Journal | None
    cache: Cache | None
    log: BeetsLogger
    unwritten: list[str] = field(default_factory=list)

    def plans(
        self, batch: Sequence[tuple[Item, Analysis]], *, from_scratch: bool = False
    ) -> list[tuple[Item, Plan, TagFile | None]]:
        """What is to be done for each of the tracks, and their opened files.

        Parameters
        ----------
        batch : sequence of (Item, Analysis)
            The tracks.
        from_scratch : bool
            Do not count what only the files say: the user has it all replaced.
        """
        known = (
            self.journal.find([item.id for item, _ in batch if item.id is not None]) if self.journal else {}
        )
        planned = []
        for item, analysis in batch:
            assert item.id is not None  # it comes from the library
            tag_file, tags = self._open(item)
            options = self.options if tag_file else replace(self.options, write=False)
            p = plan(
                analysis,
                item.id,
                item.path,
                stored_values(item),
                {} if from_scratch else tags,
                known.get(item.id),
                options,
            )
            planned.append((item, p, tag_file))
        return planned

    def commit(
        self, planned: Sequence[tuple[Item, Plan, TagFile | None]], *, in_step: bool | None = None
    ) -> None:
        """Store some tracks for good.

        Parameters
        ----------
        planned : sequence
            From `plans`.
        in_step : bool, optional
            See `TagFile.write`.

        Raises
        ------
        JournalError
            If the journal cannot be written; then nothing else is.
        """
        if self.journal is not None:
            self.journal.record(p.entry for _, p, _ in planned if p.library or p.file)
        written = []
        for item, p, tag_file in planned:
            set_fields(item, p.library)
            if p.file and tag_file is not None and self._write(item, p, tag_file, in_step):
                written.append((item, p))
        with self.lib.transaction():
            for item, _, _ in planned:
                item.store()
        self.refresh((item, p.entry.content_hash) for item, p in written)

    def refresh(self, items: Iterable[tuple[Item, str]]) -> None:
        """Tell the cache that these files have changed, but not their audio."""
        if self.cache is None:
            return
        from genrecore.errors import CacheError

        try:
            for item, content_hash in items:
                self.cache.refresh_gate(str(item.filepath), content_hash)
        except CacheError as error:  # it only saves time
            self.cache = None
            self.log.warning("{}", error)

    def _open(self, item: Item) -> tuple[TagFile | None, dict[str, Any]]:
        try:
            tag_file = TagFile(item)
            return tag_file, tag_file.read()
        except TagError as error:
            self._tell(item, error, "its tags cannot be read, so only the library is changed")
            return None, {}

    def _write(self, item: Item, p: Plan, tag_file: TagFile, in_step: bool | None) -> bool:
        try:
            tag_file.write(p.file, self.log, in_step=in_step)
        except TagError as error:
            self._tell(
                item, error, "its tags cannot be written; the library has them, beet write tries again"
            )
            return False
        return True

    def _tell(self, item: Item, error: TagError, what: str) -> None:
        shown = displayable_path(item.path)
        self.unwritten.append(shown)
        self.log.error("{}: {} ({})", shown, what, error)


def set_fields(item: Item, values: Mapping[str, Any]) -> None:
    """Set item fields; one that is None is removed."""
    for name, value in values.items():
        if value is not None:
            item[name] = list(value) if isinstance(value, tuple) else value
        elif item.get(name, None, False) is not None:
            del item[name]


def show_tag_changes(item: Item, values: Mapping[str, Any], *, print_item: bool = False) -> None:
    """Print what would become of genre and mood, in beets' own manner."""
    names = fields.TAG_FIELDS.values()
    changed = item.copy()
    # beets compares lists: one that is taken away must be shown as an empty one.
    set_fields(changed, {name: value or () for name, value in values.items() if name in names})
    ui.show_model_changes(changed, item, fields=names, always=print_item, print_obj=print_item)
