"""Distillation: what teachers say, where they say it, and who learns it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from core.rig import make_model

from genrecore import model as model_files
from genrecore_training import recipes
from genrecore_training.augment import Augmentation
from genrecore_training.calibration import fit_temperature
from genrecore_training.crops import Crops, Material
from genrecore_training.datasets import DatasetError
from genrecore_training.evaluation import evaluate
from genrecore_training.experiment import experiment
from genrecore_training.recipes import Recipe, RecipeError
from genrecore_training.runs import Places, Run
from genrecore_training.ship import ship
from genrecore_training.teaching import say, taught

SmallRecipe = Callable[..., Recipe]
QUICK = {"name": "adamw", "epochs": 1, "batch": 16, "schedule": "constant"}


def test_teachers_say_their_mean_at_every_quarter_of_a_snippet(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    teachers = []
    for number in range(2):
        path = make_model(tmp_path / f"teacher{number}.onnx", "genre", seed=number)
        teachers.append(model_files.load(path, device="cpu"))
    mels, frames = teachers[0].card.input.shape
    columns = rng.uniform(-80, 0, (mels, 3 * frames)).astype(np.float32)
    said, step = say(columns, teachers)
    assert step == frames // 4
    assert len(said) == 2 * frames // step + 1
    np.testing.assert_allclose(said.sum(axis=1), 1, atol=1e-5)
    short, _ = say(columns[:, : frames // 2], teachers)
    np.testing.assert_allclose(short[0].sum(), 1, atol=1e-5, err_msg="a short one is repeated")
    place = columns[None, :, 3 * step : 3 * step + frames]
    np.testing.assert_allclose(said[3], (teachers[0].run(place) + teachers[1].run(place))[0] / 2, atol=1e-6)


def test_a_snippet_takes_what_was_said_at_the_nearest_place() -> None:
    said = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]], np.float32)
    target = np.array([1.0, 0.0, 7.0], np.float32)
    track = taught(Material(np.zeros((128, 60), np.float16), target, 1), said, 10, share=0.5)
    assert [track.target_at(start).tolist() for start in (0, 4, 6, 14, 21, 50)] == [
        [1, 0, 7],
        [1, 0, 7],
        [0.75, 0.25, 7],
        [0.75, 0.25, 7],
        [0.5, 0.5, 7],
        [0.5, 0.5, 7],
    ]
    alone = taught(Material(np.zeros((128, 60)), np.full(3, np.nan, np.float32), 1), said, 10, share=0.5)
    assert alone.target_at(12)[:2].tolist() == [0.5, 0.5], "without a label the teachers' word counts alone"
    _, targets = Crops([track], 60, Augmentation(), seed=0).__getitems__([0])
    assert targets.tolist() == [[1, 0, 7]]


def test_of_what_a_track_may_be_the_teachers_word_counts() -> None:
    said = np.array([[0.6, 0.3, 0.1], [1.0, 0.0, 0.0]], np.float32)
    allowed = np.array([0, 0.5, 0.5], np.float32)
    piece = Material(np.zeros((128, 60), np.float16), allowed, 1)
    first, second = (
        taught(piece, said, 10, share=0.7, allowed=allowed).target_at(start) for start in (0, 10)
    )
    np.testing.assert_allclose(first, [0, 0.75, 0.25], atol=0.002)
    np.testing.assert_allclose(second, [0, 0.5, 0.5], err_msg="evenly, where they exclude it all")


def write(recipe: Recipe, folder: Path) -> Path:
    path = folder / f"{recipe.name}.yaml"
    path.write_text(recipe.model_dump_json(exclude={"published"}))  # JSON is YAML
    return path


def test_a_student_learns_from_a_teacher_of_the_same_fold(
    tmp_path: Path, small_gtzan: Path, small_recipe: SmallRecipe
) -> None:
    places = Places(small_gtzan, tmp_path / "store", tmp_path / "runs")
    first = write(small_recipe("teacher"), tmp_path)
    said = {"recipes": [str(first)], "share": 1.0, "unlabelled": ["emotify"], "crops_per_track": 2}
    student = small_recipe("student", teacher=said)
    run = Run(student, "track_random", 0, places)
    run.execute()
    teacher = Run(recipes.load(first), "track_random", 0, places)
    assert teacher.model_file.is_file()
    assert not teacher.tested_file.is_file(), "a teacher's test is not read"
    assert all(verdict.right for verdict in run.tested()), "tones octaves apart are told apart by hearsay"
    # A teacher that changes is another recipe for its student.
    before = student.digest
    write(small_recipe("teacher", seed=7), tmp_path)
    assert student.digest != before


def test_data_that_is_missing_is_told_before_a_teacher_is_trained(
    tmp_path: Path, small_gtzan: Path, small_recipe: SmallRecipe
) -> None:
    places = Places(small_gtzan, tmp_path / "store", tmp_path / "runs")
    first = write(small_recipe("teacher"), tmp_path)
    student = small_recipe("student", teacher={"recipes": [str(first)]}, weak=[{"dataset": "4qaed"}])
    with pytest.raises(DatasetError, match=r"annotations\.csv is missing"):
        Run(student, "track_random", 0, places).fit()
    assert not (places.runs / "teacher").exists()


def test_an_ensemble_hears_the_split_of_its_student(
    tmp_path: Path, small_gtzan: Path, small_recipe: SmallRecipe
) -> None:
    """Where another seed is another split, the teachers' seeds are of their weights alone."""
    places = Places(small_gtzan, tmp_path / "store", tmp_path / "runs")
    first = write(small_recipe("teacher", optimisation=QUICK), tmp_path)
    student = small_recipe("student", optimisation=QUICK, teacher={"recipes": [str(first)], "seeds": 2})
    Run(student, "track_random", 0, places).fit()
    learnt = [json.loads(path.read_text())["gtzan"] for path in (tmp_path / "runs").rglob("learnt.json")]
    assert len(learnt) == 3
    assert learnt[0] == learnt[1] == learnt[2]
    assert len(list((tmp_path / "runs" / "teacher").rglob("*.onnx"))) == 2


def test_a_teacher_hears_what_its_student_hears(
    tmp_path: Path, small_gtzan: Path, small_recipe: SmallRecipe
) -> None:
    places = Places(small_gtzan, tmp_path / "store", tmp_path / "runs")
    finer = {"kind": "logmel", "samples": 66150, "hop_length": 854, "frames": 77}
    first = write(small_recipe("finer", input=finer), tmp_path)
    student = small_recipe("student", teacher={"recipes": [str(first)]})
    with pytest.raises(RecipeError, match="student cannot learn from finer"):
        Run(student, "track_random", 0, places).fit()


def test_a_shipped_model_says_what_it_has_heard(
    tmp_path: Path, small_gtzan: Path, small_recipe: SmallRecipe
) -> None:
    places, results = Places(small_gtzan, tmp_path / "store", tmp_path / "runs"), tmp_path / "results"
    recipe = small_recipe(
        "small", optimisation=QUICK, auxiliary=[{"dataset": "emotify", "targets": ["label"]}]
    )
    target = tmp_path / "small.onnx"
    assert ship(recipe, places, results, target, protocol="track_random") == target
    card = model_files.load(target, device="cpu").card
    assert card.trained_on == "12 tracks of GTZAN, 2 tracks of Emotify"
    ((said, found),) = evaluate(target, places, recipe=write(recipe, tmp_path))
    assert said == found
    assert (said.protocol, said.fold, said.n) == ("track_random", 0, 4)
    listed = json.loads((results / "shipped" / "small.json").read_text())
    parts = [set(listed["train"]["gtzan"]), set(listed["validation"]), set(listed["test"])]
    assert [len(part) for part in parts] == [12, 4, 4]
    assert len(set.union(*parts)) == 20
    assert listed["train"]["emotify"] == ["1", "2"]
    ship(recipe, places, results, target)
    assert model_files.load(target, device="cpu").card.figures == ()
    with pytest.raises(RecipeError, match="no track was held out from it"):
        list(evaluate(target, places, recipe=tmp_path / "small.yaml"))
    ship(recipe, places, results, target, protocol="track_random")
    with pytest.raises(RecipeError, match=r"small 1.0 was made by no recipe of this package"):
        list(evaluate(target, places))
    write(small_recipe("small"), tmp_path)
    with pytest.raises(RecipeError, match=r"small 1.0 was made by another recipe"):
        list(evaluate(target, places, recipe=tmp_path / "small.yaml"))


def test_a_quantised_model_is_shipped_with_its_own_figure(
    tmp_path: Path, small_gtzan: Path, small_recipe: SmallRecipe
) -> None:
    places, results = Places(small_gtzan, tmp_path / "store", tmp_path / "runs"), tmp_path / "results"
    recipe = small_recipe("small", optimisation=QUICK, int8=True)
    target = tmp_path / "small.onnx"
    ship(recipe, places, results, target, protocol="track_random")
    ((said, found),) = evaluate(target, places, recipe=write(recipe, tmp_path))
    assert said == found
    assert b"DequantizeLinear" in target.read_bytes()
    card = model_files.load(target, device="cpu").card
    run = Run(recipe, "track_random", 0, places)
    single = Run(small_recipe("small", optimisation=QUICK), "track_random", 0, places)
    single.fit()
    assert run.validated() != single.validated()
    assert card.temperature == pytest.approx(fit_temperature(run.validated()), rel=1e-3)
    with pytest.raises(RecipeError, match="quantised as it is: leave out --int8"):
        list(experiment(recipe, "track_random", places, results, int8=True))
