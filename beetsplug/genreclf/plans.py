"""What an analysis changes on one track: every field, every tag, and what the journal must know. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genrecore.settings import LONG_FILE_SNIPPETS

from . import fields
from .journal import Entry
from .links import is_spared
from .naming import Naming
from .policy import Change, Present, Values, decide, same, settled
from .tags import as_values

if TYPE_CHECKING:
    from beets.library import Item

    from genrecore.analysis import Analysis

    from .options import Options

__all__ = ["Plan", "is_settled", "named", "not_copied", "plan", "stored_values"]


@dataclass(frozen=True)
class Plan:
    """What becomes of one track.

    Parameters
    ----------
    outcomes : mapping of str to str
        By field of `fields.TAG_FIELDS`, see `policy.Change.outcome`; ``unread`` where the file's tags cannot be read.
    says : mapping of str to tuple of str
        What the library says then, by field of `fields.TAG_FIELDS`.
    library : mapping
        Item fields to set; None for one to remove. `fields.WRITTEN_FIELD` among them holds once the tags are
        written.
    file : mapping
        Tags to set.
    entry : Entry
        For the journal.
    """

    outcomes: Mapping[str, str]
    says: Mapping[str, Values]
    library: Mapping[str, Any]
    file: Mapping[str, Any]
    entry: Entry


def plan(
    analysis: Analysis,
    item_id: int,
    path: bytes,
    stored: Mapping[str, Any],
    tags: Mapping[str, Any] | None,
    known: Entry | None,
    options: Options,
    copied: Mapping[str, bool] | None = None,
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
    tags : mapping or None
        Its tags, see `TagFile.read`. None where they cannot be read: then nothing is changed, for the file may say
        something.
    known : Entry or None
        What the journal knows of it.
    options : Options
        Rules, naming, and whether tags are written.
    copied : mapping of str to bool, optional
        Fields that beets may have copied from another track, see `copies.Copies.of`.
    """
    if tags is None:
        unread = dict.fromkeys(fields.TAG_FIELDS.values(), "unread")
        says = {name: as_values(stored.get(name)) for name in unread}
        return Plan(unread, says, library={}, file={}, entry=Entry(item_id, analysis.content_hash, path))
    if known is not None and known.content_hash != analysis.content_hash:
        known = None
    values = fields.values_of(analysis)
    own = not_copied(stored, tags, known, copied or {})
    stored = {**stored, **own}
    changes = {
        name: decide(
            options.rules[task],
            _present(name, stored, tags, known),
            named(fields.listened(values[fields.histogram_field(task)]), options.naming[task]),
            values[f"{task}_confidence"],
        )
        for task, name in fields.TAG_FIELDS.items()
    }
    library = {**own, **_library(values, changes, stored)}
    file = _file(values, changes, tags)
    if options.write:
        written = fields.written_by({task: values[fields.model_field(task)] for task in fields.TASKS})
        if stored.get(fields.WRITTEN_FIELD) != written:
            library[fields.WRITTEN_FIELD] = written
    else:
        if (library or file) and fields.WRITTEN_FIELD in stored:
            library[fields.WRITTEN_FIELD] = None
        file = {}
    return Plan(
        outcomes={
            name: "renewed" if name in own and change.outcome == "kept" else change.outcome
            for name, change in changes.items()
        },
        says={
            name: change.library.values if change.library else as_values(stored.get(name))
            for name, change in changes.items()
        },
        library=library,
        file=file,
        entry=_entry(item_id, analysis.content_hash, path, stored, tags, changes, known, options.write),
    )


def named(heard: Mapping[str, Any], naming: Naming) -> Values:
    """What a histogram is called in a tag; the one that is stored, whose rounded numbers all can agree on."""
    return naming.values(heard.get("counts", {}), heard.get("probabilities", {}))


def not_copied(
    stored: Mapping[str, Any], tags: Mapping[str, Any], known: Entry | None, copied: Mapping[str, bool]
) -> dict[str, Values]:
    """What the file still says, ours or not, where beets has copied another track's value over it in the library.

    Parameters
    ----------
    stored, tags, known, copied
        As in `plan`.
    """
    ours = {}
    for name, everywhere in copied.items():
        present = _present(name, stored, tags, known)
        wrote = present.wrote_library
        if wrote and present.library and present.own_library is None and present.own_file is not None:
            ours[name] = wrote.values
        elif everywhere and present.file and present.library and not same(present.file, present.library):
            ours[name] = present.file
    return ours


def _library(
    values: Mapping[str, Any], changes: Mapping[str, Change], stored: Mapping[str, Any]
) -> dict[str, Any]:
    library: dict[str, Any] = {name: c.library.values for name, c in changes.items() if c.library}
    library |= {name: value for name, value in values.items() if stored.get(name) != value}
    # Another model's labels would go on being found by queries.
    return library | dict.fromkeys(
        name for name in fields.own_fields(stored) - values.keys() if stored.get(name) is not None
    )


def _file(
    values: Mapping[str, Any], changes: Mapping[str, Change], tags: Mapping[str, Any]
) -> dict[str, Any]:
    file: dict[str, Any] = {name: c.file.values for name, c in changes.items() if c.file}
    return file | {
        name: values[name] for name in fields.HISTOGRAM_FIELDS.values() if tags.get(name) != values[name]
    }


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
    known: Entry | None,
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
        id=known.id if known else None,
    )


def stored_values(item: Item) -> dict[str, Any]:
    """The item's present fields that the plugin writes, without its album's; absent ones are left out."""
    names = fields.own_fields(
        {name: item.get(name, None, False) for name in fields.HISTOGRAM_FIELDS.values()}
    )
    names |= {*fields.TAG_FIELDS.values(), fields.WRITTEN_FIELD}
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
        Rules, naming, sampling, and whether tags are written.
    """
    if item.get(fields.FAILED_FIELD, None, False) is not None:
        return False
    # What is to be done to its file, only the file itself could say; this is as good and costs nothing.
    unwritten = options.write and item.get(fields.WRITTEN_FIELD, None, False) != fields.written_by(models)
    if unwritten and not is_spared(item, options):
        return False
    wanted = {options.snippets, min(options.snippets, LONG_FILE_SNIPPETS)}
    for task, model in models.items():
        if item.get(fields.model_field(task), None, False) != model:
            return False
        heard = fields.listened(item.get(fields.histogram_field(task), None, False))
        if heard.get("sampling", {}).get("snippets") not in wanted:
            return False
        present = as_values(item.get(fields.TAG_FIELDS[task], None, False))
        confidence = item.get(f"{task}_confidence", None, False) or 0.0
        if not settled(options.rules[task], present, named(heard, options.naming[task]), confidence):
            return False
    return True
