"""`ltviz bench stage`: what reaches the screen of a real browser, panels x points at a given rate, software WebGL."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ltviz.bench.served import App, app, browser, open_page
from ltviz.recording import record

SETTINGS = [(1, 1_000), (4, 5_000), (9, 5_000), (1, 100_000)]
STAGE = "() => ({...window.ltviz.stage, camera: JSON.stringify(window.ltviz.stage.camera)})"


def write_run(path: Path, points: int, frames: int, seed: int) -> None:
    """A run whose points travel from anywhere on the sphere to ten clusters."""
    rng = np.random.default_rng(seed)
    labels = np.sort(rng.choice(10, points, p=np.arange(10, 0, -1) / 55))
    start, centres = rng.normal(size=(points, 3)), rng.normal(size=(10, 3))
    end = centres[labels] / np.linalg.norm(centres[labels], axis=1, keepdims=True) + 0.2 * rng.normal(size=(points, 3))
    with record(path, labels=labels) as run:
        for step in range(frames):
            share = step / (frames - 1)
            z = (1 - share) * start + share * end
            # Given, so that writing the benchmark's input does not spend minutes on measuring it.
            run.frame(step, embeddings=z / np.linalg.norm(z, axis=1, keepdims=True), metrics={"centre_sum": 0.5})


def measure(running: App, chromium, home: Path, panels: int, points: int, hz: float, seconds: float) -> list[str]:
    """One row of the table."""
    names = [f"bench-{points}-{i}" for i in range(panels)]
    for i, name in enumerate(names):
        if not (home / name).exists():
            write_run(home / name, points, 60 if points <= 5_000 else 12, i)
    page = open_page(chromium, f"{running.address}/?runs={','.join(names)}&hz={hz:g}")
    page.wait_for_function(
        "n => window.ltviz?.stage?.panels.filter(p => p.step != null).length === n", arg=panels, timeout=90_000
    )
    time.sleep(3)
    before, cpu, began = page.evaluate(STAGE), running.cpu_seconds(), time.monotonic()
    latencies = []
    while time.monotonic() < began + seconds:
        latencies.append(page.evaluate("window.ltviz.stage.latencyMs"))
        time.sleep(0.1)
    after, spent = page.evaluate(STAGE), time.monotonic() - began
    frames = after["frames"] - before["frames"]
    row = [
        f"{panels} x {points:,}",
        f"{frames / panels / spent:.1f}",
        f"{1000 * (running.cpu_seconds() - cpu) / max(frames / panels, 1):.1f}",
        f"{1000 * (running.cpu_seconds() - cpu) / max(frames, 1):.1f}",
        f"{(after['draws'] - before['draws']) / spent:.1f}",
        f"{np.percentile(latencies, 50):.0f} / {np.percentile(latencies, 95):.0f}",
        "kept" if before["camera"] == after["camera"] else "moved",
        str(after["mounts"]),
        str(page.evaluate("window.contexts()")),
        f"{page.evaluate('performance.memory.usedJSHeapSize') / 1e6:.0f}",
    ]
    page.close()
    return row


def run(argv: Sequence[str] = ()) -> None:
    """Prints a Markdown table, one row a setting."""
    options = argparse.ArgumentParser("ltviz bench stage", description=__doc__)
    options.add_argument("--hz", type=float, default=10.0, help="frames a second asked for")
    options.add_argument("--seconds", type=float, default=10.0, help="length of each measurement")
    options.add_argument("--only", default="", help='one setting, such as "4x5000"')
    given = options.parse_args(argv)
    settings = [tuple(map(int, given.only.split("x")))] if given.only else SETTINGS
    print(
        "| panels x points | frames/s arrived per panel | server CPU ms per update | per frame "
        "| draws/s | latency ms p50 / p95 | camera | mounts | WebGL contexts | JS heap MB |"
    )
    print("|---" * 10 + "|")
    with tempfile.TemporaryDirectory() as name, browser() as chromium, app(Path(name)) as running:
        for panels, points in settings:
            print(
                "| "
                + " | ".join(measure(running, chromium, Path(name), panels, points, given.hz, given.seconds))
                + " |",
                flush=True,
            )
