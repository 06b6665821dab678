"""Carries out what is planned for a batch of tracks.

A batch is written in this order, so that a kill at any moment loses nothing and the next run takes up where
this one stopped: the journal (what was there), the files' tags, the library in one transaction, the cache's
gate.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from beets import ui
from beets.util import displayable_path

from . import fields
from .copies import Copies
from .journal import Entry, Journal
from .links import is_source, is_spared
from .plans import Plan, plan, stored_values
from .recognition import known_entries
from .tags import TagError, TagFile, as_values

if TYPE_CHECKING:
    from beets.library import Album, Item, Library
    from beets.logging import BeetsLogger

    from genrecore.analysis import Analysis
    from genrecore.cache import Cache
    from genrecore.keys import FileStat

    from .options import Options

AnyModel = TypeVar("AnyModel", "Item", "Album")

__all__ = ["Writer", "set_fields", "show_changes", "show_tag_changes"]


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
    copies : Copies
        What beets may have copied.
    unwritten : list of str
        Files whose tags could not be read or written, as shown to the user.
    linked, sources : int
        Links, and files that an interrupted import has left, which were left alone, see `links.is_spared`.
    """

    lib: Library
    options: Options
    journal: Journal | None
    cache: Cache | None
    log: BeetsLogger
    copies: Copies
    unwritten: list[str] = field(default_factory=list)
    linked: int = 0
    sources: int = 0
    _faults: dict[int, str] = field(default_factory=dict)

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
        known: Mapping[int, Entry] = {}
        if self.journal is not None:
            tracks = [(item, analysis.content_hash) for item, analysis in batch]
            known = known_entries(tracks, self.lib, self.journal)
        planned = []
        for item, analysis in batch:
            assert item.id is not None  # it comes from the library
            tag_file, tags = self._open(item)
            spared = self.options.write and is_spared(item, self.options)
            options = replace(self.options, write=False) if spared or not tag_file else self.options
            self.linked += spared and not is_source(item)
            self.sources += is_source(item)
            p = plan(
                analysis,
                item.id,
                item.path,
                stored_values(item),
                {} if from_scratch else tags,
                known.get(item.id),
                options,
                self.copies.of(item) if self.options.reapply else {},
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
            if p.file and tag_file is not None:
                before = _state(item)
                if self._write(item, p, tag_file, in_step):
                    written.append((before, _state(item)))
                else:
                    set_fields(item, {fields.WRITTEN_FIELD: None})
        with self.lib.transaction():
            for item, _, _ in planned:
                assert item.id is not None  # it comes from the library
                set_fields(item, {fields.FAILED_FIELD: self._faults.pop(item.id, None)})
                item.store()
        self.refresh(written)

    def note_failure(self, items: Iterable[Item], reason: str) -> None:
        """Keep in the library that, and why, some tracks could not be listened to: `--failed` tries them again."""
        if self.options.pretend:
            return
        with self.lib.transaction():
            for item in items:
                set_fields(item, {fields.FAILED_FIELD: _storable(reason)})
                item.store()

    def refresh(self, states: Iterable[tuple[FileStat | None, FileStat | None]]) -> None:
        """Tell the cache that files have changed from one state to another, but not their audio."""
        if self.cache is None:
            return
        from genrecore.errors import CacheError

        try:
            for before, after in states:
                if before is not None and after is not None:
                    self.cache.refresh_gate(before, after)
        except CacheError as error:  # it only saves time
            self.cache = None
            self.log.warning("{}", error)

    def _open(self, item: Item) -> tuple[TagFile | None, dict[str, Any] | None]:
        try:
            tag_file = TagFile(item)
            return tag_file, tag_file.read()
        except TagError as error:
            self._tell(
                item, error, "its tags cannot be read, so nothing is written; the next run tries again"
            )
            return None, None

    def _write(self, item: Item, p: Plan, tag_file: TagFile, in_step: bool | None) -> bool:
        try:
            lock = self.journal.path if self.journal else None
            tag_file.write(p.file, self.log, lock, in_step=in_step)
        except TagError as error:
            self._tell(
                item, error, "its tags cannot be written; the library has them, the next run tries again"
            )
            return False
        return True

    def _tell(self, item: Item, error: TagError, what: str) -> None:
        shown = displayable_path(item.path)
        self.unwritten.append(shown)
        assert item.id is not None  # it comes from the library
        self._faults[item.id] = _storable(f"{what} ({error})")
        self.log.error("{}: {} ({})", shown, what, error)


def _storable(text: str) -> str:
    """Text that a database takes: a path in it may be no text."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _state(item: Item) -> FileStat | None:
    from genrecore.keys import FileStat

    try:
        return FileStat.of(str(item.filepath))
    except (OSError, ValueError):
        return None  # gone, or never there


def set_fields(item: Item | Album, values: Mapping[str, Any]) -> None:
    """Set fields of a track or an album; one that is None is removed."""
    for name, value in values.items():
        if isinstance(value, tuple):
            # Another plugin may have declared the field as text.
            has_lists = issubclass(item._type(name).model_type, list)
            item[name] = list(value) if has_lists else fields.together(value)
        elif value is not None:
            item[name] = value
        elif item.get(name, None, False) is not None:
            del item[name]


def show_changes(
    model: AnyModel, values: Mapping[str, Any], names: Collection[str], *, print_model: bool = False
) -> AnyModel:
    """Print what would become of some fields of a track or an album, in beets' own manner.

    Parameters
    ----------
    model : Item or Album
        The track or album.
    values : mapping
        What would be set; None for what would be removed.
    names : collection of str
        The fields.
    print_model : bool
        Name it.

    Returns
    -------
    Item or Album
        As it would be.
    """
    changed = model.copy()
    # beets compares lists: one that is taken away must be shown as an empty one.
    set_fields(changed, {name: value or () for name, value in values.items() if name in names})
    ui.show_model_changes(changed, model, fields=names, always=print_model, print_obj=print_model)
    return changed


def show_tag_changes(
    item: Item,
    values: Mapping[str, Any],
    file: Mapping[str, Any],
    tags: Mapping[str, Any],
    *,
    print_item: bool = False,
) -> None:
    """Print what would become of genre and mood, in beets' own manner.

    Parameters
    ----------
    item : Item
        The track.
    values, file : mapping
        What would be set in library and file; None for what would be removed.
    tags : mapping
        What the file says now. What would become of it is shown where that is not the same as in the library.
    print_item : bool
        Name the track.
    """
    names = fields.TAG_FIELDS.values()
    changed = show_changes(item, values, names, print_model=print_item)
    for name in names:
        in_library = [as_values(model.get(name, None, False)) for model in (item, changed)]
        in_file = [as_values(tags.get(name)), as_values(file.get(name, tags.get(name)))]
        if in_file[0] != in_file[1] and in_file != in_library:
            was, becomes = (fields.together(values) or "nothing" for values in in_file)
            ui.print_(f"  {name} in the file: {was} -> {becomes}")
