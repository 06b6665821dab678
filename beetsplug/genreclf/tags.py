"""The plugin's tags in one file: read and written through MediaFile, nothing else touched.

`Item.write` would push every field of the library into the file, and blank what the library does not know;
here only the tags that change are written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mediafile
from beets import config, library, logging, plugins
from beets.util import displayable_path, syspath

from .fields import HISTOGRAM_FIELDS, TAG_FIELDS, split_values, together
from .policy import Values
from .whole import replaced

if TYPE_CHECKING:
    from beets.library import Item

__all__ = ["TagError", "TagFile", "as_values", "keep_unknown_mood", "spell_mood"]


class TagError(Exception):
    """The tags of a file cannot be read or written; the reason, without the path."""


class TagFile:
    """An item's file, opened for its tags.

    Parameters
    ----------
    item : Item
        The item; `write` gives it the file's new time of modification.

    Raises
    ------
    TagError
        If the file cannot be read.
    """

    def __init__(self, item: Item) -> None:
        self._item = item
        with _as_tag_error():
            # Both before anything is set: setting a field of the item resets its time.
            self._in_step = item.current_mtime() <= item.mtime
            self._mtime = item.mtime
            self._file = mediafile.MediaFile(syspath(item.path), id3v23=config["id3v23"].get(bool))

    def read(self) -> dict[str, Any]:
        """The present tags: tuples of str for those in `TAG_FIELDS`, text or None for the histograms."""
        with _as_tag_error():
            tags: dict[str, Any] = {
                name: as_values(getattr(self._file, name)) for name in TAG_FIELDS.values()
            }
            return tags | {name: getattr(self._file, name) or None for name in HISTOGRAM_FIELDS.values()}

    def write(
        self, tags: Mapping[str, Any], log: logging.Logger, lock: Path | None, *, in_step: bool | None = None
    ) -> None:
        """Write some tags, all or none; one that is None is deleted.

        Parameters
        ----------
        tags : mapping
            Field and new value.
        log : Logger
            The plugin's.
        lock : Path or None
            See `whole.replaced`.
        in_step : bool, optional
            Whether the library knew the file as it was before; if not, `beet update` must still see that it
            changed. Found out from the time of modification by default.

        Raises
        ------
        TagError
            If the file cannot be written, does not say afterwards what was written, or another plugin does not let it
            be written; then it is as it was.
        """
        item, path = self._item, self._item.path
        data = {name: list(value) if isinstance(value, tuple) else value for name, value in tags.items()}
        if self._file.id3v23 and "mood" not in data and (mood := self._file.mood):
            data["mood"] = mood  # TMOO does not survive being saved as ID3v2.3
        with _as_tag_error():
            # Listeners are used to being shown every tag of an item, and free to change any.
            shown = {name: value for name, value in dict(item).items() if name in item._media_fields} | data
            before = {
                name: list(value) if isinstance(value, list) else value for name, value in shown.items()
            }
            self._send(log, "write", item=item, path=path, tags=shown)
            final = {
                name: value
                for name, value in shown.items()
                if name in data or name not in before or before[name] != value
            }
            spell_mood(final)
            with replaced(syspath(path), lock) as copy:
                _save(copy, final, self._file.id3v23)
            mtime = item.current_mtime()
        item.mtime = mtime if (self._in_step if in_step is None else in_step) else self._mtime
        try:
            self._send(log, "after_write", item=item, path=path)
        except Exception as error:  # the file is written all the same
            log.warning("{}: another plugin has failed ({})", displayable_path(path), _fault(error))

    def _send(self, log: logging.Logger, event: Any, **arguments: Any) -> None:
        # beets asserts that no listener of a plugin runs inside another listener or stage of the same plugin,
        # and the plugin listens to `write` itself.
        level = log.level
        log.setLevel(logging.NOTSET)
        try:
            plugins.send(event, **arguments)
        finally:
            log.setLevel(level)


def _save(path: str, tags: Mapping[str, Any], id3v23: bool) -> None:
    """Write tags into a file, and read them back."""
    file = mediafile.MediaFile(path, id3v23=id3v23)
    file.update(tags)
    file.save()
    says = mediafile.MediaFile(path, id3v23=id3v23)
    for name in {*TAG_FIELDS.values(), *HISTOGRAM_FIELDS.values()} & tags.keys():
        found, wanted = as_values(getattr(says, name)), as_values(tags[name])
        if not any(_parts(found) == _parts(form) for form in (wanted, *_read_as(wanted))):
            written, read = (together(values) or "nothing" for values in (wanted, found))
            raise TagError(f"it says {read} where {written} was written as {name}")


def _parts(values: Values) -> list[str]:
    """The values without what is between them, which is a slash in ID3v2.3 and may be part of a value in others."""
    return [part.strip() for part in re.split(r"[/;\n\0]", "/".join(values)) if part.strip()]


def _read_as(genres: Values) -> Iterator[Values]:
    """What ID3 makes of genres: some are codes there, such as ``17``, ``(17)`` and ``RX``."""
    from mutagen.id3 import TCON

    for text in (list(genres), ["/".join(genres)]):
        yield tuple(TCON(encoding=3, text=text).genres)  # type: ignore[no-untyped-call]


def as_values(value: object) -> Values:
    """A list of tag values without the blank ones; nothing for None. Text is what a list was made into."""
    if value is None:
        return ()
    values = split_values(value) if isinstance(value, str) else value
    return (
        tuple(v for v in values if isinstance(v, str) and v.strip())
        if isinstance(values, (list, tuple))
        else ()
    )


def keep_unknown_mood(item: Item, path: bytes, tags: dict[str, Any]) -> None:
    """Keep the mood of a file of which the library knows none, when beets writes the file for another reason.

    Reading a file without MOOD leaves an empty list in the library, like a list that the user has emptied;
    only the latter is unsaved when it is written. None is a plain order to delete it.
    """
    if tags.get("mood", "") not in ("", []) or "mood" in item._dirty:
        return
    tags.pop("mood", None)
    if config["id3v23"].get(bool):
        try:
            mood = mediafile.MediaFile(syspath(path)).mood
        except (mediafile.UnreadableFileError, OSError):
            return
        if mood:
            tags["mood"] = mood


def spell_mood(tags: dict[str, Any]) -> None:
    """Make the mood one text where another plugin's tag field takes no list."""
    field = vars(mediafile.MediaFile).get("mood")
    if isinstance(tags.get("mood"), list) and not isinstance(field, mediafile.ListMediaField):
        tags["mood"] = together(tags["mood"])


@contextmanager
def _as_tag_error() -> Iterator[None]:
    try:
        yield
    except TagError:
        raise
    except Exception as error:  # listeners may raise anything
        raise TagError(_fault(error)) from error


def _fault(error: Exception) -> str:
    # The last one is how another plugin says that the file must not be written.
    expected = (mediafile.UnreadableFileError, OSError, library.FileOperationError)
    return _reason(error) if isinstance(error, expected) else f"{type(error).__name__}: {_reason(error)}"


def _reason(error: Exception) -> str:
    text = getattr(error, "message", None) or getattr(error, "strerror", None) or str(error)
    return next(iter(str(text).strip().splitlines()), type(error).__name__)
