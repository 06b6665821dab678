"""The tables of figures in the documents, generated from the results files between two marker lines."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from genrecore import model as model_files
from genrecore_training.results import HEARD, read_all

__all__ = ["render", "render_short_files", "update"]

_BLOCK = re.compile(r"(<!-- (results|short-files):begin -->\n).*?(<!-- \2:end -->)", re.DOTALL)
_UNKNOWN = "??"


def render(results: Path) -> str:
    """Models and their figures, as Markdown."""
    found = read_all(results)
    return "\n".join([*_models(), "", *_figures(found), "", *_agreements(found)]) + "\n"


def render_short_files(results: Path) -> str:
    """The experiment on files shorter than a snippet, as Markdown."""
    path = results / "short-files.json"
    if not path.is_file():
        return f"{_UNKNOWN}\n"
    found = json.loads(path.read_text("utf-8"))
    rows = [
        "| model | slices | tiled | padded | right only tiled | right only padded | McNemar, exact |",
        "|---|---|---|---|---|---|---|",
    ]
    for model in found["models"]:
        tile, pad = (f"{model[mode]['accuracy']:.3f} {_interval(model[mode])}" for mode in ("tile", "pad"))
        rows.append(
            f"| `{model['model']}` | {model['n']} | {tile} | {pad} | {model['right only tiled']} "
            f"| {model['right only padded']} | p = {model['McNemar exact p']} |"
        )
    return "\n".join([*rows, "", f"Protocol: {found['protocol']}. Interval: {found['interval']}."]) + "\n"


def update(documents: Sequence[Path], results: Path, *, write: bool) -> list[Path]:
    """Bring the documents that have markers up to date.

    Parameters
    ----------
    documents : sequence of Path
        Markdown files.
    results : Path
        Folder of the results files.
    write : bool
        False to look only.

    Returns
    -------
    list of Path
        Documents that differed.
    """
    made = {"results": render(results), "short-files": render_short_files(results)}
    stale = []
    for path in documents:
        text = path.read_text("utf-8")
        fresh = _BLOCK.sub(lambda block: f"{block[1]}{made[block[2]]}{block[3]}", text)
        if fresh != text:
            stale.append(path)
            if write:
                path.write_text(fresh, "utf-8")
    return stale


def _models() -> list[str]:
    rows = ["| model | task | input | parameters | file |", "|---|---|---|---|---|"]
    for path in model_files.bundled():
        card = model_files.read_card(path)
        size = f"{path.stat().st_size / 1e6:.1f} MB"
        default = " (default)" if model_files.DEFAULT_MODELS[card.task] == card.name else ""
        rows.append(
            f"| `{card.name}`{default} | {card.task} | {card.input.kind} | {card.parameters or _UNKNOWN:,} | {size} |"
        )
    return rows


def _figures(results: Sequence[dict[str, Any]]) -> list[str]:
    rows = [
        "| model | protocol | heard | tracks | accuracy | macro F1 | 95 % interval of the latter two |",
        "|---|---|---|---|---|---|---|",
    ]
    for result in results:
        for way, meaning in HEARD.items():
            figures = {f["metric"]: f for f in result["figures"] if f["on"] == way}
            if figures:
                right, f1 = figures["accuracy"], figures["macro F1"]
                rows.append(
                    f"| `{result['model']}` | {result['protocol']} | {meaning} | {right['n']} "
                    f"| **{right['value']:.3f}** | {f1['value']:.3f} | {_interval(right)}, {_interval(f1)} |"
                )
    return rows if len(rows) > 2 else [f"Figures: {_UNKNOWN}"]


def _agreements(results: Sequence[dict[str, Any]]) -> list[str]:
    lines = []
    for result in results:
        found = result["agreement"]
        if found is not None:
            hits = ", ".join(f"{label} {hits}" for label, hits in found["by label"].items())
            apart = found["share with snippets drawn apart"]
            lines.append(
                f"`{result['model']}` ({result['protocol']}): the top class of the audio file and of the archived "
                f"columns agree on {found['share']:.1%} of {found['n']} held-out tracks where both hear the same "
                f"snippets, on {apart:.1%} where each draws its own ({hits})."
            )
    return lines


def _interval(figure: dict[str, Any]) -> str:
    return f"[{figure['low']:.3f}, {figure['high']:.3f}]"
