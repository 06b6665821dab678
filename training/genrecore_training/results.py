"""Results: one JSON a recipe and protocol, made from the runs of its folds and seeds; nothing else makes a figure."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from genrecore.card import Figure
from genrecore_training.calibration import calibrated, calibration_band, calibration_error, threshold_for
from genrecore_training.hear import HEARD
from genrecore_training.protocols import group_of
from genrecore_training.recipes import Recipe
from genrecore_training.runs import Run
from genrecore_training.statistics import (
    INTERVAL,
    Verdict,
    accuracy,
    bootstrap,
    confusion,
    log_loss,
    macro_f1,
    mean_accuracy,
    over_seeds,
    per_class,
    snippet_accuracy,
    top_k,
)

__all__ = [
    "ResultError",
    "by_way",
    "collect",
    "figure_of_fold",
    "figures_for_card",
    "main_figure",
    "main_way",
    "measured",
    "pooled",
    "read",
    "read_all",
    "save",
    "seeds_of",
    "write",
]

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
_TOP = 5
_METRICS: dict[str, Callable[[Sequence[Verdict]], float]] = {
    "accuracy": accuracy,
    "macro F1": macro_f1,
    "accuracy of mean probability": mean_accuracy,
    "accuracy of snippets": snippet_accuracy,
    f"top-{_TOP} accuracy": lambda tested: top_k(tested, _TOP),
}
# At which models may abstain.
_PRECISIONS = (0.8, 0.9)
#: Least confidence of the plugin, where a user says nothing.
DEFAULT_LEAST_CONFIDENCE = 0.5
# By what a model is judged, the first there is.
_MAIN = ("columns", "sound", "sections", "snippet", "waveform", "numbers", "windows", "slice")


class ResultError(Exception):
    """A results file that does not read; the message names it."""


def pooled(runs: Sequence[Run]) -> dict[str, list[Verdict]]:
    """What the tests of some folds found, `by_way`."""
    return by_way(item for run in runs for item in run.tested())


def by_way(tested: Iterable[Verdict]) -> dict[str, list[Verdict]]:
    """Verdicts by the way of hearing; ``paired`` beside those of `HEARD`."""
    ways: dict[str, list[Verdict]] = {}
    for item in tested:
        ways.setdefault(item.kind, []).append(item)
    if "slice" in ways:
        ways["sound"] = [*ways.get("windows", ways.get("sections", [])), *ways["slice"]]
    return ways


def main_way(ways: Iterable[str]) -> str:
    """The way of hearing by which a model is judged, of those there are."""
    there = set(ways)
    return next(way for way in _MAIN if way in there)


def seeds_of(result: dict[str, Any]) -> int:
    """With how many seeds it was trained."""
    return len(result["seeds"]["seeds"]) if "seeds" in result else 1


def main_figure(result: dict[str, Any], metric: str = "accuracy") -> dict[str, Any]:
    """The figure of a result by which its model is judged."""
    found = {figure["on"]: figure for figure in result["figures"] if figure["metric"] == metric}
    return found[main_way(found)]


def collect(seeds: Sequence[Sequence[Run]]) -> dict[str, Any]:
    """Pool the folds of a protocol into one result.

    Parameters
    ----------
    seeds : sequence of sequence of Run
        For each seed the folds that were run, of one recipe and protocol; figures are those of the first seed, the
        others give the deviation.
    """
    runs = seeds[0]
    recipe, protocol, bench = runs[0].recipe, runs[0].protocol, runs[0].bench
    heard, labels = [run.tested() for run in runs], bench.labels
    ways = by_way(item for fold in heard for item in fold)
    main = ways[main_way(ways)]
    tested = [by_way(fold).get(main_way(ways), []) for fold in heard]
    held = [_held(run) for run in runs]
    result: dict[str, Any] = {
        "model": recipe.name,
        "version": recipe.version,
        "task": recipe.task,
        "network": recipe.network,
        "dataset": recipe.dataset,
        "protocol": protocol,
        "recipe_hash": recipe.digest,
        "seed": recipe.seed,
        "data": bench.remark(protocol),
        "interval": INTERVAL.replace("artists", group_of(protocol)),
        "figures": [
            _figure(metric, way, ways[way])
            for way in HEARD
            if way in ways
            for metric in _METRICS
            if len(labels) > _TOP or not metric.startswith("top")
        ],
        "calibration_error": round(calibration_error(main), 4),
        "calibration": {
            "log loss": {
                "before": round(log_loss(calibrated(main, 1.0)), 4),
                "after": round(log_loss(main), 4),
            },
            "error before": round(calibration_error(calibrated(main, 1.0)), 4),
            "error of an exact confidence": [round(end, 4) for end in calibration_band(main)],
        },
        "abstaining": [
            _kept(tested, [DEFAULT_LEAST_CONFIDENCE] * len(runs)),
            *(_abstaining(held, tested, precision) for precision in _PRECISIONS),
        ],
        "per class": _rounded(per_class(main)),
        "confusion": {"labels": list(labels), "rows are the truth": confusion(main, labels)},
        "folds": [run.notes() for run in runs],
        "folds of the protocol": len(bench.splits(protocol)),
        "agreement": _agreement(ways, labels),
        "versions": {name: metadata.version(name) for name in _VERSIONS if _is_installed(name)},
        "machine": {"system": platform.system(), "processor": platform.machine(), "cores": os.cpu_count()},
    }
    if len(seeds) > 1:
        values = [round(accuracy(by[main_way(by)]), 4) for by in map(pooled, seeds)]
        mean, deviation = over_seeds(values)
        result["seeds"] = {
            "seeds": [folds[0].recipe.seed for folds in seeds],
            "accuracy": values,
            "mean": round(mean, 4),
            "deviation": round(deviation, 4),
        }
    return result


def write(result: dict[str, Any], folder: Path) -> str:
    """Write a result under its model and protocol, unless one of the same recipe with more folds or seeds is there.

    What quantising costs is kept where the new result does not say it.

    Parameters
    ----------
    result : dict
        From `collect`.
    folder : Path
        Of the results files.

    Returns
    -------
    str
        For people: what was done with which file.
    """
    path = folder / f"{result['model']}--{result['protocol']}.json"
    if path.is_file():
        old = read(path)
        if old["recipe_hash"] == result["recipe_hash"]:
            if _extent(old) > _extent(result):
                return f"kept {path}, which has more folds or seeds"
            if "int8" in old and len(old["folds"]) == len(result["folds"]):
                result = {**result, "int8": result.get("int8", old["int8"])}
    return f"wrote {save(result, path)}"


def save(content: Mapping[str, Any], path: Path) -> Path:
    """Write a JSON file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".partial")
    fresh.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    return fresh.replace(path)


def measured(items: Sequence[Verdict], metric: Callable[[Sequence[Verdict]], float]) -> dict[str, float]:
    """A figure with its interval, rounded: ``value``, ``low``, ``high``."""
    low, high = bootstrap(items, metric)
    return {"value": round(metric(items), 4), "low": round(low, 4), "high": round(high, 4)}


def read_all(folder: Path) -> list[dict[str, Any]]:
    """All results of models in a folder, by model and protocol.

    Raises
    ------
    ResultError
        If one of the files is no JSON.
    """
    return [read(path) for path in sorted(folder.glob("*--*.json"))]


def read(path: Path) -> dict[str, Any]:
    """One results file, of whatever kind.

    Raises
    ------
    ResultError
        If it is no JSON.
    """
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ResultError(f"{path} is damaged ({error}): delete it and make it again") from error
    return found


def _extent(result: dict[str, Any]) -> tuple[int, int]:
    return len(result["folds"]), seeds_of(result)


def figures_for_card(results: Sequence[dict[str, Any]], recipe: Recipe) -> tuple[Figure, ...]:
    """What a model file says it reached: the first metric of its task under each protocol."""
    metric = _first_metric(recipe)
    found = []
    for result in results:
        if result["model"] != recipe.name or result["recipe_hash"] != recipe.digest:
            continue
        ways = {figure["on"]: figure for figure in result["figures"] if figure["metric"] == metric}
        chosen = ways[_way_for_card(result["protocol"], ways)]
        values = {key: chosen[key] for key in ("value", "low", "high", "n")}
        found.append(Figure(protocol=result["protocol"], metric=metric, **values))
    return tuple(found)


def figure_of_fold(run: Run, tested: Sequence[Verdict]) -> Figure:
    """What a fold's model reached on the test of its own fold; the first metric of its task."""
    metric = _first_metric(run.recipe)
    ways = by_way(tested)
    found = _figure(metric, "", ways[_way_for_card(run.protocol, ways)])
    values = {key: found[key] for key in ("value", "low", "high", "n")}
    return Figure(protocol=run.protocol, metric=metric, fold=run.fold, **values)


def _first_metric(recipe: Recipe) -> str:
    return "macro F1" if recipe.task == "mood" else "accuracy"


def _way_for_card(protocol: str, ways: Iterable[str]) -> str:
    """On artist_grouped_3 the sound, which every network can hear; else the protocol's own form of the tracks."""
    there = set(ways)
    return "sound" if protocol == "artist_grouped_3" and "sound" in there else main_way(there)


def _held(run: Run) -> list[Verdict]:
    """What a fold's validation tracks say, calibrated; heard as its test is."""
    ways = by_way(calibrated(run.validated(), run.notes()["temperature"]))
    return ways[main_way(ways)]


def _abstaining(
    held: Sequence[Sequence[Verdict]], tested: Sequence[Sequence[Verdict]], precision: float
) -> dict[str, Any]:
    """The least confidence at which validation tracks have a precision, and what it gives on the test's.

    Each fold has its own: what one validates, another tests.
    """
    chosen = [threshold_for(fold, precision) for fold in held]
    wanted = {"precision wanted": precision, "validation tracks": sum(map(len, held))}
    if not any(chosen):
        return wanted
    return wanted | _kept(tested, [point.threshold if point else None for point in chosen])


def _kept(tested: Sequence[Sequence[Verdict]], thresholds: Sequence[float | None]) -> dict[str, Any]:
    """What least confidences, one a fold, give on the tests' tracks; where there is none, no track gets a class."""
    kept = [
        item
        for fold, least in zip(tested, thresholds, strict=True)
        for item in fold
        if least is not None and item.histogram.confidence >= least
    ]
    found: dict[str, Any] = {
        "thresholds": [None if least is None else round(least, 4) for least in thresholds],
        "n": len(kept),
        "coverage": round(len(kept) / sum(map(len, tested)), 4),
    }
    return found | {"precision": measured(kept, accuracy)} if kept else found


def _figure(metric: str, way: str, items: Sequence[Verdict]) -> dict[str, Any]:
    return {"metric": metric, "on": way, "n": len(items), **measured(items, _METRICS[metric])}


def _rounded(found: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    return {label: {key: round(x, 4) for key, x in values.items()} for label, values in found.items()}


def _agreement(ways: dict[str, list[Verdict]], labels: Sequence[str]) -> dict[str, Any] | None:
    """How often a log-mel model says the same of a file as of the archived columns of the same snippets."""
    columns = {item.id: item.histogram.top for item in ways.get("paired", ())}
    apart = {item.id: item.histogram.top for item in ways.get("columns", ())}
    files = [item for item in ways.get("waveform", ()) if item.id in columns]
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
