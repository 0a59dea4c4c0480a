"""Made-up runs for the stage: clusters that form out of a uniform cloud, and every state a run can be in.

`Run` speaks the wire protocol: `intro`, `state` and `frame` are whole binary messages.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field

import numpy as np
import stage_insight

NUM_CLASSES = 10
RAMP = ["#1f3a8a", "#1d5f9a", "#1b8391", "#3aa17a", "#86b354", "#d1b23a", "#eda12e", "#ee7f2d", "#e35a2c"]
METHODS = {
    "ce": ("Cross-entropy", "#8a8f98"),
    "supcon": ("SupCon", "#7a5cc8"),
    "bcl": ("BCL", "#c2417c"),
    "tsc": ("TSC", "#2f7fc1"),
    "logit-adjust": ("Logit adjusted", "#b07b2c"),
    "simclr": ("SimCLR", "#3f8f6b"),
    "moco": ("MoCo", "#4b7f3a"),
    "clip": ("CLIP", "#a0522d"),
    "proco": ("ProCo", "#8c6bb1"),
}
MEASURES = [
    {
        "key": "accuracy_many",
        "title": "Many",
        "unit": "share",
        "better": "higher",
        "short": "Accuracy on head classes.",
    },
    {"key": "accuracy_few", "title": "Few", "unit": "share", "better": "higher", "short": "Accuracy on tail classes."},
    {
        "key": "centre_sum",
        "title": "Centre sum",
        "unit": "",
        "better": "lower",
        "short": "How far the classes are from balancing around the origin: 0 is balanced.",
    },
    {
        "key": "min_centre_angle",
        "title": "Smallest angle",
        "unit": "degrees",
        "better": "higher",
        "short": "Angle between the two closest class centres.",
    },
    {
        "key": "simplex_deviation_mean",
        "title": "Simplex deviation",
        "unit": "",
        "better": "lower",
        "short": "How far the centres are from a regular simplex.",
        "caution": "Only zero where a simplex fits.",
    },
]


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12)


def spiral(count: int) -> np.ndarray:
    """(count, 3) directions spread over the sphere."""
    i = np.arange(count)
    y = 1 - (2 * i + 1) / count
    turn = i * np.pi * (3 - 5**0.5)
    return np.stack([np.cos(turn) * np.sqrt(1 - y**2), y, np.sin(turn) * np.sqrt(1 - y**2)], 1)


MARKS = [
    [45, "alarm", "Two class centres are 9 degrees apart. Raise the temperature."],
    [120, "setting", "temperature is now 0.2"],
    [200, "swap", "Classes 3 and 8 swapped their targets"],
]
PROJECTIONS = [
    {
        "name": "centres",
        "title": "Class centres",
        "short": "The three directions in which class centres differ most.",
    },
    {"name": "pca", "title": "All points", "short": "The three directions in which points differ most."},
    {"name": "simplex", "title": "Four classes", "short": "The space of four classes; others are seen from the side."},
    {"name": "umap", "title": "UMAP", "short": "Neighbours stay neighbours; distances mean little."},
]


@dataclass
class Run:
    """One made-up run: 61 frames of clusters forming; `kind` says what is special about it."""

    run_id: str
    index: int
    n: int
    kind: str = "plain"
    steps: list[int] = field(default_factory=lambda: list(range(0, 301, 5)))

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.index)
        self.method = name = self.run_id.rsplit("-", 1)[0]
        self.title, self.colour = METHODS.get(name, (self.run_id, "#666666"))
        weights = 50.0 ** (-np.arange(NUM_CLASSES) / (NUM_CLASSES - 1))
        self.counts = (120 * weights).astype(int)
        self.names = [str(c) for c in range(NUM_CLASSES)]
        if self.kind == "hostile":
            self.title = "<img src=x onerror=alert(1)>"
            self.names = ["<b>bold</b>", "a rather long class name, to be cut", *self.names[2:]]
        probability = weights + 0.12
        self.labels = rng.choice(NUM_CLASSES, self.n, p=probability / probability.sum()).astype(np.uint16)
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

    def frame(self, step: int, seq: int, live: bool) -> bytes:
        z = self.points(step)
        sums = np.stack([z[self.labels == c].sum(0) for c in range(NUM_CLASSES)])
        centres = unit(sums)
        cosines = centres @ centres.T
        off = ~np.eye(NUM_CLASSES, dtype=bool)
        nearest = (z @ centres.T).argmax(1).astype(np.uint16)
        right = nearest == self.labels
        projected = self.kind == "projected"
        if projected:
            z = z * (0.6 + 0.4 * np.abs(self.start[:, :1]))
        landmarks: dict[str, list] = {}
        if "tsc" in self.run_id:
            landmarks["targets"] = spiral(NUM_CLASSES).tolist()
        if "bcl" in self.run_id:
            landmarks["prototypes"] = unit(centres + 0.2 * self.goals[::-1]).tolist()
        if self.method == "proco":
            landmarks["means"] = self._means(centres).tolist()
        landmarks["classifier"] = unit(centres + 0.1 * self.goals[::-1]).tolist()
        header = {
            "run": self.run_id,
            "step": step,
            "seq": seq,
            "time": time.time(),
            "live": live,
            "epoch": step / 10,
            "seconds": step / 20,
            "n": self.n,
            "centres": centres.tolist(),
            "landmarks": landmarks,
            "target_index": self._match(centres) if "targets" in landmarks else None,
            "metrics": {
                "accuracy_many": float(right[self.labels < 3].mean()),
                "accuracy_few": float(right[self.labels > 6].mean()),
                "centre_sum": float(np.linalg.norm(centres.mean(0))),
                "min_centre_angle": float(np.degrees(np.arccos(cosines[off].max()))),
                "simplex_deviation_mean": float(np.abs(cosines[off] + 1 / (NUM_CLASSES - 1)).mean()),
            },
            "events": [],
            "projection": {
                "name": "centres",
                "kept_variance": 0.61,
                "kept_angle_order": 0.83,
                "kept_centre_order": 0.57,
                "trustworthiness": 0.92,
                "jitter": 0.04,
                "linear": True,
                "pending": None,
            }
            if projected
            else None,
            "predictions": True,
            "readings": stage_insight.readings(self.method, self.counts, step),
        }
        forces = None if projected else stage_insight.forces(self.method, centres, step)
        if forces is not None:
            header["forces"] = {
                method: {
                    part: [row.tolist() if np.isfinite(row).all() else None for row in rows]
                    for part, rows in parts.items()
                }
                for method, parts in forces.items()
            }
        header["arrays"], payload = lay(self._arrays(z, centres, nearest, step))
        return pack(header, payload)

    def _arrays(self, z: np.ndarray, centres: np.ndarray, nearest: np.ndarray, step: int) -> dict[str, np.ndarray]:
        """What follows the header, widest types first."""
        cosines = np.clip(np.einsum("nd,nd->n", unit(z), centres[self.labels]), -1, 1)
        parts = {"xyz": quantise(z), "prediction": nearest}
        for name, (a, b, y) in stage_insight.pairs(self.method, z, self.labels, centres, step).items():
            parts |= {
                f"marks.{name}.a": quantise(a),
                f"marks.{name}.b": quantise(b),
                f"marks.{name}.y": y.astype("<u2"),
            }
        for name, (points, y, age) in stage_insight.memory(self.method, z, self.labels, step).items():
            parts |= {f"marks.{name}.places": quantise(points), f"marks.{name}.y": y.astype("<u2")}
            parts[f"marks.{name}.age"] = age.astype("<u2")
        for name, (places, degrees, y) in stage_insight.caps(
            self.method, self._means(centres), self.counts, step
        ).items():
            parts |= {f"marks.{name}.places": quantise(places), f"marks.{name}.y": y.astype("<u2")}
            if self.kind != "projected":
                parts[f"marks.{name}.angle"] = np.round(100 * degrees).astype("<u2")
        parts["loss"] = np.clip(4096 * 1.6 * (1 - cosines) + 300, 0, 65535).astype("<u2")
        # A run of cross-entropy stands for those that record no confidence.
        if self.method != "ce":
            parts["confidence"] = np.round(255 * (0.5 + 0.5 * cosines) ** 4).astype("u1")
        return parts

    def _means(self, centres: np.ndarray) -> np.ndarray:
        return unit(centres + 0.08 * self.goals[::-1])

    def _match(self, centres: np.ndarray) -> list[int]:
        match = [-1] * NUM_CLASSES
        cosines = centres @ spiral(NUM_CLASSES).T
        for flat in np.argsort(-cosines, axis=None):
            c, t = divmod(int(flat), NUM_CLASSES)
            if match[c] < 0 and t not in match:
                match[c] = t
        return match

    def intro(self) -> bytes:
        # Rings and bars stand in for images: something that is seen to be an image.
        y, x = np.mgrid[-1:1:14j, -1:1:14j]
        art = np.stack([255 * (np.abs(np.hypot(x, y) - 0.1 * c) < 0.25) for c in range(NUM_CLASSES)]).astype(np.uint8)
        parts = {
            "labels": self.labels.astype("<u2"),
            "split": self.split,
            "ids": np.arange(1000, 1000 + self.n, dtype="<i4"),
            "thumbs": art[self.labels],
        }
        thumb = [14, 14]
        if self.kind == "free":
            # Every third sample has no label, and pictures are red on black.
            parts["labels"] = np.where(np.arange(self.n) % 3, self.labels, 65535).astype("<u2")
            parts["thumbs"], thumb = art[self.labels][..., None] * np.array([1, 0, 0], np.uint8), [14, 14, 3]
        if (sets := stage_insight.label_sets(self.run_id, self.labels, NUM_CLASSES)) is not None:
            parts["label_sets"] = sets
        arrays, payload = lay(parts)
        header = {
            "type": "run",
            "run": self.run_id,
            "title": self.title,
            "method": self.method,
            "readings": stage_insight.READINGS.get(self.method, []),
            "marks": [*stage_insight.MARKS.get(self.method, []), stage_insight.CLASSIFIER],
            "colour": self.colour,
            "state": "running",
            "reason": None,
            "dim": 16 if self.kind == "projected" else 3,
            "num_classes": NUM_CLASSES,
            "class_names": self.names,
            "counts": self.counts.tolist(),
            "groups": [0, 0, 0, 1, 1, 1, 1, 2, 2, 2],
            "rule": "Thirds of the classes.",
            "total_steps": 300,
            "n": self.n,
            "arrays": arrays,
            "thumb": thumb,
            "what_if": {"least": 0.5, "cosines": {"bcl": 0.83, "tsc": 0.31}},
        }
        return pack(header, payload)

    def state(self, live: bool) -> bytes:
        state, reason = ("running", None) if live else ("finished", None)
        if self.kind == "failed":
            state, reason = "failed", "The loss became infinite at step 12; a learning rate of 5 is too high."
        if self.kind == "waiting":
            state = "queued"
        steps = [] if self.kind in {"failed", "waiting"} else self.steps
        return pack(
            {
                "type": "state",
                "run": self.run_id,
                "state": state,
                "reason": reason,
                "first": steps[0] if steps else None,
                "last": steps[-1] if steps else None,
                "frames": len(steps),
                "total_steps": 300,
                "steps": steps,
                "marks": MARKS if self.kind == "plain" else [],
            }
        )


def quantise(z: np.ndarray) -> np.ndarray:
    return np.clip(np.round(z * 32767), -32767, 32767).astype("<i2")


def lay(parts: dict[str, np.ndarray]) -> tuple[dict[str, list], bytes]:
    """Where each array lies in the payload, and the payload."""
    arrays, payload = {}, b""
    for name, part in parts.items():
        arrays[name] = [len(payload), part.size, str(part.dtype.name)]
        payload += part.tobytes()
    return arrays, payload


def pack(header: dict, payload: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    text += b" " * (-(4 + len(text)) % 4)
    return len(text).to_bytes(4, "little") + text + payload


def make_runs(spec: str, n: int) -> list[Run]:
    """`ce-1,tsc-2,failed-3`: the first word is the method, or what is special about the run."""
    kinds = {"failed", "waiting", "projected", "hostile", "several", "free"}
    runs = []
    for index, run_id in enumerate(filter(None, spec.split(","))):
        word = run_id.rsplit("-", 1)[0]
        runs.append(Run(run_id, index, n - 7 * index, word if word in kinds else "plain"))
    return runs
