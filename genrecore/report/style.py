"""How the plots of pages look. What differs between light and dark is set by the page's script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["MOOD_COLOURS", "clock", "colours", "corners", "layout"]

# Tableau 10, ordered so that neighbours in the model's order differ.
_TEN = (
    "#4e79a7",
    "#b07aa1",
    "#9c755f",
    "#ff9da7",
    "#edc948",
    "#f28e2b",
    "#7f7f7f",
    "#e15759",
    "#59a14f",
    "#76b7b2",
)

#: By quadrant; none of those of the genres.
MOOD_COLOURS = {"happy": "#ffb000", "angry": "#d6006c", "sad": "#5b62c9", "relaxed": "#1b9e77"}


def clock(seconds: float) -> str:
    """Minutes and seconds, ``4:05``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def colours(labels: Sequence[str]) -> dict[str, str]:
    """A colour for each class, the same in every plot and on every page."""
    if set(labels) <= set(MOOD_COLOURS):
        return {label: MOOD_COLOURS[label] for label in labels}
    if len(labels) <= len(_TEN):
        return dict(zip(labels, _TEN, strict=False))
    from plotly.colors import qualitative

    many = [*_TEN, *qualitative.Light24]
    return {label: many[k % len(many)] for k, label in enumerate(labels)}


def layout(**more: Any) -> dict[str, Any]:
    """What all plots share."""
    return {
        "template": "none",
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 13},
        "margin": {"l": 58, "r": 12, "t": 8, "b": 40},
        "dragmode": False,
        **more,
    }


def corners(figure: Any) -> None:
    """Make a plot the plane of valence and arousal, with the quadrants' names in its corners."""
    for name, (x, y) in {"happy": (1, 1), "angry": (0, 1), "sad": (0, 0), "relaxed": (1, 0)}.items():
        figure.add_annotation(
            x=0.98 if x else 0.02,
            y=0.98 if y else 0.02,
            text=name,
            showarrow=False,
            xanchor="right" if x else "left",
            yanchor="top" if y else "bottom",
        )
    for update, name in ((figure.update_xaxes, "valence"), (figure.update_yaxes, "arousal")):
        update(title=name, range=[0, 1], tickvals=[0, 0.5, 1], fixedrange=True)
