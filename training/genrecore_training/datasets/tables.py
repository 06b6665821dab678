"""Tables (CSV) that data sets come with."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from genrecore_training.datasets.track import DatasetError

__all__ = ["numbers_of", "rows_of"]


def rows_of(path: Path, needed: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    """Line and cells of each row, by column names in lower case."""
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:  # written on the authors' Windows
        text = data.decode("cp1252", errors="replace")
    lines = csv.reader(io.StringIO(text, newline=""))
    head = [cell.strip().lower() for cell in next(lines, [])]
    for column in needed:
        if column not in head:
            raise DatasetError(f"{path} has no column '{column}': it needs {', '.join(needed)}")
    rows = []
    for cells in lines:
        if cells:
            if len(cells) != len(head):
                raise DatasetError(
                    f"{path}: line {lines.line_num} has {len(cells)} of {len(head)} columns: get it again"
                )
            rows.append((lines.line_num, dict(zip(head, (cell.strip() for cell in cells), strict=True))))
    return rows


def numbers_of(row: Mapping[str, str], names: Sequence[str], path: Path, line: int) -> tuple[float, ...]:
    """Cells of a row as numbers.

    Raises
    ------
    DatasetError
        If one is none, or not finite.
    """
    try:
        values = tuple(float(row[name]) for name in names)
    except ValueError as error:
        raise DatasetError(f"{path}: line {line}: {error}: get it again") from error
    if not all(map(math.isfinite, values)):
        raise DatasetError(f"{path}: line {line} holds a number that is none: get it again")
    return values
