"""The tables of the README and the documentation, made from ``benchmarks/results/*.json``.

    python -m benchmarks.tables            write them between their markers
    python -m benchmarks.tables --check    say whether they are what the results give; exit code 1 if not

Standard library only.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
#: Files with the markers.
DOCUMENTS = ("README.md", "docs/models.md")
STAGES = ("hash", "decode", "logmel", "genre", "mood", "store")
MISSING = "??"

Results = dict[str, Any]


def number(value: float | None, digits: int = 0) -> str:
    """A figure for print; a missing one is ``??``."""
    return MISSING if value is None else f"{value:,.{digits}f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table: the first column text, the others figures."""
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, rule, *rows])


def speed_table(results: Results) -> str:
    """Tracks a minute and memory, a row for each genre model and one for decoding alone."""
    rows = [
        [
            f"`{name}`",
            number(model.get("tracks_per_minute")),
            number(model.get("ratio_to_decoding"), 2),
            number(model.get("peak_worker_megabytes")),
            number(model.get("seconds_to_first_result"), 1),
        ]
        for name, model in results.get("models", {}).items()
    ]
    decoding = results.get("decoding", {})
    rows.append(["decoding alone", number(decoding.get("tracks_per_minute")), "1.00", "", ""])
    head = [
        "genre model",
        "tracks a minute",
        "time, decoding = 1",
        "MB a worker, peak",
        "s to the first result",
    ]
    return table(head, rows)


def stage_table(results: Results) -> str:
    """Milliseconds a track in each stage, on one core."""
    models = results.get("models", {})
    known = {stage for model in models.values() for stage in model.get("stage_seconds", {})}
    stages = [stage for stage in STAGES if stage in known] + sorted(known - set(STAGES))
    rows = [
        [f"`{name}`"] + [number(_milliseconds(model.get("stage_seconds", {}).get(stage))) for stage in stages]
        for name, model in models.items()
    ]
    return table(["ms a track, one core", *stages], rows)


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else 1000.0 * seconds


def bench_block(every: Sequence[Results]) -> str:
    """Everything between the markers."""
    if not every:
        return f"Not measured yet: {MISSING}"
    return "\n\n".join(part for results in every for part in _one(results))


def _one(results: Results) -> list[str]:
    machine, piece = results.get("machine", {}), results.get("piece", {})
    start, again = results.get("startup", {}), results.get("nothing_new", {})
    song = results.get("one_song", {})
    seconds, start_seconds = number(again.get("seconds"), 1), number(again.get("start_of_beets_seconds"), 1)
    return [
        f"Measured on {results.get('measured_at', MISSING)}: {machine.get('processor', MISSING)}, "
        f"{machine.get('jobs', MISSING)} worker processes, {machine.get('system', MISSING)}, "
        f"Python {machine.get('python', MISSING)}; {piece.get('files', MISSING)} files of "
        f"{piece.get('seconds', MISSING)} s in equal parts of {', '.join(piece.get('formats', [MISSING]))}; "
        "no GPU.",
        speed_table(results),
        stage_table(results),
        f"`beet ls` takes {number(start.get('difference_milliseconds'), 1)} ms longer with the plugin "
        f"({number(start.get('with_milliseconds'))} against {number(start.get('without_milliseconds'))} ms). "
        f"`beet genreclf` over {number(again.get('tracks'))} tracks of which none is new takes "
        f"{seconds} s; without the {start_seconds} s in which beets starts, that is "
        f"{number(again.get('tracks_per_second'))} tracks a second. "
        f"`genrecore timeline` of one of the files takes {number(song.get('timeline_seconds'), 1)} s, "
        f"`genrecore analyze` {number(song.get('analyze_seconds'), 1)} s.",
    ]


def replaced(text: str, block: str) -> str:
    """`text` with `block` between the markers.

    Raises
    ------
    ValueError
        If it does not hold each marker once, in order.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest:
        raise ValueError(f"the markers {BEGIN} and {END} must stand in it once each, in this order")
    return f"{before}{BEGIN}\n{block}\n{END}{after}"


def main() -> None:
    """Write or check."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.tables", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit code 1 if a table is out of date"
    )
    check = parser.parse_args().check
    every = [json.loads(path.read_text("utf-8")) for path in sorted((HERE / "results").glob("*.json"))]
    stale = []
    for name in DOCUMENTS:
        path = ROOT / name
        old = path.read_text("utf-8")
        new = replaced(old, bench_block(every))
        if new != old:
            stale.append(name)
            if not check:
                path.write_text(new, "utf-8")
    if check and stale:
        sys.exit(
            f"{', '.join(stale)}: the speed tables are not what benchmarks/results gives: run 'make tables'."
        )


if __name__ == "__main__":
    main()
