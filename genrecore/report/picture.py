"""A song's timeline as a picture for a paper."""

from __future__ import annotations

import warnings
from typing import IO, TYPE_CHECKING, Any, Literal

import numpy as np

from genrecore.report.song import Song
from genrecore.report.style import clock, colours
from genrecore.timelines import Flow, Timeline

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["timeline_picture"]

# Inches: the width of a text of two columns.
_SIZE = (7.0, 4.4)
_DPI = 200
# Vector pictures must not differ from one run to the next.
_METADATA: dict[str, dict[str, Any]] = {
    "svg": {"Date": None, "Creator": "genreclf"},
    "png": {"Software": "genreclf"},
}


def timeline_picture(line: Timeline, song: Song, file: IO[bytes], kind: Literal["png", "svg"]) -> bool:
    """Draw loudness, genre, mood, and valence and arousal over time.

    Parameters
    ----------
    line : Timeline
        What was heard.
    song : Song
        What its tags say.
    file : binary file
        Written to.
    kind : {'png', 'svg'}
        Its format; texts of an SVG stay texts.

    Returns
    -------
    bool
        Whether all of the title could be drawn: else some of its characters are in no font that was found.
    """
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

    settings: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": "genreclf",
        "font.size": 8,
        "text.parse_math": False,
    }
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=_SIZE, layout="constrained")
        drawn = 4 if line.valence is not None else 3
        rows: list[Axes] = list(
            figure.subplots(drawn, 1, sharex=True, height_ratios=[0.6, 2.4, 1.3, 1.0][:drawn])
        )
        rows[0].set_title(" – ".join(part for part in (song.artist, song.title) if part))
        floor = max(-60.0, float(line.loudness.min()))
        rows[0].fill_between(line.times, np.maximum(line.loudness, floor), floor, color="0.6", linewidth=0)
        rows[0].set_ylabel("dB")
        _areas(rows[1], line, line.genre, "genre")
        _areas(rows[2], line, line.mood, "mood")
        if line.valence is not None and line.arousal is not None:
            rows[3].plot(line.times, line.valence, label="valence", color="#2f6fb0")
            rows[3].plot(line.times, line.arousal, label="arousal", color="#d9484a")
            rows[3].set(ylim=(0, 1), ylabel="valence,\narousal")
            _legend(rows[3])
        for axes in rows[1:3]:
            axes.set_ylim(0, 1)
            axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        rows[-1].set(xlim=(0, line.duration), xlabel="time")
        rows[-1].xaxis.set_major_locator(MaxNLocator(9, steps=[1, 1.5, 2, 3, 6]))
        rows[-1].xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: clock(seconds)))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            figure.savefig(file, format=kind, dpi=_DPI, metadata=_METADATA[kind])
    return kind == "svg" or not any("missing from font" in str(warning.message) for warning in caught)


def _areas(axes: Axes, line: Timeline, flow: Flow, name: str) -> None:
    palette = colours(flow.labels)
    axes.stackplot(
        line.times,
        np.nan_to_num(flow.smoothed.T),
        labels=flow.labels,
        colors=[palette[label] for label in flow.labels],
        linewidth=0,
    )
    axes.set_ylabel(name)
    _legend(axes)


def _legend(axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(
        handles[::-1] if len(handles) > 2 else handles,
        labels[::-1] if len(labels) > 2 else labels,
        loc="center left",
        bbox_to_anchor=(1.0, 0.5),
        frameon=False,
        fontsize=7,
        handlelength=1,
        labelspacing=0.2,
    )
