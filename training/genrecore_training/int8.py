"""Static int8 quantisation of a run's model, tested beside the one in single precision.

ONNX Runtime's QDQ form, one scale a channel, as its documentation recommends for x86:
https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from genrecore import model as model_files
from genrecore_training.export import describe
from genrecore_training.paired import mcnemar
from genrecore_training.results import by_way, main_way, pooled
from genrecore_training.runs import Run
from genrecore_training.statistics import accuracy, bootstrap

__all__ = ["quantise", "quantised_figures"]

#: Training snippets from which the ranges of the activations are taken.
_CALIBRATED_ON = 60


class _Snippets(CalibrationDataReader):
    def __init__(self, snippets: Sequence[NDArray[np.float32]]) -> None:
        self._left: Iterator[NDArray[np.float32]] = iter(snippets)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        snippet = next(self._left, None)
        return None if snippet is None else {"snippets": snippet[None]}


def quantise(run: Run) -> Path:
    """Quantise the model of a run, calibrated on snippets of its training tracks; done once.

    Parameters
    ----------
    run : Run
        Trained; of a network that hears sound.

    Returns
    -------
    Path
        The model file, beside the other.
    """
    target = run.folder / f"{run.recipe.name}-int8.onnx"
    if target.is_file():
        return target
    material = run.bench.material(run.split.train)
    rng = np.random.default_rng(run.recipe.seed)
    picked = [material[k] for k in rng.permutation(len(material))[:_CALIBRATED_ON]]
    size = run.bench.size
    snippets = [
        item.cut(int(rng.integers(item.length - size + 1)) if item.length > size else 0, size)
        for item in picked
    ]
    prepared, fresh = run.folder / "prepared.onnx", run.folder / "int8.partial.onnx"
    logging.getLogger().setLevel(logging.ERROR)  # the quantiser advises what is done already
    # Symbolic shapes fail on the loops of recurrent layers, which stay in single precision.
    quant_pre_process(str(run.model_file), str(prepared), skip_symbolic_shape=True)
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
    card = model_files.load(run.model_file, device="cpu").card
    describe(fresh, dataclasses.replace(card, name=f"{card.name}-int8"))
    prepared.unlink()
    fresh.replace(target)
    return target


def quantised_figures(runs: Sequence[Run]) -> dict[str, Any]:
    """Accuracy of the quantised models on the same test tracks, and where they differ.

    Parameters
    ----------
    runs : sequence of Run
        Tested folds of one recipe and protocol.
    """
    ways = pooled(runs)
    way = main_way(ways)
    same_way = by_way(item for run in runs for item in run.hear_test(quantise(run)))[way]
    low, high = bootstrap(same_way, accuracy)
    paired = mcnemar(ways[way], same_way)
    full, small = ({item.id: item.histogram.top for item in items} for items in (ways[way], same_way))
    return {
        "on": way,
        "n": len(same_way),
        "accuracy": round(accuracy(same_way), 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "same class": round(sum(full[name] == small[name] for name in full) / len(full), 4),
        "McNemar exact p": round(paired.p, 4),
        "bytes": [runs[0].model_file.stat().st_size, quantise(runs[0]).stat().st_size],
    }
