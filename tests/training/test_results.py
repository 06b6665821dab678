"""Results files and the tables made from them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from genrecore import model as model_files
from genrecore_training import recipes, reproduced, tables
from genrecore_training.cli import group
from genrecore_training.comparison import Comparison
from genrecore_training.export import shape_of, size_of
from genrecore_training.hear import HEARD
from genrecore_training.networks import build
from genrecore_training.paired import Difference, Paired
from genrecore_training.results import main_way, read_all, write

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "training" / "results"
MODEL = "mel-cnn-genre"
DOCUMENTS = [
    ROOT / name for name in ("README.md", "docs/models.md", "docs/experiments.md", "docs/reproduce.md")
]


def result(**changes: object) -> dict[str, object]:
    figure = {"metric": "accuracy", "on": "columns", "n": 290, "value": 0.61, "low": 0.55, "high": 0.66}
    return {
        "model": MODEL,
        "version": "1.0",
        "protocol": "fault_filtered",
        "recipe_hash": recipes.load(MODEL).digest,
        "figures": [figure, {**figure, "metric": "macro F1", "value": 0.6}],
        "agreement": {
            "n": 4,
            "share": 0.75,
            "share with snippets drawn apart": 0.5,
            "columns with themselves, drawn apart": 0.25,
            "by label": {"jazz": "3 of 4", "country": "0 of 0"},
        },
        **changes,
    }


def test_a_figure_comes_with_protocol_number_and_interval(tmp_path: Path) -> None:
    path = tmp_path / f"{MODEL}--fault_filtered.json"
    path.write_text(json.dumps(result()))
    table = tables.render(tmp_path)
    assert f"| `{MODEL}` | 1.0 | fault_filtered |" in table
    assert "| 290 | **0.610** [0.550, 0.660] | 1 seed | 0.600 [0.550, 0.660] |" in table
    seeds = {"seeds": [1, 2, 3], "accuracy": [0.61, 0.6, 0.59], "mean": 0.6, "deviation": 0.01}
    path.write_text(json.dumps(result() | {"seeds": seeds}))
    assert "| 0.600 ± 0.010 (3 seeds) |" in tables.render(tmp_path)
    assert "75.0% of 4 held-out tracks" in table
    assert (
        "(jazz 3 of 4), on 50.0% where each draws its own; the columns agree with themselves on 25.0%"
        in table
    )
    assert "country" not in table, "there is none"


def test_a_result_of_fewer_folds_takes_no_fuller_ones_place(tmp_path: Path) -> None:
    full = published("abela-conv-mood", "artist_grouped", 0.5, folds=[{}, {}])
    assert write(full, tmp_path).startswith("wrote")
    assert write({**full, "folds": [{}]}, tmp_path).startswith("kept")
    assert len(read_all(tmp_path)[0]["folds"]) == 2
    write({**full, "int8": {"accuracy": 0.4}}, tmp_path)
    write(full, tmp_path)
    assert read_all(tmp_path)[0]["int8"] == {"accuracy": 0.4}, "what quantising costs is not forgotten"
    assert write({**full, "folds": [{}], "recipe_hash": "another"}, tmp_path).startswith("wrote")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("x--y.json", "x--y.json is damaged"),
        ("comparisons/x--y--z.json", "x--y--z.json is damaged"),
        ("short-files.json", "short-files.json is damaged"),
        ("missing.yaml", "missing.yaml does not read as YAML"),
    ],
)
def test_a_damaged_results_file_is_one_sentence(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text('{"model": ')
    page = tmp_path / "page.md"
    page.write_text("nothing\n")
    done = CliRunner().invoke(group, ["results", "--results", str(tmp_path), str(page)])
    assert done.exit_code == 1
    assert said in done.output


def test_a_folder_of_results_that_is_not_there_is_a_wrong_call(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing\n")
    done = CliRunner().invoke(group, ["results", "--results", str(tmp_path / "nowhere"), str(page)])
    assert done.exit_code == 2
    assert "there is no folder" in done.output


def test_a_missing_figure_is_told(tmp_path: Path) -> None:
    assert "Figures: ??" in tables.render(tmp_path)


def test_a_document_that_differs_from_the_results_fails_the_check(tmp_path: Path) -> None:
    (tmp_path / f"{MODEL}--fault_filtered.json").write_text(json.dumps(result()))
    page = tmp_path / "page.md"
    excuse_all(tmp_path)
    page.write_text("before\n<!-- results:begin -->\nold\n<!-- results:end -->\nafter\n")
    arguments = ["results", "--results", str(tmp_path), str(page)]
    checked = CliRunner().invoke(group, [*arguments, "--check"])
    assert checked.exit_code == 1
    assert "differs" in checked.output
    assert "old" in page.read_text()
    assert CliRunner().invoke(group, arguments).exit_code == 0
    assert page.read_text().startswith("before\n<!-- results:begin -->\n|")
    assert page.read_text().endswith("<!-- results:end -->\nafter\n")
    assert CliRunner().invoke(group, [*arguments, "--check"]).exit_code == 0


def published(name: str, protocol: str, value: float, **changes: object) -> dict[str, object]:
    recipe = recipes.load(name)
    on = "snippet" if protocol == "snippet_random" else "sections"
    figure = {"metric": "accuracy", "on": on, "n": 999, "value": value, "low": 0.5, "high": 0.9}
    return {
        "model": name,
        "network": recipe.network,
        "protocol": protocol,
        "recipe_hash": recipe.digest,
        "data": "",
        "interval": "95 %, bootstrap",
        "figures": [figure, {**figure, "metric": "accuracy of snippets", "value": 0.25}],
        "folds": [{"parameters": 127562, "multiply_adds": 19447424, "seconds": 61.2}],
        "folds of the protocol": 1,
        **changes,
    }


def excuse_all(folder: Path) -> None:
    """A reason for each published figure that is missing."""
    wanted = [name for name in recipes.names() if recipes.load(name).published is not None]
    (folder / "missing.yaml").write_text("".join(f"{name}: not yet\n" for name in wanted))


def put(folder: Path, *found: dict[str, object]) -> None:
    for item in found:
        (folder / f"{item['model']}--{item['protocol']}.json").write_text(json.dumps(item))


def test_trials_have_a_table_of_their_own(tmp_path: Path) -> None:
    seeds = {"seeds": [1, 2, 3], "accuracy": [0.6, 0.7, 0.8], "mean": 0.7, "deviation": 0.1}
    put(
        tmp_path,
        published("abela-conv-genre", "snippet_random", 0.7),
        published(MODEL, "snippet_random", 0.7),  # bundled
        published("liang-mfcc-cnn-level", "snippet_random", 0.6, seeds=seeds),
    )
    _, _, *rows = reproduced.render_tried(tmp_path).splitlines()
    assert rows == [
        "| `liang-mfcc-cnn-level` | **0.600** [0.500, 0.900] snippet_random, n = 999 "
        "| 3 | 0.700 ± 0.100 | 0.600, 0.700, 0.800 |",
        "",
        "Interval: 95 %, bootstrap.",
    ]


def test_a_published_network_stands_beside_its_paper(tmp_path: Path) -> None:
    put(
        tmp_path,
        published("abela-conv-genre", "snippet_random", 0.7),
        published(
            "abela-conv-genre", "fault_filtered", 0.4, data="archived log-mel", **{"folds of the protocol": 3}
        ),
    )
    table = reproduced.render_reproduced(tmp_path)
    row = next(line for line in table.splitlines() if line.startswith("| `abela-conv` | genre |"))
    assert row == (
        "| `abela-conv` | genre | 127,562 | 19.4 M | 0.6817 (snippet_random, n = 999) "
        "| **0.700** [0.500, 0.900] snippet_random, n = 999 "
        "| **0.400** [0.500, 0.900] fault_filtered, n = 999, 1 of 3 folds (1) | 0.250 [0.500, 0.900] | 1 | 122 |"
    )
    assert "1. Archived log-mel." in table


def test_a_figure_that_is_missing_is_question_marks_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "missing.yaml").write_text("otero-crnn: the audio of FMA was not at hand\n")
    table = reproduced.render_reproduced(tmp_path)
    row = next(line for line in table.splitlines() if line.startswith("| `otero-crnn`"))
    assert "| ?? (" in row
    assert "The audio of FMA was not at hand." in table
    faults = reproduced.faults(tmp_path)
    assert not any("otero" in fault for fault in faults)
    assert "abela-conv-mood has no figure under artist_grouped, and missing.yaml gives no reason" in faults


def test_a_figure_of_another_recipe_is_a_fault(tmp_path: Path) -> None:
    put(tmp_path, published("abela-conv-genre", "snippet_random", 0.7, recipe_hash="0" * 64))
    assert any("make it again" in fault for fault in reproduced.faults(tmp_path))
    page = tmp_path / "page.md"
    page.write_text("nothing here\n")
    done = CliRunner().invoke(group, ["results", "--check", "--results", str(tmp_path), str(page)])
    assert done.exit_code == 1
    assert "abela-conv-genre--snippet_random.json was made by another recipe" in done.output


def test_a_comparison_of_another_recipe_is_a_fault(tmp_path: Path) -> None:
    excuse_all(tmp_path)
    one, other = recipes.load("abela-gru-genre"), recipes.load("abela-blstm-genre")
    paired = Paired(10, 2, 1, 0.5, groups=8, p_of_groups=0.6)
    found = Comparison(one, other, "fault_filtered", "columns", paired, Difference(0.1, -0.05, 0.3), seeds=2)
    found.write(tmp_path)
    assert reproduced.faults(tmp_path) == []
    assert (
        "| p = 0.5000 | 8 artists, p = 0.6000 | +0.100 [-0.050, +0.300], 2 seed(s) |"
        in reproduced.render_compared(tmp_path)
    )
    replace(found, other=other.model_copy(update={"seed": 7})).write(tmp_path)
    replace(found, other=other.model_copy(update={"name": "my-own"})).write(tmp_path)
    assert reproduced.faults(tmp_path) == [
        "comparisons/abela-gru-genre--abela-blstm-genre--fault_filtered.json was made by another recipe than "
        "abela-blstm-genre.yaml is now: make it again",
        "comparisons/abela-gru-genre--my-own--fault_filtered.json: there is no recipe my-own",
    ]


def test_the_experiment_on_short_files_is_of_the_recipes_as_they_are(tmp_path: Path) -> None:
    excuse_all(tmp_path)
    found = json.loads((RESULTS / "short-files.json").read_text())
    (tmp_path / "short-files.json").write_text(json.dumps(found))
    assert tables.faults(tmp_path) == []
    found["models"][0]["recipe_hash"] = "0" * 64
    found["models"][1] |= {"artists": 60, "p by artist": 0.25}
    (tmp_path / "short-files.json").write_text(json.dumps(found))
    assert len(tables.faults(tmp_path)) == 1
    assert tables.faults(tmp_path)[0].startswith(
        "short-files.json was made by another recipe than end2end-gru-mel"
    )
    assert "| 60 artists, p = 0.25 |" in tables.render_short_files(tmp_path)


def test_every_published_figure_is_there_or_has_its_reason() -> None:
    assert tables.faults(RESULTS) == []


@pytest.mark.parametrize("result", read_all(RESULTS), ids=lambda r: f"{r['model']}--{r['protocol']}")
def test_a_result_is_of_the_network_that_its_recipe_builds(result: dict[str, Any]) -> None:
    recipe = recipes.load(result["model"])
    shape, classes = shape_of(recipe.input), len(result["confusion"]["labels"])
    network = build(recipe.network, classes, shape, recipe.network_options).eval()
    assert {fold["parameters"] for fold in result["folds"]} == {size_of(network, shape)[0]}


def test_the_documents_say_what_the_results_files_say() -> None:
    assert tables.update(DOCUMENTS, RESULTS, write=False) == []


@pytest.mark.parametrize("name", [path.stem for path in model_files.bundled()])
def test_a_shipped_model_says_what_the_results_files_say(name: str) -> None:
    card = model_files.read_card(name)
    recipe = recipes.made_by(card.recipe_hash)
    assert recipe is not None, "today's recipe makes it"
    assert card.version == recipe.version
    for figure in card.figures:
        (found,) = (
            r for r in read_all(RESULTS) if (r["model"], r["protocol"]) == (recipe.name, figure.protocol)
        )
        assert found["recipe_hash"] == card.recipe_hash
    assert card.parameters > 0
    assert card.multiply_adds <= 110e6


def test_the_default_genre_model_hears_what_was_best_on_the_same_tracks() -> None:
    pooled = {
        found["model"]: next(
            figure["value"]
            for figure in found["figures"]
            if figure["on"] == "sound" and figure["metric"] == "accuracy"
        )
        for found in read_all(RESULTS)
        if found["protocol"] == "artist_grouped_3" and recipes.load(found["model"]).published is None
    }
    kinds = {name: recipes.load(name).input.kind for name in pooled}
    assert set(kinds.values()) == {"waveform", "logmel"}
    default = model_files.read_card(model_files.DEFAULT_MODELS["genre"])
    assert default.input.kind == kinds[max(pooled, key=pooled.__getitem__)]


def test_a_log_mel_model_says_the_same_of_files_as_of_the_archive() -> None:
    """On held-out full tracks, each heard as it would be alone; below .90 the two ways have drifted apart."""
    found = [r for r in read_all(RESULTS) if r["protocol"] == "artist_grouped_3" and r.get("agreement")]
    found = [r for r in found if recipes.load(r["model"]).published is None]
    assert found
    for r in found:
        assert r["agreement"]["n"] == 111
        assert r["agreement"]["share with snippets drawn apart"] >= 0.9


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "no-such-recipe"], "no such recipe"),
        (["run", "mel-cnn-mood", "--protocol", "track_random", "--data", "nowhere"], "annotations.csv"),
        (["reproduce", "no-such-network"], "nothing published has that name here; there are abela-blstm"),
        (["reproduce", "cox-gtzanet", "--data", "nowhere"], "nowhere"),
        (["reproduce", "otero-crnn", "--data", "nowhere"], "tracks.csv"),
        (["run", "own-genre"], "genrecore-train own"),
        (
            ["compare", "cox-gtzanet", "cox-zfnet", "--protocol", "track_random", "--data", "nowhere"],
            "nowhere",
        ),
    ],
)
def test_a_wrong_call_is_one_sentence(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(group, [*arguments, "--results", str(tmp_path)])
    assert done.exit_code == 1
    assert said in done.output
    assert "Traceback" not in done.output


def test_the_recipes_are_listed() -> None:
    listed = CliRunner().invoke(group, ["recipes"])
    rows = [line.split() for line in listed.output.splitlines()]
    assert [row[0] for row in rows if row and row[0] in recipes.names()] == recipes.names()
    assert ["abela-conv-mood", "abela-conv", "mood", "4qaed"] in [row[:4] for row in rows]
    assert "0.8639" in listed.output


def test_the_keys_of_a_recipe_are_listed() -> None:
    listed = CliRunner().invoke(group, ["recipes", "--keys"]).output
    assert "optimisation.early_stopping" in listed
    assert "input.sections" in listed


@pytest.mark.parametrize("command", [[], *([name] for name in sorted(group.commands))])
def test_every_command_explains_itself(command: list[str]) -> None:
    said = CliRunner().invoke(group, [*command, "--help"])
    assert said.exit_code == 0
    assert " ".join(["    genrecore-train", *command]) in said.output, "an example"


def test_a_model_is_judged_by_some_way_of_hearing_whatever_there_is() -> None:
    assert main_way(["windows", "slice"]) == "windows"
    assert main_way(["slice"]) == "slice"
    assert main_way(["windows", "sound"]) == "sound"
    assert {main_way([way]) for way in HEARD} == set(HEARD)
