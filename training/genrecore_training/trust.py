"""The tables that say how far the bundled models are to be trusted, from the results files, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from genrecore import model as model_files
from genrecore_training.hear import HEARD
from genrecore_training.reproduced import bundled_recipes, interval, outdated, results_of_bundled
from genrecore_training.results import main_figure, read

__all__ = [
    "faults",
    "render_abstaining",
    "render_calibration",
    "render_controls",
    "render_outside",
    "render_per_class",
    "render_robustness",
]

_UNKNOWN = "??"
_NOTHING = "Not measured yet of the bundled models.\n"
_CONTROLS = "controls.json"


def render_calibration(results: Path) -> str:
    """Is the confidence what it says? One row for each bundled model and protocol."""
    rows = [
        "| model | protocol | heard | tracks | log loss, uncalibrated | calibrated | calibration error "
        "| of an exact confidence |",
        "|---|---|---|---:|---|---|---|---|",
    ]
    for result in _calibrated(results):
        found = result["calibration"]
        loss, (low, high) = found["log loss"], found["error of an exact confidence"]
        main = main_figure(result)
        rows.append(
            f"| `{result['model']}` | {result['protocol']} | {HEARD[main['on']]} | {main['n']} | {loss['before']:.3f} "
            f"| {loss['after']:.3f} | **{result['calibration_error']:.3f}** | {low:.3f} to {high:.3f} |"
        )
    return _table(rows)


def render_abstaining(results: Path) -> str:
    """What does it cost to be right so often? Thresholds from validation tracks, what they give from test tracks."""
    rows = [
        "| model | protocol | wanted | least confidence | tracks that get a class | right of these |",
        "|---|---|---|---|---|---|",
    ]
    for result in _calibrated(results):
        count = main_figure(result)["n"]
        for found in result["abstaining"]:
            what = f"{found['precision wanted']:.0%}" if "precision wanted" in found else "the default"
            wanted = f"| `{result['model']}` | {result['protocol']} | {what} "
            if "thresholds" not in found:
                rows.append(
                    f"{wanted}| none gives it on {found['validation tracks']} validation tracks | | |"
                )
                continue
            right = found.get("precision")
            reached = f"**{right['value']:.3f}** {interval(right)}" if right else "none got one"
            rows.append(
                f"{wanted}| {_ends(found['thresholds'])} | {found['n']} of {count} ({found['coverage']:.0%}) "
                f"| {reached} |"
            )
    return _table(rows)


def render_per_class(results: Path) -> str:
    """How each class fares, and what it is most often mistaken for; by the protocol whose figure the model carries."""
    cards = map(model_files.read_card, model_files.bundled())
    carried = {(card.recipe_hash, card.figures[0].protocol) for card in cards if card.figures}
    rows = [
        "| model | class | tracks | recall | precision | most often mistaken for |",
        "|---|---|---:|---:|---:|---|",
    ]
    for result in _calibrated(results):
        if (result["recipe_hash"], result["protocol"]) not in carried:
            continue
        labels, counts = result["confusion"]["labels"], result["confusion"]["rows are the truth"]
        for at, (label, row) in enumerate(zip(labels, counts, strict=True)):
            found = result["per class"][label]
            wrong = {
                other: count for k, (other, count) in enumerate(zip(labels, row, strict=True)) if k != at
            }
            worst = max(wrong, key=wrong.__getitem__)
            mistaken = f"{worst}, {wrong[worst]}" if wrong[worst] else ""
            rows.append(
                f"| `{result['model']}` | {label} | {found['n']} | {found['recall']:.2f} | {found['precision']:.2f} "
                f"| {mistaken} |"
            )
    return _table(rows)


def render_robustness(results: Path) -> str:
    """Does a model say the same of a recording in another form? One column a model."""
    known = bundled_recipes()
    found = [entry for _, entry in _robustness(results) if entry["model"] in known]
    if not found:
        return _NOTHING
    names = [f"`{entry['model']}`, n = {entry['n']}" for entry in found]
    rows = [f"| with | {' | '.join(names)} |", f"|---|{'---|' * len(found)}"]
    by_name = [{cell["with"]: cell for cell in entry["agreement"]} for entry in found]
    for name in dict.fromkeys(name for cells in by_name for name in cells):
        rows.append(f"| {name} | {' | '.join(_cell(cells.get(name)) for cells in by_name)} |")
    rows.append(f"| other snippets | {' | '.join(_cell(entry['other snippets']) for entry in found)} |")
    protocols = ", ".join(f"{entry['protocol']} for `{entry['model']}`" for entry in found)
    return "\n".join([*rows, "", f"Protocol: {protocols}. Interval: {found[0]['interval']}."]) + "\n"


def render_controls(results: Path) -> str:
    """What is said of sounds that are no music, one row a sound."""
    path = results / _CONTROLS
    if not path.is_file():
        return _NOTHING
    found = read(path)
    tasks = list(found["thresholds"])
    heads = [f"{task} | greatest confidence | abstains" for task in tasks]
    rows = [f"| sound | {' | '.join(heads)} |", f"|---|{'---|---|---|' * len(tasks)}"]
    for entry in found["sounds"]:
        cells = [_said(entry.get(task), entry["refused"], found["count"]) for task in tasks]
        rows.append(f"| {entry['sound']} | {' | '.join(cells)} |")
    models = sorted({entry[task]["model"] for entry in found["sounds"] for task in tasks if task in entry})
    heard = f"{found['count']} variants of each, {found['seconds']:g} s; by {', '.join(models)}"
    least = ", ".join(f"{task} {value:g}" for task, value in found["thresholds"].items())
    told = f"{heard}; least confidence: {least}."
    return "\n".join([*rows, "", told]) + "\n"


def render_outside(results: Path) -> str:
    """What the bundled models say of data sets that others have collected and labelled."""
    stems = {path.stem for path in model_files.bundled()}
    found = [(path.stem, read(path)) for path in sorted((results / "outside").glob("*.json"))]
    found = [(name, entry) for name, entry in found if name in stems]
    rows = [
        "| model | test | tracks | left out | right | always the same class |",
        "|---|---|---:|---:|---|---|",
    ]
    felt = ["| model | quadrant | emotion felt | tracks | rank correlation |", "|---|---|---|---:|---|"]
    for name, entry in found:
        for test in entry.get("tests", ()):
            if not test["n"]:
                continue
            same = test["always the same"]
            rows.append(
                f"| `{name}` | {test['test']} | {test['n']} | {test['left out']} | {_cell(test['accuracy'])} "
                f"| {same['class']}, {same['accuracy']:.3f} |"
            )
        for pair in entry.get("emotions", ()):
            felt.append(
                f"| `{name}` | {pair['quadrant']} | {pair['emotion'].replace('_', ' ')} | {pair['n']} "
                f"| **{pair['value']:+.2f}** [{pair['low']:+.2f}, {pair['high']:+.2f}] |"
            )
    if not found:
        return _NOTHING
    how = [f"Interval: {found[0][1]['interval']}; of the correlations over tracks.", ""]
    return "\n".join([*(_table(part) for part in (rows, felt) if len(part) > 2), *how])


def faults(results: Path) -> list[str]:
    """One sentence for each file that was made by other recipes or models than there are now."""
    said = []
    for path, entry in _robustness(results):
        said += outdated(f"robustness/{path.name}", entry["model"], entry["recipe_hash"])
    weights = {path.stem: model_files.digest(path.stem) for path in model_files.bundled()}
    for path in sorted((results / "outside").glob("*.json")):
        if weights.get(path.stem) != read(path)["weights"]:
            said.append(f"outside/{path.name} is of another model than the bundled one: make it again")
    if (results / _CONTROLS).is_file():
        gone = {
            name for name, found in read(results / _CONTROLS)["weights"].items() if weights.get(name) != found
        }
        if gone:
            said.append(f"{_CONTROLS} is of another {min(gone)} than the bundled one: make it again")
    return said


def _calibrated(results: Path) -> Iterable[dict[str, Any]]:
    """Results of bundled models; not those from before there was a word on calibration in them."""
    return [found for found in results_of_bundled(results) if "abstaining" in found]


def _robustness(results: Path) -> list[tuple[Path, dict[str, Any]]]:
    return [(path, read(path)) for path in sorted((results / "robustness").glob("*--*.json"))]


def _cell(found: dict[str, Any] | None) -> str:
    return _UNKNOWN if found is None else f"**{found['value']:.3f}** {interval(found)}"


def _ends(thresholds: list[float | None]) -> str:
    """The least and the greatest of the folds' thresholds; of one fold, or where all are equal, the one."""
    known = sorted(f"{value:.2f}" for value in thresholds if value is not None)
    return known[0] if known[0] == known[-1] else f"{known[0]} to {known[-1]}"


def _said(found: dict[str, Any] | None, refused: int, count: int) -> str:
    if found is None:
        return f"refused, {refused} of {count} | | "
    classes = ", ".join(f"{label} {number}" for label, number in found["classes"].items())
    return f"{classes} | {found['greatest confidence']:.2f} | {found['abstains']:.0%}"


def _table(rows: list[str]) -> str:
    return "\n".join(rows) + "\n" if len(rows) > 2 else _NOTHING
