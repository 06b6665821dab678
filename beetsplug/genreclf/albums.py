"""Albums in the library: their histograms, genres and moods, from what was heard of their tracks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from beets import ui

from genrecore.analysis import Histogram

from . import fields
from .album_plans import COPIED_FIELD, AlbumPlan, Memory, album_fields, plan_album, plan_album_back
from .bars import bars
from .changes import set_fields, show_changes
from .copies import Copies
from .naming import spell
from .policy import Values, Wrote, same
from .recognition import was_heard
from .tags import as_values

if TYPE_CHECKING:
    from beets.library import Album, Item

    from .journal import Journal
    from .options import Options

__all__ = ["heard_in", "put_album_back", "update_album"]


Heard = Mapping[str, Histogram]


def update_album(
    album: Album,
    models: Mapping[str, str],
    options: Options,
    copies: Copies | None,
    heard: Mapping[int, Heard] | None = None,
) -> AlbumPlan | None:
    """Give an album what was heard of its tracks; the tracks keep theirs.

    Parameters
    ----------
    album : Album
        The album.
    models : mapping of str to str
        The models in use, by task: what others have heard does not count.
    options : Options
        Rules, naming; with `pretend` it is only shown. Where we wrote its genre before, only `reapply` takes a copy
        away.
    copies : Copies or None
        What beets may have copied. None for an album that beets has just made, with the genre of one of its tracks.
    heard : mapping of int to mapping of str to Histogram, optional
        Histograms by task that are not in the library, by the tracks' numbers.

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
    tracks = _of_one_kind(
        [
            histograms
            for item in items
            if (histograms := (heard or {}).get(item.id or 0) or _heard(item, models))
        ]
    )
    if not tracks:
        return None
    stored = album_fields(album)
    wrote = Memory.of(album).wrote.get(COPIED_FIELD)
    says = as_values(stored.get(COPIED_FIELD))
    copied = None
    if says and not (wrote and same(says, wrote.values)):
        if copies is None:
            copied = _just_copied(items, says, wrote)
        elif wrote is None or options.reapply:  # journal and files are asked only where the answer counts
            copied = copies.in_album(album)
    plan = plan_album(tracks, stored, copied, options)
    if options.pretend:
        _show(album, plan)
    else:
        _store(album, items, plan)
    return plan


def heard_in(plan: AlbumPlan) -> str:
    """What was heard in an album, how sure that is, and what became of it."""
    return ", ".join(
        f"{spell(histogram.top)} {histogram.confidence:.0%} ({plan.outcomes[task]})"
        for task, histogram in plan.heard.items()
    )


def put_album_back(
    album: Album, restored: Collection[int], options: Options, copies: Copies, journal: Journal
) -> AlbumPlan | None:
    """Give an album back what it said before, once none of its tracks counts as heard.

    Parameters
    ----------
    album : Album
        The album.
    restored : collection of int
        Numbers of the tracks that would be put back, with `pretend`.
    options : Options
        With `pretend` it is only shown.
    copies, journal
        What beets may have copied; what is known of the tracks.

    Returns
    -------
    AlbumPlan or None
        What was done; None where nothing was.

    Raises
    ------
    JournalError
        If the journal cannot be read.
    """
    stored = album_fields(album)
    copied = copies.in_album(album) if stored.get(COPIED_FIELD) else None
    if fields.BEFORE_FIELD not in stored and copied is None:
        return None
    items = list(album.items())
    heard = [item.id for item in items if item.id and item.id not in restored and was_heard(item)]
    if journal.find(heard):
        return None
    plan = plan_album_back(stored, copied, _first(items, journal))
    if options.pretend and plan.values:
        show_changes(album, plan.values, fields.ALBUM_TAG_FIELDS.values(), print_model=True)
    elif not options.pretend:
        _store(album, items, plan)
    return plan if plan.values or plan.foreign else None


def _heard(item: Item, models: Mapping[str, str]) -> Heard:
    """A track's histograms by task; none where other models have listened."""
    found = {}
    for task, model in models.items():
        data = fields.listened(item.get(fields.histogram_field(task), None, False))
        # The tag of a file that nobody has listened to here may say anything.
        if data.get("model") != model or item.get(fields.model_field(task), None, False) != model:
            return {}
        try:
            found[task] = Histogram.from_dict(data)
        except (KeyError, ValueError, TypeError):
            return {}
    return found


def _of_one_kind(tracks: Sequence[Heard]) -> list[Heard]:
    """Those whose labels most have: a model may have been trained anew under the same name and version."""

    def labels(histograms: Heard) -> tuple[tuple[str, ...], ...]:
        return tuple(histograms[task].labels for task in fields.TASKS)

    most = Counter(map(labels, tracks)).most_common(1)
    return [histograms for histograms in tracks if labels(histograms) == most[0][0]]


def _just_copied(items: Sequence[Item], says: Values, wrote: Wrote | None) -> Wrote | None:
    """The genre that an album imported anew has got from one of its tracks, in place of ours."""
    agree = [as_values(item.get(COPIED_FIELD, None, False)) == says for item in items]
    return Wrote(says, says) if wrote and any(agree) and not all(agree) else None


def _first(items: Sequence[Item], journal: Journal) -> object:
    """The genres that an album's first track had before us."""
    if not items or items[0].id is None:
        return ()
    entry = journal.latest([items[0].id]).get(items[0].id)
    return entry.library.get(COPIED_FIELD) if entry else items[0].get(COPIED_FIELD, None, False)


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
    ui.print_(f"{album}: {heard_in(plan)}")
    show_changes(album, plan.values, fields.ALBUM_TAG_FIELDS.values())
    for histogram in plan.heard.values():
        ui.print_(f"  heard: {bars(histogram.to_dict()['counts'])}")
