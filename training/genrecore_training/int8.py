"""Static int8 quantisation of a model.

ONNX Runtime's QDQ form, one scale a channel, as its documentation recommends for x86:
https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from genrecore import model as model_files
from genrecore_training.export import describe
from genrecore_training.material import Bench
from genrecore_training.protocols import Split

__all__ = ["quantise"]

#: Training snippets from which the ranges of the activations are taken.
_CALIBRATED_ON = 60


class _Snippets(CalibrationDataReader):
    def __init__(self, snippets: Sequence[NDArray[np.float32]]) -> None:
        self._left: Iterator[NDArray[np.float32]] = iter(snippets)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        snippet = next(self._left, None)
        return None if snippet is None else {"snippets": snippet[None]}


@contextmanager
def _quietly() -> Iterator[None]:
    """Without the quantiser's advice, which it gives by the root logger, to do what is done already."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)


def quantise(model: Path, bench: Bench, split: Split, target: Path) -> Path:
    """Quantise a model, calibrated on snippets of training tracks.

    Parameters
    ----------
    model : Path
        The model file, of a network that hears sound.
    bench, split : Bench, Split
        On what it was trained.
    target : Path
        The quantised model file; the same path writes over the other.
    """
    material = bench.material(split.train)
    rng = np.random.default_rng(bench.recipe.seed)
    picked = [material[k] for k in rng.permutation(len(material))[:_CALIBRATED_ON]]
    size = bench.size
    snippets = [
        item.cut(int(rng.integers(item.length - size + 1)) if item.length > size else 0, size)
        for item in picked
    ]
    prepared, fresh = target.with_suffix(".prepared"), target.with_suffix(".partial")
    with _quietly():
        # Symbolic shapes fail on the loops of recurrent layers, which stay in single precision.
        quant_pre_process(str(model), str(prepared), skip_symbolic_shape=True)
        quantize_static(
            str(prepared),
            str(fresh),
            _Snippets(snippets),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            # 7 bits: on processors without VNNI sums of two products of 8 bits would not fit, and be cut off.
            reduce_range=True,
            # Not the normalisation, whose range is wide, nor the softmax, whose rows would not sum to 1.
            op_types_to_quantize=["Conv", "Gemm", "MatMul"],
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
    describe(fresh, model_files.load(model, device="cpu").card)
    prepared.unlink()
    return fresh.replace(target)
