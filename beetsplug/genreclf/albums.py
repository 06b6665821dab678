"""Albums in the library: their histograms, genres and moods, from what was heard of their tracks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from beets import ui

from genrecore.analysis import Histogram

from . import fields
from .album_plans import AlbumPlan, Memory, album_fields, plan_album, plan_album_back
from .bars import bars
from .changes import set_fields
from .copies import Copies
from .naming import spell
from .policy import Wrote, same
from .tags import as_values

if TYPE_CHECKING:
    from beets.library import Album, Item

    from .journal import Journal
    from .options import Options

__all__ = ["put_album_back", "update_album"]


def update_album(
    album: Album, models: Mapping[str, str], options: Options, journal: Journal | None
) -> AlbumPlan | None:
    """Give an album what was heard of its tracks; the tracks keep theirs.

    Parameters
    ----------
    album : Album
        The album.
    models : mapping of str to str
        The models in use, by task: what others have heard does not count.
    options : Options
        Rules, naming; with `pretend` it is only shown.
    journal : Journal or None
        What we wrote on its tracks.

    Returns
    -------
    AlbumPlan or None
        What was done; None where no track was heard.

    Raises
    ------
    JournalError
        If the journal cannot be read.
    """
    items = list(album.items())
    heard = [histograms for item in items if (histograms := _heard(item, models))]
    if not heard:
        return None
    stored = album_fields(album)
    # The journal is asked, track by track, only where the answer counts.
    asked = stored.get("genres") and (options.reapply or not Memory.of(album).wrote)
    copied = Copies(journal).in_album(album) if asked else {}
    plan = plan_album(heard, stored, copied, options)
    if options.pretend:
        _show(album, plan)
    else:
        _store(album, items, plan)
    return plan


def put_album_back(
    album: Album, restored: Collection[int], options: Options, journal: Journal | None
) -> AlbumPlan | None:
    """Give an album back what it said before, once none of its tracks counts as heard.

    Parameters
    ----------
    album : Album
        The album.
    restored : collection of int
        Numbers of the tracks that were, or with `pretend` would be, put back.
    options, journal
        As in `update_album`.

    Returns
    -------
    AlbumPlan or None
        What was done; None where nothing was.
    """
    items = list(album.items())
    if any(item.id not in restored and _was_heard(item) for item in items):
        return None
    stored = album_fields(album)
    wrote = Memory.of(album).wrote.get("genres")
    asked = stored.get("genres") and not (wrote and same(as_values(stored["genres"]), wrote.values))
    copied: Mapping[str, Wrote] = Copies(journal).in_album(album) if asked else {}
    first = {name: items[0].get(name, None, False) for name in fields.TAG_FIELDS.values()} if items else {}
    plan = plan_album_back(stored, copied, first)
    if options.pretend and plan.values:
        _show_changes(album, plan, print_album=True)
    elif not options.pretend:
        _store(album, items, plan)
    return plan if plan.values or plan.foreign else None


def _heard(item: Item, models: Mapping[str, str]) -> Mapping[str, Histogram]:
    """A track's histograms by task; none where other models have listened."""
    found = {}
    for task, model in models.items():
        data = fields.listened(item.get(fields.histogram_field(task), None, False))
        if data.get("model") != model:
            return {}
        try:
            found[task] = Histogram.from_dict(data)
        except (KeyError, ValueError, TypeError):
            return {}
    return found


def _was_heard(item: Item) -> bool:
    return any(item.get(name, None, False) for name in fields.HISTOGRAM_FIELDS.values())


def _store(album: Album, items: Iterable[Item], plan: AlbumPlan) -> None:
    """Carry out a plan, as far as there is anything to do."""
    names = {
        *fields.own_album_fields(album_fields(album)),
        fields.ALBUM_TAG_FIELDS["mood"],
        fields.BEFORE_FIELD,
    }
    if plan.values:
        set_fields(album, plan.values)
        album.store(inherit=False)
    for item in items:
        # Importing an album anew copies its fields to its tracks, where they would never change again.
        copied = {name: None for name in names if item.get(name, None, False) is not None}
        if copied:
            set_fields(item, copied)
            item.store()


def _show(album: Album, plan: AlbumPlan) -> None:
    heard = ", ".join(
        f"{spell(histogram.top)} {histogram.confidence:.0%} ({plan.outcomes[task]})"
        for task, histogram in plan.heard.items()
    )
    ui.print_(f"{album}: {heard}")
    _show_changes(album, plan)
    for histogram in plan.heard.values():
        ui.print_(f"  {bars(histogram.to_dict()['counts'])}")


def _show_changes(album: Album, plan: AlbumPlan, *, print_album: bool = False) -> None:
    names = fields.ALBUM_TAG_FIELDS.values()
    changed = album.copy()
    # beets compares lists: one that is taken away must be shown as an empty one.
    set_fields(changed, {name: value or () for name, value in plan.values.items() if name in names})
    ui.show_model_changes(changed, album, fields=names, always=print_album, print_obj=print_album)
