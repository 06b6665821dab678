"""Pictures of what the statistics say: plain values in, a matplotlib figure out; `save` writes it.

Needs matplotlib, so import it only where a picture is asked for. Colours can be told apart by the colour-blind:
cividis (Nuñez et al. 2018), ColorBrewer's PuOr, and Tol's muted scheme (https://sronpersonalpages.nl/~pault/).
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from genrecore_training.calibration import calibration_error, reliability, risk_coverage
from genrecore_training.statistics import Verdict

__all__ = [
    "confusion_plot",
    "correlation_plot",
    "embedding_plot",
    "learning_curves",
    "reliability_diagram",
    "risk_coverage_curve",
    "save",
]

# Labels are people's own words; a dollar sign in one begins no formula.
matplotlib.rcParams["text.parse_math"] = False

_DPI = 150
_METADATA = {".png": {"Software": None}, ".svg": {"Creator": None, "Date": None}}
_BLUE, _ORANGE, _GREY = "#0072B2", "#D55E00", "#767676"
_PALE = "#DDDDDD"
_MUTED = (
    *("#332288", "#DDCC77", "#117733", "#CC6677", "#88CCEE"),
    *("#882255", "#44AA99", "#AA4499", "#999933", "#555555"),  # the last, grey, is ours
)
_MARKERS = "osD^vPX<>*p"  # one more than there are colours: a pair repeats after 110 classes only
_PERPLEXITY = 30.0
_STEADY = 10


def save(figure: Figure, path: Path) -> Path:
    """Write a figure as PNG or SVG, by the file's suffix; the same figure gives the same bytes.

    Raises
    ------
    ValueError
        If the suffix is another.
    """
    if path.suffix not in _METADATA:
        raise ValueError(f"{path.name} should end in .png or .svg")
    with matplotlib.rc_context({"svg.hashsalt": "genreclf"}):
        figure.savefig(path, dpi=_DPI, metadata=_METADATA[path.suffix])
    return path


def confusion_plot(matrix: ArrayLike, labels: Sequence[str], title: str) -> Figure:
    """Confusion matrix: how many in each cell, their share of the row as colour and below the number.

    Parameters
    ----------
    matrix : array of int, shape (classes, classes)
        Rows: what it is; columns: what the model says. Empty cells stay blank.
    labels : sequence of str
        The classes.
    title : str
        With protocol and number of tracks.
    """
    counts = np.asarray(matrix, dtype=np.int64)
    held = counts.sum(axis=1)
    shares = counts / np.maximum(held, 1)[:, None]
    texts = [
        [f"{count}\n{_percent(share)}" if count else "" for count, share in zip(*row, strict=True)]
        for row in zip(counts, shares, strict=True)
    ]
    figure, axes = _figure(title, *_size_for(labels))
    image = axes.imshow(shares, cmap="cividis", vmin=0, vmax=1)
    _write_cells(axes, image.to_rgba(shares), texts)
    _name_classes(axes, labels, [f"{label} ({n})" for label, n in zip(labels, held, strict=True)])
    axes.set(xlabel="what the model says", ylabel="what it is (n)")
    figure.colorbar(image, label="share of the row", shrink=0.8)
    return figure


def correlation_plot(matrix: ArrayLike, labels: Sequence[str], title: str) -> Figure:
    """Correlation of the classes over time, as `genrecore_training.statistics.correlation_over_time` gives it.

    Parameters
    ----------
    matrix : array of float, shape (classes, classes)
        Correlations. The diagonal is left out; NaN is drawn as a dash.
    labels : sequence of str
        The classes.
    title : str
        With protocol and number of tracks.
    """
    values = np.array(matrix, dtype=np.float64)
    apart = ~np.eye(len(values), dtype=bool)
    texts = [
        [("–" if math.isnan(r) else f"{r:.2f}") if apart[i, k] else "" for k, r in enumerate(row)]
        for i, row in enumerate(values)
    ]
    shown = np.ma.masked_invalid(np.where(apart, values, np.nan))
    reach = max(0.1, float(np.ma.filled(np.abs(shown).max(), 0)))
    figure, axes = _figure(title, *_size_for(labels))
    colours = matplotlib.colormaps["PuOr_r"].with_extremes(bad=_PALE)
    image = axes.imshow(shown, cmap=colours, vmin=-reach, vmax=reach)
    _write_cells(axes, image.to_rgba(shown), texts)
    _name_classes(axes, labels, labels)
    axes.set_xlabel(f"classes without kinship: about {-1 / (len(labels) - 1):.2f}")
    figure.colorbar(image, label="correlation over time, within tracks", shrink=0.8)
    return figure


def learning_curves(metrics_csv: Path, title: str) -> Figure:
    """Loss and accuracy by epoch, from 1, of the ``metrics.csv`` that Lightning's CSVLogger writes.

    Parameters
    ----------
    metrics_csv : Path
        Columns ``epoch``, ``train_loss``, ``val_loss`` and ``val_accuracy``; a cell is empty where a row is on
        something else. Of an epoch that is told twice the later row counts.
    title : str
        With protocol and fold.

    Raises
    ------
    ValueError
        If none of the columns holds anything.
    """
    curves = {name: _read_curve(metrics_csv, name) for name in ("train_loss", "val_loss", "val_accuracy")}
    if not any(curves.values()):
        raise ValueError(f"{metrics_csv} holds no learning curve")
    figure = Figure(figsize=(7, 6), layout="constrained")
    figure.suptitle(title)
    loss, accuracy = figure.subplots(2, sharex=True)
    _draw_curve(loss, curves["train_loss"], "training", _ORANGE, "--")
    _draw_curve(loss, curves["val_loss"], "validation", _BLUE, "-")
    _draw_curve(accuracy, curves["val_accuracy"], "validation", _BLUE, "-")
    losses = {epoch: value for epoch, value in curves["val_loss"].items() if math.isfinite(value)}
    if losses:
        best = min(losses, key=losses.__getitem__)
        for axes in (loss, accuracy):
            axes.axvline(best, color=_GREY, linestyle=":", label=f"least validation loss: epoch {best}")
    loss.set(ylabel="loss (nats)")
    accuracy.set(ylabel="accuracy", ylim=(0, 1), xlabel="epoch")
    accuracy.xaxis.set_major_locator(MaxNLocator(integer=True))
    for axes in (loss, accuracy):
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend()
    return figure


def reliability_diagram(tested: Sequence[Verdict], title: str, *, bins: int = 10) -> Figure:
    """Confidence against the share that is right, and how many are how confident.

    Parameters
    ----------
    tested : sequence of Verdict
        The tracks.
    title : str
        With protocol and number of tracks.
    bins : int
        Of equal width, 0 to 1.
    """
    found = reliability(tested, bins=bins)
    sure = [part.confidence for part in found]
    figure = Figure(figsize=(6, 7), layout="constrained")
    figure.suptitle(title)
    share, held = figure.subplots(2, sharex=True, height_ratios=(3, 1))
    share.plot([0, 1], [0, 1], color=_GREY, linestyle=":", label="confidence is exact")
    share.vlines(
        sure,
        [part.low for part in found],
        [part.high for part in found],
        color=_GREY,
        alpha=0.4,
        linewidth=9,
        label="95 % of such tests, were it exact",
    )
    error = calibration_error(tested, bins=bins)
    rights = [part.right for part in found]
    share.plot(sure, rights, color=_BLUE, marker="o", label=f"found; calibration error {error:.3f}")
    share.set(ylabel="share that is right", xlim=(0, 1), ylim=(-0.02, 1.02))
    share.legend(loc="upper left")
    # A bin's mean confidence lies within the bin, so that it tells which it is.
    middles = [(min(bins - 1, int(confidence * bins)) + 0.5) / bins for confidence in sure]
    bars = held.bar(middles, [part.n for part in found], width=0.9 / bins, color=_BLUE)
    held.bar_label(bars, fontsize="small")
    held.margins(y=0.2)
    held.set(xlabel="confidence", ylabel="n")
    for axes in (share, held):
        axes.grid(alpha=0.3)
        axes.set_axisbelow(True)
    return figure


def risk_coverage_curve(
    tested: Sequence[Verdict], title: str, *, marked: Sequence[float] = (0.5, 0.8)
) -> Figure:
    """How many tracks get a class at a least confidence, and what share of these is right.

    Parameters
    ----------
    tested : sequence of Verdict
        The tracks.
    title : str
        With protocol and number of tracks.
    marked : sequence of float
        Least confidences that are named.
    """
    points = risk_coverage(tested)
    figure, axes = _figure(title, 6, 5)
    # Of the very first tracks the share jumps between 0 and 1.
    steady = [point for point in points if point.coverage * len(tested) >= _STEADY] or points
    axes.plot([p.coverage for p in steady], [p.precision for p in steady], color=_BLUE)
    for least, marker in zip(marked, _MARKERS, strict=False):
        kept = [point for point in points if point.threshold >= least]
        if kept:
            last = kept[-1]
            shares = f"{_percent(last.coverage)} get a class, {_percent(last.precision)} right"
            axes.plot(
                *(last.coverage, last.precision),
                color=_ORANGE,
                marker=marker,
                linestyle="",
                label=f"least confidence {least:g}: {shares}",
            )
    axes.set(xlabel="share of tracks that get a class", ylabel="share of these that is right", xlim=(0, 1.02))
    axes.set_ylim(top=1.02)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower left")
    return figure


def embedding_plot(
    features: ArrayLike, labels: Sequence[str], title: str, *, most: int = 2000, seed: int = 0
) -> Figure:
    """t-SNE (van der Maaten and Hinton 2008) of what a network makes of its input, coloured by label.

    Parameters
    ----------
    features : array of float, shape (n, d)
        An embedding a row, of two points or more.
    labels : sequence of str
        What each is.
    title : str
        With protocol and what is shown.
    most : int
        Of more points so many, drawn by `seed`, are shown: a t-SNE of all takes long and shows no more.
    seed : int
        Of t-SNE and of the choice of points.

    Raises
    ------
    ValueError
        If there are fewer than two points, or another number of labels.
    """
    points, names = np.asarray(features, dtype=np.float64), np.asarray(labels)
    if len(points) != len(names) or len(points) < 2:
        raise ValueError(
            f"an embedding needs two points or more and a label each, not {len(points)} and {len(names)}"
        )
    classes, told = sorted(set(labels)), f"{len(points)} points"
    if len(points) > most:
        told = f"{most} of {told}"
        kept = np.sort(np.random.default_rng(seed).choice(len(points), most, replace=False))
        points, names = points[kept], names[kept]
    perplexity = min(_PERPLEXITY, (len(points) - 1) / 3)
    with threadpool_limits(1):  # one order of sums, however many cores; no wait for busy ones
        flat = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(points)
    figure, axes = _figure(title, 8, 6.5)
    for number, name in enumerate(classes):
        part = flat[names == name]
        colour, marker = _MUTED[number % len(_MUTED)], _MARKERS[number % len(_MARKERS)]
        axes.scatter(
            part[:, 0], part[:, 1], s=18, color=colour, marker=marker, alpha=0.75, linewidths=0, label=name
        )
    axes.set(xticks=[], yticks=[], xlabel=f"t-SNE of {told}, perplexity {perplexity:.3g}; axes have no unit")
    figure.legend(loc="outside right center", markerscale=1.8, frameon=False)
    return figure


def _figure(title: str, width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title)
    return figure, axes


def _size_for(labels: Sequence[str]) -> tuple[float, float]:
    side = 3.2 + 0.52 * len(labels)
    return side + 0.8, side


def _name_classes(axes: Axes, across: Sequence[str], down: Sequence[str]) -> None:
    axes.set_xticks(range(len(across)), across, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(down)), down)


def _write_cells(axes: Axes, colours: NDArray[np.float64], texts: Sequence[Sequence[str]]) -> None:
    """Text on each cell, dark on light and light on dark."""
    light = colours[..., :3] @ (0.299, 0.587, 0.114) > 0.5  # Rec. 601 luma
    for i, row in enumerate(texts):
        for k, text in enumerate(row):
            if text:
                colour = "black" if light[i, k] else "white"
                axes.text(k, i, text, ha="center", va="center", fontsize=8, color=colour)


def _percent(share: float) -> str:
    return "<1%" if share < 0.01 else f"{share:.0%}"


def _read_curve(path: Path, name: str) -> dict[int, float]:
    with path.open(encoding="utf-8", newline="") as lines:
        return {int(row["epoch"]) + 1: float(row[name]) for row in csv.DictReader(lines) if row.get(name)}


def _draw_curve(axes: Axes, curve: dict[int, float], label: str, colour: str, line: str) -> None:
    if curve:
        epochs = sorted(curve)
        axes.plot(epochs, [curve[epoch] for epoch in epochs], line, color=colour, marker=".", label=label)
