"""Recipes: those that come with the package read; a typo gives the key and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from genrecore_training import recipes
from genrecore_training.export import input_spec
from genrecore_training.networks import NETWORKS


def test_there_is_a_recipe_for_each_shipped_model() -> None:
    assert recipes.names() == ["abela-end2end-gru", "end2end-gru-mel", "mel-cnn-mood"]


@pytest.mark.parametrize("name", recipes.names())
def test_a_recipe_reads_and_names_what_exists(name: str) -> None:
    recipe = recipes.load(name)
    assert recipe.name == name
    assert recipe.network in NETWORKS
    assert input_spec(recipe.input).shape
    assert len(recipe.digest) == 64


def test_the_digest_is_blind_to_layout(tmp_path: Path) -> None:
    recipe = recipes.load("mel-cnn-mood")
    path = tmp_path / "copy.yaml"
    path.write_text("# a comment\n" + yaml.safe_dump(recipe.model_dump(mode="json")))
    assert recipes.load(path).digest == recipe.digest


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"netwrok": "mel-cnn"}, "netwrok"),
        ({"optimisation": {"epochs": 0}}, "optimisation.epochs"),
        ({"optimisation": {"schedule": "linear"}}, "'plateau' or 'cosine'"),
        ({"augmentation": {"reverb": 1}}, "augmentation.reverb"),
        ({"task": "key"}, "'genre' or 'mood'"),
    ],
)
def test_a_faulty_recipe_is_one_sentence(tmp_path: Path, change: dict[str, object], said: str) -> None:
    data = recipes.load("mel-cnn-mood").model_dump(mode="json") | change
    path = tmp_path / "typo.yaml"
    path.write_text(yaml.safe_dump(data))
    with pytest.raises(recipes.RecipeError) as caught:
        recipes.load(path)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_yaml_and_no_recipe(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("a: [")
    with pytest.raises(recipes.RecipeError, match="not YAML"):
        recipes.load(path)
    with pytest.raises(recipes.RecipeError, match="mel-cnn-mood"):
        recipes.load("no-such-recipe")
