"""The tables on calibration, abstaining, robustness and controls say what the results files say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from genrecore import model as model_files
from genrecore_training import recipes, trust

MODEL = "mel-cnn-genre"


def put(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def a_result(**changes: object) -> dict[str, Any]:
    figure = {"metric": "accuracy", "on": "columns", "n": 290, "value": 0.61, "low": 0.55, "high": 0.66}
    return {
        "model": MODEL,
        "protocol": "fault_filtered",
        "figures": [figure],
        "calibration_error": 0.0512,
        "calibration": {
            "log loss": {"before": 1.25, "after": 1.125},
            "error before": 0.1,
            "error of an exact confidence": [0.03, 0.07],
        },
        "abstaining": [
            {"thresholds": [0.5], "n": 0, "coverage": 0.0},
            {
                "precision wanted": 0.8,
                "validation tracks": 197,
                "thresholds": [0.4567, None, 0.7],
                "n": 145,
                "coverage": 0.5,
                "precision": {"value": 0.75, "low": 0.6, "high": 0.875},
            },
            {"precision wanted": 0.9, "validation tracks": 197},
        ],
        **changes,
    }


def test_without_results_the_tables_say_so(tmp_path: Path) -> None:
    for render in (
        trust.render_calibration,
        trust.render_abstaining,
        trust.render_robustness,
        trust.render_controls,
        trust.render_outside,
    ):
        assert render(tmp_path) == "Not measured yet of the bundled models.\n"
    assert trust.faults(tmp_path) == []


def test_calibration_and_abstaining(tmp_path: Path) -> None:
    put(tmp_path / f"{MODEL}--fault_filtered.json", a_result())
    put(tmp_path / "cox-zfnet--fault_filtered.json", a_result(model="cox-zfnet"))
    said = trust.render_calibration(tmp_path)
    start = f"| `{MODEL}` | fault_filtered | archived log-mel of 30 s, 100 snippets | 290"
    assert f"{start} | 1.250 | 1.125 | **0.051** | 0.030 to 0.070 |" in said.splitlines()
    assert "cox-zfnet" not in said, "it is not bundled"
    lines = trust.render_abstaining(tmp_path).splitlines()
    start = f"| `{MODEL}` | fault_filtered |"
    assert f"{start} the default | 0.50 | 0 of 290 (0%) | none got one |" in lines
    assert f"{start} 80% | 0.46 to 0.70 | 145 of 290 (50%) | **0.750** [0.600, 0.875] |" in lines
    assert f"{start} 90% | none gives it on 197 validation tracks | | |" in lines


def test_robustness_has_a_column_a_model(tmp_path: Path) -> None:
    figure = {"value": 0.95, "low": 0.9, "high": 0.98}
    entry = {
        "model": MODEL,
        "recipe_hash": recipes.load(MODEL).digest,
        "protocol": "artist_grouped_3",
        "n": 111,
        "interval": "95 %",
        "agreement": [{"with": "mp3 at 64 kb/s", **figure}],
        "other snippets": {"drawings": 5, **figure, "value": 0.985},
    }
    path = tmp_path / "robustness" / f"{MODEL}--artist_grouped_3.json"
    put(path, entry)
    said = trust.render_robustness(tmp_path)
    assert f"| with | `{MODEL}`, n = 111 |" in said
    assert "| mp3 at 64 kb/s | **0.950** [0.900, 0.980] |" in said
    assert "| other snippets | **0.985** [0.900, 0.980] |" in said
    assert trust.faults(tmp_path) == []
    put(path, {**entry, "recipe_hash": "0" * 64})
    assert trust.faults(tmp_path) == [
        f"robustness/{path.name} was made by another recipe than {MODEL}.yaml is now: make it again"
    ]


@pytest.mark.parametrize("bundled", [True, False])
def test_controls_are_of_the_models_that_are_bundled(tmp_path: Path, bundled: bool) -> None:
    model = MODEL if bundled else "old-model"
    said = {
        "model": model,
        "classes": {"metal": 19, "rock": 1},
        "greatest confidence": 0.437,
        "abstains": 1.0,
    }
    found = {
        "count": 20,
        "seconds": 20.0,
        "thresholds": {"genre": 0.5, "mood": 0.5},
        "weights": {model: model_files.digest(MODEL)},
        "sounds": [
            {"sound": "white noise", "refused": 0, "genre": said, "mood": {**said, "abstains": 0.95}},
            {"sound": "silence", "refused": 20},
        ],
    }
    put(tmp_path / "controls.json", found)
    table = trust.render_controls(tmp_path)
    assert "| white noise | metal 19, rock 1 | 0.44 | 100% | metal 19, rock 1 | 0.44 | 95% |" in table
    assert "| silence | refused, 20 of 20 | |  | refused, 20 of 20 | |  |" in table
    assert f"by {model}; least confidence: genre 0.5, mood 0.5." in table
    faults = trust.faults(tmp_path)
    assert faults == (
        [] if bundled else ["controls.json is of another old-model than the bundled one: make it again"]
    )
    put(tmp_path / "controls.json", found | {"weights": {MODEL: "0" * 64}})
    assert trust.faults(tmp_path) == [
        f"controls.json is of another {MODEL} than the bundled one: make it again"
    ]


def test_outside_tests_are_of_the_very_weights_that_are_bundled(tmp_path: Path) -> None:
    path = tmp_path / "outside" / f"{MODEL}.json"
    put(path, {"weights": model_files.digest(MODEL)})
    assert trust.faults(tmp_path) == []
    put(path, {"weights": "0" * 64})
    assert trust.faults(tmp_path) == [
        f"outside/{MODEL}.json is of another model than the bundled one: make it again"
    ]


def test_a_class_is_told_with_what_it_is_mistaken_for(tmp_path: Path) -> None:
    card = model_files.read_card(MODEL)
    scores = {"precision": 0.8182, "recall": 0.2903, "f1": 0.4286, "n": 31}
    found = a_result(
        recipe_hash=card.recipe_hash,
        confusion={
            "labels": ["blues", "jazz", "rock"],
            "rows are the truth": [[9, 20, 2], [0, 31, 0], [0, 0, 31]],
        },
    ) | {"per class": {"blues": scores, "jazz": scores, "rock": scores}}
    put(tmp_path / f"{MODEL}--fault_filtered.json", found)
    lines = trust.render_per_class(tmp_path).splitlines()
    assert f"| `{MODEL}` | blues | 31 | 0.29 | 0.82 | jazz, 20 |" in lines
    assert f"| `{MODEL}` | jazz | 31 | 0.29 | 0.82 |  |" in lines
    put(tmp_path / f"{MODEL}--fault_filtered.json", {**found, "protocol": "artist_grouped_3"})
    assert "blues" not in trust.render_per_class(tmp_path), "its figure is of another protocol"
