"""Histograms as small bars in a line of text: for `--pretend`, `beet ls` and path formats. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from .naming import spell

__all__ = ["bars"]

_EIGHTHS = " ▏▎▍▌▋▊▉█"
#: What is less cannot be seen.
_LEAST = 0.05


def bars(counts: Mapping[str, int], width: int = 10) -> str:
    """The labels of a histogram with their shares, the most frequent first: ``Jazz ███████▏ 71% Blues █▊ 18%``.

    Parameters
    ----------
    counts : mapping of str to int
        How many snippets each label has.
    width : int
        Characters for a share of one.

    Returns
    -------
    str
        Without the labels below 5 %; empty where nothing was heard.
    """
    total = sum(counts.values())
    shares = {
        label: counts[label] / total
        for label in sorted(counts, key=counts.__getitem__, reverse=True)
        if total
    }
    return " ".join(
        f"{spell(label)} {_bar(share * width)} {share:.0%}"
        for label, share in shares.items()
        if share >= _LEAST
    )


def _bar(length: float) -> str:
    whole, eighths = divmod(round(length * 8), 8)
    return _EIGHTHS[8] * whole + _EIGHTHS[eighths] * bool(eighths)
