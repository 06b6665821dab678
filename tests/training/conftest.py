"""The training subproject's tests need the training extra; they are skipped, visibly, without it."""

from __future__ import annotations

import pytest

pytest.importorskip("lightning", reason="the training extra is not installed")
