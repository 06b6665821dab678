"""A whole experiment on a small GTZAN of real files: the command, what it leaves, a kill in the middle."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import synth
import yaml

from beetsplug.genreclf.defaults import DEFAULTS
from genrecore import model as model_files
from genrecore.analyzer import Analyzer
from genrecore.settings import Settings
from genrecore_training import pictures, recipes
from genrecore_training.ideas import outdated_ideas
from genrecore_training.runs import Places, Run
from genrecore_training.statistics import accuracy

ROOT = Path(__file__).parents[2]
GENRES = {"blues": 110.0, "metal": 880.0, "pop": 3520.0}
SECONDS = 12


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Kaggle's layout with twelve tracks of each of three genres, which differ in pitch, and Sturm's artists."""
    root = tmp_path_factory.mktemp("data")
    lines = []
    for genre, pitch in GENRES.items():
        folder = root / "gtzan" / "genres_original" / genre
        folder.mkdir(parents=True)
        for number in range(12):
            rng, t = np.random.default_rng(number), np.arange(SECONDS * 22050) / 22050
            tone = np.sin(2 * np.pi * pitch * rng.uniform(0.9, 1.1) * t) + 0.1 * rng.standard_normal(len(t))
            name = f"{genre}.{number:05}"
            synth.write(folder / f"{name}.wav", (0.2 * tone).astype(np.float32), rate=22050)
            lines.append(f"{name}.wav ::: {genre} artist {number // 2} ::: song")
    (root / "gtzan" / "artists_titles_sturm.txt").write_text("\n".join(lines) + "\n")
    return root


@pytest.fixture
def recipe_file(tmp_path: Path) -> Path:
    recipe = recipes.load("abela-gru-genre").model_dump(mode="json", exclude={"published"})
    recipe |= {
        "name": "small",
        "network_options": {"units": 8, "dense": 8},
        "input": {**recipe["input"], "sections": 4},
        "protocols": ["snippet_random", "track_random"],
        "shares": [0.5, 0.25, 0.25],
    }
    recipe["optimisation"] |= {"epochs": 12, "batch": 16, "learning_rate": 0.01, "precision": "32-true"}
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(recipe))
    return path


def command(tmp_path: Path, data: Path, *arguments: str) -> list[str]:
    folders = ("--data", data, "--store", tmp_path / "store", "--runs", tmp_path / "runs")
    places = [*map(str, folders)]
    if arguments[0] not in ("evaluate", "try"):
        places += ["--results", str(tmp_path / "results")]
    threads = ["--threads", "1"] if arguments[0] in ("run", "try") else []
    return [sys.executable, "-m", "genrecore_training", *arguments, *places, *threads]


def env() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "training")])}


def call(tmp_path: Path, data: Path, *arguments: str, status: int = 0) -> str:
    done = subprocess.run(
        command(tmp_path, data, *arguments), env=env(), capture_output=True, text=True, timeout=600
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def test_an_experiment_leaves_figures_plots_and_a_model(
    tmp_path: Path, data: Path, recipe_file: Path
) -> None:
    said = call(tmp_path, data, "run", str(recipe_file), "--seeds", "2", "--int8")
    assert "small, snippet_random: 1 of 1 fold(s), 2 seed(s) (waveforms of 36 tracks)" in said
    assert "epoch 1 of at most 12: validation loss" in said
    for protocol, count, way in (("snippet_random", 36, "snippet"), ("track_random", 9, "sections")):
        result = json.loads((tmp_path / "results" / f"small--{protocol}.json").read_text())
        figures = {figure["metric"]: figure for figure in result["figures"]}
        assert figures["accuracy"]["n"] == count
        assert figures["accuracy"]["on"] == way
        assert figures["accuracy"]["value"] > 0.9, "tones an octave apart are told apart"
        assert set(figures) >= {"macro F1", "accuracy of snippets", "top-5 accuracy"}
        assert sum(map(sum, result["confusion"]["rows are the truth"])) == count
        assert result["seeds"]["seeds"] == [1, 2]
        assert result["int8"]["n"] == count
        assert result["int8"]["accuracy"] > 0.8
        assert result["per class"]["metal"]["n"] == count // 3
        low, high = result["calibration"]["error of an exact confidence"]
        assert 0 <= low <= high <= 1
        default, loose, strict = result["abstaining"]
        assert default["thresholds"] == [DEFAULTS["min_confidence"]]
        assert default["n"] == round(default["coverage"] * count)
        assert loose["precision wanted"] == 0.8
        assert loose["precision"]["value"] > 0.8
        assert strict.get("n", 0) <= loose["n"] <= count
        assert "over tracks, seed 0" in result["interval"]
        plots = tmp_path / "runs" / "small" / f"{protocol}-plots"
        wanted = {"confusion", "reliability", "risk-coverage", "learning", "embedding"}
        assert {path.stem for path in plots.glob("*.png")} == wanted
        assert all(path.stat().st_size > 5_000 for path in plots.glob("*.png"))
        model = tmp_path / "runs" / "small" / f"small--{protocol}.onnx"
        assert [figure.protocol for figure in model_files.read_card(model).figures] == [protocol]
    said = call(tmp_path, data, "evaluate", str(model), "--recipe", str(recipe_file))
    assert "protocol track_random, fold 0: as the file says" in said
    heard = Analyzer(Settings(snippets=5, device="cpu", genre_model=str(model))).analyze(
        data / "gtzan" / "genres_original" / "metal" / "metal.00003.wav"
    )
    assert heard.genre.top == "metal"
    again = call(tmp_path, data, "run", str(recipe_file), "--seeds", "2")
    assert "epoch" not in again, "all is done"
    assert ".png" not in again
    kept = json.loads((tmp_path / "results" / "small--track_random.json").read_text())
    assert kept["int8"] == result["int8"], "what quantising costs is not forgotten"
    plots.joinpath("drawn-of.txt").write_text("another recipe")
    again = call(tmp_path, data, "run", str(recipe_file), "--seeds", "2")
    assert again.count("confusion.png") == 1, "only those of the one protocol are not of this recipe"
    pair = ("compare", str(recipe_file), str(recipe_file), "--protocol", "track_random")
    compared = call(tmp_path, data, *pair, "--seeds", "2")
    assert (
        "track_random, 9 test items: only small is right on 0, only small on 0; McNemar exact p = 1.0000"
        in compared
    )
    assert "small is ahead by +0.0000 [+0.0000, +0.0000], 2 seed(s)" in compared


def test_a_network_is_not_tested_on_what_it_knows(tmp_path: Path, data: Path, recipe_file: Path) -> None:
    """Data that came later changes who is held out; the run's folder is the same."""
    arguments = ("run", str(recipe_file), "--protocol", "track_random")
    call(tmp_path, data, *arguments)
    fewer = tmp_path / "fewer"
    shutil.copytree(data, fewer)
    for path in (fewer / "gtzan" / "genres_original" / "blues").glob("*.0000[0-3].wav"):
        path.unlink()
    said = call(tmp_path, fewer, *arguments, status=1)
    assert re.search(
        r"has learnt from \d+ of the tracks that are now held out, since other data was at hand", said
    )
    model = tmp_path / "runs" / "small" / "small--track_random.onnx"
    said = call(tmp_path, fewer, "evaluate", str(model), "--recipe", str(recipe_file), status=1)
    assert "its figure is of 9 test tracks, and with the data that is here the fold has 8" in said


def test_a_run_that_is_killed_ends_as_one_that_was_not(tmp_path: Path, data: Path, recipe_file: Path) -> None:
    arguments = ("run", str(recipe_file), "--protocol", "track_random")
    whole = tmp_path / "whole"
    call(whole, data, *arguments)
    broken = tmp_path / "broken"
    for _ in range(2):
        process = subprocess.Popen(
            command(broken, data, *arguments),
            env=env(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        seen = 0
        for line in process.stdout:
            seen += line.startswith("epoch")
            if seen == 3:
                break
        time.sleep(0.2)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    said = call(broken, data, *arguments)
    assert "epoch 1 of" not in said, "it goes on where it was"
    one, other = (
        json.loads((folder / "results" / "small--track_random.json").read_text())
        for folder in (whole, broken)
    )
    assert one["figures"] == other["figures"]
    assert one["confusion"] == other["confusion"]
    assert one["folds"][0]["temperature"] == pytest.approx(other["folds"][0]["temperature"], rel=1e-6)
    assert one["folds"][0]["epochs"] == other["folds"][0]["epochs"]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
def test_ctrl_c_is_told_and_the_run_can_go_on(tmp_path: Path, data: Path, recipe_file: Path) -> None:
    process = subprocess.Popen(
        command(tmp_path, data, "run", str(recipe_file), "--protocol", "track_random"),
        env=env(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stdout:
        if line.startswith("epoch 2"):
            break
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert said.strip().endswith("interrupted; the same command goes on from here")
    assert "Traceback" not in said


def test_a_file_that_is_damaged_is_left_out_and_many_stop_the_run(
    tmp_path: Path, data: Path, recipe_file: Path
) -> None:
    hurt = tmp_path / "hurt"
    for path in sorted((data / "gtzan").rglob("*.*")):
        target = hurt / path.relative_to(data)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"no sound" * 99 if path.stem == "pop.00004" else path.read_bytes())
    said = call(tmp_path, hurt, "run", str(recipe_file), "--protocol", "track_random", "--folds", "1")
    assert "accuracy" in said
    for number in range(5, 11):
        (hurt / "gtzan" / "genres_original" / "pop" / f"pop.{number:05}.wav").write_bytes(b"no sound" * 99)
    said = call(tmp_path / "again", hurt, "run", str(recipe_file), status=1)
    assert "7 of 36 files cannot be used, the first: " in said
    assert "pop.00004.wav" in said


def test_all_genres_of_the_test_are_in_the_picture_of_the_embedding(
    tmp_path: Path, data: Path, recipe_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "_MOST_EMBEDDED", 12)
    recipe = recipes.load(recipe_file)
    faster = recipe.model_copy(update={"optimisation": recipe.optimisation.model_copy(update={"epochs": 1})})
    run = Run(faster, "track_random", 0, Places(data, tmp_path / "store", tmp_path / "runs"))
    run.execute()
    network = pictures._network(run)
    features, truth = pictures._embedded(run, network)
    assert features.shape == (12, 8)
    assert len(set(truth)) > 1


def test_what_is_missing_of_a_data_set_is_told(data: Path) -> None:
    words = [sys.executable, "-m", "genrecore_training", "datasets", "gtzan", "--data", str(data)]
    done = subprocess.run(words, env=env(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    assert "gtzan: GTZAN" in done.stdout
    assert "blues: 88 of 100 files are missing" in done.stdout
    assert "cite: G. Tzanetakis, P. Cook" in done.stdout


def test_a_class_of_one_track_is_one_sentence(tmp_path: Path, data: Path, recipe_file: Path) -> None:
    few = tmp_path / "few" / "gtzan" / "genres_original"
    for genre, count in (("blues", 12), ("metal", 1)):
        (few / genre).mkdir(parents=True)
        for number in range(count):
            name = f"{genre}.{number:05}.wav"
            (few / genre / name).write_bytes((data / "gtzan" / "genres_original" / genre / name).read_bytes())
    said = call(tmp_path, tmp_path / "few", "run", str(recipe_file), "--protocol", "track_random", status=1)
    assert said == (
        "GTZAN cannot be split by track_random: metal has 1 of the 3 that training, validation and test need\n"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
def test_a_disk_that_is_full_is_one_sentence(tmp_path: Path, data: Path, recipe_file: Path) -> None:
    import resource

    done = subprocess.run(
        command(tmp_path, data, "run", str(recipe_file), "--protocol", "track_random"),
        env=env(),
        capture_output=True,
        text=True,
        timeout=600,
        # As if there were room for so much only.
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert str(tmp_path) in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_published_recipe_runs_on_files_as_people_have_them(tmp_path: Path, data: Path) -> None:
    """Two epochs of a real recipe: what it says of itself is what the table needs."""
    recipe = recipes.load("abela-conv-genre")
    faster = recipe.model_copy(update={"optimisation": recipe.optimisation.model_copy(update={"epochs": 1})})
    run = Run(faster, "snippet_random", 0, Places(data, tmp_path / "store", tmp_path / "runs"))
    run.execute()
    assert run.notes()["parameters"] == 127_562
    assert len(run.tested()) == 36
    assert 0 <= accuracy(run.tested()) <= 1


IDEAS = """
recipe: {recipe}
protocol: track_random
seeds: 2
budget: {{optimisation: {{epochs: {epochs}}}}}
ideas:
  - {{name: as it is, expectation: the yardstick}}
  - {{name: nothing learnt, expectation: worse, change: {{optimisation: {{learning_rate: 1.0e-9}}}}, verdict: not kept}}
"""


def test_ideas_are_judged_by_validation_tracks(tmp_path: Path, data: Path, recipe_file: Path) -> None:
    ideas = tmp_path / "ideas.yaml"
    ideas.write_text(IDEAS.format(recipe=recipe_file, epochs=12))
    said = call(tmp_path, data, "try", str(ideas))
    assert "as it is: accuracy" in said
    found = json.loads((tmp_path / "ideas.json").read_text())
    first, second = found["ideas"]
    assert (first["seeds"], first["folds"]) == ([1, 2], 1)
    assert first["n"] > 9, "each seed draws a split of its own"
    assert first["accuracy"]["value"] > second["accuracy"]["value"]
    assert first["ahead"] == {"value": 0, "low": 0, "high": 0}
    assert second["ahead"]["high"] < 0
    assert second["change"] == {"optimisation": {"learning_rate": 1e-9}}
    assert not list(tmp_path.rglob("tested-*.jsonl")), "no test track is heard"
    again = call(tmp_path, data, "try", str(ideas), "--only", "nothing learnt")
    assert "epoch" not in again, "all is done"
    assert json.loads((tmp_path / "ideas.json").read_text()) == found
    assert outdated_ideas(ideas) == []
    # With another budget nothing that was found before stands any more.
    ideas.write_text(IDEAS.format(recipe=recipe_file, epochs=2))
    assert len(outdated_ideas(ideas)) == 2
    call(tmp_path, data, "try", str(ideas), "--only", "as it is")
    (entry,) = json.loads((tmp_path / "ideas.json").read_text())["ideas"]
    assert entry["idea"] == "as it is"
    (tmp_path / "ideas.json").write_text("[]")
    assert "ideas.json is not what became of ideas" in call(tmp_path, data, "try", str(ideas), status=1)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "learning_rate: 1.0e-9",
            "learning_rat: 1",
            "nothing learnt: optimisation.learning_rat: Extra inputs",
        ),
        ("nothing learnt", "as it is", "two ideas are called as it is"),
        ("expectation: worse, ", "", "ideas.1.expectation: Field required"),
        ("seeds: 2", "seeds: [", "not YAML"),
        (
            "change: {",
            "change: {seed: 5, ",
            "nothing learnt: its validation tracks are not those of the first idea",
        ),
    ],
)
def test_a_faulty_idea_is_told_before_anything_is_trained(
    tmp_path: Path, data: Path, recipe_file: Path, old: str, new: str, said: str
) -> None:
    ideas = tmp_path / "ideas.yaml"
    ideas.write_text(IDEAS.format(recipe=recipe_file, epochs=12).replace(old, new))
    assert said in call(tmp_path, data, "try", str(ideas), status=1)
    assert not (tmp_path / "runs").exists()
