"""Runs against runs as spaces: how alike the places are that they give the same samples, and which samples moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ltviz.errors import DataError, RecordingError
from ltviz.metrics.shots import shot_groups
from ltviz.metrics.similarity import cka, nearest_rows, procrustes_distance, shared_of
from ltviz.recording import Frame, Recording

NEIGHBOURS = 10
MOST_MOVERS = 12
MOST_STEPS = 16
"""Steps of each run that a film compares."""
_FEWEST = 4  # rows of which CKA can be estimated without bias


@dataclass(frozen=True, eq=False)
class Placed:
    """All samples of a run's probe, as one frame places them."""

    recording: Recording
    step: int
    rows: np.ndarray
    """(N, D) float64."""
    near: np.ndarray
    """(N, k) the nearest other samples of each."""


@dataclass(frozen=True, eq=False)
class Pair:
    """Two runs, or two steps, against one another."""

    first: Placed
    second: Placed
    shared: np.ndarray
    """(N,) share of each sample's nearest neighbours that are the same in both."""
    values: dict[str, float]
    """cka, knn, procrustes, and with _head, _medium and _tail those of the samples of these classes. What cannot be
    measured, of too few samples or of samples in one place, is absent."""
    by_class: tuple[dict[str, float], ...]
    """The same of each class alone."""

    @property
    def chance(self) -> float:
        """What `knn` is for spaces that have nothing to do with one another."""
        return self.first.near.shape[1] / (len(self.first.rows) - 1)


def check_one_probe(recordings: Sequence[Recording]) -> None:
    """Spaces are alike, or not, in where they put the same samples.

    Raises:
        RecordingError: a run whose probe holds others, with what differs.
    """
    first = recordings[0]
    for other in recordings[1:]:
        if (reason := _differs(first, other)) is not None:
            raise RecordingError(
                f"Spaces are compared row by row of one probe, but {other.run_id} and {first.run_id} have {reason}; "
                "give runs of one race, or of the same data, seed and probe"
            )


def _differs(first: Recording, other: Recording) -> str | None:
    a, b = first.probe, other.probe
    if len(a.labels) != len(b.labels):
        return f"{len(b.labels):,} and {len(a.labels):,} samples in their probes"
    same_place = first.info.data is None or other.info.data is None or first.info.data == other.info.data
    if not same_place:
        return f"probes of other data ({other.info.data} and {first.info.data})"
    for name, said in (("labels", "labels"), ("sample_ids", "samples"), ("split", "splits")):
        if not np.array_equal(getattr(a, name), getattr(b, name)):
            return f"probes of other {said}"
    if a.thumbnails is not None and b.thumbnails is not None and not np.array_equal(a.thumbnails, b.thumbnails):
        return "probes of other images"
    return None


def place(recording: Recording, frame: Frame | None = None) -> Placed:
    """A frame, the last one where left out, as spaces are compared.

    Raises:
        RecordingError: a run without a frame.
        DataError: fewer than two samples, or one without a direction.
    """
    frame = frame or recording.last()
    if frame is None:
        raise RecordingError(f"{recording.run_id} has no frame yet, and so no space to compare; wait for its first one")
    rows = np.asarray(frame.embeddings, dtype=np.float64)
    if len(rows) < 2:
        raise DataError(f"Spaces are compared by the neighbours of samples; {recording.run_id} has {len(rows)} sample.")
    return Placed(recording, frame.step, rows, nearest_rows(rows, k=min(NEIGHBOURS, len(rows) - 1)))


def pair_of(first: Placed, second: Placed) -> Pair:
    """Two spaces of one probe, which has been checked.

    CKA (unbiased) and Procrustes of a group are those of its samples alone; its neighbours are among all samples, so
    that chance is the same in every group.
    """
    labels, info = first.recording.probe.labels, first.recording.info
    shared = shared_of(first.near, second.near)
    values = _values(first, second, shared, np.ones(len(labels), bool))
    for name, classes in shot_groups(np.asarray(info.counts)).items() if info.counts else ():
        found = _values(first, second, shared, np.isin(labels, classes))
        values |= {f"{key}_{name}": value for key, value in found.items()}
    by_class = tuple(_values(first, second, shared, labels == c) for c in range(info.num_classes))
    return Pair(first, second, shared, values, by_class)


def _values(first: Placed, second: Placed, shared: np.ndarray, here: np.ndarray) -> dict[str, float]:
    if not here.any():
        return {}
    found = {"knn": float(shared[here].mean())}
    a, b = first.rows[here], second.rows[here]
    for name, measure, least in (("cka", cka, _FEWEST), ("procrustes", procrustes_distance, 2)):
        try:
            found |= {name: measure(a, b)} if len(a) >= least else {}
        except DataError:  # samples in one place have no likeness to anything
            continue
    return found


@dataclass(frozen=True)
class Mover:
    """A sample whose neighbourhood differs most."""

    row: int
    """Its row in the probe."""
    sample: int
    """Its id in the data set."""
    label: int
    shared: float


def movers(pair: Pair, most: int = MOST_MOVERS) -> list[Mover]:
    """The samples that share the fewest neighbours in both spaces, the fewest first; of equals the lower row."""
    probe = pair.first.recording.probe
    rows = np.argsort(pair.shared, kind="stable")[:most]
    return [
        Mover(int(row), int(probe.sample_ids[row]), int(probe.labels[row]), float(pair.shared[row])) for row in rows
    ]


def moving_classes(pair: Pair) -> list[int]:
    """Classes with samples, those that share the fewest neighbours first."""
    known = [c for c, values in enumerate(pair.by_class) if values]
    return sorted(known, key=lambda c: (pair.by_class[c]["knn"], c))


@dataclass(frozen=True, eq=False)
class Film:
    """How alike two runs are, step by step; or one run is to itself."""

    first_steps: tuple[int, ...]
    second_steps: tuple[int, ...]
    cka: np.ndarray
    """(steps of the first, steps of the second) unbiased CKA; NaN where it cannot be measured."""


def film(first: Recording, second: Recording, most: int = MOST_STEPS) -> Film:
    """Every step of one run against every step of the other, evenly chosen where there are more than `most`."""
    spaces = []
    for recording in (first, second):
        steps = recording.steps()
        chosen = [steps[i] for i in np.unique(np.linspace(0, len(steps) - 1, min(most, len(steps))).astype(int))]
        spaces.append({step: np.asarray(recording.frame(step).embeddings, np.float64) for step in chosen})
    found = np.full([len(space) for space in spaces], np.nan)
    for i, a in enumerate(spaces[0].values()):
        for j, b in enumerate(spaces[1].values()):
            try:
                found[i, j] = cka(a, b)
            except DataError:
                continue
    return Film(tuple(spaces[0]), tuple(spaces[1]), found)


def told(pair: Pair) -> dict[str, Any]:
    """A pair as plain values, for JSON."""
    first, second = pair.first, pair.second
    names = first.recording.info.class_names
    return {
        "runs": [first.recording.run_id, second.recording.run_id],
        "steps": [first.step, second.step],
        **pair.values,
        "knn_chance": pair.chance,
        "by_class": {str(c): {"name": names[c], **values} for c, values in enumerate(pair.by_class) if values},
        "moved": [vars(mover) for mover in movers(pair)],
    }
