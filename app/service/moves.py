"""What moved in a run, as its timeline has it: samples whose prediction flipped, and those that crossed a border."""

from __future__ import annotations

import numpy as np

from ltviz.metrics.moves import KINDS, Moves, nearest_class
from ltviz.projection.centres import class_centres, training_labels
from ltviz.recording import Frame, Probe, Recording, RunInfo
from ltviz.recording.drawn import draw_evenly

from .messages import CLASS, Kind, MovesHeader
from .wire import Payload, encode_message, ranked, ranks

MOST_SAMPLES = 20_000
"""Of a run of more, so many are looked at, drawn evenly, the same ones at every step; centres are theirs too."""
_NUMBERS = Kind("int32", 1, 0, 2**31 - 1)


def looked_at(probe: Probe) -> np.ndarray:
    """(M,) growing rows of the samples of a run that are looked at."""
    return draw_evenly(probe.labels, MOST_SAMPLES)


def classes_at(frame: Frame, probe: Probe, info: RunInfo, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Kind -> (M,) class of each of these samples in a frame, -1 where it has none.

    The prediction is the one that the frame holds, of the run's own classifier, and not known where samples have
    several labels; the border is that between the centres of the frame, of training samples as the stage draws them.
    """
    split = probe.known_split
    z, labels = frame.embeddings[rows], frame.labels[rows]
    there = np.full(len(rows), True) if frame.present is None else frame.present[rows]
    centres = class_centres(z, training_labels(labels, None if split is None else split[rows]), info.num_classes)
    nearest = nearest_class(z, centres)
    found = {"border": np.where(there, nearest, -1)}
    predicted = frame.samples.get("prediction")
    if predicted is not None and probe.label_sets is None:
        known = there & (predicted[rows] < info.num_classes)
        found["prediction"] = np.where(known, predicted[rows], -1)
    return found


def encode_moves(recording: Recording, moves: Moves, since: int = 0) -> bytes:
    """What moved at the steps from the `since`-th on, as `MovesHeader` and payload.

    Raises:
        LtvizError: the folder does not hold what it takes.
    """
    probe, order = recording.probe, recording.info.order
    rows = looked_at(probe)
    payload, rank = Payload(), ranks(np.asarray(order)).astype(np.uint16)
    kinds = [kind for kind in KINDS if kind in moves.found]
    found = {kind: moves.since(kind, since) for kind in kinds}
    for kind in kinds:
        payload.add(f"{kind}.counts", moves.counts[kind][since:], _NUMBERS)
        payload.add(f"{kind}.rows", rows[found[kind].rows], _NUMBERS)
    for kind in kinds:
        payload.add(f"{kind}.before", ranked(found[kind].before, rank), CLASS)
        payload.add(f"{kind}.after", ranked(found[kind].after, rank), CLASS)
    header = MovesHeader(
        run=recording.run_id,
        anew=since == 0,
        steps=moves.steps[since:].tolist(),
        joined=moves.joined,
        looked=None if len(rows) == len(probe.labels) else len(rows),
        arrays=payload.arrays,
    )
    return encode_message(header, payload.bytes())
