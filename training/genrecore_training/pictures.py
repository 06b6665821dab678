"""The plots of an experiment, drawn from its runs."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from genrecore_training import plots
from genrecore_training.export import shape_of
from genrecore_training.hear import HEARD, open_ear
from genrecore_training.networks import build
from genrecore_training.results import main_way, pooled
from genrecore_training.runs import Run
from genrecore_training.statistics import confusion, correlation_over_time
from genrecore_training.train import LOGS

__all__ = ["draw"]

# Fewer points of a track say nothing of its course.
_FEWEST_POINTS = 5
_MOST_EMBEDDED = 2000


def draw(runs: Sequence[Run], folder: Path) -> Iterator[Path]:
    """Draw what can be drawn of the folds of one recipe and protocol.

    Parameters
    ----------
    runs : sequence of Run
        Tested folds.
    folder : Path
        For the pictures.

    Yields
    ------
    Path
        Of each picture.
    """
    folder.mkdir(parents=True, exist_ok=True)
    first = runs[0]
    ways = pooled(runs)
    way = main_way(ways)
    tested, labels = ways[way], first.bench.labels
    name = f"{first.recipe.name}, {first.protocol}\nn = {len(tested)} ({HEARD[way]})"
    yield plots.save(plots.confusion_plot(confusion(tested, labels), labels, name), folder / "confusion.png")
    yield plots.save(plots.reliability_diagram(tested, name), folder / "reliability.png")
    yield plots.save(plots.risk_coverage_curve(tested, name), folder / "risk-coverage.png")
    history = _history(first)
    if history is not None:
        title = f"{first.recipe.name}, {first.protocol}, fold {first.fold}"
        yield plots.save(plots.learning_curves(history, title), folder / "learning.png")
    network = _network(first)
    sections = first.recipe.input.sections
    if network is not None and hasattr(network, "embed") and sections is not None:
        features, truth = _embedded(first, network)
        title = f"t-SNE of {first.recipe.name}, {first.protocol}, test snippets"
        yield plots.save(plots.embedding_plot(features, truth, title), folder / "embedding.png")
    courses = _courses(first, network)
    if courses:
        title = f"Correlation over time, {first.recipe.name}, {first.protocol}, {len(courses)} tracks"
        matrix = correlation_over_time(courses)
        yield plots.save(plots.correlation_plot(matrix, labels, title), folder / "correlation.png")


def _history(run: Run) -> Path | None:
    """The log of training, put together from those of all attempts."""
    logs = sorted(
        (run.folder / LOGS).glob("version_*/metrics.csv"), key=lambda path: int(path.parent.name[8:])
    )
    rows = []
    for path in logs:
        with path.open(encoding="utf-8", newline="") as lines:
            rows += list(csv.DictReader(lines))
    if not rows:
        return None
    whole = run.folder / "metrics.csv"
    with whole.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, sorted({name for row in rows for name in row}))
        writer.writeheader()
        writer.writerows(rows)
    return whole


def _network(run: Run) -> nn.Module | None:
    """The trained network, where its weights were kept."""
    if not run.weights_file.is_file():
        return None
    recipe = run.recipe
    network = build(recipe.network, len(run.bench.labels), shape_of(recipe.input), recipe.network_options)
    network.load_state_dict(torch.load(run.weights_file, map_location="cpu"))
    return network.eval()


def _embedded(run: Run, network: nn.Module) -> tuple[NDArray[np.float32], list[str]]:
    """What the last but one layer says of test snippets, and what they are."""
    found, truth = [], []
    names = run.bench.usable(run.split.test)
    # Test parts stand in the order of the genres, of which none must be missed.
    for k in np.random.default_rng(0).permutation(len(names)):
        name = names[k]
        snippets = torch.from_numpy(run.bench.snippets(name))
        with torch.no_grad():
            found.append(network.embed(snippets).numpy())  # type: ignore[operator]
        truth += [run.bench.piece_of(name)[0].label] * len(snippets)
        if len(truth) >= _MOST_EMBEDDED:
            break
    return np.concatenate(found), truth


def _courses(run: Run, network: nn.Module | None) -> list[NDArray[np.float32]]:
    """Of each test track the probabilities at each point in time, where the network gives several."""
    if (
        run.recipe.input.kind == "table"
        or run.recipe.input.sections is None
        or run.protocol == "snippet_random"
    ):
        return []
    ear, courses = open_ear(run.model_file, table=False), []
    for name in run.bench.usable(run.split.test):
        snippets = run.bench.snippets(name)
        if network is not None and hasattr(network, "over_time"):
            with torch.no_grad():
                course = network.over_time(torch.from_numpy(snippets))  # type: ignore[operator]
            courses.append(course.flatten(0, 1).numpy())
        elif len(snippets) >= _FEWEST_POINTS:
            courses.append(ear.run(snippets))
    return courses
