"""From data set, split and recipe to the material of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genrecore.spectrogram import LogMelSpec
from genrecore_training import protocols
from genrecore_training.crops import Material
from genrecore_training.datasets import (
    Dataset,
    DatasetError,
    Emotify,
    Fma,
    FourQuadrant,
    Gtzan,
    SpotifySongs,
    Track,
)
from genrecore_training.export import SAMPLE_RATE, input_spec, shape_of
from genrecore_training.features import Store
from genrecore_training.protocols import Split
from genrecore_training.recipes import Recipe, RecipeError

__all__ = ["FOLD_FILE", "READERS", "Bench", "open_dataset", "read_folds"]

#: The committed folds of protocol ``artist_grouped_3``.
FOLD_FILE = "gtzan_artist_grouped_3.csv"

#: Hop length in samples that the spacing of the archive's columns comes closest to.
_ARCHIVE_HOP = 1708
#: What reads a data set, by its name.
READERS: dict[str, Callable[..., Dataset]] = {
    "gtzan": Gtzan,
    "4qaed": FourQuadrant,
    "emotify": Emotify,
    "fma": Fma,
    "spotify": SpotifySongs,
}
#: Data sets whose waveforms would fill a disk, so that only log-mels are kept.
_LARGE = ("fma", "own")
# Share of files that may be unusable.
_MOST_FAILED = 0.1
_FULL_TRACK_SECONDS = 30.0
_FEWEST_CROPS = 2


def read_folds() -> dict[str, int]:
    """Track id -> fold of protocol ``artist_grouped_3``, from the committed file."""
    text = (resources.files("genrecore_training") / "datasets" / FOLD_FILE).read_text("utf-8")
    rows = (line.split(",") for line in text.splitlines()[1:] if line)
    return {track: int(fold) for track, fold in rows}


def open_dataset(recipe: Recipe, data: Path) -> Dataset:
    """The data set that a recipe names, in the folder of that name, or in `data` itself where there is none.

    Raises
    ------
    RecipeError
        If the recipe's data set is not one that lies in a folder, or does not know an option.
    """
    reader = READERS.get(recipe.dataset)
    if reader is None:
        raise RecipeError(f"{recipe.name} is for music of your own: use genrecore-train own")
    root = data / recipe.dataset
    try:
        return reader(root if root.is_dir() else data, **recipe.dataset_options)
    except TypeError as error:
        raise RecipeError(f"{recipe.name}: dataset_options: {error}") from error


class Bench:
    """A recipe's data set with its features, splits and groups at hand.

    Parameters
    ----------
    recipe : Recipe
        Says what the network hears.
    dataset : Dataset
        The tracks.
    store : Path
        Folder for decoded features.
    """

    def __init__(self, recipe: Recipe, dataset: Dataset, store: Path) -> None:
        self.recipe = recipe
        self.dataset = dataset
        self.store = Store(store / dataset.name)
        self._known: dict[str, NDArray[np.float16]] = {}

    @property
    def archived(self) -> Gtzan | None:
        """The data set, where its log-mels are read from GTZAN's archive because not all waveforms are there."""
        dataset = self.dataset
        if self._kind != "logmel" or not isinstance(dataset, Gtzan):
            return None
        return dataset if dataset.has_archive and not dataset.whole else None

    @cached_property
    def tracks(self) -> dict[str, Track]:
        """The tracks the recipe's network can hear, by id."""
        silent = self._kind == "table" or self.archived is not None
        return {track.id: track for track in self.dataset.tracks if silent or track.path is not None}

    def is_whole(self, track: Track) -> bool:
        """False for a track of which the network hears a short slice only."""
        return track.whole or self.archived is not None

    @property
    def labels(self) -> tuple[str, ...]:
        """Classes, in the project's order."""
        return self.dataset.labels

    @cached_property
    def groups(self) -> dict[str, str]:
        """Track id -> group (artist)."""
        return self.dataset.groups

    def remark(self, protocol: str) -> str:
        """What of the data at hand is other than in the paper; empty if nothing."""
        if self.archived is not None:
            spec = input_spec(self.recipe.input).logmel
            stretched = spec is not None and spec.hop_length != _ARCHIVE_HOP
            more = f", interpolated to {SAMPLE_RATE / spec.hop_length:.1f}" if stretched and spec else ""
            fewer = f", {len(self.tracks)} tracks" if self.archived.whole_waveforms else ""
            return f"archived log-mel of 12.9 columns a second{more}{fewer}"
        if isinstance(self.dataset, Gtzan) and not self.dataset.whole:
            cut = sum(not track.whole for track in self.tracks.values())
            slices = "" if protocol in protocols.RANDOM else f" and of {cut} slices"
            return f"waveforms of {len(self.tracks) - cut} tracks{slices}"
        return ""

    def splits(self, protocol: str, *, seed: int | None = None) -> tuple[Split, ...]:
        """The folds of a protocol, of tracks (or snippets) that the network can hear; by the recipe's seed, or another.

        Raises
        ------
        RecipeError
            If the data set does not know the protocol.
        DatasetError
            If it is too small for it.
        """
        try:
            return self._splits(protocol, self.recipe.seed if seed is None else seed)
        except ValueError as error:
            raise DatasetError(f"{self.dataset.title} cannot be split by {protocol}: {error}") from error

    def _splits(self, protocol: str, seed: int) -> tuple[Split, ...]:
        recipe, known = self.recipe, self.tracks
        labels = {track.id: track.label for track in self.dataset.tracks}
        whole = {name: track.label for name, track in known.items() if self.is_whole(track)}
        if protocol == "all":
            parts = max(2, min(8, self._fewest))
            splits: tuple[Split, ...] = (protocols.everything(labels, self.groups, parts=parts, seed=seed),)
        elif protocol == "snippet_random" and recipe.input.sections is not None:
            pieces = {
                _piece(name, k): label for name, label in whole.items() for k in range(recipe.input.sections)
            }
            return (protocols.snippet_random(pieces, shares=recipe.shares, seed=seed),)
        elif protocol == "track_random":
            splits = (protocols.track_random(whole, shares=recipe.shares, seed=seed),)
        elif protocol == "artist_grouped_3" and isinstance(self.dataset, Gtzan):
            splits = protocols.splits_of_folds(labels, self.groups, read_folds())
        elif protocol == "artist_grouped" and not isinstance(self.dataset, Gtzan):
            # A small collection has classes of a few artists: each side still gets one.
            folds, parts = max(protocols.PARTS, min(5, self._fewest)), max(2, min(6, self._fewest - 1))
            splits = protocols.artist_grouped(labels, self.groups, folds=folds, parts=parts)
        elif protocol == "development":
            splits = self._development(labels)
        elif (lists := self._lists(protocol)) is not None:
            splits = (protocols.fault_filtered(lists),)
        else:
            raise RecipeError(
                f"{self.recipe.name}: protocol {protocol} does not fit data set {self.dataset.name}"
            )
        return tuple(
            Split(*(tuple(t for t in part if t in known) for part in _parts(split))) for split in splits
        )

    def _development(self, labels: Mapping[str, str]) -> tuple[Split, ...]:
        """What the first list that the data set comes with does not test; of others, what the first fold does not.

        The tests of other folds do read these tracks.
        """
        if self.dataset.lists:
            lists = next(iter(self.dataset.lists.values()))
            free = [track for part in ("train", "validation") for track in lists[part]]
        else:
            first = self.splits("artist_grouped")[0]
            free = [*first.train, *first.validation]
        return protocols.development({track: labels[track] for track in free}, self.groups)

    @cached_property
    def failed(self) -> dict[str, str]:
        """Decodes what is needed and not there yet; the tracks that cannot be used, with a sentence each.

        Raises
        ------
        DatasetError
            If they are more than a few; the message has the first.
        """
        sounding = [track for track in self.tracks.values() if track.path is not None]
        if self._kind == "table" or (self.archived is not None and self.recipe.input.sections is not None):
            return {}
        if self._kind == "logmel" and self.dataset.name in _LARGE:
            spec = input_spec(self.recipe.input).logmel or LogMelSpec()
            failed = self.store.prepare_logmel(sounding, spec, least=self.recipe.input.samples)
        else:
            failed = self.store.prepare(sounding)
        # In the order of the tracks, not in that in which the workers came to them.
        failed = {track.id: failed[track.id] for track in sounding if track.id in failed}
        if len(failed) > _MOST_FAILED * len(sounding) and self.dataset.name != "own":
            first = next(iter(failed.values()))
            raise DatasetError(f"{len(failed)} of {len(sounding)} files cannot be used, the first: {first}")
        return failed

    def usable(self, ids: Iterable[str]) -> list[str]:
        """The ids without those of tracks that have `failed`."""
        return [name for name in ids if self.piece_of(name)[0].id not in self.failed]

    def material(self, ids: Iterable[str]) -> list[Material]:
        """What the crops of these tracks, or snippets, are cut from."""
        if self.recipe.input.sections is None:
            return [self._material(self.tracks[track]) for track in self.usable(ids)]
        return [piece for name in self.usable(ids) for piece in self.pieces(name)]

    def pieces(self, name: str) -> list[Material]:
        """The fixed sections of a track, or the one of a snippet's id; one, tiled, of a slice."""
        track, number = self.piece_of(name)
        signal, target = self._signal(track), self._target(track)
        size, sections = shape_of(self.recipe.input)[-1], self.recipe.input.sections or 1
        if signal.shape[-1] <= size or not self.is_whole(track):
            tiled = np.take(signal, np.arange(size) % signal.shape[-1], axis=-1)
            return [Material(tiled, target, 1)]
        starts = np.minimum(np.arange(sections) * signal.shape[-1] // sections, signal.shape[-1] - size)
        chosen = starts if number is None else starts[number : number + 1]
        return [Material(signal[..., start : start + size], target, 1) for start in chosen]

    def snippets(self, name: str) -> NDArray[np.float32]:
        """All that is heard of a track, or of one snippet of it, at fixed sections: float32 [pieces, ...]."""
        return np.stack([piece.cut(0, self.size) for piece in self.pieces(name)])

    def piece_of(self, name: str) -> tuple[Track, int | None]:
        """The track that an id is of, and which snippet of it; None for all."""
        if name in self.tracks:
            return self.tracks[name], None
        track, _, number = name.rpartition(":")
        return self.tracks[track], int(number)

    def sounding(self, ids: Sequence[str]) -> dict[str, Material]:
        """For random snippets of GTZAN's archive: the log-mels of those tracks of which there is sound, as served.

        Their columns are evenly spaced and have been through the decoder; the archive's are neither.
        """
        spec = input_spec(self.recipe.input).logmel if self.archived is not None else None
        if spec is None or self.recipe.input.sections is not None:
            return {}
        found = {}
        for track in (self.tracks[name] for name in self.usable(ids)):
            if track.path is not None:
                columns = self.store.logmel(track, spec, least=self.recipe.input.samples)
                found[track.id] = Material(columns, self._target(track), self._share_of_crops(track))
        return found

    @cached_property
    def _fewest(self) -> int:
        labels = {track.id: track.label for track in self.dataset.tracks}
        return protocols.fewest_groups(labels, self.groups)

    @property
    def size(self) -> int:
        """Samples, columns or numbers of a snippet."""
        return shape_of(self.recipe.input)[-1]

    @property
    def _kind(self) -> str:
        return self.recipe.input.kind

    def _lists(self, protocol: str) -> Mapping[str, Sequence[str]] | None:
        """A split that the data set comes with, where the network hears (nearly) all of it."""
        if protocol not in ("fault_filtered", "official"):
            return None
        if isinstance(self.dataset, Gtzan) and self._kind == "waveform" and not self.dataset.whole:
            return None
        return self.dataset.lists.get(protocol)

    def _material(self, track: Track) -> Material:
        crops = self.recipe.input.crops_per_track
        if self._kind == "waveform":
            crops = self._share_of_crops(track)
        return Material(self._signal(track), self._target(track), crops)

    def _signal(self, track: Track) -> NDArray[np.generic]:
        """A whole track as the network's input kind has it: (samples,), (mels, columns) or (numbers,)."""
        if isinstance(self.dataset, SpotifySongs):
            return self.dataset.features(track.id)
        spec = None if self._kind == "table" else input_spec(self.recipe.input).logmel
        if spec is None:
            return self.store.waveform(track)
        if self.archived is None:
            return self.store.logmel(track, spec, least=self.recipe.input.samples)
        if track.id not in self._known:
            columns = _stretch(self.archived.logmel(track.id), _ARCHIVE_HOP / spec.hop_length)
            self._known[track.id] = columns.astype(np.float16)
        return self._known[track.id]

    def _target(self, track: Track) -> NDArray[np.float32]:
        target = np.zeros(len(self.labels), np.float32)
        target[self.labels.index(track.label)] = 1
        return target

    def _share_of_crops(self, track: Track) -> int:
        """Fewer snippets of a slice than of a full track."""
        seconds = len(self.store.waveform(track)) / SAMPLE_RATE
        return max(_FEWEST_CROPS, round(self.recipe.input.crops_per_track * seconds / _FULL_TRACK_SECONDS))


def _piece(track: str, number: int) -> str:
    return f"{track}:{number}"


def _stretch(columns: NDArray[np.float32], ratio: float) -> NDArray[np.float32]:
    """Columns of another hop length by linear interpolation, shape (mels, about n * ratio)."""
    if ratio == 1:
        return columns
    count = columns.shape[1]
    places = np.linspace(0, count - 1, round(count * ratio))
    below = np.minimum(places.astype(np.int64), count - 2)
    share = (places - below).astype(np.float32)
    return columns[:, below] * (1 - share) + columns[:, below + 1] * share


def _parts(split: Split) -> tuple[tuple[str, ...], ...]:
    return split.train, split.validation, split.test
