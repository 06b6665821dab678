"""The documents say what the code does."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from benchmarks import tables

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = (ROOT / "docs" / "plugin.md").read_text("utf-8")
COMMANDS = (ROOT / "docs" / "commands.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")


def test_every_option_is_documented_with_its_default() -> None:
    from beetsplug.genreclf.defaults import DEFAULTS

    block = re.search(r"```yaml\n(genreclf:.*?)```", PLUGIN, re.DOTALL)
    assert block
    assert yaml.safe_load(block[1])["genreclf"] == DEFAULTS
    for name in DEFAULTS:
        assert f"`{name}`" in PLUGIN


def test_every_field_is_documented() -> None:
    from beetsplug.genreclf import fields

    for name in (
        fields.own_fields({})
        | set(fields.TAG_FIELDS.values())
        | {fields.BEFORE_FIELD, fields.IMPORTING_FIELD, fields.FAILED_FIELD}
    ):
        assert f"`{name}`" in PLUGIN, name


def test_every_flag_of_the_plugin_is_documented() -> None:
    # In a process of its own: an instance leaves its fields on MediaFile for good.
    code = (
        "from beetsplug.genreclf import GenreClfPlugin\n"
        "(command,) = GenreClfPlugin().commands()\n"
        "print(*(flag for option in command.parser.option_list for flag in option._long_opts))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    flags = set(done.stdout.split()) - {"--help"}
    assert "--force" in flags
    for flag in flags:
        assert f"`{flag}" in PLUGIN, flag


def test_every_command_and_option_of_genrecore_is_documented() -> None:
    import click

    from genrecore.cli import main

    def walk(command: click.Command, path: str) -> None:
        assert f"genrecore{path}" in COMMANDS, path
        if isinstance(command, click.Group):
            for name, child in command.commands.items():
                walk(child, f"{path} {name}")
        elif path == " analyze":
            for parameter in command.params:
                if isinstance(parameter, click.Option):
                    for flag in parameter.opts:
                        if flag.startswith("--"):
                            assert f"`{flag}" in COMMANDS, flag

    walk(main, "")


@pytest.mark.parametrize("name", ["summary", "bench"])
def test_generated_tables_have_their_markers(name: str) -> None:
    assert README.count(f"<!-- {name}:begin -->") == README.count(f"<!-- {name}:end -->") == 1


def test_speed_tables_are_those_of_the_results() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.tables", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_missing_figure_prints_question_marks() -> None:
    block = tables.bench_block([{"models": {"some-model": {"tracks_per_minute": 123.4}}}])
    assert "| `some-model` | 123 | ?? | ?? | ?? |" in block
    assert "| decoding alone | ?? |" in block


def test_a_stale_table_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "benchmarks" / "results").mkdir(parents=True)
    (tmp_path / "README.md").write_text(f"before\n{tables.BEGIN}\nold\n{tables.END}\nafter\n", "utf-8")
    result = {"models": {"m": {"tracks_per_minute": 100.0}}}
    (tmp_path / "benchmarks" / "results" / "speed.json").write_text(json.dumps(result))
    monkeypatch.setattr(tables, "DOCUMENTS", ("README.md",))
    monkeypatch.setattr(tables, "ROOT", tmp_path)
    monkeypatch.setattr(tables, "HERE", tmp_path / "benchmarks")

    monkeypatch.setattr(sys, "argv", ["tables", "--check"])
    with pytest.raises(SystemExit, match=r"README\.md"):
        tables.main()
    monkeypatch.setattr(sys, "argv", ["tables"])
    tables.main()
    text = (tmp_path / "README.md").read_text("utf-8")
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "| `m` | 100 |" in text
    monkeypatch.setattr(sys, "argv", ["tables", "--check"])
    tables.main()


@pytest.mark.parametrize(
    "text", ["", f"{tables.BEGIN}", f"{tables.END} {tables.BEGIN}", 2 * (tables.BEGIN + tables.END)]
)
def test_broken_markers_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="markers"):
        tables.replaced(text, "block")
