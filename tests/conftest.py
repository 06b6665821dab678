"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import synth

# Of the measured music beside the repository; it is never part of it.
_SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with real music; the test is skipped, visibly, where there is none."""
    path = Path(os.environ.get("GENRECLF_DATA", _SHARED_DATA))
    if not path.is_dir():
        pytest.skip(f"no real music: {path} does not exist")
    return path


@pytest.fixture(scope="session")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Gives 4 s of stereo `music` as a kind of `synth.FORMATS`, one file a session: copy it to change it."""
    folder = tmp_path_factory.mktemp("encoded")

    def make(kind: str) -> Path:
        path = folder / f"{kind}.{synth.FORMATS[kind].extension}"
        return path if path.exists() else synth.piece(path, 4.0, kind=kind)

    return make
