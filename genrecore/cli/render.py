"""Analyses as people read them: a table with bars on a terminal, lines elsewhere."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from string import ascii_letters
from typing import Any

from rich.bar import Bar
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from genrecore.analysis import Analysis, Histogram
from genrecore.pool import Result
from genrecore.report.style import clock, colours

__all__ = ["Layout", "as_json", "letters_for", "line", "printable", "strip_of"]

# Bars lower than this are left out, and there are never more than that many.
_LOWEST = 0.05
_MOST = 4


def printable(text: str, encoding: str = "utf-8") -> str:
    """Text that a terminal or pipe of an encoding takes: what cannot be shown becomes a question mark."""
    known = text.encode(encoding, "replace").decode(encoding, "replace")
    return "".join(c if c.isprintable() else "?" for c in known)


def as_json(data: dict[str, Any], encoding: str) -> str:
    """One line of JSON; characters that the encoding lacks are escaped."""
    text = json.dumps(data, ensure_ascii=False)
    try:
        text.encode(encoding)
    except UnicodeEncodeError:  # a file name that is no Unicode, or a terminal of another age
        return json.dumps(data)
    return text


def line(analysis: Analysis, encoding: str) -> str:
    """An analysis in a line: what it is, how sure that is, and the tallest bars in percent."""
    parts = (
        f"{histogram.top} {histogram.confidence:.0%} ({_bars_in_words(histogram)})"
        for histogram in (analysis.genre, analysis.mood)
    )
    return printable(f"{analysis.path}: {', '.join(parts)}", encoding)


@dataclass(frozen=True)
class Layout:
    """Columns of the table, fixed beforehand, so that rows can be printed as they come.

    Parameters
    ----------
    name, histogram : int
        Width of the first column and of each of the other two, in characters.
    encoding : str
        What the terminal understands.
    colour : bool
        Whether it has enough colours to tell classes apart: of sixteen, several would be one.
    """

    name: int
    histogram: int
    encoding: str = "utf-8"
    colour: bool = True

    @classmethod
    def for_console(cls, console: Console) -> Layout:
        """Share out the width of a terminal."""
        width = max(60, min(console.width, 140)) - 4
        name = width // 3
        enough = console.color_system not in (None, "standard") and not console.no_color
        return cls(name, (width - name) // 2, console.encoding, enough)

    @property
    def _plain(self) -> bool:
        return not self.encoding.startswith("utf")  # as rich decides it

    def header(self) -> RenderableType:
        """First lines of the table."""
        dash = "-" if self._plain else "─"
        widths = (self.name, self.histogram, self.histogram)
        titles = [Text(title, "bold") for title in ("File", "Genre", "Mood")]
        return self._row(titles, [Text(dash * width, "dim") for width in widths])

    def row(self, result: Result) -> RenderableType:
        """What was heard in a file."""
        analysis = result.analysis
        assert analysis is not None
        folder, name = os.path.split(printable(result.path, self.encoding))
        about = f"{clock(analysis.duration)}{', from the cache' if result.cached else ''}"
        gap = "..." if self._plain else "…"
        file = [Text(_shortened(name, self.name, gap), "bold"), Text(about, "dim")]
        if folder:
            file.insert(1, Text(_shortened(folder, self.name, gap, keep_end=True), "dim"))
        bars = (self._histogram(analysis.genre, "cyan"), self._histogram(analysis.mood, "magenta"))
        return Padding(self._row([Group(*file), *bars]), (0, 0, 1, 0))

    def _row(self, *rows: Sequence[RenderableType]) -> RenderableType:
        grid = Table.grid(padding=(0, 2, 0, 0))
        for width in (self.name, self.histogram, self.histogram):
            grid.add_column(width=width, no_wrap=True, overflow="crop")
        for row in rows:
            grid.add_row(*row)
        return grid

    def _histogram(self, histogram: Histogram, colour: str) -> RenderableType:
        top = Text(histogram.top, f"bold {colour}")
        top.append(f"  {histogram.confidence:.0%} sure", "dim")
        grid = Table.grid(padding=(0, 1, 0, 0))
        label = min(max(map(len, histogram.labels)), 12) + (0 if self._colourful else 2)
        bar = self.histogram - label - 7
        grid.add_column(width=label, no_wrap=True, overflow="crop")
        grid.add_column(width=bar)
        grid.add_column(width=4, justify="right")
        palette, letters = colours(histogram.labels), letters_for(histogram.labels)
        for name, share in _tallest(histogram):
            shown = name if self._colourful else f"{letters[name]} {name}"
            grid.add_row(shown, self._bar(share, bar, palette[name]), Text(f"{share:.0%}", "dim"))
        strip = Text()
        for name in strip_of(histogram, self.histogram - 2):
            strip.append("▀" if self._colourful else letters[name], palette[name] if self._colourful else "")
        return Group(top, grid, strip) if strip else Group(top, grid)

    @property
    def _colourful(self) -> bool:
        return self.colour and not self._plain

    def _bar(self, share: float, width: int, colour: str) -> RenderableType:
        if self._plain:
            return Text("#" * round(share * width), colour)
        return Bar(1.0, 0.0, share, width=width, color=colour)


def strip_of(histogram: Histogram, width: int) -> list[str]:
    """A timeline in a line: the commonest class of each part of the snippets, in the order in which they sound.

    Parameters
    ----------
    histogram : Histogram
        Of a track.
    width : int
        Parts at most.

    Returns
    -------
    list of str
        Classes; empty where the order is not known.
    """
    sequence = histogram.sequence
    parts = min(width, len(sequence))
    borders = [k * len(sequence) // parts for k in range(parts + 1)] if parts > 0 else []
    chosen = (max(part, key=part.count) for part in (sequence[a:b] for a, b in pairwise(borders)))
    return [histogram.labels[k] for k in chosen]


def letters_for(labels: Sequence[str]) -> dict[str, str]:
    """A letter for each class, of its own name where that is possible, all different."""
    taken: dict[str, str] = {}
    for label in labels:
        mine = [c for c in (*label.lower(), *label.upper(), *ascii_letters) if c.isalpha()]
        taken[label] = next((c for c in mine if c not in taken.values()), "?")
    return taken


def _tallest(histogram: Histogram) -> list[tuple[str, float]]:
    ranked = histogram.ranked()[:_MOST]
    return [(label, share) for k, (label, share) in enumerate(ranked) if share >= _LOWEST or k == 0]


def _bars_in_words(histogram: Histogram) -> str:
    return ", ".join(f"{label} {100 * share:.0f}" for label, share in _tallest(histogram))


def _shortened(text: str, width: int, gap: str, *, keep_end: bool = False) -> str:
    """Cut in the middle, or at the beginning, where it is too wide."""
    if cell_len(text) <= width:
        return text
    room = width - len(gap)
    tail = room if keep_end else room // 2
    return f"{_cells(text, room - tail)}{gap}{_cells(text[::-1], tail)[::-1]}"


def _cells(text: str, width: int) -> str:
    """The beginning of a text that fits into a number of terminal cells."""
    taken = ""
    for character in text:
        if cell_len(taken + character) > width:
            break
        taken += character
    return taken
