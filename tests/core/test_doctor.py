"""``genrecore doctor``: what it finds in order, and what it says about what is not."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from genrecore import model, runtime
from genrecore.cache import Cache
from genrecore.doctor import Finding, examine

REPOSITORY = Path(__file__).parents[2]


def doctor(
    cache: Path, *, site: Path | None = None, package: Path = REPOSITORY
) -> subprocess.CompletedProcess[str]:
    """Run the command; `site` is searched for packages first, `package` for genrecore."""
    places = [str(place) for place in (package, site) if place]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(places), "NO_COLOR": "1"}
    command = [sys.executable, "-m", "genrecore", "doctor", "--cache", str(cache)]
    return subprocess.run(
        command, env=environment, cwd=cache.parent, capture_output=True, text=True, check=False, timeout=120
    )


def findings(cache: Path | str) -> dict[str, Finding]:
    return {finding.name: finding for section in examine(str(cache)) for finding in section.findings}


def pretend(site: Path, distribution: str) -> None:
    """Make a distribution look installed, as pip's records do."""
    folder = site / f"{distribution.replace('-', '_')}-1.2.3.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2.3\n")


def test_everything_in_order(tmp_path: Path) -> None:
    done = doctor(tmp_path / "cache.db")
    assert (done.returncode, done.stderr) == (0, "")
    for word in (
        "genrecore",
        "Python",
        "numpy",
        "onnxruntime",
        "CPUExecutionProvider",
        "FFmpeg",
        "soxr",
        "not there yet",
    ):
        assert word in done.stdout
    for path in model.bundled():
        assert path.stem in done.stdout
    assert "Everything is in order." in done.stdout
    assert not (tmp_path / "cache.db").exists()  # looking changes nothing


def test_two_runtimes_are_one_sentence_with_the_command_to_run(tmp_path: Path) -> None:
    pretend(tmp_path / "site", "onnxruntime-gpu")
    done = doctor(tmp_path / "cache.db", site=tmp_path / "site")
    assert done.returncode == 1
    (sentence,) = [line for line in done.stdout.splitlines() if "both installed" in line]
    assert "pip uninstall onnxruntime onnxruntime-gpu" in sentence
    assert "onnxruntime-gpu      1.2.3" in done.stdout


def test_an_analysis_with_two_runtimes_is_the_same_sentence(tmp_path: Path) -> None:
    pretend(tmp_path / "site", "onnxruntime-gpu")
    (tmp_path / "song.mp3").touch()
    environment = os.environ | {"PYTHONPATH": f"{REPOSITORY}{os.pathsep}{tmp_path / 'site'}"}
    command = [sys.executable, "-m", "genrecore", "analyze", "--no-cache", "song.mp3"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "pip uninstall" in done.stderr


def test_no_runtime_is_one_sentence_with_the_command_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "_RUNTIMES", ("onnxruntime-that-nobody-has",))
    found = findings(tmp_path / "cache.db")
    assert 'pip install "beets-genreclf[cpu]"' in (found["providers"].problem or "")
    assert "onnxruntime" not in found


def test_a_missing_and_a_faulty_model(tmp_path: Path) -> None:
    package = tmp_path / "package"
    shutil.copytree(REPOSITORY / "genrecore", package / "genrecore")
    weights = package / "genrecore" / "weights"
    (weights / f"{model.DEFAULT_MODELS['genre']}.onnx").unlink()
    (weights / f"{model.DEFAULT_MODELS['mood']}.onnx").write_bytes(b"cut off")
    done = doctor(tmp_path / "cache.db", package=package)
    assert done.returncode == 1
    assert "The default genre model is missing: install" in done.stdout
    assert f"{model.DEFAULT_MODELS['mood']}.onnx: not a model" in done.stdout
    assert "abela-end2end-gru" in done.stdout


def test_the_cache(tmp_path: Path) -> None:
    database = tmp_path / "cache.db"
    Cache(database).close()
    assert findings(database)["content"].value.startswith("0 analyses of 0 files, ")
    database.write_text("no database")
    assert "the next run moves it aside" in (findings(database)["location"].problem or "")
    assert database.read_text() == "no database"
    foreign = tmp_path / "foreign.db"
    with closing(sqlite3.connect(foreign)) as connection:
        connection.execute("CREATE TABLE items (id INTEGER)")
    assert "somebody else's" in (findings(foreign)["location"].problem or "")
    assert findings(tmp_path / "new" / "cache.db")["location"].problem is None
    assert "no cache can be made here" in (findings(foreign / "cache.db")["location"].problem or "")
    assert (findings("nonsense://x")["location"].problem or "").endswith(".")


# What is left of a package whose files another one took along: it imports, and there is nothing in it.
_LEFT_OVERS = """
import importlib.machinery, importlib.abc, sys
class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "onnxruntime":
            return importlib.machinery.PathFinder.find_spec(name, [__file__.removesuffix("sitecustomize.py")])
sys.meta_path.insert(0, Finder())
"""


def test_left_overs_of_a_runtime_are_one_sentence(tmp_path: Path) -> None:
    site = tmp_path / "site"
    (site / "onnxruntime" / "capi").mkdir(parents=True)
    (site / "sitecustomize.py").write_text(_LEFT_OVERS)
    done = doctor(tmp_path / "cache.db", site=site)
    assert (done.returncode, done.stderr) == (1, "")
    assert "pip install --force-reinstall onnxruntime" in done.stdout
    assert "not there yet" in done.stdout  # the checks after it
    (tmp_path / "song.mp3").touch()
    environment = os.environ | {"PYTHONPATH": f"{REPOSITORY}{os.pathsep}{site}"}
    command = [sys.executable, "-m", "genrecore", "analyze", "--no-cache", "song.mp3"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "parts of it are gone" in done.stderr


def test_a_check_that_breaks_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> dict[str, str]:
        raise RuntimeError("no such\nsymbol")

    monkeypatch.setattr("genrecore.audio.decoders", broken)
    found = findings(tmp_path / "cache.db")
    assert "The check of Decoders fails (RuntimeError: no such symbol)" in (found["check"].problem or "")
    assert "location" in found


def test_a_password_is_not_printed() -> None:
    said = findings("postgresql+nosuchdriver://user:secret@localhost/x")["location"]
    assert said.problem
    assert "secret" not in said.value + said.problem
