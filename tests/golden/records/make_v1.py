"""Wrote tests/golden/records/v1 with ltviz 0.1.0; kept to say what is in it. Later versions open it, not rewrite it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ltviz.recording import RunInfo, RunWriter

if __name__ == "__main__":
    info = RunInfo(
        run_id="golden-v1",
        method="tsc",
        title="Format 1",
        created=1.7e9,
        dim=3,
        num_classes=3,
        class_names=["ant", "bee", "<b>cat</b>"],
        counts=[300, 50, 5],
        total_steps=20,
        seed=7,
        data="digits-lt",
        imbalance_factor=60.0,
        config={"run": {"steps": 20}, "method": {"temperature": 0.1}},
        versions={"ltviz": "0.1.0"},
    )
    images = np.arange(4 * 2 * 2, dtype=np.uint8).reshape(4, 2, 2)
    folder = Path(__file__).with_name("v1")
    with RunWriter.create(folder, info, labels=[0, 1, 2, 0], split=[0, 0, 1, 1], images=images) as writer:
        for step in (0, 10, 20):
            angle = step / 10 + np.arange(4)
            z = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
            writer.frame(
                step,
                embeddings=z,
                landmarks={"targets": np.eye(3)},
                target_index=[2, 0, 1],
                samples={"prediction": [0, 1, 2, 1], "confidence": [0.5, 0.25, 0.125, 1.0]},
                metrics={"loss": 1 / (1 + step)},
                epoch=step / 4,
                seconds=step / 2,
                events=[{"kind": "setting", "name": "temperature", "value": 0.2}] if step == 10 else [],
            )
            writer.log(step, {"loss": 1 / (1 + step)})
