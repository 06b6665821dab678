"""The ONNX Runtime: which is installed, and on what device a model is really loaded."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from core.program import REPOSITORY, Genrecore

from genrecore import model as model_files
from genrecore import runtime
from genrecore.analyzer import Analyzer
from genrecore.doctor import examine
from genrecore.errors import ModelError, RuntimeMissing
from genrecore.pool import Pool
from genrecore.settings import DEVICES, Settings

CUDA, DIRECTML = "CUDAExecutionProvider", "DmlExecutionProvider"

# An environment with onnxruntime-gpu. It offers CUDA; a session asked for it is on the processor all the same, for
# there is none, unless the card is pretended too.
GPU_SITE = """
import importlib.metadata, os, warnings
real = importlib.metadata.version
def version(name):
    if name == "onnxruntime":
        raise importlib.metadata.PackageNotFoundError(name)
    return "1.2.3" if name == "onnxruntime-gpu" else real(name)
importlib.metadata.version = version
warnings.simplefilter("ignore")
import onnxruntime
onnxruntime.get_available_providers = lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
if os.environ.get("PRETEND_CARD"):
    class Session(onnxruntime.InferenceSession):
        def __init__(self, *args, providers, **options):
            self.asked = providers
            super().__init__(*args, providers=providers, **options)
        def get_providers(self):
            return self.asked
    onnxruntime.InferenceSession = Session
"""


@pytest.fixture
def gpu_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Processes that are started have onnxruntime-gpu; this one believes it of itself."""
    site = tmp_path / "gpu-site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(GPU_SITE)
    path = f"{site}{os.pathsep}{REPOSITORY}"
    monkeypatch.setenv("PYTHONPATH", path)
    monkeypatch.setattr(runtime, "installed_runtimes", lambda: {"onnxruntime-gpu": "1.2.3"})
    return path


def offer(monkeypatch: pytest.MonkeyPatch, *providers: str) -> None:
    """As a runtime for graphics cards does, whether there is a card or not."""
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [*providers, runtime.CPU])


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], Any]]:
    """Providers and options of every session; they say that they got what they asked for."""
    sessions: list[tuple[list[str], Any]] = []
    real = onnxruntime.InferenceSession

    class Session(real):  # type: ignore[misc, valid-type]
        def __init__(self, path: str, options: Any, *, providers: list[str], **rest: Any) -> None:
            sessions.append((providers, options))
            self.asked = providers
            super().__init__(path, options, providers=[runtime.CPU], **rest)

        def get_providers(self) -> list[str]:
            return self.asked

    monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
    return sessions


@pytest.mark.parametrize(
    ("device", "offered", "provider"),
    [
        ("auto", (), runtime.CPU),
        ("auto", ("TensorrtExecutionProvider", CUDA), CUDA),
        ("auto", (DIRECTML,), DIRECTML),
        ("cuda", (CUDA,), CUDA),
        ("directml", (DIRECTML,), DIRECTML),
        ("cpu", (CUDA, DIRECTML), runtime.CPU),
    ],
)
def test_the_provider_is_that_of_the_device(
    monkeypatch: pytest.MonkeyPatch,
    asked: list[tuple[list[str], Any]],
    device: str,
    offered: tuple[str, ...],
    provider: str,
) -> None:
    offer(monkeypatch, *offered)
    model = model_files.load("mel-cnn-mood", device=device)
    ((providers, options),) = asked
    assert providers == list(dict.fromkeys([provider, runtime.CPU]))
    assert (model.provider, model.fallback) == (provider, "")
    # DirectML allows nothing else.
    assert not options.enable_mem_pattern
    assert options.execution_mode == onnxruntime.ExecutionMode.ORT_SEQUENTIAL


@pytest.mark.filterwarnings("ignore:Specified provider")
@pytest.mark.parametrize(
    ("device", "provider", "title"), [("cuda", CUDA, "CUDA"), ("directml", DIRECTML, "DirectML")]
)
def test_a_card_that_is_offered_and_does_not_work_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, device: str, provider: str, title: str
) -> None:
    offer(monkeypatch, provider)
    with pytest.raises(RuntimeMissing, match=rf"^{title} does not work here: .* set the device to cpu\.$"):
        model_files.load("mel-cnn-mood", device=device)
    model = model_files.load("mel-cnn-mood", device="auto")
    assert model.provider == runtime.CPU
    assert model.fallback.startswith(f"{title} does not work here, so the models run on the processor: ")
    analyzer = Analyzer(Settings())
    assert (analyzer.graphics, analyzer.fallback) == (False, model.fallback)
    assert [record.getMessage() for record in caplog.records] == [model.fallback]
    found = {finding.name: finding for section in examine(":memory:") for finding in section.findings}
    assert (found["in use"].value, found["in use"].problem) == (runtime.CPU, model.fallback)


def test_a_card_that_fails_with_an_exception_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    offer(monkeypatch, CUDA)
    real = onnxruntime.InferenceSession

    def session(path: str, options: Any, *, providers: list[str], **rest: Any) -> Any:
        if CUDA in providers:
            raise RuntimeError("out of memory\nsomewhere")
        return real(path, options, providers=providers, **rest)

    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    assert "(out of memory), so" in model_files.load("mel-cnn-mood").fallback
    with pytest.raises(RuntimeMissing, match=r"CUDA does not work here \(out of memory\): "):
        model_files.load("mel-cnn-mood", device="cuda")
    (tmp_path / "no.onnx").write_bytes(b"not a model")
    with pytest.raises(ModelError, match=r"no\.onnx: not a model"):  # not the card's fault
        model_files.load(tmp_path / "no.onnx", device="cuda")


@pytest.mark.parametrize(("device", "extra"), [("cuda", "gpu"), ("directml", "directml")])
def test_a_device_that_is_not_offered_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, device: str, extra: str
) -> None:
    offer(monkeypatch)
    with pytest.raises(RuntimeMissing, match=rf'pip install "beets-genreclf\[{extra}\]"'):
        model_files.load("mel-cnn-mood", device=device)


def test_a_device_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="tpu"):
        model_files.load("mel-cnn-mood", device="tpu")
    assert {Settings(device=device).device for device in DEVICES} == {"auto", "cpu", "cuda", "directml"}


def test_a_run_decides_by_what_the_models_are_loaded_on(
    gpu_site: str, songs: Path, settings: Settings, messages: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = sorted(map(str, songs.iterdir()))[:2]
    shares = {}
    for card in ("", "1"):
        monkeypatch.setenv("PRETEND_CARD", card)
        with Pool(replace(settings, device="auto"), jobs=2, notify=messages.append) as pool:
            results = list(pool.analyze(paths))
            assert [result.error for result in results] == [None, None]
            shares[card] = {result.path: result.analysis.genre for result in results if result.analysis}
            assert pool._run._split is bool(card)
    assert shares[""] == shares["1"]
    (message,) = messages
    assert message.startswith("CUDA does not work here, so the models run on the processor: ")


def test_the_command_says_it_once_or_fails(gpu_site: str, genrecore: Genrecore, songs: Path) -> None:
    genrecore.environment["PYTHONPATH"] = gpu_site
    done = genrecore.analyze("--no-cache", "--json", songs / "1 flac.flac", songs / "5 wav.wav")
    assert (done.returncode, done.stdout.count("\n")) == (0, 2)
    assert done.stderr.count("CUDA does not work here") == done.stderr.count("\n") == 1
    done = genrecore.analyze("--no-cache", "--device", "cuda", songs / "5 wav.wav")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "onnxruntime-gpu 1.2.3 needs" in done.stderr


@pytest.mark.parametrize(
    ("present", "said"),
    [
        ((), "No ONNX Runtime is installed"),
        (("onnxruntime", "onnxruntime-gpu"), "overwrite each other"),
        (("onnxruntime-gpu",), "installed but does not load"),
        (("onnxruntime", "left-overs"), "parts of it are gone"),
    ],
)
def test_no_runtime_or_two_is_one_sentence(tmp_path: Path, present: tuple[str, ...], said: str) -> None:
    """In an environment with other distributions: their metadata are what tells them apart."""
    if "left-overs" in present:
        (tmp_path / "site" / "onnxruntime" / "capi").mkdir(parents=True)
        present = present[:1]
    for name in present:
        info = tmp_path / "site" / f"{name.replace('-', '_')}-1.20.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.20\n")
    package = Path(runtime.__file__).parent
    shutil.copytree(
        package, tmp_path / "site" / "genrecore", ignore=shutil.ignore_patterns("*.onnx", "__pycache__")
    )
    for needed in ("numpy", "numpy.libs", "scipy", "scipy.libs"):
        source = Path(np.__file__).parents[1] / needed
        if source.is_dir():
            (tmp_path / "site" / needed).symlink_to(source, target_is_directory=True)
    program = textwrap.dedent(
        """
        import sys
        sys.path = [sys.argv[1]] + [p for p in sys.path if "site-packages" not in p]
        from genrecore.runtime import import_onnxruntime
        import_onnxruntime()
        """
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", program, str(tmp_path / "site")],
        capture_output=True,
        text=True,
        check=False,
    )
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 1
    assert last.startswith("genrecore.errors.RuntimeMissing: ")
    assert said in last
    assert "pip " in last


@pytest.mark.skipif(os.name == "nt", reason="there the runtime keeps its reports elsewhere")
def test_nothing_is_reported_to_anybody(tmp_path: Path, settings: Settings) -> None:
    """The runtime keeps what it will send in the user's folder; on CI it is silent by itself."""
    environment = {name: value for name, value in os.environ.items() if name not in ("CI", "XDG_CACHE_HOME")}
    environment |= {"HOME": str(tmp_path), "PYTHONPATH": str(REPOSITORY)}
    code = "import sys; from genrecore import model; model.load(sys.argv[1], device='cpu')"
    command = [sys.executable, "-c", code, settings.genre_model]
    subprocess.run(command, env=environment, check=True, timeout=120)
    assert list(tmp_path.rglob("*")) == []
