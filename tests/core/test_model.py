"""Model files: the shipped ones run, faulty ones are refused in one sentence that names file and fault."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from genrecore import model as model_files
from genrecore.card import CARD_KEY, Figure, InputSpec, ModelCard
from genrecore.errors import ModelError
from genrecore.spectrogram import LogMelSpec

SHIPPED = {"abela-end2end-gru": "genre", "mel-cnn-genre": "genre", "mel-cnn-mood": "mood"}
GENRES = ("blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock")


def card(**changes: object) -> ModelCard:
    return dataclasses.replace(
        ModelCard("tiny", "1.0", "genre", ("a", "b"), InputSpec("waveform", 100, 300), 3.0, "MIT", "nothing"),
        **changes,
    )


def tiny(path: Path, text: str | None, *, samples: int = 300, classes: int = 2, softmax: bool = True) -> Path:
    """A real ONNX file: one dense layer from `samples` to `classes`."""
    weights = np.random.default_rng(0).standard_normal((samples, classes)).astype(np.float32)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["z"]), helper.make_node("Softmax", ["z"], ["p"], axis=1)]
    graph = helper.make_graph(
        nodes if softmax else [helper.make_node("MatMul", ["x", "w"], ["p"])],
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", samples])],
        [helper.make_tensor_value_info("p", TensorProto.FLOAT, ["batch", classes])],
        [helper.make_tensor("w", TensorProto.FLOAT, weights.shape, weights.ravel())],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    if text is not None:
        helper.set_model_props(proto, {CARD_KEY: text})
    onnx.save(proto, str(path))
    return path


def without(key: str) -> str:
    data = json.loads(card().to_json())
    del data[key]
    return json.dumps(data)


def changed(**changes: object) -> str:
    return json.dumps(json.loads(card().to_json()) | changes)


@pytest.mark.parametrize(("name", "task"), SHIPPED.items())
def test_a_shipped_model_runs_and_describes_itself(name: str, task: str) -> None:
    model = model_files.load(name, device="cpu")
    assert (model.card.name, model.card.task, model.card.snippet_seconds) == (name, task, 3.0)
    assert model.card.labels == (GENRES if task == "genre" else ("happy", "angry", "sad", "relaxed"))
    assert model.provider == "CPUExecutionProvider"
    assert model.path.stat().st_size < 5_000_000
    snippets = np.random.default_rng(0).standard_normal((23, *model.card.input.shape)).astype(np.float32)
    out = model.run(snippets)
    assert out.shape == (23, len(model.card.labels))
    np.testing.assert_allclose(out.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(model.run(snippets[20:]), out[20:], atol=1e-6)  # whatever the batch


@pytest.mark.parametrize("name", [name for name in SHIPPED if name != "abela-end2end-gru"])
def test_a_model_on_logmel_is_blind_to_gain(name: str) -> None:
    model = model_files.load(name, device="cpu")
    snippets = np.random.default_rng(1).uniform(-60, 0, (4, *model.card.input.shape)).astype(np.float32)
    np.testing.assert_allclose(model.run(snippets - 20), model.run(snippets), atol=1e-4)


def test_the_default_models_are_shipped() -> None:
    for task, name in model_files.DEFAULT_MODELS.items():
        assert name in [path.stem for path in model_files.bundled(task)]


def test_a_card_comes_back_as_it_went() -> None:
    spec = LogMelSpec(hop_length=854)
    before = card(
        input=InputSpec("logmel", 22050, 66150, spec, 77),
        figures=(Figure("fault_filtered", "accuracy", 0.6, 0.5, 0.7, 290, fold=0),),
        temperature=0.7,
    )
    assert ModelCard.from_json(before.to_json(), "x.onnx") == before
    assert before.input.shape == (128, 77)
    assert str(before.figures[0]) == "0.600 [0.500, 0.700]"


def test_a_model_of_ones_own_is_named_by_its_path(tmp_path: Path) -> None:
    path = tiny(tmp_path / "own.onnx", card().to_json())
    model = model_files.load(path)
    assert model.card.id == "tiny 1.0"
    assert model_files.find(str(path)) == path
    assert len(model_files.digest(path)) == 64
    tiny(path, changed(version="2.0"))
    assert model_files.read_card(path).version == "2.0"


@pytest.mark.parametrize("key", LogMelSpec().to_dict())
def test_a_spectrogram_is_described_whole(tmp_path: Path, key: str) -> None:
    """A default in place of what is not said would be another spectrogram than the model was trained on."""
    data = json.loads(card(input=InputSpec("logmel", 22050, 66150, LogMelSpec(), 39)).to_json())
    del data["input"]["logmel"][key]
    with pytest.raises(ModelError, match=f"x.onnx: .*{key}"):
        ModelCard.from_json(json.dumps(data), "x.onnx")


FIGURE = {"protocol": "p", "metric": "accuracy", "value": 0.5, "low": 0.4, "high": 0.6, "n": 3}
LOGMEL = {"kind": "logmel", "sample_rate": 22050, "samples": 66150, "frames": 39}

FAULTY = {
    "no card": (None, {}, "does not describe itself"),
    "no JSON": ("{", {}, "description is faulty"),
    "a list": ("[]", {}, "description is faulty"),
    **{
        f"lacks {key}": (without(key), {}, repr(key))
        for key in ("name", "task", "labels", "input", "temperature")
    },
    "a task we do not know": (changed(task="key"), {}, "'key'"),
    "one label": (changed(labels=["a"]), {}, "two labels"),
    "twice the same label": (changed(labels=["a", "a"]), {}, "all different"),
    "temperature 0": (changed(temperature=0), {}, "temperature"),
    "another length in seconds": (changed(snippet_seconds=5.0), {}, "snippet length"),
    "another input than it says": (card().to_json(), {"samples": 200}, "takes"),
    "more classes than labels": (card().to_json(), {"classes": 3}, "labels"),
    "labels that are one text": (changed(labels="ab"), {}, "labels is 'ab'"),
    "labels that are numbers": (changed(labels=[1, 2]), {}, "labels is [1, 2]"),
    "a size in words": (changed(parameters="many"), {}, "parameters is 'many'"),
    "a name that is a list": (changed(name=["x"]), {}, "name is ['x']"),
    "a version that is a number": (changed(version=1), {}, "version is 1"),
    "an infinite temperature": (changed(temperature=math.inf), {}, "temperature is inf"),
    "a temperature that is true": (changed(temperature=True), {}, "temperature is True"),
    "seconds in words": (changed(snippet_seconds="3"), {}, "snippet_seconds is '3'"),
    "a figure in words": (changed(figures=[FIGURE | {"value": "x"}]), {}, "figures[0].value is 'x'"),
    "a figure alone": (changed(figures=FIGURE), {}, "figures are not a list"),
    "a figure that is none": (changed(figures=[3]), {}, "figures[0] is 3"),
    "samples in halves": (
        changed(input={"kind": "waveform", "sample_rate": 100, "samples": 300.5}),
        {},
        "input.samples is 300.5",
    ),
    "an input that is a text": (changed(input="waveform"), {}, "input is 'waveform'"),
    "a spectrogram with a hop in words": (
        changed(input=LOGMEL | {"logmel": LogMelSpec().to_dict() | {"hop_length": "x"}}),
        {},
        "input.logmel.hop_length is 'x'",
    ),
    "a size beyond all numbers": (changed(multiply_adds=10**400), {}, "multiply_adds is 1000"),
    "an unknown input kind": (changed(input={"kind": "mfcc", "sample_rate": 1, "samples": 3}), {}, "'mfcc'"),
}


@pytest.mark.parametrize("case", FAULTY)
def test_a_faulty_file_is_refused_in_one_sentence(tmp_path: Path, case: str) -> None:
    text, shape, fault = FAULTY[case]
    path = tiny(tmp_path / "faulty.onnx", text, **shape)
    with pytest.raises(ModelError) as caught:
        model_files.load(path)
    assert str(caught.value).startswith(str(path))
    assert fault in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_output_that_is_no_probability_is_refused(tmp_path: Path) -> None:
    model = model_files.load(tiny(tmp_path / "logits.onnx", card().to_json(), softmax=False))
    with pytest.raises(ModelError, match="not one probability for each"):
        model.run(np.ones((2, 300), np.float32))


def test_snippets_of_another_shape_are_refused(tmp_path: Path) -> None:
    model = model_files.load(tiny(tmp_path / "own.onnx", card().to_json()))
    with pytest.raises(ValueError, match="299"):
        model.run(np.ones((2, 299), np.float32))


@pytest.mark.parametrize("content", [b"", b"\x00" * 1000, b"this is not a model"])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "no.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"no\.onnx: not a model") as caught:
        model_files.load(path)
    assert "\n" not in str(caught.value)


def test_a_truncated_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "half.onnx"
    whole = model_files.find("mel-cnn-mood").read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match=r"half\.onnx"):
        model_files.load(path)


def test_a_name_nobody_knows_is_told_with_those_there_are() -> None:
    with pytest.raises(ModelError, match=model_files.DEFAULT_MODELS["genre"]):
        model_files.load("no-such-model")
