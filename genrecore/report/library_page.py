"""A collection's portrait as a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from genrecore.report.library import MOST_LISTED, MOST_POINTS, Disagreement, Entry, Portrait, Share
from genrecore.report.page import plain, render
from genrecore.report.style import colours, corners, layout

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["library_page"]

_BLUES = [[0.0, "rgba(47,111,176,0)"], [1.0, "rgba(47,111,176,0.75)"]]


def library_page(
    portrait: Portrait, title: str, *, fix: Callable[[Disagreement], str] | None = None, made: str = ""
) -> str:
    """The page of a collection.

    Parameters
    ----------
    portrait : Portrait
        From `genrecore.report.library.portray`.
    title : str
        Its heading.
    fix : callable, optional
        The command that gives a track the genre that was heard.
    made : str
        When.

    Returns
    -------
    str
        HTML that needs nothing else.
    """
    genres = [share.label for share in portrait.genres]
    palette = colours(genres)
    moods = [share.label for share in portrait.moods]
    figures = {
        "genres": _bars(portrait.genres),
        "moods": _bars(portrait.moods),
        "closeness": _matrix(portrait.closeness, genres),
    }
    if len(portrait.years) > 1:  # one bar tells nothing
        figures["years"] = _years(portrait, genres)
    if portrait.density.any():
        figures["plane"] = _plane(portrait, palette)
    return render(
        "library",
        data={"points": [{"name": e.name, "path": _shown(e.path)} for e in portrait.points]},
        figures=figures,
        context={
            "title": title,
            "portrait": portrait,
            "moods": moods,
            "palette": palette,
            "dated": sum(map(sum, portrait.years.values())),
            "rows": [
                (label, palette[label], counts, sum(counts))
                for label, counts in zip(genres, portrait.table.tolist(), strict=True)
                if sum(counts)
            ],
            "columns": portrait.table.sum(axis=0).tolist(),
            "certain": _listed(portrait.certain),
            "uncertain": _listed(portrait.uncertain),
            "disagreements": [
                (d, ", ".join(d.entry.tagged), _shown(d.entry.path), fix(d) if fix else "")
                for d in portrait.disagreements
            ],
            "has_years": "years" in figures,
            "has_plane": "plane" in figures,
            "most_points": MOST_POINTS,
            "most_listed": MOST_LISTED,
            "close": _closest(portrait.closeness, genres),
            "made": made,
        },
    )


def _shown(path: str) -> str:
    """A path as text: bytes that are no Unicode become question marks."""
    return path.encode("utf-8", "replace").decode("utf-8")


def _listed(entries: Sequence[Entry]) -> list[tuple[str, str, float, str]]:
    return [
        (_shown(e.name), e.genre.top, e.genre.confidence, _shown(e.path))
        for e in entries
        if e.genre is not None
    ]


def _bars(shares: Sequence[Share]) -> go.Figure:
    import plotly.graph_objects as go

    palette = colours([share.label for share in shares])
    shown = sorted(shares, key=lambda share: share.sure + share.unsure)
    figure = go.Figure()
    for name, opacity in (("sure", 1.0), ("unsure", 0.35)):
        figure.add_bar(
            y=[plain(share.label) for share in shown],
            x=[getattr(share, name) for share in shown],
            orientation="h",
            name=name,
            marker={"color": [palette[share.label] for share in shown], "opacity": opacity},
            hovertemplate="%{x:,} tracks, " + name + "<extra>%{y}</extra>",
        )
    height = 60 + 30 * len(shown)
    figure.update_layout(
        layout(barmode="stack", height=height, showlegend=False, margin={"l": 80, "r": 12, "t": 8, "b": 40})
    )
    figure.update_xaxes(title="tracks", fixedrange=True, nticks=5)
    figure.update_yaxes(type="category", fixedrange=True)
    return figure


def _years(portrait: Portrait, genres: Sequence[str]) -> go.Figure:
    import plotly.graph_objects as go

    palette = colours(genres)
    decades = list(portrait.years)
    totals = [sum(counts) for counts in portrait.years.values()]
    figure = go.Figure()
    for k, genre in enumerate(genres):
        counts = [portrait.years[decade][k] for decade in decades]
        if any(counts):
            figure.add_bar(
                x=[f"{decade}s" for decade in decades],
                y=[count / total for count, total in zip(counts, totals, strict=True)],
                name=plain(genre),
                marker={"color": palette[genre]},
                customdata=list(zip(counts, totals, strict=True)),
                hovertemplate="%{customdata[0]:,} of %{customdata[1]:,} tracks<extra>%{fullData.name}</extra>",
            )
    figure.update_layout(
        layout(
            barmode="stack",
            height=340,
            bargap=0.08,
            showlegend=False,
            margin={"l": 46, "r": 12, "t": 24, "b": 40},
        )
    )
    for decade, total in zip(decades, totals, strict=True):
        figure.add_annotation(x=f"{decade}s", y=1.0, yanchor="bottom", text=f"{total:,}", showarrow=False)
    figure.update_xaxes(type="category", fixedrange=True, automargin=True)
    figure.update_yaxes(tickformat=".0%", range=[0, 1.06], fixedrange=True, tickvals=[0, 0.25, 0.5, 0.75, 1])
    return figure


def _plane(portrait: Portrait, palette: dict[str, str]) -> go.Figure:
    import plotly.graph_objects as go

    figure = go.Figure()
    if portrait.heard > len(portrait.points):  # the points are a sample: the ground under them is not
        cells = portrait.density.shape[0]
        middles = ((np.arange(cells) + 0.5) / cells).tolist()
        figure.add_heatmap(
            z=portrait.density.tolist(),
            x=middles,
            y=middles,
            colorscale=_BLUES,
            showscale=False,
            hoverinfo="skip",
        )
    points = [e for e in portrait.points if e.genre is not None and e.mood is not None]
    figure.add_scatter(
        x=[round(e.mood.valence or 0.0, 3) for e in points if e.mood is not None],
        y=[round(e.mood.arousal or 0.0, 3) for e in points if e.mood is not None],
        mode="markers",
        marker={
            "size": 9 if len(points) < 500 else 5,
            "opacity": 0.8,
            "color": [palette[e.genre.top] for e in points if e.genre is not None],
        },
        text=[plain(_shown(e.name)) for e in points],
        hovertemplate="%{text}<br>valence %{x:.2f}, arousal %{y:.2f}<extra></extra>",
    )
    figure.update_layout(layout(height=520, showlegend=False, hovermode="closest"))
    corners(figure)
    return figure


def _matrix(closeness: np.ndarray[Any, Any], genres: Sequence[str]) -> go.Figure:
    import plotly.graph_objects as go

    names = [plain(genre) for genre in genres]
    values = [[None if np.isnan(value) else round(value, 4) for value in row] for row in closeness.tolist()]
    figure = go.Figure(
        go.Heatmap(
            z=values,
            x=names,
            y=names,
            colorscale=_BLUES,
            zmin=0,
            zmax=1,
            showscale=False,
            xgap=1,
            ygap=1,
            texttemplate="%{z:.0%}",
            textfont={"size": 10},
            hovertemplate="where a snippet sounds like %{y}, another sounds like %{x}: %{z:.0%}<extra></extra>",
        )
    )
    figure.update_layout(layout(height=440, margin={"l": 70, "r": 8, "t": 60, "b": 8}))
    figure.update_yaxes(type="category", autorange="reversed", fixedrange=True)
    figure.update_xaxes(type="category", side="top", fixedrange=True, automargin=True)
    return figure


def _closest(closeness: np.ndarray[Any, Any], genres: Sequence[str]) -> list[tuple[str, str, float]]:
    """The three pairs of different genres that are heard most in the same tracks, by the mean of both directions."""
    known = np.nan_to_num(closeness)
    both = (known + known.T) / 2
    pairs = sorted(
        ((genres[i], genres[j], float(both[i, j])) for i in range(len(genres)) for j in range(i)),
        key=lambda pair: -pair[2],
    )
    return [pair for pair in pairs[:3] if pair[2] > 0]
