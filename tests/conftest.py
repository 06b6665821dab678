"""What all tests share."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import synth

# Of the measured music beside the repository; it is never part of it.
_SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"

# A shell that starts the tests in the background has Ctrl-C ignored, in all that they start as well.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with real music; the test is skipped, visibly, where there is none."""
    path = Path(os.environ.get("GENRECLF_DATA", _SHARED_DATA))
    if not path.is_dir():
        pytest.skip(f"no real music: {path} does not exist")
    return path


@pytest.fixture(scope="session")
def unprivileged() -> list[str]:
    """How a command line begins for which access rights hold, though the tests may be run by root."""
    if os.name == "nt":
        pytest.skip("access rights work otherwise here")
    if os.geteuid() != 0:
        return []
    prefix = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
    if shutil.which("setpriv") is None or subprocess.run([*prefix, "true"], check=False).returncode:
        pytest.skip("root may read and write everything, and there is no setpriv to change that")
    return prefix


@pytest.fixture(scope="session")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Gives 4 s of stereo `music` as a kind of `synth.FORMATS`, one file a session: copy it to change it."""
    folder = tmp_path_factory.mktemp("encoded")

    def make(kind: str) -> Path:
        path = folder / f"{kind}.{synth.FORMATS[kind].extension}"
        return path if path.exists() else synth.piece(path, 4.0, kind=kind)

    return make
