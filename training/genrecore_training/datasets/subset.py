"""Part of a data set, as a data set."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from genrecore_training.datasets.track import Dataset, DatasetError, Track

__all__ = ["Subset"]


class Subset:
    """The tracks of a data set that are to be kept.

    Parameters
    ----------
    dataset : Dataset
        The whole.
    keep : callable
        True for a track that stays; a class whose tracks all go is gone.
    """

    def __init__(self, dataset: Dataset, keep: Callable[[Track], bool]) -> None:
        self.whole = dataset
        self.name = dataset.name
        self.title = dataset.title
        self.task = dataset.task
        self.licence = dataset.licence
        self.citation = dataset.citation
        self.checksums = dataset.checksums
        self.annotations = dataset.annotations
        self._keep = keep

    @cached_property
    def tracks(self) -> tuple[Track, ...]:
        """Those that stay.

        Raises
        ------
        DatasetError
            If they are of fewer than two classes.
        """
        kept = tuple(track for track in self.whole.tracks if self._keep(track))
        labels = sorted({track.label for track in kept})
        if len(labels) < 2:
            left = f"only {labels[0]} is" if labels else "none is"
            raise DatasetError(
                f"{self.title}: of {len(self.whole.labels)} {self.task}s {left} left; two are needed"
            )
        return kept

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Classes that are left, in the whole's order."""
        there = {track.label for track in self.tracks}
        return tuple(label for label in self.whole.labels if label in there)

    @cached_property
    def groups(self) -> dict[str, str]:
        """Groups of the tracks that stay."""
        groups = self.whole.groups
        return {track.id: groups[track.id] for track in self.tracks}

    @property
    def lists(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """The whole's splits, of the tracks that stay."""
        there = {track.id for track in self.tracks}
        return {
            name: {part: tuple(track for track in ids if track in there) for part, ids in parts.items()}
            for name, parts in self.whole.lists.items()
        }

    def validate(self) -> list[str]:
        """Of the whole."""
        return self.whole.validate()
