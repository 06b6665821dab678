"""``genrecore models``."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import click

from genrecore.errors import ModelError

if TYPE_CHECKING:
    from genrecore.card import Figure, ModelCard

__all__ = ["models"]

_SPEED_SNIPPETS = 100
_INDENT = 14


@click.command()
@click.argument("files", metavar="[NAME|FILE]...", nargs=-1, type=click.Path(readable=False))
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object a line.")
@click.option("--speed", is_flag=True, help="Measure how long the models take, on one core.")
def models(files: tuple[str, ...], as_json: bool, speed: bool) -> None:
    """Show the bundled models, or those named.

    \b
    Examples:
      genrecore models
      genrecore models --speed
      genrecore models my-model.onnx --json
    """
    from genrecore import model

    failed = False
    names: list[str | Path] = [*files] if files else [*model.bundled()]
    for number, name in enumerate(names):
        try:
            path = model.find(name)
            card = model.read_card(path)
            milliseconds = _measure(path) if speed else None
        except ModelError as error:
            failed = True
            click.echo(str(error), err=True)
            continue
        default = not files and card.name in model.DEFAULT_MODELS.values()
        if as_json:
            click.echo(json.dumps(_facts(card, path, milliseconds, default), ensure_ascii=False))
        else:
            click.echo(("\n" if number else "") + _describe(card, path, milliseconds, default))
    sys.exit(1 if failed else 0)


def _facts(card: ModelCard, path: Path, milliseconds: float | None, default: bool) -> dict[str, Any]:
    return {
        "name": card.name,
        "version": card.version,
        "task": card.task,
        "default": default,
        "labels": list(card.labels),
        "input": card.input.kind,
        "snippet_seconds": card.snippet_seconds,
        "trained_on": card.trained_on,
        "licence": card.licence,
        "figures": [vars(figure) for figure in card.figures],
        "parameters": card.parameters,
        "multiply_adds": card.multiply_adds,
        "bytes": path.stat().st_size,
        "ms_per_100_snippets": None if milliseconds is None else round(milliseconds, 1),
        "path": str(path),
    }


def _describe(card: ModelCard, path: Path, milliseconds: float | None, default: bool) -> str:
    size = f"{path.stat().st_size / 1e6:.1f} MB"
    if card.parameters:
        size += f", {card.parameters:,} parameters"
    speed = []
    if milliseconds is not None:
        speed.append(f"{milliseconds:.0f} ms for {_SPEED_SNIPPETS} snippets on one core")
    if card.multiply_adds:
        speed.append(f"{card.multiply_adds / 1e6:,.1f} million multiply-adds a snippet")
    figures = [
        f"{figure.metric} {figure}, n = {figure.n:,}, protocol {figure.protocol}, {_whose(figure)}"
        for figure in card.figures
    ]
    facts = {
        "task": f"{card.task}, default" if default else card.task,
        "labels": ", ".join(card.labels),
        "listens to": f"{card.input.kind}, snippets of {card.snippet_seconds:g} s",
        "trained on": card.trained_on,
        "figures": f"\n{' ' * _INDENT}".join(figures) or "??",
        "size": size,
        "speed": "; ".join(speed) or "??",
        "licence": card.licence,
    }
    bold = click.style(card.id, bold=True)
    return "\n".join([bold, *(f"  {name:<{_INDENT - 3}} {_wrapped(value)}" for name, value in facts.items())])


def _whose(figure: Figure) -> str:
    return "of the recipe" if figure.fold is None else f"of this model, on fold {figure.fold}"


def _wrapped(text: str) -> str:
    """Long values in several lines, on a terminal; programs get one."""
    if not sys.stdout.isatty():
        return text
    width = max(50, min(shutil.get_terminal_size().columns, 110)) - _INDENT
    lines = [part for row in text.splitlines() for part in textwrap.wrap(row, width)]
    return f"\n{' ' * _INDENT}".join(lines)


def _measure(path: Path) -> float:
    """Milliseconds for 100 snippets: the best of three, after one to warm up."""
    import numpy as np

    from genrecore import model

    loaded = model.load(path, device="cpu")
    shape = (_SPEED_SNIPPETS, *loaded.card.input.shape)
    noise = np.random.default_rng(0).standard_normal(shape, np.float32)
    inputs = noise * np.float32(0.1) if loaded.card.input.kind == "waveform" else noise * 10 - 40
    loaded.run(inputs[:20])
    times = []
    for _ in range(3):
        begin = perf_counter()
        loaded.run(inputs)
        times.append(1000 * (perf_counter() - begin))
    return min(times)
