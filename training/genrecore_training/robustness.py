"""Does a model say the same of a recording in another form? On tracks that it has not heard, fold by fold."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from rich.progress import track as progress

from genrecore import model as model_files
from genrecore.errors import AudioError
from genrecore.model import Model
from genrecore_training.altering import ALTERATIONS, Alteration
from genrecore_training.datasets import Track
from genrecore_training.listen import file_histogram
from genrecore_training.recipes import Recipe, RecipeError
from genrecore_training.results import measured
from genrecore_training.runs import Places, Run, runs_of
from genrecore_training.statistics import INTERVAL, Verdict, accuracy

__all__ = ["measure"]

#: Drawings of a hundred snippets that are compared with the first.
_DRAWS = 5


def measure(
    recipe: Recipe,
    protocol: str,
    places: Places,
    *,
    clips: int = 120,
    alterations: Sequence[Alteration] = ALTERATIONS,
) -> dict[str, Any]:
    """Alter test tracks, and count how often the top class is that of the clean recording.

    Parameters
    ----------
    recipe : Recipe
        That was run under the protocol; each fold's model hears its own test tracks.
    protocol : str
        Name of the split.
    places : Places
        Folders.
    clips : int
        At most so many tracks, evenly from all folds that were run.
    alterations : sequence of Alteration
        The first is the clean recording.

    Returns
    -------
    dict
        For JSON: agreement with interval for each alteration and for other snippets of the clean recording.

    Raises
    ------
    RecipeError
        If the recipe was not run, or the protocol tests no track of which there is the whole sound.
    """
    heard: list[list[Verdict]] = []
    drawn: list[Verdict] = []
    jobs = list(_jobs(recipe, protocol, places, clips))
    for model, track, group in progress(jobs, description="altering", disable=not sys.stderr.isatty()):
        with TemporaryDirectory() as folder:
            try:
                clean, *rest = (_altered(track, alteration, Path(folder)) for alteration in alterations)
                top = file_histogram(model, clean).top
                others = [_verdict(track, top, group, model, other, None) for other in rest]
                again = [_verdict(track, top, group, model, clean, draw) for draw in range(_DRAWS)]
            except AudioError as error:
                print(f"left out: {error}", file=sys.stderr)
                continue
        heard.append(others)
        drawn += again
    if not heard:
        raise RecipeError(
            f"{recipe.name}: none of the {len(jobs)} tracks that {protocol} tests could be altered"
        )
    return {
        "model": recipe.name,
        "recipe_hash": recipe.digest,
        "protocol": protocol,
        "tracks": [others[0].id for others in heard],
        "n": len(heard),
        "interval": INTERVAL,
        "agreement": [
            {"with": alteration.name, **measured(items, accuracy)}
            for alteration, items in zip(alterations[1:], zip(*heard, strict=True), strict=True)
        ],
        "other snippets": {"drawings": _DRAWS, **measured(drawn, accuracy)},
    }


def _jobs(recipe: Recipe, protocol: str, places: Places, clips: int) -> Iterator[tuple[Model, Track, str]]:
    (folds,) = runs_of(recipe, protocol, places)
    done = [run for run in folds if run.model_file.is_file()]
    if not done:
        raise RecipeError(f"{recipe.name} was not run under {protocol}: genrecore-train run {recipe.name}")
    tested = []
    for run in done:
        run.check_learnt()
        model = model_files.load(run.model_file, device="cpu")
        tested += [(model, track, run.bench.groups[track.id]) for track in _whole(run)]
    if not tested:
        raise RecipeError(f"{recipe.name}: {protocol} tests no track of which there is the whole sound")
    for place in np.unique(np.linspace(0, len(tested) - 1, min(clips, len(tested))).round().astype(int)):
        yield tested[place]


def _whole(run: Run) -> list[Track]:
    known = {track.id: track for track in run.bench.dataset.tracks if track.path is not None and track.whole}
    return [known[name] for name in run.bench.usable(run.split.test) if name in known]


def _altered(track: Track, alteration: Alteration, folder: Path) -> Track:
    assert track.path is not None
    place = folder / alteration.name.replace(" ", "-").replace("/", "-")
    place.mkdir()
    return dataclasses.replace(track, path=alteration.apply(track.path, place))


def _verdict(track: Track, top: str, group: str, model: Model, heard: Track, draw: int | None) -> Verdict:
    """Whether the top class is that of the clean recording, in the shape of a verdict on a track of that label."""
    return Verdict(track.id, top, group, file_histogram(model, heard, draw=draw), "waveform")
