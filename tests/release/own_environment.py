"""A virtual environment for packages that ltviz itself does not need.

Everything that ltviz needs is borrowed from the running environment through a .pth file, so that only what is asked for
is installed.
"""

from __future__ import annotations

import os
import subprocess
import sysconfig
import tempfile
import time
import tomllib
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


def extra(name: str) -> list[str]:
    """The requirements of an extra of ltviz."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["optional-dependencies"][name]


@contextmanager
def own_environment(packages: Sequence[str]) -> Iterator[tuple[Path, dict[str, str]]]:
    """Its python, and the variables with which this checkout's ltviz runs in it."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        venv.create(Path(name), with_pip=True)
        python = Path(name) / "bin" / "python"
        about = "import sysconfig; print(sysconfig.get_path('purelib'))"
        site = subprocess.run([python, "-c", about], check=True, capture_output=True, text=True).stdout.strip()
        (Path(site) / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
        print(f"{', '.join(packages)} installed in {time.monotonic() - began:.0f} s", flush=True)
        paths = f"{python.parent}{os.pathsep}{os.environ.get('PATH', '')}"
        yield python, {**os.environ, "PYTHONPATH": str(ROOT), "PATH": paths}
