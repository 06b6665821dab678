"""Results: one JSON a model and protocol, made from the runs of all its folds; nothing else makes a figure."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Iterable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from genrecore.card import Figure
from genrecore_training.recipes import Recipe
from genrecore_training.runs import Places, Run
from genrecore_training.statistics import (
    INTERVAL,
    Verdict,
    accuracy,
    bootstrap,
    calibration_error,
    confusion,
    macro_f1,
)

__all__ = ["HEARD", "collect", "figures_for_card", "read_all", "write"]

#: What the ways in which a test track is heard are called, in the order of the tables.
HEARD = {
    "columns": "archived log-mel of 30 s, 100 snippets",
    "waveform": "audio file, 100 snippets",
    "windows": "audio file, 10 windows",
    "slice": "slice of 2 to 3 s, tiled",
    "sound": "all sound: 10 windows of a full track, else its slice",
}

_VERSIONS = (
    "beets-genreclf",
    "numpy",
    "torch",
    "lightning",
    "onnxruntime",
    "onnx",
    "scikit-learn",
    "soxr",
    "av",
)
_METRICS: dict[str, Callable[[Sequence[Verdict]], float]] = {"accuracy": accuracy, "macro F1": macro_f1}


def collect(recipe: Recipe, protocol: str, places: Places) -> dict[str, Any]:
    """Pool the folds of a protocol into one result.

    Raises
    ------
    FileNotFoundError
        If a fold was not run yet.
    """
    folds = range(len(Run(recipe, protocol, 0, places).bench.splits(protocol)))
    runs = [Run(recipe, protocol, fold, places) for fold in folds]
    tested = [item for run in runs for item in run.tested()]
    ways = {way: [item for item in tested if item.kind == way] for way in HEARD if way != "sound"}
    if ways["slice"]:
        ways["sound"] = ways["windows"] + ways["slice"]
    labels = runs[0].bench.labels
    main = next(ways[way] for way in ("columns", "sound", "waveform") if ways.get(way))
    result: dict[str, Any] = {
        "model": recipe.name,
        "version": recipe.version,
        "task": recipe.task,
        "network": recipe.network,
        "dataset": recipe.dataset,
        "protocol": protocol,
        "recipe_hash": recipe.digest,
        "seed": recipe.seed,
        "interval": INTERVAL,
        "figures": [_figure(name, way, items) for way, items in ways.items() if items for name in _METRICS],
        "calibration_error": round(calibration_error(main), 4),
        "confusion": {"labels": list(labels), "rows are the truth": confusion(main, labels)},
        "folds": [run.notes() for run in runs],
        "agreement": _agreement(tested, labels),
        "versions": {name: metadata.version(name) for name in _VERSIONS if _is_installed(name)},
        "machine": {"system": platform.system(), "processor": platform.machine(), "cores": os.cpu_count()},
    }
    return result


def write(result: dict[str, Any], folder: Path) -> Path:
    """Write a result under its model and protocol, and return the file."""
    path = folder / f"{result['model']}--{result['protocol']}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    return path


def read_all(folder: Path) -> list[dict[str, Any]]:
    """All results of models in a folder, by model and protocol."""
    return [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*--*.json"))]


def figures_for_card(results: Sequence[dict[str, Any]], recipe: Recipe) -> tuple[Figure, ...]:
    """What a model file says it reached: the first metric of its task under each protocol."""
    metric = "macro F1" if recipe.task == "mood" else "accuracy"
    found = []
    for result in results:
        if result["model"] != recipe.name or result["recipe_hash"] != recipe.digest:
            continue
        by_way = {figure["on"]: figure for figure in result["figures"] if figure["metric"] == metric}
        # On artist_grouped_3 the sound, which every network can hear; else the protocol's own form of the tracks.
        ways = ("sound", "waveform") if result["protocol"] == "artist_grouped_3" else ("columns", "waveform")
        chosen = next(by_way[way] for way in ways if way in by_way)
        values = {key: chosen[key] for key in ("value", "low", "high", "n")}
        found.append(Figure(protocol=result["protocol"], metric=metric, **values))
    return tuple(found)


def _figure(metric: str, way: str, items: Sequence[Verdict]) -> dict[str, Any]:
    figure = _METRICS[metric]
    low, high = bootstrap(items, figure)
    numbers = {"value": figure(items), "low": low, "high": high}
    return {"metric": metric, "on": way, "n": len(items), **{key: round(x, 4) for key, x in numbers.items()}}


def _agreement(tested: Sequence[Verdict], labels: Sequence[str]) -> dict[str, Any] | None:
    """How often a log-mel model says the same of a file as of the archived columns of the same snippets."""
    columns = {item.id: item.histogram.top for item in tested if item.kind == "paired"}
    apart = {item.id: item.histogram.top for item in tested if item.kind == "columns"}
    files = [item for item in tested if item.kind == "waveform" and item.id in columns]
    if not files:
        return None
    same = {item.id: item.histogram.top == columns[item.id] for item in files}

    def share(agree: Iterable[bool]) -> float:
        return round(sum(agree) / len(files), 4)

    by_label = {label: [same[item.id] for item in files if item.label == label] for label in labels}
    return {
        "n": len(files),
        "share": share(same.values()),
        "share with snippets drawn apart": share(item.histogram.top == apart[item.id] for item in files),
        # What remains of a whole agreement when nothing but the snippets differs.
        "columns with themselves, drawn apart": share(apart[item.id] == columns[item.id] for item in files),
        "by label": {label: f"{sum(hits)} of {len(hits)}" for label, hits in by_label.items()},
    }


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
