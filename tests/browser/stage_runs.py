"""Made-up runs for the stage: clusters that form out of a uniform cloud, and every state a run can be in.

`Run` writes itself into a folder as a trainer does, so that what is tested on it went through the real recorder.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import stage_insight

from ltviz.marks import Mark, Reading
from ltviz.recording import RunInfo, RunWriter

STRIDE = 5
"""Steps between frames."""
NUM_CLASSES = 10
RAMP = ["#1f3a8a", "#1d5f9a", "#1b8391", "#3aa17a", "#86b354", "#d1b23a", "#eda12e", "#ee7f2d", "#e35a2c"]
TITLES = {
    "ce": "Cross-entropy",
    "supcon": "SupCon",
    "bcl": "BCL",
    "tsc": "TSC",
    "logit-adjust": "Logit adjusted",
    "simclr": "SimCLR",
    "moco": "MoCo",
    "clip": "CLIP",
    "proco": "ProCo",
}


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12)


def spiral(count: int) -> np.ndarray:
    """(count, 3) directions spread over the sphere."""
    i = np.arange(count)
    y = 1 - (2 * i + 1) / count
    turn = i * np.pi * (3 - 5**0.5)
    return np.stack([np.cos(turn) * np.sqrt(1 - y**2), y, np.sin(turn) * np.sqrt(1 - y**2)], 1)


EVENTS: dict[int, dict[str, Any]] = {
    45: {"kind": "alarm", "text": "Two class centres are 9 degrees apart. Raise the temperature."},
    120: {"kind": "setting", "name": "temperature", "before": 0.1, "value": 0.2},
    200: {"kind": "swap", "classes": [3, 8]},
}
"""What happens at the steps of a plain run."""
LAST_STEP = 300
FAILURE = "The loss became infinite at step 12; a learning rate of 5 is too high."
DIM = 16
"""Of the embeddings of a run that is projected."""


@dataclass
class Run:
    """One made-up run: clusters that form; `kind` says what is special about it."""

    run_id: str
    index: int
    n: int
    kind: str = "plain"

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.index)
        self.method = name = self.run_id.rsplit("-", 1)[0]
        self.title = TITLES.get(name, self.run_id)
        weights = 50.0 ** (-np.arange(NUM_CLASSES) / (NUM_CLASSES - 1))
        self.counts = (120 * weights).astype(int)
        self.names = [str(c) for c in range(NUM_CLASSES)]
        if self.kind == "hostile":
            self.title = "<img src=x onerror=alert(1)>"
            self.names = ["<b>bold</b>", "a rather long class name, to be cut", *self.names[2:]]
        probability = weights + 0.12
        self.labels = rng.choice(NUM_CLASSES, self.n, p=probability / probability.sum()).astype(np.int64)
        self.split = (rng.random(self.n) < 0.5).astype(np.uint8)
        if self.kind == "several":
            self.split[::5] = 2
        self.start = unit(rng.normal(size=(self.n, 3)))
        self.goals = unit(spiral(NUM_CLASSES)[rng.permutation(NUM_CLASSES)] + 0.12 * rng.normal(size=(NUM_CLASSES, 3)))
        self.noise = rng.normal(size=(self.n, 3)) * (0.14 + 0.22 * rng.random((self.n, 1)))

    def points(self, step: int) -> np.ndarray:
        t = min(1.0, step / 240)
        pull = t * t * (3 - 2 * t) * 1.9
        drift = 0.05 * np.sin(step / 23 + np.arange(NUM_CLASSES))[:, None]
        return unit(self.start * (1.15 - t) * 0.8 + (self.goals + drift)[self.labels] * pull + self.noise)

    def begin(self, path: Path, live: bool) -> RunWriter:
        """A writer of the run, with a frame of every step so far. One that is not live is to be closed."""
        # Rings and bars stand in for images: something that is seen to be an image.
        y, x = np.mgrid[-1:1:14j, -1:1:14j]
        art = np.stack([255 * (np.abs(np.hypot(x, y) - 0.1 * c) < 0.25) for c in range(NUM_CLASSES)]).astype(np.uint8)
        labels, images = self.labels, art[self.labels]
        if self.kind == "free":
            # Every third sample has no label, and pictures are red on black.
            labels = np.where(np.arange(self.n) % 3, self.labels, -1)
            images = images[..., None] * np.array([1, 0, 0], np.uint8)
        info = RunInfo(
            run_id=self.run_id,
            method=self.method,
            title=self.title,
            created=time.time(),
            dim=DIM if self.kind == "projected" else 3,
            sphere_is_readout=self.method == "ce",
            num_classes=NUM_CLASSES,
            class_names=self.names,
            counts=self.counts.tolist(),
            total_steps=100 * LAST_STEP if live else LAST_STEP,
            readings=[Reading(**reading) for reading in stage_insight.READINGS.get(self.method, [])],
            marks=[Mark(**mark) for mark in [*stage_insight.MARKS.get(self.method, []), stage_insight.CLASSIFIER]],
        )
        writer = RunWriter.create(
            path,
            info,
            labels=labels,
            split=self.split,
            sample_ids=np.arange(1000, 1000 + self.n),
            images=images,
            label_sets=stage_insight.label_sets(self.run_id, self.labels, NUM_CLASSES),
        )
        if self.kind == "failed":
            writer.set_state("failed", FAILURE)
            return writer
        writer.set_state("running")
        for step in range(0, LAST_STEP + 1, STRIDE):
            self.write(writer, step)
        return writer

    def write(self, writer: RunWriter, step: int) -> None:
        """The frame of a step."""
        z = self.points(step)
        centres = unit(np.stack([z[self.labels == c].sum(0) for c in range(NUM_CLASSES)]))
        cosines = centres @ centres.T
        off = ~np.eye(NUM_CLASSES, dtype=bool)
        nearest = (z @ centres.T).argmax(1)
        own = np.clip(np.einsum("nd,nd->n", z, centres[self.labels]), -1, 1)
        right = nearest == self.labels
        projected = self.kind == "projected"
        landmarks = {} if projected else self._landmarks(centres)
        samples = {"prediction": nearest, "loss": 1.6 * (1 - own) + 0.07}
        # A run of cross-entropy stands for those that record no confidence.
        if self.method != "ce":
            samples["confidence"] = (0.5 + 0.5 * own) ** 4
        insight = (
            {}
            if projected
            else stage_insight.shown(self.method, z, self.labels, centres, self.counts, step, landmarks.get("means"))
        )
        writer.frame(
            step,
            embeddings=self._wide(z) if projected else z,
            landmarks=landmarks,
            target_index=self._match(self.goals) if "targets" in landmarks else None,
            samples=samples,
            metrics={
                "accuracy_many": float(right[self.labels < 3].mean()),
                "accuracy_few": float(right[self.labels > 6].mean()),
                "accuracy_few_n": float((self.labels > 6).sum()),
                "accuracy_few_error": 0.024,
                "centre_sum": float(np.linalg.norm(centres.mean(0))),
                "min_centre_angle": float(np.degrees(np.arccos(cosines[off].max()))),
                "simplex_deviation_mean": float(np.abs(cosines[off] + 1 / (NUM_CLASSES - 1)).mean()),
            },
            epoch=step / 10,
            seconds=step / 20,
            events=[EVENTS[step]] if self.kind == "plain" and step in EVENTS else [],
            **insight,
        )

    def _landmarks(self, centres: np.ndarray) -> dict[str, np.ndarray]:
        other = self.goals[::-1]
        landmarks = {"classifier": unit(centres + 0.1 * other)}
        if "tsc" in self.run_id:
            landmarks["targets"] = spiral(NUM_CLASSES)
        if "bcl" in self.run_id:
            landmarks["prototypes"] = unit(centres + 0.2 * other)
        if self.method == "proco":
            landmarks["means"] = unit(centres + 0.08 * other)
        return landmarks

    def _wide(self, z: np.ndarray) -> np.ndarray:
        """The same points with more dimensions, as a run that is projected has, and each class apart in one of them."""
        beyond = np.zeros((self.n, DIM - 3))
        beyond[np.arange(self.n), self.labels] = 0.6
        return unit(np.hstack([z, beyond + 0.15 * np.random.default_rng(9).normal(size=beyond.shape)]))

    def _match(self, centres: np.ndarray) -> list[int]:
        match = [-1] * NUM_CLASSES
        cosines = centres @ spiral(NUM_CLASSES).T
        for flat in np.argsort(-cosines, axis=None):
            c, t = divmod(int(flat), NUM_CLASSES)
            if match[c] < 0 and t not in match:
                match[c] = t
        return match


KINDS = {"failed", "waiting", "projected", "hostile", "several", "free"}


def make_run(run_id: str, index: int, n: int) -> Run:
    """`tsc-2`, `failed-3`: the first word is the method, or what is special about the run; sizes are ragged."""
    word = run_id.rsplit("-", 1)[0]
    return Run(run_id, index, n - 7 * index, word if word in KINDS else "plain")
