"""What a run learns from: its own training tracks, and those that its recipe names beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genrecore.model import Model
from genrecore.spectrogram import logmel
from genrecore_training import recipes as recipe_files
from genrecore_training.auxiliary import LABEL, Auxiliary, Head, answers
from genrecore_training.crops import Material
from genrecore_training.datasets import Annotation, Dataset, DatasetError, share_an_artist
from genrecore_training.export import input_spec
from genrecore_training.material import Bench, open_dataset
from genrecore_training.nothing import made_up
from genrecore_training.protocols import Split, share_of
from genrecore_training.recipes import Recipe, RecipeError
from genrecore_training.speech import check_speaker, spoken
from genrecore_training.teaching import say, taught
from genrecore_training.words import may_be

_SECONDS_OF_NOTHING = 10.0

__all__ = ["Lessons", "artists_held_out", "check_sources", "lessons", "may_be_heard"]


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
    counts : mapping of str to int
        Title of a data set -> number of its tracks.
    """

    material: tuple[Material, ...]
    heads: tuple[Head, ...]
    tracks: Mapping[str, tuple[str, ...]]
    counts: Mapping[str, int]


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


def lessons(bench: Bench, split: Split, data: Path, store: Path, teachers: Sequence[Model] = ()) -> Lessons:
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
    teachers : sequence of Model
        Whose word counts, where the recipe has any.

    Raises
    ------
    RecipeError
        If the recipe names a target that a data set does not have.
    DatasetError
        If a data set that it names is missing or faulty.
    """
    own = _Source(bench, _evenly(bench, _heard(bench, _learnt(bench, split))), {})
    own.said[0] = own.label
    sources: dict[str, _Source] = {bench.recipe.dataset: own}

    def source_of(dataset: str, crops: int) -> _Source:
        if dataset not in sources:
            sources[dataset] = _other(bench, split, dataset, crops, data, store)
        return sources[dataset]

    heads = [Head(f"{bench.recipe.dataset}.{LABEL}", True, len(bench.labels), 1.0)]
    for auxiliary in bench.recipe.auxiliary:
        source = source_of(auxiliary.dataset, auxiliary.crops_per_track)
        for target in auxiliary.targets:
            head, said = _asked(source, auxiliary, target)
            source.said[len(heads)] = said
            heads.append(head)
    teacher = bench.recipe.teacher
    for dataset in teacher.unlabelled if teacher else ():
        source_of(dataset, teacher.crops_per_track if teacher else 0)
    open_to: dict[str, Mapping[str, NDArray[np.float32]]] = {}
    for weak in bench.recipe.weak:
        open_to[weak.dataset] = _open_to(source_of(weak.dataset, weak.crops_per_track), bench.labels)
    material: list[Material] = []
    used: dict[str, dict[str, None]] = {name: {} for name in sources}
    for name, source in sources.items():
        allowed = open_to.get(name, {})
        for track, piece in _targeted(source, heads, allowed):
            if teacher and (
                (source is own and teacher.share) or name in teacher.unlabelled or track in allowed
            ):
                piece = taught(
                    piece, *_heard_by(teachers, source, track, piece), teacher.share, allowed.get(track)
                )
            if piece.taught is not None or not np.isnan(piece.target).all():
                material.append(piece)
                used[name][track] = None
    material += _nothing(bench, heads)
    return Lessons(
        material=tuple(material),
        heads=tuple(heads),
        tracks={name: tuple(tracks) for name, tracks in used.items()},
        counts={sources[name].bench.dataset.title: len(tracks) for name, tracks in used.items()},
    )


def check_sources(recipe: Recipe, data: Path) -> None:
    """Refuse data sets beside the recipe's own that are missing, and targets that they do not have; nothing is decoded.

    Those of its teachers too, and a speaker that is not installed.

    Raises
    ------
    DatasetError, RecipeError
        In one sentence.
    """
    for auxiliary in recipe.auxiliary:
        dataset = open_dataset(_beside(recipe, auxiliary.dataset), data)
        _ = dataset.tracks
        for target in auxiliary.targets:
            _annotation(recipe, dataset, target)
    further = recipe.teacher.unlabelled if recipe.teacher else ()
    for name in (*further, *(weak.dataset for weak in recipe.weak)):
        _ = open_dataset(_beside(recipe, name), data).tracks
    if recipe.speech:
        check_speaker()
    for teacher in recipe.teacher.recipes if recipe.teacher else ():
        check_sources(recipe_files.load(teacher), data)


def artists_held_out(bench: Bench, split: Split) -> frozenset[str]:
    """Artists, by their keys, of the tracks that a run must not have heard before it is validated and tested."""
    held = {bench.piece_of(name)[0].id for name in (*split.validation, *split.test)}
    keys = {bench.tracks[track].artist for track in held} | {bench.groups[track] for track in held}
    return frozenset(keys - {""})


def may_be_heard(dataset: Dataset, held: AbstractSet[str]) -> list[str]:
    """Ids of the tracks of another data set that have no artist in common with those that are held out."""
    groups = dataset.groups
    keys = {track.id: {track.artist, groups[track.id]} - {""} for track in dataset.tracks}
    shared = {key for key in set().union(*keys.values()) if any(share_an_artist(key, name) for name in held)}
    return [track for track, known in keys.items() if known.isdisjoint(shared)]


def _learnt(bench: Bench, split: Split) -> tuple[str, ...]:
    if bench.recipe.learning_share == 1:
        return split.train
    tracks = {name: bench.piece_of(name)[0] for name in split.train}
    labels = {name: track.label for name, track in tracks.items()}
    groups = {name: bench.groups[track.id] for name, track in tracks.items()}
    try:
        return share_of(labels, groups, bench.recipe.learning_share)
    except ValueError as error:
        raise DatasetError(f"{bench.dataset.title} is too small for a share of it: {error}") from error


def _heard(bench: Bench, ids: Sequence[str]) -> list[tuple[str, Material]]:
    names = bench.usable(ids)
    if bench.recipe.input.sections is not None:
        return [(name, piece) for name in names for piece in bench.pieces(name)]
    return [*zip(names, bench.material(names), strict=True), *bench.sounding(names).items()]


def _evenly(bench: Bench, heard: list[tuple[str, Material]]) -> list[tuple[str, Material]]:
    """The same tracks, with fewer snippets of artists that have many of a class."""
    power = bench.recipe.even_artists
    if not power:
        return heard
    tracks = {name: bench.piece_of(name)[0] for name, _ in heard}
    artists = {name: (track.label, bench.groups[track.id]) for name, track in tracks.items()}
    count = Counter(artists.values())
    share = {name: count[artist] ** -power for name, artist in artists.items()}
    labels = {name: track.label for name, track in tracks.items()}
    before = {
        label: sum(piece.crops for name, piece in heard if labels[name] == label) for label in bench.labels
    }
    after = {
        label: sum(piece.crops * share[name] for name, piece in heard if labels[name] == label)
        for label in bench.labels
    }
    scale = {label: before[label] / after[label] for label in labels.values()}
    crops = {name: share[name] * scale[label] for name, label in labels.items()}
    return [(name, replace(piece, crops=max(1, round(piece.crops * crops[name])))) for name, piece in heard]


def _other(bench: Bench, split: Split, dataset: str, crops: int, data: Path, store: Path) -> _Source:
    heard = bench.recipe.input.model_copy(update={"crops_per_track": crops})
    recipe = _beside(bench.recipe, dataset).model_copy(update={"input": heard})
    other = Bench(recipe, open_dataset(recipe, data), store)
    names = may_be_heard(other.dataset, artists_held_out(bench, split))
    found = _Source(other, _heard(other, [name for name in names if name in other.tracks]), {})
    if not found.material:
        raise DatasetError(
            f"{bench.recipe.name}: {other.dataset.title} has no track that can be heard and is by no artist held out"
        )
    return found


def _asked(
    source: _Source, auxiliary: Auxiliary, target: str
) -> tuple[Head, Mapping[str, NDArray[np.float32]]]:
    name = f"{auxiliary.dataset}.{target}"
    annotation = _annotation(source.bench.recipe, source.bench.dataset, target)
    if annotation is None:
        return Head(name, True, len(source.bench.labels), auxiliary.weight), source.label
    said = answers(annotation, source.tracks)
    return Head(name, False, len(annotation.names), auxiliary.weight), said


def _annotation(recipe: Recipe, dataset: Dataset, target: str) -> Annotation | None:
    """What a target is; None for the label."""
    if target == LABEL:
        return None
    known = dataset.annotations
    if target not in known:
        raise RecipeError(
            f"{recipe.name}: {dataset.name} has no {target}; it has {', '.join((LABEL, *known))}"
        )
    return known[target]


def _beside(recipe: Recipe, dataset: str) -> Recipe:
    """The recipe, as if another data set were its own."""
    if dataset == recipe.dataset:
        return recipe
    return recipe.model_copy(update={"dataset": dataset, "dataset_options": {}})


def _nothing(bench: Bench, heads: Sequence[Head]) -> Iterator[Material]:
    """Sounds of no class; what further heads should say of them is not known."""
    recipe = bench.recipe
    if not recipe.nothing and not recipe.speech:  # a table's recipe has no spectrogram to look up, either
        return
    target = np.full(sum(head.size for head in heads), np.nan, np.float32)
    target[: heads[0].size] = 1 / heads[0].size
    spec = input_spec(recipe.input).logmel
    for samples in chain(
        made_up(recipe.nothing, _SECONDS_OF_NOTHING, seed=recipe.seed),
        spoken(recipe.speech, _SECONDS_OF_NOTHING, seed=recipe.seed) if recipe.speech else (),
    ):
        signal = (samples * 32767).astype(np.int16) if spec is None else logmel(samples, spec)
        yield Material(signal, target, recipe.input.crops_per_track)


def _heard_by(
    teachers: Sequence[Model], source: _Source, track: str, piece: Material
) -> tuple[NDArray[np.float32], int]:
    """What teachers say along a track, and the step in the track's own samples or columns."""
    heard, bench = teachers[0].card.input, source.bench
    own = input_spec(bench.recipe.input).logmel
    if heard.logmel is None or own not in (None, heard.logmel):
        raise RecipeError(
            f"{bench.recipe.name} cannot learn from {teachers[0].card.name}: teachers hear log-mels, "
            "and a network on log-mels has those of its own kind"
        )
    if own is not None:
        return say(piece.signal, teachers)
    said, step = say(bench.store.logmel(bench.tracks[track], heard.logmel, least=heard.samples), teachers)
    return said, step * heard.logmel.hop_length


def _open_to(source: _Source, labels: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    """What tracks with a weak label may be, evenly spread."""
    said = {track: np.isin(labels, list(genres)) for track, genres in may_be(source.bench.dataset).items()}
    return {track: (open_to / open_to.sum()).astype(np.float32) for track, open_to in said.items()}


def _targeted(
    source: _Source, heads: Sequence[Head], allowed: Mapping[str, NDArray[np.float32]]
) -> list[tuple[str, Material]]:
    found = []
    for track, piece in source.material:
        unknown = [np.full(head.size, np.nan, np.float32) for head in heads]
        unknown[0] = allowed.get(track, unknown[0])
        row = [source.said.get(place, {}).get(track, blank) for place, blank in enumerate(unknown)]
        found.append((track, replace(piece, target=np.concatenate(row))))
    return found
