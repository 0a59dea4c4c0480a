"""What made-up methods let be seen beside their points: links, memories, readings, forces, label sets.

Each function gives nothing for a run whose method has no such thing, as the real ones do.
"""

from __future__ import annotations

import numpy as np

from ltviz.marks import Caps, Points, Segments

READINGS = {
    "moco": [
        {
            "key": "queue_length",
            "title": "Queue length",
            "unit": "keys",
            "short": "How many keys of this class the queue holds now.",
        },
        {
            "key": "queue_age",
            "title": "Queue age",
            "unit": "steps",
            "short": "How long ago the keys of this class were stored.",
        },
    ],
    "logit-adjust": [
        {
            "key": "boundary_shift",
            "title": "Shift of the boundaries",
            "unit": "°",
            "short": "How far the prior moves the boundaries of this class outwards.",
        }
    ],
    "clip": [
        {"key": "temperature", "title": "Temperature", "unit": "", "short": "The temperature that was learned."},
    ],
    "proco": [
        {
            "key": "means_cap",
            "title": "Cap of the density",
            "unit": "°",
            "short": "Half the opening of the cap around the mean of the class.",
        }
    ],
}


def _mark(key: str, title: str, primitive: str, sign: str, short: str, **more) -> dict:
    declared = {"key": key, "title": title, "short": short, "primitive": primitive, "sign": sign}
    return declared | {"on": True, "directed": False, "end": None} | more


_VIEWS = _mark("views", "Two views", "segments", "arc", "Each arc joins two augmented views of one image.")
MARKS = {
    "simclr": [_VIEWS],
    "moco": [
        _VIEWS,
        _mark("queue", "Memory", "points", "mist", "What the method remembers of earlier batches.", on=False),
    ],
    "clip": [
        _mark(
            "captions",
            "Image and caption",
            "segments",
            "arc",
            "Each arc joins an image (dot) and its caption (square), which belong together.",
            end="square",
        )
    ],
    "logit-adjust": [
        _mark("boundary", "Boundary, shifted", "segments", "shift", "Where the prior puts a boundary.", directed=True)
    ],
    "proco": [
        _mark("means", "Means", "points", "plus", "Where the method believes the classes to be."),
        _mark(
            "means_cap",
            "Density",
            "caps",
            "cap",
            "A dashed cap shows how wide the method itself believes a class to be.",
            on=False,
        ),
    ],
    "tsc": [_mark("targets", "Target", "points", "diamond", "A place given in advance.")],
    "bcl": [_mark("prototypes", "Prototype", "points", "square", "A learned stand-in of a class.")],
}
"""What each made-up method declares, as the run header says it."""
CLASSIFIER = _mark(
    "classifier", "Classifier", "points", "triangle", "The direction that a class's weights point to.", on=False
)
LINKS = {"simclr": "views", "moco": "views", "clip": "captions", "ltml": "branches"}
PAIRS = 60
QUEUE = 256
FORCES_EVERY = 20
"""Steps between the frames that hold forces."""
PARTS = ("positives", "head", "medium", "tail")


def _unit(x: np.ndarray) -> np.ndarray:
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def pairs(method: str, z: np.ndarray, labels: np.ndarray, centres: np.ndarray, step: int) -> dict:
    """Name -> (a, b, y): views that come together, captions near their class, boundaries that move."""
    if method == "logit-adjust":
        first, second = np.array([(i, (i + 3) % len(centres)) for i in range(len(centres))]).T
        middle = _unit(centres[first] + centres[second])
        return {"boundary": (middle, _unit(middle + 0.35 * (centres[np.minimum(first, second)])), first)}
    if method not in LINKS:
        return {}
    rng = np.random.default_rng(5)
    some = np.concatenate([np.flatnonzero(labels == c)[: PAIRS // len(centres)] for c in range(len(centres))])
    apart = 0.12 + 0.7 * np.exp(-step / 90)
    return {LINKS[method]: (z[some], _unit(z[some] + apart * rng.normal(size=(len(some), 3))), labels[some])}


def memory(method: str, z: np.ndarray, labels: np.ndarray, step: int) -> dict:
    """Name -> (points, y, age): keys of a queue, older ones further from where their class is now."""
    if method != "moco" or step == 0:
        return {}
    rng = np.random.default_rng(6)
    some = rng.choice(len(z), min(QUEUE, len(z)), replace=False)
    age = np.sort(rng.integers(0, min(step, 60) + 1, len(some)))
    return {"queue": (_unit(z[some] + 0.005 * age[:, None] * rng.normal(size=(len(some), 3))), labels[some], age)}


def caps(method: str, means: np.ndarray | None, counts: np.ndarray, step: int) -> dict:
    """Name -> (places, degrees, y): how wide a method believes its classes to be."""
    if method != "proco" or means is None:
        return {}
    return {"means_cap": (means, readings(method, counts, step)["means_cap"], np.arange(len(means)))}


def readings(method: str, counts: np.ndarray, step: int) -> dict[str, np.ndarray]:
    """Key -> values by class, or one; NaN where nothing is known yet."""
    held = np.minimum(counts, 2 + step / 4)
    known = {
        "queue_length": np.round(held),
        "queue_age": np.array([np.nan if n < 4 else 0.4 * step**0.5 * (i + 2) for i, n in enumerate(counts)]),
        "boundary_shift": np.log(counts.mean() / counts) * 6,
        "temperature": np.array([0.07 + 0.4 * np.exp(-step / 100)]),
        "means_cap": 14 + 22 * np.log(counts.max() / counts) / 4 + 20 * np.exp(-step / 80),
    }
    return {reading["key"]: known[reading["key"]] for reading in READINGS.get(method, [])}


def forces(method: str, centres: np.ndarray, step: int) -> dict:
    """Method -> part -> (C, 3): only at some steps, as a trainer computes them; what-ifs for two methods."""
    if method not in {"supcon", "bcl", "tsc"} or step % FORCES_EVERY:
        return {}
    rng = np.random.default_rng(7)
    sizes = {"positives": 0.9, "head": 0.8, "medium": 0.35, "tail": 0.2}
    own = {part: size * rng.normal(size=centres.shape) * np.exp(-step / 200) for part, size in sizes.items()}
    if method == "tsc":
        own["targets"] = 0.5 * rng.normal(size=centres.shape)
    own["total"] = sum(own.values())
    other = "gml" if method == "bcl" else "bcl"  # one that stands in well, and one that does not
    what_if = own["total"] * 0.6 + 0.3 * rng.normal(size=centres.shape)
    # The rarest class was not in the batch.
    own["total"][-1] = what_if[-1] = 0
    return {method: own, other: {"total": what_if}}


def shown(
    method: str,
    z: np.ndarray,
    labels: np.ndarray,
    centres: np.ndarray,
    counts: np.ndarray,
    step: int,
    means: np.ndarray | None = None,
) -> dict:
    """All of it, as a frame of a run takes it; `means` are what a method with densities believes."""
    marks = {name: Segments(*held) for name, held in pairs(method, z, labels, centres, step).items()}
    marks |= {name: Points(*held) for name, held in memory(method, z, labels, step).items()}
    marks |= {name: Caps(*held) for name, held in caps(method, means, counts, step).items()}
    return {"marks": marks, "readings": readings(method, counts, step), "forces": forces(method, centres, step)}


def label_sets(run_id: str, labels: np.ndarray, num_classes: int) -> np.ndarray | None:
    """(N, C) 0 or 1: up to four classes for every third sample of the run "several"."""
    if not run_id.startswith("several"):
        return None
    sets = np.zeros((len(labels), num_classes), np.uint8)
    sets[np.arange(len(labels)), labels] = 1
    rng = np.random.default_rng(8)
    for i in range(0, len(labels), 3):
        sets[i, rng.choice(num_classes, rng.integers(1, 4), replace=False)] = 1
    return sets
