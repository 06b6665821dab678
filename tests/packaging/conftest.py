"""The wheel, built once and installed once into an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Installed:
    """A fresh environment that holds the wheel with its extra ``cpu``, and a home of its own."""

    scripts: Path
    home: Path

    def run(self, program: str, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run an installed command far from the repository; fails unless it exits with `code`."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        environment |= {
            "HOME": str(self.home),
            "BEETSDIR": str(self.home / "beets"),
            "GENRECORE_CACHE": str(self.home / "cache.db"),
        }
        suffix = ".exe" if os.name == "nt" else ""
        done = subprocess.run(
            [self.scripts / f"{program}{suffix}", *arguments],
            cwd=self.home,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            timeout=900,
            check=False,
        )
        assert done.returncode == code, f"{done.args}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this working tree."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel and its extra ``cpu`` in an empty environment; skipped if GENRECLF_OFFLINE is set."""
    if os.environ.get("GENRECLF_OFFLINE"):
        pytest.skip("GENRECLF_OFFLINE is set: installing the wheel needs a package index")
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "venv", with_pip=True)
    scripts = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / ("python.exe" if os.name == "nt" else "python")
    constraints = ROOT / "constraints.txt"
    command = [python, "-m", "pip", "install", "--quiet", "--constraint", constraints, f"{wheel}[cpu]"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    home = folder / "home"
    (home / "beets").mkdir(parents=True)
    return Installed(scripts, home)
