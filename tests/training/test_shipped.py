"""The bundled models: what they have learnt from, and that no artist of a held-out track is among it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from genrecore import model as model_files
from genrecore_training import recipes
from genrecore_training.datasets import Dataset, share_an_artist
from genrecore_training.evaluation import evaluate
from genrecore_training.material import READERS
from genrecore_training.runs import Places, Run

LISTS = Path(__file__).parents[2] / "training" / "results" / "shipped"
BUNDLED = pytest.mark.parametrize("path", model_files.bundled(), ids=lambda path: path.stem)


@cache
def listed(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((LISTS / f"{path.stem}.json").read_text("utf-8"))
    return found


@cache
def dataset_of(name: str, data: Path) -> Dataset:
    return READERS[name](data / name)


def artists(dataset: str, ids: list[str], data: Path) -> set[str]:
    """Keys of the artists of some tracks, as the data set names and as it groups them; not of those nobody knows."""
    opened = dataset_of(dataset, data)
    named = {track.id: track.artist for track in opened.tracks}
    keys = {key for name in ids for key in (named[name], opened.groups[name])}
    return {key for key in keys if key and not key.startswith("unknown ")}


@BUNDLED
def test_its_tracks_are_listed(path: Path) -> None:
    card, about = model_files.read_card(path), listed(path)
    assert (about["model"], about["recipe_hash"]) == (card.id, card.recipe_hash)
    made_by = recipes.made_by(card.recipe_hash)
    assert made_by is not None, "today's recipe makes it"
    own = about["train"][made_by.dataset]
    assert own
    assert about["validation"]
    assert about["test"]
    assert not {*about["validation"], *about["test"]} & set(own)
    assert not set(about["validation"]) & set(about["test"])
    (figure,) = [figure for figure in card.figures if figure.fold is not None]
    assert (figure.protocol, figure.fold) == (about["protocol"], about["fold"])


@BUNDLED
def test_it_learnt_from_no_artist_held_out(path: Path, shared_data: Path) -> None:
    about, made_by = listed(path), recipes.made_by(listed(path)["recipe_hash"])
    assert made_by is not None
    held = artists(made_by.dataset, [*about["validation"], *about["test"]], shared_data)
    assert len(held) > 20
    for dataset, ids in about["train"].items():
        for key in artists(dataset, ids, shared_data):
            # Within one data set an artist is spelt in one way; between two, the wider comparison.
            shared = (
                {key} & held if dataset == made_by.dataset else {k for k in held if share_an_artist(key, k)}
            )
            assert not shared, f"{path.stem} has learnt from {key} of {dataset}"


@BUNDLED
def test_its_teachers_were_held_to_the_same(path: Path, shared_data: Path, tmp_path: Path) -> None:
    about, made_by = listed(path), recipes.made_by(listed(path)["recipe_hash"])
    assert made_by is not None
    places = Places(shared_data, tmp_path, tmp_path)
    split = Run(made_by, about["protocol"], about["fold"], places).split
    assert set(split.test) == set(about["test"])
    for name in made_by.teacher.recipes if made_by.teacher else ():
        theirs = Run(recipes.load(name), about["protocol"], about["fold"], places).split
        assert theirs == split, f"{name} knows no track that {made_by.name} is tested on"


@BUNDLED
def test_it_reaches_the_figure_that_it_carries(path: Path, shared_data: Path, tmp_path: Path) -> None:
    ((carried, found),) = evaluate(path, Places(shared_data, tmp_path / "store", tmp_path / "runs"))
    assert found == carried
