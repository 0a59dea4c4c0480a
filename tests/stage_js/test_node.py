"""The stage's pure modules are tested by node's own runner; this runs it with the other tests."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent


def test_stage_modules() -> None:
    node = shutil.which("node")
    if node is None:
        reason = "node is not installed; the stage's pure JavaScript modules are not tested"
        if os.environ.get("LTVIZ_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    files = sorted(str(path) for path in FOLDER.glob("*.test.mjs"))
    assert files, f"no *.test.mjs in {FOLDER}"
    done = subprocess.run([node, "--test", *files], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
