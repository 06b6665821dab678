"""A genre model made without genrecore's training: scikit-learn on mean and deviation of the mel bands.

    python examples/foreign_model.py MUSIC MODEL.onnx

MUSIC holds a folder for each genre.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from genrecore import audio
from genrecore.spectrogram import LogMelSpec, logmel

SPEC, SECONDS = LogMelSpec(hop_length=1708), 3
SAMPLES = SECONDS * SPEC.sample_rate
FRAMES = SAMPLES // SPEC.hop_length + 1


def features(path: Path) -> list[np.ndarray]:
    """Mean and deviation of each band in every three seconds of a file."""
    samples = audio.load(str(path)).samples
    snippets = (samples[i : i + SAMPLES] for i in range(0, len(samples) - SAMPLES + 1, SAMPLES))
    mels = (logmel(snippet, SPEC) for snippet in snippets)
    return [np.concatenate([mel.mean(axis=1), mel.std(axis=1)]) for mel in mels]


def main(music: Path, target: Path) -> None:
    rows = [
        (row, folder.name)
        for folder in sorted(music.iterdir())
        for file in sorted(folder.iterdir())
        for row in features(file)
    ]
    labels = [label for _, label in rows]
    scaler = StandardScaler().fit([row for row, _ in rows])
    found = LogisticRegression(max_iter=1000).fit(scaler.transform([row for row, _ in rows]), labels)
    classes = [str(label) for label in found.classes_]
    # Two classes have one row of weights, of the second against the first.
    weights = found.coef_ if len(classes) > 2 else np.concatenate([-found.coef_, found.coef_]) / 2
    bias = found.intercept_ if len(classes) > 2 else np.array([-1, 1]) * found.intercept_ / 2

    constants = {
        "mean": scaler.mean_,
        "scale": scaler.scale_,
        "weights": weights.T,
        "bias": bias,
    }
    nodes = [
        helper.make_node("ReduceMean", ["snippets", "time"], ["means"], keepdims=1),
        helper.make_node("Sub", ["snippets", "means"], ["centred"]),
        helper.make_node("Mul", ["centred", "centred"], ["squares"]),
        helper.make_node("ReduceMean", ["squares", "time"], ["variances"], keepdims=0),
        helper.make_node("Sqrt", ["variances"], ["deviations"]),
        helper.make_node("Squeeze", ["means", "time"], ["levels"]),
        helper.make_node("Concat", ["levels", "deviations"], ["features"], axis=1),
        helper.make_node("Sub", ["features", "mean"], ["shifted"]),
        helper.make_node("Div", ["shifted", "scale"], ["scaled"]),
        helper.make_node("Gemm", ["scaled", "weights", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "foreign",
        [helper.make_tensor_value_info("snippets", TensorProto.FLOAT, ["batch", SPEC.n_mels, FRAMES])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", len(classes)])],
        [numpy_helper.from_array(v.astype(np.float32), k) for k, v in constants.items()]
        + [numpy_helper.from_array(np.array([2]), "time")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    card = {
        "name": "foreign",
        "version": "1",
        "task": "genre",
        "labels": classes,
        "input": {
            "kind": "logmel",
            "sample_rate": SPEC.sample_rate,
            "samples": SAMPLES,
            "frames": FRAMES,
            "logmel": SPEC.to_dict(),
        },
        "snippet_seconds": SECONDS,
        "licence": "mine",
        "trained_on": f"{music.name}, {len(rows)} snippets",
        "figures": [],
        "temperature": 1.0,
        "recipe_hash": "",
        "parameters": weights.size + bias.size,
        "multiply_adds": weights.size,
    }
    helper.set_model_props(model, {"genrecore.card": json.dumps(card)})
    onnx.save(model, str(target))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
