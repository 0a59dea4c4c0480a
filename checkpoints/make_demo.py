"""Records the race that ltviz opens with: five methods on the real digits, factor 50, 300 steps; and two more runs, on
scenes of several digits, that a lesson is told on.

    python checkpoints/make_demo.py [lesson]

writes checkpoints/lesson-bce, lesson-ltml and checkpoints/demo-ce ... demo-bcl anew, with `lesson` only the former, and
leaves everything else alone.
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
LESSON = ["bce", "ltml"]
FRAMES, LESSON_FRAMES = 61, 31
LIMIT_MB, LESSON_LIMIT_MB = 8.0, 6.0
EARLIER_SECONDS = 30 * 86_400
"""In a checkout the recordings are a person's own runs too, and the app opens with the race that began last: that is to
be the demos, not these."""


def thin(frames: Path, count: int) -> None:
    """Keeps so many of the recorded frames, evenly spread, the first and the last among them."""
    files = sorted(frames.glob("*.safetensors"))
    kept = {files[round(i * (len(files) - 1) / (count - 1))] for i in range(count)}
    for file in files:
        if file not in kept:
            file.unlink()


def record(methods: list[str], race: str, data: str, frames: int, *more: str) -> None:
    """Trains a race and keeps a few of its frames as checkpoints/RACE-METHOD."""
    with tempfile.TemporaryDirectory() as name:
        told = ["--race", ",".join(methods), "--run-dir", name, "--data", data, "--imbalance-factor", "50"]
        watch = ["--dim", "3", "--steps", "300", "--seed", "0", "--watch-share", "0.9", "--max-fps", "60"]
        subprocess.run([sys.executable, "-m", "ltviz", "train", *told, *watch, *more], check=True)
        for method in methods:
            made, kept = Path(name) / method, HERE / f"{race}-{method.replace('_', '-')}"
            thin(made / "frames", frames)
            for left in ("weights", "control", "lock", "log.txt"):
                path = made / left
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
            if kept.exists():
                shutil.rmtree(kept)
            shutil.move(made, kept)
            info = json.loads((kept / "run.json").read_text())
            created = info["created"] - (EARLIER_SECONDS if race != "demo" else 0)
            own = {"run_id": kept.name, "race": race, "created": created}
            (kept / "run.json").write_text(json.dumps(info | own, indent=1))


def check_size(race: str, limit: float) -> None:
    """Says how large the recordings are, and ends where they are too large."""
    size = sum(file.stat().st_size for demo in HERE.glob(f"{race}-*") for file in demo.rglob("*") if file.is_file())
    print(f"{race} recordings: {size / 1e6:.1f} MB")
    if size / 1e6 > limit:
        raise SystemExit(
            f"The {race} recordings may hold {limit} MB, and they hold {size / 1e6:.1f}; keep fewer frames."
        )


def main() -> None:
    record(LESSON, "lesson", "digits-ml", LESSON_FRAMES)
    check_size("lesson", LESSON_LIMIT_MB)
    if sys.argv[1:] == ["lesson"]:
        return
    record(METHODS, "demo", "digits-lt", FRAMES, "--forces-every", "1", "--what-if", "bcl")
    check_size("demo", LIMIT_MB)


if __name__ == "__main__":
    main()
