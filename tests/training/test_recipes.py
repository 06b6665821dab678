"""Recipes: those that come with the package read; a typo gives the key and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from genrecore import model as model_files
from genrecore_training import recipes
from genrecore_training.export import shape_of
from genrecore_training.networks import build
from genrecore_training.protocols import RANDOM

ABELA = ["conv", "blstm", "conv-blstm", "gru", "conv-bgru", "end2end", "end2end-gru"]
PUBLISHED = {
    **{f"abela-{net}": {"genre", "mood"} for net in ABELA},
    **{
        name: {"genre"}
        for name in (
            "cox-gtzanet",
            "cox-zfnet",
            "liang-mfcc-cnn",
            "liang-mfcc-lstm",
            "liang-spotify-cnn",
            "liang-spotify-rnn",
            "obeirne-cnn",
            "otero-crnn",
        )
    },
}


def test_every_published_network_has_its_recipes() -> None:
    found: dict[str, set[str]] = {}
    for recipe in map(recipes.load, recipes.names()):
        if recipe.published is not None:
            found.setdefault(recipe.network, set()).add(recipe.task)
    assert found == PUBLISHED


def test_there_is_a_recipe_for_each_shipped_model() -> None:
    for path in model_files.bundled():
        made_by = recipes.made_by(model_files.read_card(path).recipe_hash)
        assert made_by is not None, path.name
        assert path.stem == made_by.name


@pytest.mark.parametrize("name", recipes.names())
def test_a_recipe_reads_and_its_network_can_be_built(name: str) -> None:
    recipe = recipes.load(name)
    assert recipe.name == name
    assert len(recipe.digest) == 64
    if recipe.network != "cox-zfnet":  # of a gigabyte
        build(recipe.network, 4, shape_of(recipe.input), recipe.network_options)
    if recipe.published is not None:
        assert recipe.protocols[0] == recipe.published.protocol, "the paper's own first"
        assert recipe.protocols[1] not in RANDOM, "and one that keeps artists apart"


def test_a_published_network_is_found_by_its_name_and_task() -> None:
    assert [r.name for r in recipes.published("abela-conv")] == ["abela-conv-genre", "abela-conv-mood"]
    assert [r.name for r in recipes.published("abela-conv", "mood")] == ["abela-conv-mood"]
    assert [r.name for r in recipes.published("abela-conv-mood")] == ["abela-conv-mood"]
    # The shipped model of that name is another recipe, which no paper has published.
    names = [r.name for r in recipes.published("abela-end2end-gru")]
    assert names == ["abela-end2end-gru-genre", "abela-end2end-gru-mood"]
    for name, task in (("mel-cnn-mood", None), ("cox-gtzanet", "mood"), ("x", None)):
        with pytest.raises(recipes.RecipeError, match="obeirne-cnn"):
            recipes.published(name, task)


def test_the_digest_is_of_what_decides_a_run() -> None:
    recipe = recipes.load("abela-conv-mood")
    for words in ({"description": "x"}, {"protocols": ("all",)}, {"published": None}):
        assert recipe.model_copy(update=words).digest == recipe.digest
    assert recipe.model_copy(update={"seed": 9}).digest != recipe.digest
    assert recipe.model_copy(update={"shares": (0.5, 0.25, 0.25)}).digest != recipe.digest


def test_every_key_is_documented() -> None:
    for key, default, meaning in recipes.documented_keys():
        words = {"learning_rate", "label_smoothing", "epochs"}
        assert meaning or key.rpartition(".")[2] in words, key
        assert default or key.rpartition(".")[2], key


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
        ({"optimisation": {"schedule": "linear"}}, "'plateau', 'cosine' or 'constant'"),
        ({"augmentation": {"reverb": 1}}, "augmentation.reverb"),
        ({"task": "key"}, "'genre' or 'mood'"),
        ({"network": "mel-cnm"}, "abela-conv, abela-blstm"),
        ({"input": {"kind": "logmel", "samples": 66150}}, "an input of kind logmel needs hop_length"),
        (
            {"network_options": {"widht": 3}},
            "network_options.widht: there is no such option; allowed are widths, dropout",
        ),
        (
            {"input": {"kind": "logmel", "samples": 66150, "hop_length": 1708, "frames": 60}},
            "60 frames do not fit",
        ),
        ({"input": {"kind": "table", "numbers": 11}}, "sections: 1"),
        ({"name": "../x"}, "name: String should match pattern"),
        ({"version": ""}, "version: String should have at least 1"),
        ({"seed": 2**40}, "seed: Input should be less than"),
        (
            {"auxiliary": [{"dataset": "4qaed", "targets": ["genres"], "foo": 1}]},
            "allowed are dataset, targets",
        ),
        (
            {"auxiliary": [{"dataset": "spotify", "targets": ["label"]}]},
            "'gtzan', '4qaed', 'emotify' or 'fma'",
        ),
        (
            {"auxiliary": [{"dataset": "emotify", "targets": [name]} for name in ("label", "emotions")]},
            "a data set stands there twice",
        ),
        ({"learning_share": 0.05}, "learning_share: Input should be a multiple of 0.125"),
        ({"nothing": -1}, "nothing: Input should be greater"),
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


def test_a_typo_names_its_line_and_the_keys_that_are_allowed(tmp_path: Path) -> None:
    text = "\n".join(
        [
            "name: x",
            'version: "1"',
            "task: mood",
            "network: mel-cnn",
            "dataset: 4qaed",
            "input: {kind: logmel, samples: 66150, hop_length: 854, frames: 77}",
            "protocols: [artist_grouped]",
            "optimisation:",
            "  epochs: 3",
            "  learnin_rate: 0.1",
        ]
    )
    path = tmp_path / "typo.yaml"
    path.write_text(text)
    with pytest.raises(recipes.RecipeError) as caught:
        recipes.load(path)
    said = str(caught.value)
    assert said.startswith(
        f"{path}, line 10: optimisation.learnin_rate: there is no such key; allowed are name, learning_rate,"
    )
    path.write_text(text.replace("learnin_rate: 0.1", "batch: 1"))
    with pytest.raises(
        recipes.RecipeError, match=r"line 10: optimisation\.batch: .*greater than or equal to 2"
    ):
        recipes.load(path)
    path.write_text(text.replace("network: mel-cnn\n", "").replace("learnin", "learning"))
    with pytest.raises(recipes.RecipeError, match=r"line 1: network: Field required"):
        recipes.load(path)


def test_a_file_that_is_no_text_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"\xff\xfe\x00name")
    with pytest.raises(recipes.RecipeError, match="no text in UTF-8"):
        recipes.load(path)


def test_no_yaml_and_no_recipe(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("a: [")
    with pytest.raises(recipes.RecipeError, match="not YAML"):
        recipes.load(path)
    with pytest.raises(recipes.RecipeError, match="mel-cnn-mood"):
        recipes.load("no-such-recipe")


def test_what_is_for_random_log_mels_is_refused_elsewhere(tmp_path: Path) -> None:
    for name, change, said in (
        ("abela-gru-genre", {"nothing": 3}, "leave out input.sections"),
        ("abela-end2end-gru", {"augmentation": {"style": 0.5}}, "it is for log-mels"),
        ("abela-gru-genre", {"even_artists": 0.5}, "leave out input.sections"),
        ("abela-gru-genre", {"speech": 3}, "leave out input.sections"),
        ("liang-spotify-cnn", {"int8": True}, "it is for networks that hear sound"),
        (
            "mel-cnn-genre",
            {"auxiliary": [{"dataset": "4qaed", "targets": ["genres"]}]},
            "one number of snippets: name it in one place",
        ),
    ):
        path = tmp_path / "changed.yaml"
        path.write_text(yaml.safe_dump(recipes.load(name).model_dump(mode="json") | change))
        with pytest.raises(recipes.RecipeError, match=said):
            recipes.load(path)


def test_no_recipe_is_its_own_teacher(tmp_path: Path) -> None:
    data = recipes.load("mel-cnn-mood").model_dump(mode="json")
    one, other = tmp_path / "one.yaml", tmp_path / "other.yaml"
    one.write_text(yaml.safe_dump(data | {"teacher": {"recipes": [str(other)]}}))
    other.write_text(yaml.safe_dump(data | {"teacher": {"recipes": [str(one)]}}))
    with pytest.raises(recipes.RecipeError, match=r"other.yaml: .*one.yaml is to learn from itself"):
        recipes.load(one)
    one.write_text(yaml.safe_dump(data | {"teacher": {"recipes": ["nobody"]}}))
    with pytest.raises(recipes.RecipeError, match="nobody: no such recipe"):
        recipes.load(one)
