"""A song's timeline as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from genrecore.analysis import Histogram
from genrecore.card import Figure
from genrecore.report.page import plain, render
from genrecore.report.song import Song, Sound
from genrecore.report.style import clock, colours, corners, layout
from genrecore.timelines import Flow, Timeline

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["timeline_page"]

# Classes beyond these, the rarest, are drawn as one.
_MOST_CLASSES = 12
# Points of the path through the plane of valence and arousal: more would be a ball of wool.
_PATH_POINTS = 240
_OTHER = "other"
# A song begins at this midnight, in milliseconds: as times of a day plotly writes seconds as minutes and seconds.
# Not in 1970: it takes the first ten thousand milliseconds for years.
_DAY = 946_684_800_000
# dB re full scale: where the strip of loudness ends.
_QUIETEST = -60.0


def timeline_page(line: Timeline, song: Song, sound: Sound) -> str:
    """The page of a song.

    Parameters
    ----------
    line : Timeline
        What was heard.
    song : Song
        What its tags say.
    sound : Sound
        From where it is played.

    Returns
    -------
    str
        HTML that needs nothing else, but for the song where it is linked.
    """
    flows = {"genre": line.genre, "mood": line.mood}
    shown = {task: _shown(flow) for task, flow in flows.items()}
    figures: dict[str, Any] = {
        "flow": _flow_figure(line, shown),
        "genre-histogram": _histogram_figure(line.analysis.genre),
        "mood-histogram": _histogram_figure(line.analysis.mood),
    }
    path = _path(line)
    if path is not None:
        figures["path"] = _path_figure(path)
    return render(
        "timeline",
        data={
            "times": _rounded(line.times, 2),
            "duration": line.duration,
            "flows": {task: {"labels": labels, "values": values} for task, (labels, values) in shown.items()},
            "path": path,
            "kind": sound.kind,
        },
        figures=figures,
        context={
            "song": song,
            "sound": sound,
            "line": line,
            "analysis": line.analysis,
            "flows": {
                task: {
                    "colours": colours(flow.labels),
                    "sections": flow.sections,
                    "histogram": getattr(line.analysis, task),
                    "card": flow.card,
                    "figures": [_figure(figure) for figure in flow.card.figures],
                }
                for task, flow in flows.items()
            },
            "has_path": path is not None,
        },
        media=sound.policy,
    )


def _figure(figure: Figure) -> str:
    whose = "the recipe's" if figure.fold is None else "its own"
    return f"{figure.metric} {figure} on {figure.n:,} tracks it had not heard ({whose}; {figure.protocol})"


def _rounded(values: np.ndarray[Any, Any], digits: int) -> list[float | None]:
    return [None if np.isnan(value) else round(value, digits) for value in values.tolist()]


def _shown(flow: Flow) -> tuple[list[str], list[list[float | None]]]:
    """Classes to be drawn and their probabilities, the rarest of many put together."""
    mean = np.nanmean(flow.smoothed, axis=0)
    order = np.argsort(-mean)
    kept = np.sort(order[:_MOST_CLASSES]) if len(order) > _MOST_CLASSES + 1 else np.arange(len(order))
    values = [_rounded(flow.smoothed[:, k], 4) for k in kept]
    labels = [flow.labels[k] for k in kept]
    if len(kept) < len(order):
        rest = np.setdiff1d(order, kept)
        values.append(_rounded(flow.smoothed[:, rest].sum(axis=1), 4))
        labels.append(_OTHER)
    return labels, values


def _held(values: list[float | None]) -> list[float | None]:
    return [*values[:1], *values, *values[-1:]]


def _flow_figure(line: Timeline, shown: dict[str, tuple[list[str], list[list[float | None]]]]) -> go.Figure:
    from plotly.subplots import make_subplots

    figure = make_subplots(
        rows=3, cols=1, shared_xaxes=True, vertical_spacing=0.035, row_heights=[0.14, 0.56, 0.3]
    )
    end = _DAY + round(1000 * line.duration)
    # The first and the last window stand for what lies before and after their middles.
    x = [_DAY, *(_DAY + round(1000 * time) for time in line.times.tolist()), end]
    floor = max(_QUIETEST, float(line.loudness.min()) - 3)
    figure.add_scatter(
        x=[x[0], x[-1]],
        y=[floor, floor],
        mode="lines",
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
        row=1,
        col=1,
    )
    figure.add_scatter(
        x=x,
        y=_held(_rounded(np.maximum(line.loudness, floor), 1)),
        name="loudness",
        fill="tonexty",
        line={"width": 1, "color": "#8a8f98"},
        showlegend=False,
        row=1,
        col=1,
    )
    for row, (task, flow) in enumerate((("genre", line.genre), ("mood", line.mood)), 2):
        palette = {**colours(flow.labels), _OTHER: "#b8bcc4"}
        for label, values in zip(*shown[task], strict=True):
            figure.add_scatter(
                x=x,
                y=_held(values),
                name=plain(label),
                stackgroup=task,
                line={"width": 0.5, "color": palette[label]},
                fillcolor=palette[label],
                showlegend=False,
                row=row,
                col=1,
            )
    figure.update_layout(
        layout(
            height=620,
            hovermode=False,  # the page has its own, which is no slower with a mix of two hours
        )
    )
    form = "%-H:%M:%S" if line.duration >= 3600 else "%-M:%S"
    figure.update_xaxes(type="date", range=[_DAY, end], tickformat=form, fixedrange=True)
    if line.duration < 10:
        figure.update_xaxes(dtick=1000)
    figure.update_yaxes(fixedrange=True)
    figure.update_yaxes(ticksuffix=" dB", range=[floor, 0], nticks=3, row=1, col=1)
    for row in (2, 3):
        figure.update_yaxes(range=[0, 1], tickformat=".0%", nticks=5, row=row, col=1)
    return figure


def _histogram_figure(histogram: Histogram) -> go.Figure:
    import plotly.graph_objects as go

    palette = colours(histogram.labels)
    figure = go.Figure(
        go.Bar(
            x=[plain(label) for label in histogram.labels],
            y=list(histogram.counts),
            marker={"color": [palette[label] for label in histogram.labels]},
            text=[count or "" for count in histogram.counts],
            textposition="outside",
            cliponaxis=False,
            customdata=histogram.probabilities,
            hovertemplate="%{y} snippets, mean probability %{customdata:.0%}<extra>%{x}</extra>",
        )
    )
    figure.update_layout(layout(height=280, margin={"l": 46, "r": 12, "t": 20, "b": 64}))
    figure.update_yaxes(title=f"of {histogram.snippets} snippets", fixedrange=True, nticks=5)
    figure.update_xaxes(type="category", fixedrange=True)
    return figure


def _path(line: Timeline) -> dict[str, list[float]] | None:
    """Valence and arousal along the song, at most `_PATH_POINTS` places of it; None for a model of other moods."""
    valence, arousal = line.valence, line.arousal
    if valence is None or arousal is None:
        return None
    heard = np.flatnonzero(~np.isnan(valence))
    parts = np.array_split(heard, min(len(heard), _PATH_POINTS))
    means = {"time": line.times, "valence": valence, "arousal": arousal}
    return {name: [round(float(values[part].mean()), 4) for part in parts] for name, values in means.items()}


def _path_figure(path: dict[str, list[float]]) -> go.Figure:
    import plotly.graph_objects as go

    figure = go.Figure()
    figure.add_scatter(
        x=path["valence"],
        y=path["arousal"],
        mode="lines+markers",
        line={"width": 1, "color": "rgba(128,132,140,0.5)", "shape": "spline"},
        marker={"size": 7, "color": path["time"], "colorscale": "Viridis", "showscale": False},
        customdata=path["time"],
        text=[clock(time) for time in path["time"]],
        hovertemplate="%{text}<br>valence %{x:.2f}, arousal %{y:.2f}<extra></extra>",
    )
    figure.add_scatter(  # where the playhead is
        x=path["valence"][:1],
        y=path["arousal"][:1],
        mode="markers",
        marker={"size": 16, "color": "rgba(0,0,0,0)", "line": {"width": 3}},
        hoverinfo="skip",
        meta="ring",
    )
    figure.update_layout(layout(height=340, showlegend=False))
    corners(figure)
    return figure
