"""Builds a wheel, installs it where the checkout cannot be seen, and runs `ltviz app` from it.

The dependencies are borrowed from the running environment through a .pth file, whose own .pth files (the editable
install of the checkout) Python does not follow: only the wheel can provide `ltviz` there.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tempfile
import urllib.request
import venv
from pathlib import Path

from ltviz.bench.served import app

ROOT = Path(__file__).parents[2]

LOOK = """
import importlib.util, pathlib, ltviz
home = pathlib.Path(ltviz.__file__).parent
assert "site-packages" in str(home), home
assert importlib.util.find_spec("app") is None, "the wheel must not put a package called app on the import path"
assert importlib.util.find_spec("tests") is None, "the wheel must not put a package called tests on the import path"
demos = sorted(p.parent.name for p in (home / "_demo").glob("demo-*/run.json"))
assert len(demos) == 5, demos
assert (home / "_app" / "stage" / "stage.js").is_file()
print("wheel holds the app and", ", ".join(demos))
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(
            [sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT], check=True, stdout=subprocess.DEVNULL
        )
        (wheel,) = folder.glob("*.whl")
        print(wheel.name, f"{wheel.stat().st_size / 1e6:.1f} MB")
        venv.create(folder / "venv", with_pip=True)
        python = folder / "venv" / "bin" / "python"
        site = subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        (Path(site) / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", wheel], check=True)
        elsewhere = folder / "elsewhere"
        elsewhere.mkdir()
        subprocess.run([python, "-c", LOOK], cwd=elsewhere, check=True)
        with (
            app(elsewhere, [str(folder / "venv" / "bin" / "ltviz"), "app"]) as running,
            urllib.request.urlopen(f"{running.address}/ltviz/stage/stage.js") as answer,
        ):
            assert answer.status == 200 and "javascript" in answer.headers["content-type"]
        print("the installed wheel serves the app and its stage")


if __name__ == "__main__":
    main()
