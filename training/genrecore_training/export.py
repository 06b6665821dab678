"""From a trained network to a model file that genrecore reads, checked against PyTorch."""

from __future__ import annotations

import json
import logging
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from genrecore import model as model_files
from genrecore.card import CARD_KEY, InputSpec, ModelCard
from genrecore.runtime import import_onnxruntime
from genrecore.spectrogram import LogMelSpec
from genrecore_training.recipes import InputSettings

__all__ = [
    "SAMPLE_RATE",
    "TABLE_KEY",
    "ExportError",
    "describe",
    "input_spec",
    "set_temperature",
    "shape_of",
    "size_of",
    "to_onnx",
    "to_table_onnx",
]

SAMPLE_RATE = 22050
TOLERANCE = 1e-4
#: Where an ONNX file on numbers of a table says what it is.
TABLE_KEY = "genrecore.table"


class ExportError(Exception):
    """The exported model does not say what the network says."""


class _Probabilities(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, snippets: Tensor) -> Tensor:
        return torch.softmax(self.network(snippets), dim=1)


def shape_of(settings: InputSettings) -> tuple[int, ...]:
    """Shape of one snippet, without the batch, of any kind of input."""
    return (settings.numbers or 0,) if settings.kind == "table" else input_spec(settings).shape


def input_spec(settings: InputSettings) -> InputSpec:
    """The contract's description of a recipe's input, which must be sound."""
    if settings.kind == "waveform":
        return InputSpec("waveform", SAMPLE_RATE, settings.samples)
    spec = LogMelSpec(sample_rate=SAMPLE_RATE, hop_length=settings.hop_length or LogMelSpec.hop_length)
    return InputSpec("logmel", SAMPLE_RATE, settings.samples, spec, settings.frames)


def size_of(network: nn.Module, shape: tuple[int, ...]) -> tuple[int, int]:
    """Numbers in a network that training finds, running statistics included, and multiply-adds for one snippet."""
    parameters = sum(p.numel() for p in network.parameters() if p.requires_grad)
    running = sum(b.numel() for name, b in network.named_buffers() if "running" in name)
    # MKL-DNN's recurrent layers are one opaque operation; without it they are products that can be counted.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on Intel's graphics cards
        plain = torch.backends.mkldnn.flags(enabled=False)
        with FlopCounterMode(display=False) as counter, torch.no_grad(), plain:
            network(torch.zeros(1, *shape))
    return parameters + running, counter.get_total_flops() // 2


def to_onnx(network: nn.Module, card: ModelCard, path: Path, *, seed: int = 0) -> float:
    """Write a model file and check it.

    Parameters
    ----------
    network : torch.nn.Module
        Snippets in, logits out.
    card : ModelCard
        What the file is to say about itself.
    path : Path
        The file; written beside and moved into place.
    seed : int
        Of the random snippets it is checked on.

    Returns
    -------
    float
        Largest difference between ONNX Runtime and PyTorch, at most 1e-4.

    Raises
    ------
    ExportError
        If they differ by more.
    """
    scale = 0.1 if card.input.kind == "waveform" else 15.0
    fresh = path.with_suffix(".partial.onnx")
    snippets, expected = _export(network, card.input.shape, scale, seed, fresh)
    describe(fresh, card)
    difference = float(np.abs(model_files.load(fresh, device="cpu").run(snippets) - expected).max())
    _settle(fresh, path, difference)
    return difference


def to_table_onnx(network: nn.Module, numbers: int, about: Mapping[str, Any], path: Path) -> float:
    """Write and check an ONNX file of a network on numbers of a table; it hears nothing, so it is no model for beets.

    Parameters
    ----------
    network : torch.nn.Module
        Numbers in, logits out.
    numbers : int
        How many.
    about : mapping
        What the file is to say of itself, under ``genrecore.table``.
    path : Path
        The file.

    Returns
    -------
    float
        As for `to_onnx`.

    Raises
    ------
    ExportError
        If ONNX Runtime and PyTorch differ.
    """
    fresh = path.with_suffix(".partial.onnx")
    snippets, expected = _export(network, (numbers,), 1.0, 0, fresh)
    _set_properties(fresh, {TABLE_KEY: json.dumps(about)})
    session = import_onnxruntime().InferenceSession(str(fresh), providers=["CPUExecutionProvider"])
    difference = float(np.abs(session.run(None, {"snippets": snippets})[0] - expected).max())
    _settle(fresh, path, difference)
    return difference


def _export(
    network: nn.Module, shape: tuple[int, ...], scale: float, seed: int, fresh: Path
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Write the graph; return random snippets and what PyTorch says of them."""
    wrapped = _Probabilities(network).eval()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it misses torchvision, which nobody needs
    snippets = np.random.default_rng(seed).standard_normal((3, *shape)).astype(np.float32) * np.float32(scale)
    program = torch.onnx.export(
        wrapped,
        (torch.from_numpy(snippets),),
        input_names=["snippets"],
        output_names=["probabilities"],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        opset_version=18,
        dynamo=True,
        verbose=False,
    )
    if program is None:
        raise ExportError(f"{fresh}: PyTorch exported nothing")
    fresh.parent.mkdir(parents=True, exist_ok=True)
    program.save(str(fresh), external_data=False)
    with torch.no_grad():
        return snippets, wrapped(torch.from_numpy(snippets)).numpy()


def _settle(fresh: Path, path: Path, difference: float) -> None:
    if difference > TOLERANCE:
        raise ExportError(f"{path}: ONNX Runtime and PyTorch differ by {difference:.2g}")
    os.replace(fresh, path)


def set_temperature(path: Path, temperature: float) -> None:
    """Put the calibration temperature into what a file says of itself, of either kind."""
    said = {entry.key: json.loads(entry.value) for entry in onnx.load(str(path)).metadata_props}
    changed = {key: json.dumps({**about, "temperature": temperature}) for key, about in said.items()}
    _set_properties(path, changed)


def describe(path: Path, card: ModelCard) -> None:
    """Put a card into a model file, in place of the one that is there."""
    _set_properties(path, {CARD_KEY: card.to_json()})


def _set_properties(path: Path, properties: dict[str, str]) -> None:
    proto = onnx.load(str(path))
    del proto.metadata_props[:]
    onnx.helper.set_model_props(proto, properties)
    # Traces of the exporter name source files and lines; nobody who runs the model needs them.
    for node in proto.graph.node:
        node.ClearField("doc_string")
        del node.metadata_props[:]
    onnx.save(proto, str(path))
