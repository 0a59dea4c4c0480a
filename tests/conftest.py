"""What every test shares: one thread for the mathematics, a run home of its own, no browser skipped in CI."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def golden() -> Path:
    """Folder of values computed by the papers' official code, one sub-folder each."""
    return GOLDEN


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of run folders, in force as LTVIZ_HOME."""
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    monkeypatch.setenv("LTVIZ_HOME", str(folder))
    return folder
