"""From an analysis to what is stored: planned purely, then carried out for a batch of tracks.

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
from .journal import Entry, Journal
from .policy import Change, Present, decide, settled
from .tags import TagError, TagFile, as_values

if TYPE_CHECKING:
    from beets.library import Item, Library
    from beets.logging import BeetsLogger

    from genrecore.analysis import Analysis
    from genrecore.cache import Cache

    from .options import Options

__all__ = ["Plan", "Writer", "is_settled", "plan", "set_fields", "show_tag_changes", "stored_values"]


@dataclass(frozen=True)
class Plan:
    """What becomes of one track.

    Parameters
    ----------
    outcomes : mapping of str to str
        By field of `fields.TAG_FIELDS`, see `policy.Change.outcome`.
    library : mapping
        Item fields to set; None for one to remove.
    file : mapping
        Tags to set.
    entry : Entry
        For the journal.
    """

    outcomes: Mapping[str, str]
    library: Mapping[str, Any]
    file: Mapping[str, Any]
    entry: Entry


def plan(
    analysis: Analysis,
    item_id: int,
    path: bytes,
    stored: Mapping[str, Any],
    tags: Mapping[str, Any],
    known: Entry | None,
    options: Options,
) -> Plan:
    """Plan what an analysis changes on a track.

    Parameters
    ----------
    analysis : Analysis
        What was heard.
    item_id, path : int, bytes
        The track.
    stored : mapping
        Its fields in the library, see `stored_values`.
    tags : mapping
        Its tags, see `TagFile.read`.
    known : Entry or None
        What the journal knows of it.
    options : Options
        Policy, least confidence, and whether tags are written.
    """
    if known is not None and known.content_hash != analysis.content_hash:
        known = None
    values = fields.values_of(analysis)
    changes = {
        name: decide(
            options.policy,
            _present(name, stored, tags, known),
            fields.spell(histogram.top),
            histogram.confidence,
            options.min_confidence,
        )
        for name, histogram in (("genres", analysis.genre), ("mood", analysis.mood))
    }
    library: dict[str, Any] = {name: c.library.values for name, c in changes.items() if c.library}
    library |= {name: value for name, value in values.items() if stored.get(name) != value}
    # Another model's labels would go on being found by queries.
    library |= dict.fromkeys(
        name for name in fields.own_fields(stored) - values.keys() if stored.get(name) is not None
    )
    file: dict[str, Any] = {}
    if options.write:
        file = {name: c.file.values for name, c in changes.items() if c.file}
        file |= {
            name: values[name] for name in fields.HISTOGRAM_FIELDS.values() if tags.get(name) != values[name]
        }
    return Plan(
        outcomes={name: change.outcome for name, change in changes.items()},
        library=library,
        file=file,
        entry=_entry(item_id, analysis.content_hash, path, stored, tags, changes, options.write),
    )


def _present(name: str, stored: Mapping[str, Any], tags: Mapping[str, Any], known: Entry | None) -> Present:
    return Present(
        library=as_values(stored.get(name)),
        file=as_values(tags.get(name)),
        wrote_library=known.wrote_library.get(name) if known else None,
        wrote_file=known.wrote_file.get(name) if known else None,
    )


def _entry(
    item_id: int,
    content_hash: str,
    path: bytes,
    stored: Mapping[str, Any],
    tags: Mapping[str, Any],
    changes: Mapping[str, Change],
    write: bool,
) -> Entry:
    names = (*changes, *sorted(fields.own_fields(stored)))
    return Entry(
        item_id=item_id,
        content_hash=content_hash,
        path=path,
        library={name: stored.get(name) for name in names if name in changes or stored.get(name) is not None},
        file={name: list(value) if isinstance(value, tuple) else value for name, value in tags.items()},
        wrote_library={name: change.library for name, change in changes.items() if change.library},
        wrote_file={name: change.file for name, change in changes.items() if change.file and write},
    )


def stored_values(item: Item) -> dict[str, Any]:
    """The item's present fields that the plugin writes, without its album's; absent ones are left out."""
    names = fields.own_fields(
        {name: item.get(name, None, False) for name in fields.HISTOGRAM_FIELDS.values()}
    )
    names |= set(fields.TAG_FIELDS.values())
    found = {name: item.get(name, None, False) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def is_settled(item: Item, models: Mapping[str, str], options: Options) -> bool:
    """Whether there is nothing to do for a track, as its own fields say.

    Parameters
    ----------
    item : Item
        The track.
    models : mapping of str to str
        The models in use, by task.
    options : Options
        Policy, least confidence, sampling.
    """
    for task, model in models.items():
        if item.get(fields.model_field(task), None, False) != model:
            return False
        heard = fields.listened(item.get(fields.histogram_field(task), None, False))
        if heard.get("sampling", {}).get("snippets") != options.snippets:
            return False
        top = heard.get("top")
        confidence = item.get(f"{task}_confidence", None, False) or 0.0
        present = as_values(item.get(fields.TAG_FIELDS[task], None, False))
        value = fields.spell(top) if top else None
        if not settled(options.policy, present, value, confidence, options.min_confidence):
            return False
    return True


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
