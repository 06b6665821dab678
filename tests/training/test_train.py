"""Training on a tiny made-up problem: it learns, it resumes, and its export is what genrecore runs."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from core.rig import make_model
from synth import piece

from genrecore import model as model_files
from genrecore.analyzer import Analyzer
from genrecore.card import ModelCard
from genrecore.settings import Settings
from genrecore_training import train
from genrecore_training.auxiliary import Head
from genrecore_training.crops import Crops, Material
from genrecore_training.datasets.gtzan import GENRES
from genrecore_training.export import ExportError, describe, input_spec, to_onnx
from genrecore_training.networks import build
from genrecore_training.recipes import Recipe, load
from genrecore_training.train import Compute, HardwareError


def recipe(**optimisation: object) -> Recipe:
    data = load("mel-cnn-mood").model_dump()
    data["network_options"] = {"widths": (4, 6, 6, 8), "dropout": 0.2}
    data["input"] |= {"crops_per_track": 4, "hop_length": 1708, "frames": 39}
    data["optimisation"] |= {"epochs": 3, "batch": 16, "precision": "32-true"} | optimisation
    return Recipe.model_validate(data)


def material(seed: int) -> list[Material]:
    """Two classes: the energy low, or high."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(16):
        spectrum = np.where((np.arange(128) < 60) == (number % 2 == 0), -10.0, -50.0)
        signal = spectrum[:, None] + rng.normal(0, 3, (128, 80))
        found.append(Material(signal.astype(np.float16), np.eye(2, dtype=np.float32)[number % 2], 4))
    return found


CPU = Compute(accelerator="cpu")
HEADS = (Head("made-up.label", True, 2, 1.0),)


def run(folder: Path, settings: Recipe, compute: Compute = CPU) -> torch.nn.Module:
    fitted = train.fit(settings, material(0), material(1), heads=HEADS, folder=folder, compute=compute)
    assert fitted is not None
    assert fitted.epochs == settings.optimisation.epochs
    assert fitted.seconds > 0
    return fitted.network


@pytest.mark.parametrize(
    "how",
    [
        {"schedule": "cosine"},
        {"schedule": "plateau"},
        {"schedule": "constant", "name": "sgd", "learning_rate": 0.05, "momentum": 0.9},
        {"schedule": "constant", "name": "rmsprop"},
    ],
)
def test_a_network_learns_what_is_there_to_learn(tmp_path: Path, how: dict[str, object]) -> None:
    network = run(tmp_path, recipe(epochs=6, ema=None, **how))
    held = material(2)
    snippets = torch.from_numpy(np.stack([m.signal[:, :39].astype(np.float32) for m in held]))
    with torch.no_grad():
        said = network(snippets).argmax(1).tolist()
    assert said == [int(m.target.argmax()) for m in held]


def test_an_interrupted_run_ends_as_an_unbroken_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unbroken = run(tmp_path / "unbroken", recipe())
    with monkeypatch.context() as patch:
        proper = Crops.set_epoch

        def stop(crops: Crops, epoch: int) -> None:
            if epoch == 2:
                raise RuntimeError("the power is gone")
            proper(crops, epoch)

        patch.setattr(Crops, "set_epoch", stop)
        with pytest.raises(RuntimeError, match="power"):
            run(tmp_path / "broken", recipe())
    resumed = run(tmp_path / "broken", recipe())
    for name, weights in unbroken.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], weights, atol=0, rtol=0, msg=name)


@pytest.mark.parametrize(
    "how",
    [
        {"schedule": "cosine", "ema": 0.9},
        {"schedule": "plateau", "early_stopping": 1, "learning_rate": 0.3},
        {"schedule": "plateau", "keep": "last", "learning_rate": 0.3},
    ],
)
def test_a_run_that_is_asked_for_again_after_its_last_epoch_is_the_same(
    tmp_path: Path, how: dict[str, object]
) -> None:
    """As after a kill between the end of training and the model file."""
    settings = recipe(**{"epochs": 12, "ema": None, **how})
    first, again = (
        train.fit(settings, material(0), material(1), heads=HEADS, folder=tmp_path, compute=CPU)
        for _ in range(2)
    )
    assert first is not None
    assert again is not None
    assert first.epochs == again.epochs
    for name, weights in first.network.state_dict().items():
        torch.testing.assert_close(again.network.state_dict()[name], weights, atol=0, rtol=0, msg=name)


@pytest.mark.parametrize(
    ("keep", "kept", "left"), [("best", "best", "last"), ("last", "last", "best"), (None, "best", "last")]
)
def test_a_recipe_says_which_weights_count(tmp_path: Path, keep: str | None, kept: str, left: str) -> None:
    """At a learning rate far too high the best epoch is not the last; unless told, a plateau keeps the best."""
    network = run(tmp_path, recipe(schedule="plateau", learning_rate=0.3, epochs=4, ema=None, keep=keep))
    wanted, other = (
        torch.load(tmp_path / f"{name}.ckpt", weights_only=False)["state_dict"]["network.output.weight"]
        for name in (kept, left)
    )
    assert torch.equal(network.state_dict()["output.weight"], wanted)
    assert not torch.equal(wanted, other)


def test_a_strategy_that_repeats_the_command_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HardwareError, match="torchrun"):
        run(tmp_path, recipe(), Compute(accelerator="cpu", devices=2, strategy="ddp"))


def test_two_processes_train_one_network(tmp_path: Path) -> None:
    """Each sees half of the snippets; what they find is one network, that learnt what there is to learn."""
    settings = recipe(epochs=8, ema=None, schedule="plateau", learning_rate=5e-3)
    network = run(tmp_path, settings, Compute(accelerator="cpu", devices=2))
    held = material(2)
    snippets = torch.from_numpy(np.stack([m.signal[:, :39].astype(np.float32) for m in held]))
    with torch.no_grad():
        assert network(snippets).argmax(1).tolist() == [int(m.target.argmax()) for m in held]
    steps = [
        int(row["step"])
        for row in csv.DictReader((tmp_path / "logs" / "version_0" / "metrics.csv").open())
        if row["val_loss"]
    ]
    assert steps[0] + 1 == 64 // 2 // 16  # of 64 snippets in batches of 16


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a graphics card")
def test_a_graphics_card_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(HardwareError, match=r"accelerator cuda.*--accelerator auto") as caught:
        run(tmp_path, recipe(), Compute(accelerator="cuda"))
    assert "\n" not in str(caught.value)


def test_early_stopping_ends_a_run(tmp_path: Path) -> None:
    settings = recipe(schedule="constant", epochs=40, early_stopping=1, ema=None, learning_rate=1e-9)
    fitted = train.fit(settings, material(0), material(1), heads=HEADS, folder=tmp_path)
    assert fitted is not None
    assert fitted.epochs < 40


def card(name: str) -> ModelCard:
    settings = load(name)
    labels = GENRES if settings.task == "genre" else ("happy", "angry", "sad", "relaxed")
    return ModelCard(name, "9.9", settings.task, labels, input_spec(settings.input), 3.0, "MIT", "nothing")


@pytest.mark.parametrize(
    "name",
    ["end2end-gru-mel", "mel-cnn-mood", pytest.param("abela-end2end-gru", marks=pytest.mark.slow)],
)
def test_an_exported_network_says_what_pytorch_says_and_runs_in_genrecore(tmp_path: Path, name: str) -> None:
    described = card(name)
    settings = load(name)
    network = build(
        settings.network, len(described.labels), described.input.shape, settings.network_options
    ).eval()
    path = tmp_path / f"{name}.onnx"
    assert to_onnx(network, described, path) < 1e-4
    assert model_files.read_card(path) == described
    assert [file.name for file in tmp_path.iterdir()] == [path.name]  # one file
    batch = np.random.default_rng(7).uniform(-1, 1, (21, *described.input.shape)).astype(np.float32)
    with torch.no_grad():
        expected = torch.softmax(network(torch.from_numpy(batch)), 1).numpy()
    np.testing.assert_allclose(model_files.load(path).run(batch), expected, atol=1e-4)
    song = piece(tmp_path / "song.flac", seconds=5)
    models = {"genre_model": str(path)} if described.task == "genre" else {"mood_model": str(path)}
    heard = Analyzer(Settings(snippets=5, device="cpu", **models)).analyze(song)
    assert f"{name} 9.9" in (heard.genre.model, heard.mood.model)


def test_a_new_card_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    path = make_model(tmp_path / "genre.onnx", "genre")
    before = model_files.read_card(path)
    changed = ModelCard(**{**vars(before), "temperature": 0.25})
    describe(path, changed)
    assert model_files.read_card(path) == changed


def test_an_export_that_differs_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    described, settings = card("mel-cnn-mood"), load("mel-cnn-mood")
    network = build(settings.network, 4, described.input.shape, settings.network_options).eval()
    monkeypatch.setattr("genrecore_training.export.TOLERANCE", -1.0)
    with pytest.raises(ExportError, match="differ"):
        to_onnx(network, described, tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()
