"""From data set, split and recipe to the material of a run."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genrecore_training import protocols
from genrecore_training.crops import Material
from genrecore_training.datasets import FourQuadrant, Gtzan, Track
from genrecore_training.export import SAMPLE_RATE, input_spec
from genrecore_training.features import Store
from genrecore_training.protocols import Split
from genrecore_training.recipes import Recipe, RecipeError

__all__ = ["FOLD_FILE", "Bench", "read_folds"]

#: The committed folds of protocol ``artist_grouped_3``.
FOLD_FILE = "gtzan_artist_grouped_3.csv"

_FULL_TRACK_SECONDS = 30.0
_FEWEST_CROPS = 2


def read_folds() -> dict[str, int]:
    """Track id -> fold of protocol ``artist_grouped_3``, from the committed file."""
    text = (resources.files("genrecore_training") / "datasets" / FOLD_FILE).read_text("utf-8")
    rows = (line.split(",") for line in text.splitlines()[1:] if line)
    return {track: int(fold) for track, fold in rows}


class Bench:
    """A recipe's data set with its features, splits and groups at hand.

    Parameters
    ----------
    recipe : Recipe
        Names the data set.
    data : Path
        Folder that holds ``gtzan/`` and ``4qaed/``.
    store : Path
        Folder for decoded features.
    """

    def __init__(self, recipe: Recipe, data: Path, store: Path) -> None:
        self.recipe = recipe
        self.gtzan = Gtzan(data / "gtzan")
        self.moods = FourQuadrant(data / "4qaed")
        self.dataset: Gtzan | FourQuadrant = self.gtzan if recipe.dataset == "gtzan" else self.moods
        self.store = Store(store / self.dataset.name)

    @cached_property
    def tracks(self) -> dict[str, Track]:
        """The tracks the recipe's network can hear, by id."""
        heard = (
            self.gtzan.waveforms if self._needs_sound and self.dataset is self.gtzan else self.dataset.tracks
        )
        return {track.id: track for track in heard}

    @property
    def labels(self) -> tuple[str, ...]:
        """Classes, in the project's order."""
        return self.dataset.labels

    @cached_property
    def groups(self) -> dict[str, str]:
        """Track id -> group (artist)."""
        return self.dataset.groups

    def splits(self, protocol: str) -> tuple[Split, ...]:
        """The folds of a protocol, of tracks the network can hear.

        Raises
        ------
        RecipeError
            If the data set does not know the protocol.
        """
        labels = {track.id: track.label for track in self.dataset.tracks}
        if protocol == "all":
            splits: tuple[Split, ...] = (protocols.everything(labels, self.groups, seed=self.recipe.seed),)
        elif protocol == "fault_filtered" and self.dataset is self.gtzan and not self._needs_sound:
            splits = (protocols.fault_filtered(self.gtzan.fault_filtered()),)
        elif protocol == "artist_grouped_3" and self.dataset is self.gtzan:
            splits = protocols.splits_of_folds(labels, self.groups, read_folds())
        elif protocol == "artist_grouped" and self.dataset is self.moods:
            splits = protocols.artist_grouped(labels, self.groups)
        else:
            raise RecipeError(
                f"{self.recipe.name}: protocol {protocol} does not fit data set {self.dataset.name}"
            )
        known = self.tracks
        return tuple(
            Split(*(tuple(t for t in part if t in known) for part in _parts(split))) for split in splits
        )

    def prepare(self) -> None:
        """Decode what is needed and not there yet."""
        self.store.prepare([track for track in self.tracks.values() if track.path is not None])

    def material(self, ids: Sequence[str]) -> list[Material]:
        """What the crops of these tracks are cut from."""
        return [self._material(self.tracks[track]) for track in ids]

    def sounding(self, ids: Sequence[str]) -> list[Material]:
        """For a log-mel network on GTZAN's archive: the log-mels of those tracks of which there is sound, as served.

        Their columns are evenly spaced and have been through the decoder; the archive's are neither.
        """
        spec = input_spec(self.recipe.input).logmel
        if self._needs_sound or spec is None:
            return []
        found = []
        for track in (self.tracks[name] for name in ids):
            if track.path is not None:
                columns = self.store.logmel(track, spec, least=self.recipe.input.samples)
                found.append(Material(columns, self._target(track), self._share_of_crops(track)))
        return found

    @property
    def size(self) -> int:
        """Samples, or columns, of a snippet."""
        return input_spec(self.recipe.input).shape[-1]

    @property
    def _needs_sound(self) -> bool:
        return self.recipe.input.kind == "waveform" or self.recipe.dataset != "gtzan"

    def _material(self, track: Track) -> Material:
        target = self._target(track)
        crops = self.recipe.input.crops_per_track
        if not self._needs_sound:
            return Material(self.gtzan.logmel(track.id).astype(np.float16), target, crops)
        if self.recipe.input.kind == "logmel":
            spec = input_spec(self.recipe.input).logmel
            if spec is None:
                raise ValueError("a logmel input without a spectrogram")
            return Material(self.store.logmel(track, spec), target, crops)
        samples = self.store.waveform(track)
        return Material(samples, target, self._share_of_crops(track))

    def _target(self, track: Track) -> NDArray[np.float32]:
        target = np.zeros(len(self.labels), np.float32)
        target[self.labels.index(track.label)] = 1
        return target

    def _share_of_crops(self, track: Track) -> int:
        """Fewer snippets of a slice than of a full track."""
        seconds = len(self.store.waveform(track)) / SAMPLE_RATE
        return max(_FEWEST_CROPS, round(self.recipe.input.crops_per_track * seconds / _FULL_TRACK_SECONDS))


def _parts(split: Split) -> tuple[tuple[str, ...], ...]:
    return split.train, split.validation, split.test
