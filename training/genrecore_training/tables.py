"""The tables of figures in the documents, generated from the results files between two marker lines."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from genrecore import model as model_files
from genrecore.card import Figure
from genrecore_training import ideas as ideas_files
from genrecore_training import reproduced, trust
from genrecore_training.hear import HEARD
from genrecore_training.reproduced import (
    interval,
    outdated,
    render_compared,
    render_reproduced,
    render_tried,
    results_of_bundled,
    results_of_replaced,
    spread,
)
from genrecore_training.results import main_figure, read, read_all
from genrecore_training.statistics import INTERVAL

__all__ = [
    "faults",
    "render",
    "render_cards",
    "render_earlier",
    "render_handmade",
    "render_ideas",
    "render_short_files",
    "render_summary",
    "update",
]

_BLOCK = re.compile(r"(<!-- ([\w-]+):begin -->\n).*?(<!-- \2:end -->)", re.DOTALL)
_UNKNOWN = "??"
_SHORT_FILES = "short-files.json"
_HANDMADE = "handmade.json"
#: Ways of hearing by which models are compared: all networks hear sound; some figures of others are on columns.
_COMPARED = {
    "artist_grouped_3": ("columns", "sound"),
    "fault_filtered": ("columns", "sound"),
    "artist_grouped": ("waveform",),
}


def render(results: Path) -> str:
    """Models and their figures, as Markdown."""
    found = results_of_bundled(results)
    return "\n".join([*_models(), "", *_figures(found), "", *_agreements(found)]).rstrip() + "\n"


def render_summary(results: Path) -> str:
    """Models and the figures by which they are compared, as Markdown."""
    return "\n".join([*_models(), "", *_figures(results_of_bundled(results), _COMPARED)]) + "\n"


def render_earlier(results: Path) -> str:
    """Figures of recipes that have been replaced since, as Markdown: no reading of a test is forgotten."""
    return "\n".join(_figures([*read_all(results / "earlier"), *results_of_replaced(results)])) + "\n"


def render_short_files(results: Path) -> str:
    """The experiment on files shorter than a snippet, as Markdown."""
    found = _short_files(results)
    if found is None:
        return f"{_UNKNOWN}\n"
    rows = [
        "| model | slices | tiled | padded | right only tiled | right only padded | McNemar, exact | by artist |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for model in found["models"]:
        tile, pad = (f"{model[mode]['accuracy']:.3f} {interval(model[mode])}" for mode in ("tile", "pad"))
        rows.append(
            f"| `{model['model']}` | {model['n']} | {tile} | {pad} | {model['right only tiled']} "
            f"| {model['right only padded']} | p = {model['McNemar exact p']} | {_by_artist(model)} |"
        )
    return "\n".join([*rows, "", f"Protocol: {found['protocol']}. Interval: {found['interval']}."]) + "\n"


def render_handmade(results: Path) -> str:
    """Hand-made features beside the bundled mood network on the same folds, as Markdown."""
    path = results / _HANDMADE
    if not path.is_file():
        return f"{_UNKNOWN}\n"
    found = read(path)
    rows = [
        "| what decides | protocol | folds | tracks | accuracy | macro F1 |",
        "|---|---|---:|---:|---|---|",
    ]
    for test in found["tests"]:
        rows.append(
            f"| SVM on {found['features']} features | {test['protocol']} | {test['folds']} | {test['n']} "
            f"| {_scores(test['accuracy'], test['macro F1'])} |"
        )
    for result in results_of_bundled(results):
        if result["dataset"] == found["dataset"]:
            right, f1 = (main_figure(result, metric) for metric in ("accuracy", "macro F1"))
            rows.append(
                f"| `{result['model']}` | {result['protocol']} | {len(result['folds'])} | {right['n']} "
                f"| {_scores(right, f1)} |"
            )
    said = "; ".join(f"{test['protocol']}: {test['interval']}" for test in found["tests"])
    return "\n".join([*rows, "", f"Intervals: {said}."]) + "\n"


def render_ideas(results: Path) -> str:
    """The log of ideas, a table for each ideas file, as Markdown."""
    lines: list[str] = []
    for path in sorted((results / "ideas").glob("*.yaml")):
        ideas = ideas_files.load(path)
        target = path.with_suffix(".json")
        found = {entry["idea"]: entry for entry in ideas_files.tried(target)}
        lines += [
            f"`{path.stem}`: changes of `{ideas.recipe}`, judged by the validation tracks of `{ideas.protocol}`; "
            f"for all of them {', '.join(_in_words(ideas.budget)) or 'nothing else'}.",
            "",
            "| idea | expectation | accuracy | ahead of the first | macro F1 | log loss, uncalibrated | seconds "
            "| verdict |",
            "|---|---|---|---|---|---|---:|---|",
            *(_idea(idea, found.get(idea.name), first=idea is ideas.ideas[0]) for idea in ideas.ideas),
            "",
        ]
        how = {(entry["n"], entry["folds"], tuple(entry["seeds"])) for entry in found.values()}
        for count, folds, seeds in sorted(how):
            lines += [
                f"n = {count}, {folds} folds, seeds {', '.join(map(str, seeds))}. Interval: {INTERVAL}.",
                "",
            ]
    return "\n".join(lines)


def render_cards() -> str:
    """What the bundled models say of themselves, as Markdown."""
    lines: list[str] = []
    for path in model_files.bundled():
        card = model_files.read_card(path)
        figures = "; ".join(
            f"{figure.metric} {figure} under {figure.protocol}, n = {figure.n} ({_whose(figure)})"
            for figure in card.figures
        )
        spec = card.input
        heard = f"{card.snippet_seconds:g} s of {spec.kind} at {spec.sample_rate:,} Hz"
        if spec.logmel is not None:
            heard += (
                f", {spec.logmel.n_mels} bands, hop length {spec.logmel.hop_length}, {spec.frames} columns"
            )
        lines += [
            f"### {card.name} {card.version}",
            "",
            "| | |",
            "| --- | --- |",
            f"| decides | {card.task}: {', '.join(card.labels)} |",
            f"| hears | {heard} |",
            f"| size | {card.parameters:,} parameters, {card.multiply_adds / 1e6:.0f} M multiply-adds a snippet |",
            f"| trained on | {card.trained_on} |",
            f"| reached | {figures or _UNKNOWN} |",
            f"| calibration temperature | {card.temperature:.2f} |",
            f"| licence of the weights | {card.licence} |",
            "",
        ]
    return "\n".join(lines)


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
    made = {
        "summary": render_summary(results),
        "results": render(results),
        "earlier": render_earlier(results),
        "short-files": render_short_files(results),
        "handmade": render_handmade(results),
        "cards": render_cards(),
        "reproduced": render_reproduced(results),
        "compared": render_compared(results),
        "tried": render_tried(results),
        "ideas": render_ideas(results),
        "calibration": trust.render_calibration(results),
        "per-class": trust.render_per_class(results),
        "abstaining": trust.render_abstaining(results),
        "robustness": trust.render_robustness(results),
        "controls": trust.render_controls(results),
        "outside": trust.render_outside(results),
    }
    stale = []
    for path in documents:
        text = path.read_text("utf-8")
        fresh = _BLOCK.sub(
            lambda block: f"{block[1]}{made[block[2]]}{block[3]}" if block[2] in made else block[0], text
        )
        if fresh != text:
            stale.append(path)
            if write:
                path.write_text(fresh, "utf-8")
    return stale


def faults(results: Path) -> list[str]:
    """One sentence for each figure made by a recipe that has changed, and each one missing untold."""
    models = (_short_files(results) or {"models": []})["models"]
    stale = [
        said for model in models for said in outdated(_SHORT_FILES, model["model"], model["recipe_hash"])
    ]
    ideas = [
        said
        for path in sorted((results / "ideas").glob("*.yaml"))
        for said in ideas_files.outdated_ideas(path)
    ]
    return [*reproduced.faults(results), *trust.faults(results), *stale, *ideas]


def _whose(figure: Figure) -> str:
    return "the recipe" if figure.fold is None else f"this model, fold {figure.fold}"


def _idea(idea: ideas_files.Idea, found: dict[str, Any] | None, *, first: bool) -> str:
    told = idea.verdict or ("the yardstick" if first and found else _UNKNOWN)
    if found is None:
        return f"| {idea.name} | {idea.expectation} | {' | '.join([_UNKNOWN] * 5)} | {told} |"
    right, ahead, f1 = found["accuracy"], found["ahead"], found["macro F1"]
    return (
        f"| {idea.name} | {idea.expectation} | **{right['value']:.3f}** {interval(right)} "
        f"| {ahead['value']:+.3f} [{ahead['low']:+.3f}, {ahead['high']:+.3f}] | {f1['value']:.3f} {interval(f1)} "
        f"| {found['log loss']:.3f} | {found['seconds']:,} | {told} |"
    )


def _in_words(budget: Mapping[str, Any]) -> list[str]:
    """Changes, such as ``optimisation.epochs: 12``."""
    said = []
    for key, value in budget.items():
        inner = _in_words(value) if isinstance(value, Mapping) else []
        said += [f"{key}.{part}" for part in inner] or [f"{key}: {value}"]
    return said


def _short_files(results: Path) -> dict[str, Any] | None:
    path = results / _SHORT_FILES
    return read(path) if path.is_file() else None


def _by_artist(model: dict[str, Any]) -> str:
    return f"{model['artists']} artists, p = {model['p by artist']}" if "artists" in model else _UNKNOWN


def _models() -> list[str]:
    rows = [
        "| model | task | input | parameters | multiply-adds a snippet | file |",
        "|---|---|---|---|---|---|",
    ]
    for path in model_files.bundled():
        card = model_files.read_card(path)
        size = f"{path.stat().st_size / 1e6:.1f} MB"
        spent = f"{card.multiply_adds / 1e6:.0f} M" if card.multiply_adds else _UNKNOWN
        default = " (default)" if model_files.DEFAULT_MODELS[card.task] == card.name else ""
        rows.append(
            f"| `{card.name}`{default} | {card.task} | {card.input.kind} | {card.parameters:,} "
            f"| {spent} | {size} |"
        )
    return rows


def _figures(
    results: Sequence[dict[str, Any]], compared: Mapping[str, Sequence[str]] | None = None
) -> list[str]:
    rows = [
        "| model | version | protocol | heard | tracks | accuracy | over seeds | macro F1 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for result in results:
        main = main_figure(result)["on"]
        for way, meaning in HEARD.items():
            figures = {f["metric"]: f for f in result["figures"] if f["on"] == way}
            if figures and (compared is None or way in compared.get(result["protocol"], ())):
                right, f1 = figures["accuracy"], figures["macro F1"]
                rows.append(
                    f"| `{result['model']}` | {result['version']} | {result['protocol']} | {meaning} | {right['n']} "
                    f"| **{right['value']:.3f}** {interval(right)} | {_over_seeds(result) if way == main else ''} "
                    f"| {f1['value']:.3f} {interval(f1)} |"
                )
    return rows if len(rows) > 2 else [f"Figures: {_UNKNOWN}"]


def _over_seeds(result: dict[str, Any]) -> str:
    seeds = result.get("seeds")
    return f"{spread(seeds)} ({len(seeds['accuracy'])} seeds)" if seeds else "1 seed"


def _scores(accuracy: dict[str, Any], f1: dict[str, Any]) -> str:
    """Two cells."""
    return f"**{accuracy['value']:.3f}** {interval(accuracy)} | {f1['value']:.3f} {interval(f1)}"


def _agreements(results: Sequence[dict[str, Any]]) -> list[str]:
    lines = []
    for result in results:
        found = result["agreement"]
        if found is not None:
            by_label = found["by label"].items()
            hits = ", ".join(f"{label} {hits}" for label, hits in by_label if hits != "0 of 0")
            apart = found["share with snippets drawn apart"]
            noise = found["columns with themselves, drawn apart"]
            lines.append(
                f"`{result['model']}` ({result['protocol']}): the top class of the audio file and of the archived "
                f"columns agree on {found['share']:.1%} of {found['n']} held-out tracks where both hear the same "
                f"snippets ({hits}), on {apart:.1%} where each draws its own; the columns agree with themselves on "
                f"{noise:.1%} where only the snippets differ."
            )
            lines.append("")
    return lines
