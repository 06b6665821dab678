"""How the plots of pages look. What differs between light and dark is set by the page's script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["MOOD_COLOURS", "colours", "layout"]

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

#: By quadrant: what people tend to see in them.
MOOD_COLOURS = {"happy": "#f2c037", "angry": "#d9484a", "sad": "#5b62c9", "relaxed": "#67ab5b"}


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
        "margin": {"l": 46, "r": 12, "t": 8, "b": 40},
        "dragmode": False,
        **more,
    }
