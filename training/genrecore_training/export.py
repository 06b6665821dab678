"""From a trained network to a model file that genrecore reads, checked against PyTorch."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from genrecore import model as model_files
from genrecore.card import CARD_KEY, InputSpec, ModelCard
from genrecore.spectrogram import LogMelSpec
from genrecore_training.recipes import InputSettings

__all__ = ["ExportError", "describe", "input_spec", "size_of", "to_onnx"]

SAMPLE_RATE = 22050
TOLERANCE = 1e-4


class ExportError(Exception):
    """The exported model does not say what the network says."""


class _Probabilities(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, snippets: Tensor) -> Tensor:
        return torch.softmax(self.network(snippets), dim=1)


def input_spec(settings: InputSettings) -> InputSpec:
    """The contract's description of a recipe's input."""
    if settings.kind == "waveform":
        return InputSpec("waveform", SAMPLE_RATE, settings.samples)
    spec = LogMelSpec(sample_rate=SAMPLE_RATE, hop_length=settings.hop_length or LogMelSpec.hop_length)
    return InputSpec("logmel", SAMPLE_RATE, settings.samples, spec, settings.frames)


def size_of(network: nn.Module, spec: InputSpec) -> tuple[int, int]:
    """Numbers in a network, running statistics included, and multiply-adds that it spends on one snippet."""
    parameters = sum(p.numel() for p in network.parameters())
    running = sum(b.numel() for name, b in network.named_buffers() if "running" in name)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, *spec.shape))
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
    wrapped = _Probabilities(network).eval()
    rng = np.random.default_rng(seed)
    snippets = rng.standard_normal((3, *card.input.shape)).astype(np.float32)
    snippets *= 0.1 if card.input.kind == "waveform" else 15.0
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
        raise ExportError(f"{path}: PyTorch exported nothing")
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".partial.onnx")
    program.save(str(fresh), external_data=False)
    describe(fresh, card)
    with torch.no_grad():
        expected = wrapped(torch.from_numpy(snippets)).numpy()
    difference = float(np.abs(model_files.load(fresh, device="cpu").run(snippets) - expected).max())
    if difference > TOLERANCE:
        raise ExportError(f"{path}: ONNX Runtime and PyTorch differ by {difference:.2g}")
    os.replace(fresh, path)
    return difference


def describe(path: Path, card: ModelCard) -> None:
    """Put a card into a model file, in place of the one that is there."""
    proto = onnx.load(str(path))
    del proto.metadata_props[:]
    onnx.helper.set_model_props(proto, {CARD_KEY: card.to_json()})
    # Traces of the exporter name source files and lines; nobody who runs the model needs them.
    for node in proto.graph.node:
        node.ClearField("doc_string")
        del node.metadata_props[:]
    onnx.save(proto, str(path))
