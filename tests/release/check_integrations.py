"""Runs tests/integrations with the real Lightning, Transformers and TensorBoard, in an environment of their own.

Everything that ltviz needs is borrowed from the running environment through a .pth file, so that only what the extra
`integrations` names is installed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
import time
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]


def main() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        venv.create(Path(name), with_pip=True)
        python = Path(name) / "bin" / "python"
        about = "import sysconfig; print(sysconfig.get_path('purelib'))"
        site = subprocess.run([python, "-c", about], check=True, capture_output=True, text=True).stdout.strip()
        (Path(site) / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
        wanted = project["optional-dependencies"]["integrations"]
        subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True)
        print(f"{', '.join(wanted)} installed in {time.monotonic() - began:.0f} s")
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "LTVIZ_REQUIRE_INTEGRATIONS": "1"}
        subprocess.run([python, "-m", "pytest", "tests/integrations"], cwd=ROOT, env=environment, check=True)
    print(f"the integrations hold against the real packages, in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
