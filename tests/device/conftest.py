"""What only a GPU can show. `tests/device/check.sh` runs this on a machine that has one.

Without one all of it is skipped, with the reason; LTVIZ_DEVICE=cpu runs it on the CPU, to prove the tests themselves.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from ltviz.training.race import Race
from ltviz.training.settings import RunSettings
from ltviz.training.start import Entrant, begin

DEVICE = os.environ.get("LTVIZ_DEVICE", "cuda")
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    absent = pytest.mark.skip(reason="no CUDA device here; run tests/device/check.sh on a machine that has one")
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("cuda")
            if DEVICE != "cpu" and not torch.cuda.is_available():
                item.add_marker(absent)


@pytest.fixture
def device() -> str:
    return DEVICE


@pytest.fixture
def start(tmp_path: Path, device: str) -> Callable[..., Race]:
    """start("ce", steps=20, settings={...}, progress=...) -> a race on the device, its runs under tmp_path."""

    def make(*names: str, folder: str = "runs", settings: Any = None, progress: Any = None, **run: Any) -> Race:
        entrants = [Entrant(tmp_path / folder / name, name, settings or {}) for name in names]
        more = {} if progress is None else {"progress": progress}
        chosen = {"steps": 20, "batch_size": 32, "probe_points": 200, "evaluate": False, "device": device}
        return begin(entrants, RunSettings(**{**chosen, **run}), **more)

    return make
