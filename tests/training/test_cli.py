"""``genrecore-train`` where something that it needs is not installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from core.program import REPOSITORY


@pytest.mark.skipif(os.name == "nt", reason="makes symbolic links")
def test_without_onnx_runtime_one_sentence_says_what_to_install(tmp_path: Path) -> None:
    """In an environment of everything else: what the training extra installs is no ONNX Runtime."""
    for entry in Path(np.__file__).parents[1].iterdir():
        if not entry.name.startswith(("onnxruntime", "__editable__")):
            (tmp_path / entry.name).symlink_to(entry)
    program = "from genrecore_training.cli import main; main()"
    places = os.pathsep.join(map(str, (tmp_path, REPOSITORY, REPOSITORY / "training")))
    done = subprocess.run(
        [sys.executable, "-S", "-c", program, "recipes"],
        env={**os.environ, "PYTHONPATH": places},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith('No ONNX Runtime is installed: run pip install "beets-genreclf[cpu]"')
    assert done.stderr.count("\n") == 1
