"""Every item field and file tag of the plugin, in one table.

Light on purpose: `beet ls` imports this module.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import mediafile
from beets.dbcore import types

if TYPE_CHECKING:
    from beets.library import Album, Item

    from genrecore.analysis import Analysis, Histogram

__all__ = [
    "ALBUM_PREFIX",
    "ALBUM_TAG_FIELDS",
    "BEFORE_FIELD",
    "FAILED_FIELD",
    "HISTOGRAM_FIELDS",
    "IMPORTING_FIELD",
    "TAG_FIELDS",
    "TASKS",
    "WRITTEN_FIELD",
    "MoodField",
    "TextField",
    "album_types",
    "album_values",
    "histogram_field",
    "item_types",
    "listened",
    "media_fields",
    "model_field",
    "own_album_fields",
    "own_fields",
    "share_field",
    "split_values",
    "template_fields",
    "together",
    "values_of",
    "written_by",
]

#: Labels of the bundled models.
LABELS = {
    "genre": ("blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock"),
    "mood": ("happy", "angry", "sad", "relaxed"),
}

TASKS = ("genre", "mood")
#: The fields that hold what people read, by task: the only ones a policy decides on.
TAG_FIELDS = {"genre": "genres", "mood": "mood"}
HISTOGRAM_FIELDS = {"genre": "genre_histogram", "mood": "mood_histogram"}

#: Why a track could not be dealt with, until it can.
FAILED_FIELD = "genreclf_failed"

#: Where a track's file is while an import has not yet brought it into the library; it stays if that is interrupted.
IMPORTING_FIELD = "genreclf_importing"

#: Says whose findings stand in the file's tags; absent while the file lags behind the library.
WRITTEN_FIELD = "genreclf_written"

#: What an album's fields begin with. Tracks that lack a field have their album's: a name must not stand for both.
ALBUM_PREFIX = "album_"
#: As `TAG_FIELDS`; the genres are beets' own field.
ALBUM_TAG_FIELDS = {"genre": "genres", "mood": "album_mood"}
#: What an album's fields said before, see `album_plans.Memory`.
BEFORE_FIELD = "album_genreclf_before"

_OTHER_FIELDS = (
    "genre_top",
    "genre_confidence",
    "mood_confidence",
    "genre_model",
    "mood_model",
    "valence",
    "arousal",
    *HISTOGRAM_FIELDS.values(),
)
_BETWEEN = "; "
# One object for all: beets takes two plugins' equal-looking type objects for a conflict.
_SHARE = types.Float(3)


class _Values(types.DelimitedString):
    """A list that takes text for its values, where older versions of beets take it for its letters."""

    def normalize(self, value: Any) -> list[str]:
        return self.parse(value) if isinstance(value, str) else super().normalize(value)


_MOOD_TYPE = types.MULTI_VALUE_DSV
if _MOOD_TYPE.normalize("ab") != ["ab"]:
    _MOOD_TYPE = _Values(_MOOD_TYPE.db_delimiter)


def share_field(task: str, label: str) -> str:
    """Name of the field that holds a label's share, such as ``genre_jazz``."""
    words = re.findall(r"[^\W_]+", label.lower())
    name = "_".join([task, *words])
    return f"{name}_share" if name in _OTHER_FIELDS else name


def model_field(task: str) -> str:
    """Name of the field that says which model listened."""
    return f"{task}_model"


def histogram_field(task: str) -> str:
    """Name of the field and tag with the whole histogram as JSON."""
    return HISTOGRAM_FIELDS[task]


def written_by(models: Mapping[str, str]) -> str:
    """What `WRITTEN_FIELD` says once a file has what these models, by task, have found."""
    return together(models[task] for task in TASKS)


def together(values: Iterable[str]) -> str:
    """Several values as one text, as beets shows and parses them: ``Happy; Upbeat``."""
    return _BETWEEN.join(values)


def split_values(text: str) -> list[str]:
    """The values in a text made by `together`."""
    return [value for value in text.split(_BETWEEN) if value.strip()]


def item_types(own_labels: Mapping[str, Sequence[str]] | None = None) -> dict[str, types.Type[Any, Any]]:
    """Types of the item fields that need one; the others are text.

    Parameters
    ----------
    own_labels : mapping of str to sequence of str, optional
        Labels of models that are not bundled, by task.
    """
    shares = [
        share_field(task, label)
        for labels_by_task in (LABELS, own_labels or {})
        for task, labels in labels_by_task.items()
        for label in labels
    ]
    numbers = [*shares, "genre_confidence", "mood_confidence", "valence", "arousal"]
    return {**dict.fromkeys(numbers, _SHARE), "mood": _MOOD_TYPE}


def album_types(own_labels: Mapping[str, Sequence[str]] | None = None) -> dict[str, types.Type[Any, Any]]:
    """The same for albums' fields; tracks can be asked for them, too."""
    return {ALBUM_PREFIX + name: type_ for name, type_ in item_types(own_labels).items()}


def _histogram_json(histogram: Histogram, origin: Mapping[str, Any]) -> str:
    data = histogram.to_dict()
    del data["sequence"]  # too long for a tag, and nobody asks for it there
    data["probabilities"] = {label: round(p, 4) for label, p in data["probabilities"].items()}
    data["confidence"] = round(data["confidence"], 4)
    return json.dumps({**data, **origin}, ensure_ascii=False, separators=(",", ":"))


def listened(histogram_json: object) -> dict[str, Any]:
    """What a stored histogram says, each part of the right type; else an empty dict."""
    if not isinstance(histogram_json, str) or not histogram_json:
        return {}
    try:
        data = json.loads(histogram_json)
    except ValueError:
        return {}
    shape = {"top": str, "counts": dict, "probabilities": dict, "sampling": dict}
    fits = isinstance(data, dict) and all(
        isinstance(data.get(key, kind()), kind) for key, kind in shape.items()
    )
    if not fits:
        return {}
    numbers = [*data.get("counts", {}).values(), *data.get("probabilities", {}).values()]
    fits = all(isinstance(number, (int, float)) and 0 <= number < math.inf for number in numbers)
    temperature = data.get("temperature", 1.0)
    return data if fits and isinstance(temperature, (int, float)) and 0 < temperature < math.inf else {}


def values_of(analysis: Analysis) -> dict[str, Any]:
    """All item fields that an analysis gives, but the two of `TAG_FIELDS`, on which a policy decides."""
    sampling = {"snippets": analysis.sampling.snippets, "seconds": analysis.sampling.seconds}
    return _values(analysis.genre, analysis.mood, {"sampling": sampling})


def album_values(genre: Histogram, mood: Histogram, tracks: int) -> dict[str, Any]:
    """All album fields that the sums of its tracks' histograms give, but the two of `ALBUM_TAG_FIELDS`."""
    return {ALBUM_PREFIX + name: value for name, value in _values(genre, mood, {"tracks": tracks}).items()}


def _values(genre: Histogram, mood: Histogram, origin: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {"genre_top": genre.top}
    for task, histogram in (("genre", genre), ("mood", mood)):
        values[f"{task}_confidence"] = round(histogram.confidence, 4)
        values[model_field(task)] = histogram.model
        values[histogram_field(task)] = _histogram_json(histogram, origin)
        values |= {share_field(task, label): round(share, 4) for label, share in histogram.shares().items()}
    if mood.valence is not None and mood.arousal is not None:
        values |= {"valence": round(mood.valence, 4), "arousal": round(mood.arousal, 4)}
    return values


def template_fields(prefix: str = "") -> dict[str, Callable[[Item | Album], str]]:
    """Fields that are made when they are asked for: the histograms as small bars, for `beet ls` and path formats.

    Parameters
    ----------
    prefix : str
        `ALBUM_PREFIX` for an album's.
    """

    def drawn(task: str) -> Callable[[Item | Album], str]:
        def draw(model: Item | Album) -> str:
            from .bars import bars

            return bars(listened(model.get(prefix + histogram_field(task), None, False)).get("counts", {}))

        return draw

    return {f"{prefix}{task}_bars": drawn(task) for task in TASKS}


def own_fields(stored: Mapping[str, Any]) -> set[str]:
    """Names of the plugin's fields on an item, but those of `TAG_FIELDS`.

    Parameters
    ----------
    stored : mapping
        The item's fields; its histograms tell the labels of a model that is not bundled.
    """
    names = set(_OTHER_FIELDS)
    for task, bundled in LABELS.items():
        heard = listened(stored.get(histogram_field(task)))
        names |= {share_field(task, label) for label in (*bundled, *heard.get("counts", ()))}
    return names


def own_album_fields(stored: Mapping[str, Any]) -> set[str]:
    """The same for an album, but those of `ALBUM_TAG_FIELDS`."""
    names = own_fields({name: stored.get(ALBUM_PREFIX + name) for name in HISTOGRAM_FIELDS.values()})
    return {ALBUM_PREFIX + name for name in names}


class TextField(mediafile.MediaField):
    """A text tag that is deleted, rather than left behind empty, when it is set to nothing."""

    def __set__(self, file: mediafile.MediaFile, value: str | None) -> None:
        if value:
            super().__set__(file, value)
        else:
            self.__delete__(file)


class _Moods(list[str]):
    """Moods that become readable text where another plugin has declared the item's field as text."""

    def __str__(self) -> str:
        return together(self)


class MoodField(mediafile.ListMediaField):
    """The MOOD tag, with all its values; set from a list, or from text as `together` makes it.

    ID3v2.4 has a frame for it, TMOO, which ID3v2.3 does not know; there it is TXXX:mood. In 2.4 that one is
    only kept in step where another program has left it.
    """

    def __init__(self) -> None:
        self._user_text = mediafile.MP3ListDescStorageStyle(desc="mood", split_v23=True)
        super().__init__(
            mediafile.MP3ListStorageStyle("TMOO"),
            self._user_text,
            mediafile.MP4ListStorageStyle("----:com.apple.iTunes:MOOD"),
            mediafile.ListStorageStyle("MOOD"),
            mediafile.ASFStorageStyle("WM/Mood"),
        )

    def __get__(self, file: mediafile.MediaFile, owner: object = None) -> list[str] | None:
        values = super().__get__(file, owner)
        return _Moods(values) if values else None

    def __set__(self, file: mediafile.MediaFile, values: list[str] | str | None) -> None:
        if isinstance(values, str):
            values = split_values(values)
        if not values:
            self.__delete__(file)
            return
        for style in self.styles(file.mgfile):
            if style is self._user_text and not file.id3v23 and not style.fetch(file.mgfile):
                continue
            style.set_list(file.mgfile, values)


def _text_field(name: str) -> TextField:
    return TextField(
        mediafile.MP3DescStorageStyle(name),
        mediafile.MP4StorageStyle(f"----:com.apple.iTunes:{name}"),
        mediafile.StorageStyle(name),
        mediafile.ASFStorageStyle(name),
    )


def media_fields() -> dict[str, mediafile.MediaField]:
    """The file tags beside beets' own ``genres``, by field name, freshly made."""
    return {"mood": MoodField(), **{name: _text_field(name.upper()) for name in HISTOGRAM_FIELDS.values()}}
