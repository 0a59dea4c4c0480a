from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

WRITER = Path(__file__).with_name("endless_writer.py")


@pytest.fixture
def start_writer() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `endless_writer.py` on a folder; what still runs at the test's end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(folder: Path, verb: str = "create") -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [sys.executable, str(WRITER), str(folder), verb], stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        started.append(child)
        return child

    yield start
    for child in started:
        child.kill()
        child.wait()
        assert child.stdout is not None
        child.stdout.close()
