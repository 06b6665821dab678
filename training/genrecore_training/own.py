"""A model of the user's own genres or moods: tested with artists apart, then trained on everything."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from genrecore_training.datasets import Dataset, Subset, Track
from genrecore_training.experiment import experiment
from genrecore_training.material import Bench
from genrecore_training.recipes import Recipe
from genrecore_training.runs import Places
from genrecore_training.ship import ship
from genrecore_training.train import ANY_DEVICE, Compute

__all__ = ["FEWEST_ARTISTS", "train_own"]

#: Artists that a class needs: one each to learn from, to decide by and to be tested on.
FEWEST_ARTISTS = 3


def train_own(
    dataset: Dataset,
    recipe: Recipe,
    places: Places,
    target: Path,
    *,
    test: bool = True,
    compute: Compute = ANY_DEVICE,
) -> Iterator[str]:
    """Train a model on the user's music and write it.

    Parameters
    ----------
    dataset : Dataset
        The music.
    recipe : Recipe
        How to train.
    places : Places
        Folders for features and runs.
    target : Path
        The model file.
    test : bool
        Train and test with artists apart first, so that the model can say how good it is.
    compute : Compute
        On what to train.

    Yields
    ------
    str
        Lines for people.

    Raises
    ------
    DatasetError
        If fewer than two classes can be used.
    """
    failed = Bench(recipe, dataset, places.store).failed
    yield from (f"! {fault}" for fault in failed.values())
    dataset = Subset(dataset, lambda track: track.id not in failed)
    artists = _artists(dataset)
    few = [label for label in dataset.labels if artists[label] < FEWEST_ARTISTS]
    for label in few:
        yield (
            f"{label} is left out: its tracks are by {artists[label]} artist(s), and {FEWEST_ARTISTS} are needed "
            "to tell the music from the artist"
        )
    kept = Subset(dataset, lambda track: track.label not in few)
    count = Counter(track.label for track in kept.tracks)
    yield f"training on {len(kept.tracks)} tracks: {', '.join(f'{label} {n}' for label, n in count.most_common())}"
    made = _of(recipe, kept)
    results = places.runs / made.name / "results"
    if test:
        yield from experiment(made, "artist_grouped", places, results, folds=1, compute=compute, dataset=kept)
    written = ship(made, places, results, target, compute=compute, dataset=kept)
    yield f"wrote {written} ({made.name} {made.version})"
    yield f"to use it, put this into beets' configuration:\n\ngenreclf:\n  {made.task}_model: {written.absolute()}"


def _artists(dataset: Dataset) -> Counter[str]:
    groups = dataset.groups
    pairs = {(track.label, groups[track.id]) for track in dataset.tracks}
    return Counter(label for label, _ in pairs)


def _stamp(track: Track) -> tuple[int, int]:
    """Changes with the file, not with the folder it lies in."""
    if track.path is None:
        return 0, 0
    status = track.path.stat()
    return status.st_size, status.st_mtime_ns


def _of(recipe: Recipe, dataset: Dataset) -> Recipe:
    """The recipe for these very tracks: other music, label or artist is another run and another version."""
    groups = dataset.groups
    rows = sorted((track.id, track.label, groups[track.id], *_stamp(track)) for track in dataset.tracks)
    digest = hashlib.sha256(repr((rows, recipe.digest)).encode()).hexdigest()[:12]
    return recipe.model_copy(update={"version": digest, "dataset_options": {"tracks": digest}})
