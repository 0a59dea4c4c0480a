"""Records the race that ltviz opens with: five methods on the real digits, factor 50, 300 steps.

    python checkpoints/make_demo.py

writes checkpoints/demo-ce ... demo-bcl anew (about 6 MB in all) and leaves everything else alone.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
METHODS = ["ce", "logit_adjust", "supcon", "tsc", "bcl"]
FRAMES = 61
LIMIT_MB = 8.0


def thin(frames: Path) -> None:
    """Keeps FRAMES of the recorded frames, evenly spread, the first and the last among them."""
    files = sorted(frames.glob("*.safetensors"))
    kept = {files[round(i * (len(files) - 1) / (FRAMES - 1))] for i in range(FRAMES)}
    for file in files:
        if file not in kept:
            file.unlink()


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        race = ["--race", ",".join(METHODS), "--run-dir", name, "--data", "digits-lt", "--imbalance-factor", "50"]
        watch = ["--dim", "3", "--steps", "300", "--seed", "0", "--watch-share", "0.9", "--max-fps", "60"]
        forces = ["--forces-every", "1", "--what-if", "bcl"]
        subprocess.run([sys.executable, "-m", "ltviz", "train", *race, *watch, *forces], check=True)
        for method in METHODS:
            made, kept = Path(name) / method, HERE / f"demo-{method.replace('_', '-')}"
            thin(made / "frames")
            for left in ("weights", "control", "lock", "log.txt"):
                path = made / left
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
            if kept.exists():
                shutil.rmtree(kept)
            shutil.move(made, kept)
            info = json.loads((kept / "run.json").read_text())
            (kept / "run.json").write_text(json.dumps(info | {"run_id": kept.name, "race": "demo"}, indent=1))
    size = sum(file.stat().st_size for demo in HERE.glob("demo-*") for file in demo.rglob("*") if file.is_file()) / 1e6
    print(f"{len(METHODS)} demo runs, {size:.1f} MB")
    if size > LIMIT_MB:
        raise SystemExit(f"The demo recordings may hold {LIMIT_MB} MB, and they hold {size:.1f}; keep fewer frames.")


if __name__ == "__main__":
    main()
