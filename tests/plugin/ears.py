"""Small models whose opinion a test can foresee: quiet music is one thing, loud music another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from genrecore.card import CARD_KEY, InputSpec, ModelCard

RATE, SAMPLES = 22050, 66150
LABELS = {
    "genre": ("blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock"),
    "mood": ("happy", "angry", "sad", "relaxed"),
}
#: Mean absolute sample between `quiet` and `loud` pieces of the tests.
BETWEEN = 0.06


def make_model(
    path: Path,
    task: str,
    quiet: str,
    loud: str,
    *,
    version: str = "1",
    labels: tuple[str, ...] = (),
) -> Path:
    """Write a model file that hears `quiet` in quiet snippets and `loud` in loud ones."""
    labels = labels or LABELS[task]
    slope = np.zeros((1, len(labels)), np.float32)
    offset = np.zeros((1, len(labels)), np.float32)
    slope[0, labels.index(loud)] = 100.0
    offset[0, labels.index(quiet)] = 100.0 * BETWEEN
    nodes = [
        helper.make_node("Abs", ["audio"], ["size"]),
        helper.make_node("ReduceMean", ["size", "axes"], ["loudness"], keepdims=1),
        helper.make_node("MatMul", ["loudness", "slope"], ["scaled"]),
        helper.make_node("Add", ["scaled", "offset"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        task,
        [helper.make_tensor_value_info("audio", TensorProto.FLOAT, ["batch", SAMPLES])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", len(labels)])],
        [
            numpy_helper.from_array(np.array([1], np.int64), "axes"),
            numpy_helper.from_array(slope, "slope"),
            numpy_helper.from_array(offset, "offset"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    card = ModelCard(
        name=f"test-{task}",
        version=version,
        task=task,
        labels=labels,
        input=InputSpec("waveform", RATE, SAMPLES),
        snippet_seconds=SAMPLES / RATE,
        licence="MIT",
        trained_on="nothing",
    )
    helper.set_model_props(model, {CARD_KEY: card.to_json()})
    onnx.save(model, str(path))
    return path
