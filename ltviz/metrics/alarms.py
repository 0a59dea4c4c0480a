"""What goes wrong in a run, found in its frames and loss terms: at which step, why, and what to try."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, Protocol

import numpy as np

from ltviz.geometry.threads import one_blas_thread
from ltviz.metrics.classes import UNLABELLED, Classes
from ltviz.metrics.loss_watch import LossWatch, stuck_window
from ltviz.metrics.pairs import pair_split, tail_room
from ltviz.metrics.shots import ShotGroups
from ltviz.metrics.spectrum import effective_rank

Kind = Literal["minority_collapse", "dimensional_collapse", "hemisphere", "not_finite", "stuck_loss", "target_swap"]

TAIL_ROOM = 0.1
"""Smallest tail-tail angle over smallest head-head angle below which the tail has collapsed."""
RANK_SHARE = 0.25
"""Share of the way from rank 1 to the rank of a simplex (or of the space) below which dimensions have collapsed."""
SETTLED = 0.5
"""Share of training before which shapes are not judged: every network starts in a narrow cone and opens slowly."""
LASTING = 3
"""Frames in a row that must show a shape before it is an alarm; all of them where a run has fewer."""
_CAP_ROUNDS = 500  # points that the search for the smallest cap may add; it needs about 3 D
_CAP_EXACT = 1e-9
"""Gap at which the smallest cap is found, in squares of distances of unit vectors."""
HALF = 89.999
"""Degrees below which a cap is less than half of the sphere, as far as float32 can tell."""
_FAILED = re.compile(r"\b(nan|inf|not finite|infinity)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Alarm:
    """One thing that went wrong. `step` is the first that shows it; `reason` and `advice` are sentences."""

    kind: Kind
    step: int
    reason: str
    advice: str


class FrameLike(Protocol):
    """What is read of a frame; `ltviz.recording.Frame` is one."""

    @property
    def step(self) -> int: ...
    @property
    def embeddings(self) -> np.ndarray: ...
    @property
    def labels(self) -> np.ndarray: ...
    @property
    def metrics(self) -> dict[str, float]: ...
    @property
    def target_index(self) -> np.ndarray | None: ...
    @property
    def events(self) -> Sequence[dict[str, Any]]: ...


@dataclass(frozen=True, eq=False, slots=True)
class Observation:
    """What the alarms need of one frame, small enough to keep for every frame. None where it cannot be measured."""

    step: int
    rank: float | None
    """Effective rank of the embeddings."""
    full_rank: float
    """Rank of a simplex of these classes, or of the space where that is smaller."""
    tail_room: float | None
    """Smallest tail-tail angle over smallest head-head angle."""
    tail_angle: float | None
    """Smallest tail-tail angle, degrees."""
    cap: float | None
    """Half opening of the smallest cap that holds all points, degrees; below 90: one hemisphere."""
    narrow: float
    """Degrees below which a cap says something; see `narrow_cap`."""
    target_index: tuple[int, ...] | None
    refused: tuple[str, ...]
    """Sentences about numbers that were not finite."""
    part: str = ""
    """"training" where shapes are of training samples alone; empty where nobody knows which they are."""

    @property
    def points(self) -> str:
        """What the shapes are of, for the words."""
        return f"{self.part} points".strip()


def observe(frame: FrameLike, counts: np.ndarray, split: np.ndarray | None = None) -> Observation:
    """A frame as the alarms see it: its training points where they are known, of which theory speaks, else all.

    Args:
        frame: of a recording.
        counts: (C,) training samples of each class.
        split: (N,) 0 for train, as in a probe; None where it is unknown.

    Raises:
        DataError: embeddings or counts that cannot be used.
    """
    labels = np.asarray(frame.labels)
    told = tuple(str(event.get("text")) for event in frame.events if "not finite" in str(event.get("text")))
    index = None if frame.target_index is None else tuple(int(i) for i in frame.target_index)
    full_rank = float(min(frame.embeddings.shape[1], max(len(counts) - 1, 1)))
    here, part = np.ones(len(labels), bool) if (there := getattr(frame, "present", None)) is None else there, ""
    if split is not None and (trained := here & (split == 0)).any():
        here, part = trained, "training"
    # What the trainer measured is of all points.
    rank = None if part else frame.metrics.get("effective_rank")
    room = angle = None
    seen, labels = frame.embeddings[here], labels[here]
    if (labels != UNLABELLED).any():
        unit = Classes.of_labelled(seen, labels, len(counts)).normalised()
        rank = effective_rank(unit.z) if rank is None else rank
        room, angle = _tail_room(unit, counts)
        seen = unit.z
    cap, narrow = enclosing_cap(seen), narrow_cap(len(counts), frame.embeddings.shape[1])
    return Observation(frame.step, rank, full_rank, room, angle, cap, narrow, index, told, part)


def find_alarms(
    observations: Iterable[Observation],
    *,
    total_steps: int | None = None,
    losses: Sequence[Mapping[str, Any]] = (),
    batch_size: int | None = None,
    views: int = 2,
    failure: str | None = None,
    class_names: Sequence[str] | None = None,
    watch: LossWatch | None = None,
) -> list[Alarm]:
    """Every alarm of a run so far, by step.

    Args:
        observations: of its frames, steps ascending.
        total_steps: of the whole run; the last step seen where None.
        losses: lines {"step", term: value or None, ...}; None is a value that was not finite.
        batch_size: samples of a training step, for log(2N - 1); that alarm is left out where None.
        views: of each sample in a batch.
        failure: reason of a failed run.
        class_names: for the words.
        watch: what is known of `losses` before those that are new; of the same batch size, views and total.
    """
    seen = list(observations)
    if total_steps is None and watch is None:
        total_steps = max([m.step for m in seen] + [int(line["step"]) for line in losses], default=0)
    watch = watch or LossWatch(batch_size, views, stuck_window(total_steps or 0))
    watch.take(losses)
    last = max([m.step for m in seen] + [watch.last])
    total = total_steps or last
    settled = [observation for observation in seen if observation.step >= SETTLED * total]
    found = [
        *_lasting(settled, _minority_collapse),
        *_lasting(settled, _dimensional_collapse),
        *_lasting(settled, _hemisphere),
        *_not_finite(seen, watch, failure, last),
        *_stuck(watch, batch_size, views),
        *_swaps(seen, total, class_names),
    ]
    return sorted(found, key=lambda alarm: alarm.step)


def narrow_cap(num_classes: int, dim: int) -> float:
    """Degrees: the cap below which points of C classes in D dimensions use less of the sphere than they should.

    Where C > D it is a hemisphere. Where D >= C any C directions that are independent lie in a hemisphere, however well
    they are spread, so a cap of 90 degrees says nothing: there it is the one around C directions at right angles,
    arccos(1 / sqrt(C)), 71.6 for ten classes. Points without classes are held against the hemisphere.
    """
    return HALF if num_classes > dim or not num_classes else math.degrees(math.acos(1 / math.sqrt(num_classes)))


@one_blas_thread()
def enclosing_cap(z: np.ndarray) -> float | None:
    """Half opening in degrees of the smallest cap around all points; None without points, or if one has no direction.

    Below 90 degrees it is exact: the pole is the direction of the point of the convex hull that is nearest to the
    origin (Wolfe 1976, "Finding the nearest point in a polytope"), and its distance is the cosine of the opening. Where
    the hull holds the origin, no hemisphere holds the points; what comes then is 90 or more, and need not be the
    smallest cap. A search that would be too long, as in hundreds of dimensions, ends with a cap that does hold all
    points and may not be the smallest: a hemisphere can be missed there, never one invented.
    """
    rows = np.asarray(z, dtype=np.float64)
    if rows.ndim != 2 or rows.size == 0:
        return None
    length = np.linalg.norm(rows, axis=1)
    if not (np.isfinite(length).all() and (length > 0).all()):
        return None
    rows = rows / length[:, None]
    best = -1.0
    for point in _towards_the_origin(rows):
        size = float(np.linalg.norm(point))
        if size * size <= _CAP_EXACT:
            best = max(best, min(0.0, float((rows @ (point / size)).min())) if size > 0 else -1.0)
            break
        best = max(best, float((rows @ point).min()) / size)
    return math.degrees(math.acos(min(1.0, max(-1.0, best))))


def _towards_the_origin(rows: np.ndarray) -> Iterator[np.ndarray]:
    """Points (D,) of the convex hull of rows (N, D), each nearer to the origin, up to the nearest (Wolfe 1976)."""
    corral = [int((rows @ rows.mean(axis=0)).argmax())]
    weights = np.ones(1)
    for _ in range(_CAP_ROUNDS):
        point = weights @ rows[corral]
        yield point
        along = rows @ point
        farthest = int(along.argmin())
        if farthest in corral or along[farthest] >= point @ point - _CAP_EXACT:
            return
        corral.append(farthest)
        weights = np.append(weights, 0.0)
        while True:
            aim = _nearest_of_plane(rows[corral])
            if (aim > 0).all():
                weights = aim
                break
            falls = aim <= 0  # go as far as all weights stay positive, and let go of what reaches zero
            share = weights[falls] / np.maximum(weights[falls] - aim[falls], 1e-300)
            weights = weights + min(1.0, float(share.min())) * (aim - weights)
            kept = weights > 1e-12
            kept[int(np.flatnonzero(falls)[share.argmin()])] = False
            corral = [index for index, stays in zip(corral, kept, strict=True) if stays]
            weights = weights[kept] / weights[kept].sum()


def _nearest_of_plane(rows: np.ndarray) -> np.ndarray:
    """(K,) weights of sum 1 whose combination of rows (K, D) is nearest to the origin; they may be negative."""
    size = len(rows)
    system = np.ones((size + 1, size + 1))
    system[0, 0] = 0.0
    system[1:, 1:] = rows @ rows.T
    try:
        return np.linalg.solve(system, np.eye(size + 1)[0])[1:]
    except np.linalg.LinAlgError:  # rows of one plane: any of the solutions will do
        return np.linalg.lstsq(system, np.eye(size + 1)[0], rcond=None)[0][1:]


def _tail_room(unit: Classes, counts: np.ndarray) -> tuple[float | None, float | None]:
    """Ends of a third of the classes each, two at least: shot groups may hold a single class, which has no angle."""
    order = np.argsort(-np.asarray(counts, dtype=np.float64), kind="stable")
    end = max(2, len(order) // 3)
    if len(order) < 2 * end or np.isfinite(unit.centres[:, 0]).sum() < 2:
        return None, None
    ends = ShotGroups(
        np.sort(order[:end]), np.sort(order[end:-end]), np.sort(order[-end:]), "a third of the classes each"
    )
    split = pair_split(unit.centres, ends)
    return tail_room(split), split["tail_tail"].smallest_angle


# ---------------------------------------------------------------------- shapes


def _lasting(observations: Sequence[Observation], judge: Callable[[Observation], Alarm | None]) -> list[Alarm]:
    """The first alarm of each row of frames that show it, where the row is long enough."""
    needed = min(LASTING, len(observations))
    found, row = [], []
    for observation in observations:
        alarm = judge(observation)
        row = [] if alarm is None else [*row, alarm]
        if row and len(row) == needed:
            found.append(row[0])
    return found


def _minority_collapse(observation: Observation) -> Alarm | None:
    if observation.tail_room is None or observation.tail_angle is None or observation.tail_room >= TAIL_ROOM:
        return None
    of = "by their training points, " if observation.part else ""
    return Alarm(
        "minority_collapse",
        observation.step,
        f"Minority collapse: {of}two tail classes lie {observation.tail_angle:.1f}° apart, "
        f"{observation.tail_room:.0%} of the smallest angle between head classes.",
        "Try a method that weighs classes (bcl, logit_adjust), a larger batch, or less weight decay.",
    )


def _dimensional_collapse(observation: Observation) -> Alarm | None:
    limit = 1 + RANK_SHARE * (observation.full_rank - 1)
    if observation.rank is None or observation.rank >= limit:
        return None
    return Alarm(
        "dimensional_collapse",
        observation.step,
        f"Dimensional collapse: the {observation.points} use {observation.rank:.1f} of the {observation.full_rank:.0f} "
        "dimensions that these classes could.",
        "Try a lower learning rate, a lower temperature, or a larger batch, so that samples repel more.",
    )


def _hemisphere(observation: Observation) -> Alarm | None:
    if observation.cap is None or observation.cap >= observation.narrow:
        return None
    opening = f"{observation.cap:.0f}°" if observation.cap < 89.5 else "just under 90°"
    where = f"All {observation.points} lie in one hemisphere, within {opening} of one direction"
    if observation.narrow == HALF:
        said = f"{where}: half of the sphere is unused."
    else:
        said = f"{where}: classes at right angles to one another would need {observation.narrow:.0f}°."
    return Alarm(
        "hemisphere",
        observation.step,
        said,
        "Try a higher learning rate or more steps, or a loss that repels (a contrastive one, or targets).",
    )


# ---------------------------------------------------------------------- losses


def _not_finite(observations: Sequence[Observation], watch: LossWatch, failure: str | None, last: int) -> list[Alarm]:
    """The first refusal only: once a number is lost, what follows says nothing new."""
    advice = "Try a lower learning rate, a higher temperature, or 32-bit precision."
    found = [Alarm("not_finite", m.step, f"NaN refused: {text}", advice) for m in observations for text in m.refused]
    if watch.bad is not None:
        reason = f"NaN refused: the loss term '{watch.bad[1]}' was not finite."
        found.append(Alarm("not_finite", watch.bad[0], reason, advice))
    if failure and not found and _FAILED.search(failure):
        step = re.search(r"at step (\d+)", failure)
        found.append(Alarm("not_finite", int(step[1]) if step else last, f"NaN refused: {failure}", advice))
    return sorted(found, key=lambda alarm: alarm.step)[:1]


def _stuck(watch: LossWatch, batch_size: int | None, views: int) -> list[Alarm]:
    """A contrastive loss of N samples in V views over V N - 1 others is log(V N - 1) where all points are one."""
    if not watch.stuck:
        return []
    name, step = min(
        watch.stuck.items(), key=lambda item: (item[0] == "total", item[1])
    )  # the sum says less than its term
    return [
        Alarm(
            "stuck_loss",
            step,
            f"The loss term '{name}' stands still at log({views} * {batch_size} - 1) = {watch.level:.2f}, its value "
            "where all points are one: nothing is learned.",
            "Try another seed, a higher learning rate or a lower temperature; check that views differ and labels fit.",
        )
    ]


# ---------------------------------------------------------------------- targets


def _swaps(observations: Sequence[Observation], total: int, class_names: Sequence[str] | None) -> list[Alarm]:
    """One alarm for all, at the first: a matching that does not settle changes in frame after frame."""
    found: list[tuple[int, list[int]]] = []
    for before, now in pairwise([m for m in observations if m.target_index is not None]):
        assert before.target_index is not None and now.target_index is not None
        if now.step > total / 2 and len(before.target_index) == len(now.target_index):
            pairs = zip(before.target_index, now.target_index, strict=True)
            if moved := [c for c, (old, new) in enumerate(pairs) if old != new]:
                found.append((now.step, moved))
    if not found:
        return []
    step, moved = found[0]
    names = [str(class_names[c]) if class_names else f"class {c}" for c in moved]
    listed = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    again = f", and again up to step {found[-1][0]} ({len(found)} times in all)" if len(found) > 1 else ""
    return [
        Alarm(
            "target_swap",
            step,
            f"After half of training, targets were matched anew: {listed} changed places{again}.",
            "Try a longer warm-up, so that centres are apart before targets pull, or a larger target weight.",
        )
    ]
