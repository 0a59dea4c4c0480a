"""Writes frames until it is killed, and says each step once its frame is written. A program, started by the tests."""

from __future__ import annotations

import sys
import time

import numpy as np

from ltviz.recording import RunInfo, RunWriter

ROWS, DIM = 200, 8


def embeddings(step: int) -> np.ndarray:
    """(ROWS, DIM) float32 that only `step` decides."""
    return np.random.default_rng(step).normal(size=(ROWS, DIM)).astype(np.float32)


def main(folder: str, verb: str) -> None:
    if verb == "resume":
        writer = RunWriter.resume(folder)
    else:
        info = RunInfo(
            run_id="endless-run",
            created=0.0,
            dim=DIM,
            num_classes=2,
            class_names=["a", "b"],
            counts=[ROWS // 2, ROWS // 2],
        )
        writer = RunWriter.create(folder, info, labels=np.arange(ROWS) % 2)
    writer.set_state("running")
    step = writer.last_step
    while True:
        step += 1
        writer.frame(step, embeddings=embeddings(step), metrics={"loss": float(step)})
        writer.log(step, {"loss": float(step)})
        print(step, flush=True)
        time.sleep(0.001)


if __name__ == "__main__":
    main(*sys.argv[1:])
