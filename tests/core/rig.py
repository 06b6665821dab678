"""What the tests of the run share: small models with varied opinions, and workers that go wrong on demand."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from genrecore import pool_worker
from genrecore.card import CARD_KEY, Figure, InputSpec, ModelCard
from genrecore.pool_worker import Outcome
from genrecore.settings import Settings
from genrecore.spectrogram import LogMelSpec

GENRES = ("blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock")
MOODS = ("happy", "angry", "sad", "relaxed")


def make_model(path: Path, task: str, *, hop: int = 1708, seed: int = 0, rate: int = 22050) -> Path:
    """Write a model file that hears something else in every snippet: random weights on the mean spectrum."""
    labels = GENRES if task == "genre" else MOODS
    frames = 39 if hop == 1708 else 77
    weights = np.random.default_rng(seed).standard_normal((128, len(labels))).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["x", "time"], ["spectrum"], keepdims=0),
            helper.make_node("LayerNormalization", ["spectrum", "one", "zero"], ["normal"], axis=1),
            helper.make_node("MatMul", ["normal", "weights"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        ],
        task,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 128, frames])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", len(labels)])],
        [
            numpy_helper.from_array(np.array([2], np.int64), "time"),
            numpy_helper.from_array(np.ones(128, np.float32), "one"),
            numpy_helper.from_array(np.zeros(128, np.float32), "zero"),
            numpy_helper.from_array(weights / 3, "weights"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    card = ModelCard(
        name=f"rig-{task}",
        version=str(seed),
        task=task,
        labels=labels,
        input=InputSpec(
            "logmel", rate, 3 * rate, LogMelSpec(sample_rate=rate, fmax=rate / 2, hop_length=hop), frames
        ),
        snippet_seconds=3.0,
        licence="MIT",
        trained_on="nothing at all",
        figures=(Figure("artist_grouped", "accuracy", 0.5, 0.4, 0.6, 100),),
        multiply_adds=1280,
    )
    helper.set_model_props(model, {CARD_KEY: card.to_json()})
    onnx.save(model, str(path))
    return path


def make_waveform_model(path: Path) -> Path:
    """Write a model file that listens to waveforms: random weights on the loudness of 450 stretches."""
    weights = np.random.default_rng(3).standard_normal((450, len(GENRES))).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Reshape", ["x", "shape"], ["stretches"]),
            helper.make_node("ReduceL2", ["stretches", "time"], ["loudness"], keepdims=0),
            helper.make_node("MatMul", ["loudness", "weights"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        ],
        "waveform",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 66150])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", len(GENRES)])],
        [
            numpy_helper.from_array(np.array([-1, 450, 147], np.int64), "shape"),
            numpy_helper.from_array(np.array([2], np.int64), "time"),
            numpy_helper.from_array(weights, "weights"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    card = ModelCard(
        "rig-waveform",
        "1",
        "genre",
        GENRES,
        InputSpec("waveform", 22050, 66150),
        3.0,
        "MIT",
        "nothing at all",
    )
    helper.set_model_props(model, {CARD_KEY: card.to_json()})
    onnx.save(model, str(path))
    return path


def analyse_or_fail(path: str, content_hash: str | None, settings: Settings) -> Outcome:
    """A worker's task on which the file's name can bring disaster; every other file is really analysed."""
    name = Path(path).name
    if name.startswith("exits"):
        os._exit(3)
    if name.startswith("crashes"):
        time.sleep(0.3)  # so that the parent knows who has the file
        ctypes.string_at(0)
    if name.startswith("grows"):
        os.kill(os.getpid(), signal.SIGKILL)  # what Linux does where memory runs out
    if name.startswith("hangs"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # as C code that never returns
        time.sleep(600)
    if name.startswith("raises"):
        return pool_worker._outcome(path, lambda: 1 / 0)
    if name.startswith("swallows"):
        return pool_worker._outcome(path, lambda: bytearray(1 << 62))
    if name.startswith("once"):  # an innocent: it dies with its worker, but not the second time
        mark = Path(f"{path}.tried")
        if not mark.exists():
            mark.touch()
            os._exit(9)
    return pool_worker.analyse_file(path, content_hash, settings)


def always_exit(path: str, content_hash: str | None, settings: Settings) -> Outcome:
    """A worker's task that never works."""
    os._exit(5)
