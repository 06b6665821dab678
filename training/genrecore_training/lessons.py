"""What a run learns from: its own training tracks, and those that its recipe names beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genrecore_training.auxiliary import LABEL, Auxiliary, Head, answers
from genrecore_training.crops import Material
from genrecore_training.datasets import Track
from genrecore_training.material import Bench, open_dataset
from genrecore_training.protocols import Split
from genrecore_training.recipes import RecipeError

__all__ = ["Lessons", "artists_held_out", "lessons"]


@dataclass(frozen=True)
class Lessons:
    """What a run learns from.

    Parameters
    ----------
    material : tuple of Material
        Targets are in the order of the heads, NaN where nothing is known.
    heads : tuple of Head
        What is asked, the task itself first.
    tracks : mapping of str to tuple of str
        Data set -> ids of the tracks.
    """

    material: tuple[Material, ...]
    heads: tuple[Head, ...]
    tracks: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class _Source:
    """Tracks of one data set, and what each head (by its place) is to say of them."""

    bench: Bench
    material: Sequence[tuple[str, Material]]
    said: dict[int, Mapping[str, NDArray[np.float32]]]

    @property
    def label(self) -> dict[str, NDArray[np.float32]]:
        return {track: piece.target for track, piece in self.material}

    @property
    def tracks(self) -> tuple[str, ...]:
        return tuple(dict(self.material))


def lessons(bench: Bench, split: Split, data: Path, store: Path) -> Lessons:
    """Collect what a run learns from.

    Of other data sets those tracks are left out whose artist is in the validation or test part of the split; what is
    known of the run's own tracks is asked of its training part only.

    Parameters
    ----------
    bench : Bench
        The run's own data.
    split : Split
        Its fold.
    data, store : Path
        Folders of the data sets and of decoded features.

    Raises
    ------
    RecipeError
        If the recipe names a target that a data set does not have.
    DatasetError
        If a data set that it names is missing or faulty.
    """
    own = _Source(bench, _heard(bench, split.train), {})
    own.said[0] = own.label
    heads = [Head(f"{bench.recipe.dataset}.{LABEL}", True, len(bench.labels), 1.0)]
    sources = [own]
    for auxiliary in bench.recipe.auxiliary:
        source = (
            own if auxiliary.dataset == bench.recipe.dataset else _other(bench, split, auxiliary, data, store)
        )
        if source is not own:
            sources.append(source)
        for target in auxiliary.targets:
            head, said = _asked(source, auxiliary, target)
            source.said[len(heads)] = said
            heads.append(head)
    material = [piece for source in sources for piece in _targeted(source, heads)]
    return Lessons(
        tuple(material), tuple(heads), {source.bench.dataset.name: source.tracks for source in sources}
    )


def artists_held_out(bench: Bench, split: Split) -> set[str]:
    """Artists, by `artist_key`, of the tracks that a run must not have heard before it is validated and tested."""
    held = {bench.piece_of(name)[0].id for name in (*split.validation, *split.test)}
    artists = {bench.tracks[track].artist for track in held} | {bench.groups[track] for track in held}
    return artists - {""}


def _heard(bench: Bench, ids: Sequence[str]) -> list[tuple[str, Material]]:
    names = bench.usable(ids)
    if bench.recipe.input.sections is not None:
        return [(name, piece) for name in names for piece in bench.pieces(name)]
    return [*zip(names, bench.material(names), strict=True), *bench.sounding(names).items()]


def _other(bench: Bench, split: Split, auxiliary: Auxiliary, data: Path, store: Path) -> _Source:
    heard = bench.recipe.input.model_copy(update={"crops_per_track": auxiliary.crops_per_track})
    recipe = bench.recipe.model_copy(
        update={"dataset": auxiliary.dataset, "dataset_options": {}, "auxiliary": (), "input": heard}
    )
    other = Bench(recipe, open_dataset(recipe, data), store)
    held = artists_held_out(bench, split)

    def may_be_heard(track: Track) -> bool:
        return track.artist not in held and other.groups[track.id] not in held

    return _Source(
        other, _heard(other, [track.id for track in other.tracks.values() if may_be_heard(track)]), {}
    )


def _asked(
    source: _Source, auxiliary: Auxiliary, target: str
) -> tuple[Head, Mapping[str, NDArray[np.float32]]]:
    name = f"{auxiliary.dataset}.{target}"
    if target == LABEL:
        return Head(name, True, len(source.bench.labels), auxiliary.weight), source.label
    known = source.bench.dataset.annotations
    if target not in known:
        there = ", ".join((LABEL, *known))
        raise RecipeError(f"{source.bench.recipe.name}: {auxiliary.dataset} has no {target}; it has {there}")
    said = answers(known[target], source.tracks)
    return Head(name, False, len(known[target].names), auxiliary.weight), said


def _targeted(source: _Source, heads: Sequence[Head]) -> list[Material]:
    found = []
    for track, piece in source.material:
        unknown = [np.full(head.size, np.nan, np.float32) for head in heads]
        row = [source.said.get(place, {}).get(track, blank) for place, blank in enumerate(unknown)]
        found.append(replace(piece, target=np.concatenate(row)))
    return found
