"""The tables of the published networks, what the papers print and what came out here, and of other trials."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from genrecore import model as model_files
from genrecore_training import recipes as recipe_files
from genrecore_training.protocols import group_of
from genrecore_training.recipes import Recipe
from genrecore_training.results import ResultError, main_figure, read, read_all, seeds_of

__all__ = [
    "bundled_recipes",
    "faults",
    "interval",
    "outdated",
    "render_compared",
    "render_reproduced",
    "render_tried",
    "results_of_bundled",
    "results_of_replaced",
    "spread",
]

_UNKNOWN = "??"
_MISSING = "missing.yaml"


def render_reproduced(results: Path) -> str:
    """Every published network, as Markdown; a figure that is missing is ``??``, with its reason below the table."""
    found = _by_recipe(results)
    reasons = _reasons(results)
    notes: list[str] = []
    rows = [
        "| network | task | parameters | multiply-adds | published | ours, the paper's protocol "
        "| ours, artists apart | its single snippets | seeds | s of training |",
        "|---|---|---:|---:|---|---|---|---|---:|---:|",
    ]
    for recipe in _published():
        theirs, honest = recipe.protocols
        ours = {name: found.get((recipe.name, name)) for name in recipe.protocols}
        rows.append(
            f"| `{recipe.network}` | {recipe.task} | {_size(ours.values(), 'parameters')} "
            f"| {_size(ours.values(), 'multiply_adds')} | {_theirs(recipe)} "
            f"| {_cell(ours[theirs], _reason(reasons, recipe, theirs), notes)} "
            f"| {_cell(ours[honest], _reason(reasons, recipe, honest), notes)} "
            f"| {_snippets(ours[honest])} | {_seeds(ours.values())} | {_seconds(ours.values())} |"
        )
    return "\n".join([*rows, "", *_numbered(notes)]).rstrip() + "\n"


def render_compared(results: Path) -> str:
    """The paired comparisons, as Markdown."""
    pairs = _comparisons(results)
    if not pairs:
        return f"{_UNKNOWN}\n"
    rows = [
        "| one | other | protocol | n | only one right | only other right | McNemar, exact | by group "
        "| accuracy of the one less the other's |",
        "|---|---|---|---:|---:|---:|---|---|---|",
    ]
    for _, found in pairs:
        rows.append(
            f"| `{found['one']}` | `{found['other']}` | {found['protocol']} | {found['n']} | {found['only_one']} "
            f"| {found['only_other']} | p = {found['p']:.4f} "
            f"| {found['groups']} {group_of(found['protocol'])}, p = {found['p_of_groups']:.4f} | {_ahead(found)} |"
        )
    return "\n".join(rows) + "\n"


def render_tried(results: Path) -> str:
    """Recipes of published networks that are neither as published nor of a bundled model, as Markdown."""
    theirs = {recipe.network for recipe in _published()}
    found = [result for result in _unbundled(results) if result["network"] in theirs]
    if not found:
        return f"{_UNKNOWN}\n"
    notes: list[str] = []
    rows = [
        "| recipe | accuracy, first seed | seeds | mean ± deviation over seeds | each seed |",
        "|---|---|---:|---|---|",
    ]
    for result in found:
        seeds = result.get("seeds")
        over = spread(seeds) if seeds else _UNKNOWN
        each = ", ".join(f"{value:.3f}" for value in seeds["accuracy"]) if seeds else _UNKNOWN
        rows.append(
            f"| `{result['model']}` | {_cell(result, None, notes)} | {seeds_of(result)} | {over} | {each} |"
        )
    how = sorted({result["interval"] for result in found})
    told = [*_numbered(notes), ""] if notes else []
    return "\n".join([*rows, "", *told, f"Interval: {'; '.join(how)}."]) + "\n"


def faults(results: Path) -> list[str]:
    """One sentence for each figure made by a recipe that has changed, and each one missing untold."""
    said = []
    reasons, found = _reasons(results), _by_recipe(results)
    for (name, protocol), result in found.items():
        said += outdated(f"{name}--{protocol}.json", name, result["recipe_hash"])
    for path, pair in _comparisons(results):
        for name, digest in zip((pair["one"], pair["other"]), pair["recipe_hashes"], strict=True):
            said += outdated(f"comparisons/{path.name}", name, digest)
    for recipe in _published():
        for protocol in recipe.protocols:
            if (recipe.name, protocol) not in found and _reason(reasons, recipe, protocol) is None:
                said.append(f"{recipe.name} has no figure under {protocol}, and {_MISSING} gives no reason")
    return said


def interval(figure: dict[str, Any]) -> str:
    """Both ends of a figure's interval, as the tables have them."""
    return f"[{figure['low']:.3f}, {figure['high']:.3f}]"


def spread(seeds: dict[str, Any]) -> str:
    """Mean and deviation over seeds, as the tables have them."""
    return f"{seeds['mean']:.3f} ± {seeds['deviation']:.3f}"


def bundled_recipes() -> set[str]:
    """Names of the recipes that made the bundled models."""
    cards = map(model_files.read_card, model_files.bundled())
    return {recipe.name for card in cards if (recipe := recipe_files.made_by(card.recipe_hash)) is not None}


def results_of_bundled(results: Path) -> list[dict[str, Any]]:
    """The results of the recipes that made the bundled models."""
    known = bundled_recipes()
    return [found for found in read_all(results) if found["model"] in known]


def results_of_replaced(results: Path) -> list[dict[str, Any]]:
    """The results of recipes of our own networks that make no bundled model any more."""
    theirs = {recipe.network for recipe in _published()}
    return [found for found in _unbundled(results) if found["network"] not in theirs]


def _unbundled(results: Path) -> list[dict[str, Any]]:
    ours = {name for name in recipe_files.names() if recipe_files.load(name).published is None}
    return [found for found in read_all(results) if found["model"] in ours - bundled_recipes()]


def _ahead(pair: dict[str, Any]) -> str:
    found = pair.get("ahead")
    if found is None:  # of a comparison from before there was such a figure
        return "—"
    return f"{found['value']:+.3f} [{found['low']:+.3f}, {found['high']:+.3f}], {found['seeds']} seed(s)"


def outdated(file: str, name: str, digest: str) -> list[str]:
    """What is wrong with a file that a recipe of this name and digest made, in sentences; empty if nothing."""
    if name not in recipe_files.names():
        return [f"{file}: there is no recipe {name}"]
    if recipe_files.load(name).digest != digest:
        return [f"{file} was made by another recipe than {name}.yaml is now: make it again"]
    return []


def _comparisons(results: Path) -> list[tuple[Path, dict[str, Any]]]:
    files = sorted((results / "comparisons").glob("*.json"))
    return [(path, read(path)) for path in files]


def _published() -> list[Recipe]:
    known = (recipe_files.load(name) for name in recipe_files.names())
    return sorted((r for r in known if r.published is not None), key=lambda r: (r.task, r.name))


def _by_recipe(results: Path) -> dict[tuple[str, str], dict[str, Any]]:
    return {(result["model"], result["protocol"]): result for result in read_all(results)}


def _reasons(results: Path) -> dict[str, str]:
    path = results / _MISSING
    try:
        said: dict[str, str] = yaml.safe_load(path.read_text("utf-8")) if path.is_file() else {}
    except yaml.YAMLError as error:
        raise ResultError(f"{path} does not read as YAML, mend it: {' '.join(str(error).split())}") from error
    return said or {}


def _reason(reasons: dict[str, str], recipe: Recipe, protocol: str) -> str | None:
    """Why there is no figure; told of a recipe, or of one protocol of it."""
    return reasons.get(f"{recipe.name}--{protocol}", reasons.get(recipe.name))


def _theirs(recipe: Recipe) -> str:
    said = recipe.published
    if said is None:
        return _UNKNOWN
    count = f", n = {said.n}" if said.n else ""
    return f"{said.accuracy:.4f} ({said.protocol}{count})"


def _cell(result: dict[str, Any] | None, reason: str | None, notes: list[str]) -> str:
    if result is None:
        return f"{_UNKNOWN}{_note(reason, notes)}"
    figure = main_figure(result)
    folds, every = len(result["folds"]), result["folds of the protocol"]
    part = "" if folds == every else f", {folds} of {every} folds"
    return (
        f"**{figure['value']:.3f}** {interval(figure)} "
        f"{result['protocol']}, n = {figure['n']}{part}{_note(result['data'], notes)}"
    )


def _note(text: str | None, notes: list[str]) -> str:
    """A number that refers to a note below the table; the same note has the same number."""
    if not text:
        return ""
    said = text[0].upper() + text[1:].rstrip(".") + "."
    if said not in notes:
        notes.append(said)
    return f" ({notes.index(said) + 1})"


def _numbered(notes: list[str]) -> list[str]:
    return [f"{number + 1}. {note}" for number, note in enumerate(notes)]


def _snippets(result: dict[str, Any] | None) -> str:
    if result is None:
        return _UNKNOWN
    figure = main_figure(result, "accuracy of snippets")
    return f"{figure['value']:.3f} {interval(figure)}"


def _size(found: Any, key: str) -> str:
    values = [result["folds"][0][key] for result in found if result is not None]
    if not values:
        return _UNKNOWN
    return f"{values[0]:,}" if key == "parameters" else f"{values[0] / 1e6:.1f} M"


def _seeds(found: Any) -> str:
    counts = [seeds_of(result) for result in found if result is not None]
    return str(min(counts)) if counts else _UNKNOWN


def _seconds(found: Any) -> str:
    spent = [fold["seconds"] for result in found if result is not None for fold in result["folds"]]
    return f"{sum(spent):,.0f}" if spent else _UNKNOWN
