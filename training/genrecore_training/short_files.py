"""Experiment: is a file shorter than a snippet better repeated (``tile``) or centred in silence (``pad``)?

Decided on the 2 to 3 s GTZAN slices of *validation* artists, fold by fold of ``artist_grouped_3``; no test track
is heard.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from genrecore import audio, snippets
from genrecore import model as model_files
from genrecore.analyzer import listen
from genrecore.model import Model
from genrecore.spectrogram import logmel
from genrecore_training.datasets import Track
from genrecore_training.paired import mcnemar
from genrecore_training.recipes import Recipe
from genrecore_training.results import save
from genrecore_training.runs import Places, Run
from genrecore_training.statistics import INTERVAL, Verdict, accuracy, bootstrap

__all__ = ["MODES", "compare"]

MODES = ("tile", "pad")
_PROTOCOL = "artist_grouped_3"


def compare(recipes: list[Recipe], places: Places, target: Path) -> dict[str, Any]:
    """Compare the two ways with the fold models of some recipes, and write the result.

    Parameters
    ----------
    recipes : list of Recipe
        Genre networks that were run under ``artist_grouped_3``.
    places : Places
        Folders.
    target : Path
        The results file.
    """
    result: dict[str, Any] = {
        "experiment": "files shorter than a snippet: tiled or padded",
        "protocol": f"{_PROTOCOL}, slices of validation artists, one snippet a slice",
        "interval": INTERVAL,
        "models": [_of(recipe, places) for recipe in recipes],
    }
    save(result, target)
    return result


def _of(recipe: Recipe, places: Places) -> dict[str, Any]:
    heard: dict[str, list[Verdict]] = {mode: [] for mode in MODES}
    for fold in range(3):
        run = Run(recipe, _PROTOCOL, fold, places)
        model, bench = model_files.load(run.model_file, device="cpu"), run.bench
        tracks = {track.id: track for track in bench.dataset.tracks if not track.whole}
        for name in run.split.validation:
            if name in tracks:
                for mode in MODES:
                    heard[mode].append(_verdict(model, tracks[name], bench.groups[name], mode))
    figures = {}
    for mode, verdicts in heard.items():
        low, high = bootstrap(verdicts, accuracy)
        figures[mode] = {
            "accuracy": round(accuracy(verdicts), 4),
            "low": round(low, 4),
            "high": round(high, 4),
        }
    paired = mcnemar(heard["tile"], heard["pad"])
    return {
        "model": recipe.name,
        "recipe_hash": recipe.digest,
        "n": paired.n,
        **figures,
        "right only tiled": paired.only_one,
        "right only padded": paired.only_other,
        "McNemar exact p": round(paired.p, 4),
        "artists": paired.groups,
        "p by artist": round(paired.p_of_groups, 4),
    }


def _verdict(model: Model, track: Track, group: str, mode: str) -> Verdict:
    card = model.card
    samples = audio.load(str(track.path)).samples
    fitted = snippets.fit(samples, card.input.samples, "tile" if mode == "tile" else "pad")
    spec = card.input.logmel
    snippet = fitted if spec is None else logmel(fitted, spec)[:, : card.input.frames]
    return Verdict(track.id, track.label, group, listen(model, snippet[None]), mode)
