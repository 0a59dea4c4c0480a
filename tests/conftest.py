"""What every test shares: one thread for the mathematics, a run home of its own, no browser skipped in CI."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ltviz.errors import ConfigError

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


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One headless chromium for all pages under test; without one a test is skipped with the reason.

    Where LTVIZ_REQUIRE_BROWSER=1 it fails instead.
    """
    from ltviz.bench import served

    session = served.browser()
    try:
        chromium = session.__enter__()
    except ConfigError as missing:
        if os.environ.get("LTVIZ_REQUIRE_BROWSER") == "1":
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    yield chromium
    session.__exit__(None, None, None)
