"""Alarms: each fault raises its own, at its step, and a sound run raises none."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

from ltviz.geometry import optimal_targets
from ltviz.metrics.alarms import LASTING, Alarm, enclosing_cap, find_alarms, observe
from ltviz.metrics.loss_watch import LossWatch, stuck_window

COUNTS = np.array([200, 150, 120, 80, 50, 30, 15, 10, 5])
C = len(COUNTS)


@dataclass
class Shown:
    """A frame as the alarms read it."""

    step: int
    embeddings: np.ndarray
    labels: np.ndarray
    metrics: dict[str, float] = field(default_factory=dict)
    target_index: np.ndarray | None = None
    events: list[dict[str, Any]] = field(default_factory=list)


def frame(step: int, centres: np.ndarray | None = None, spread: float = 0.05, **more: Any) -> Shown:
    """Ten points around each centre; the best arrangement in 3-D by default."""
    centres = optimal_targets(C, 3) if centres is None else centres
    labels = np.repeat(np.arange(C), 10)
    z = centres[labels] + spread * np.random.default_rng(step).normal(size=(len(labels), centres.shape[1]))
    return Shown(step, (z / np.linalg.norm(z, axis=1, keepdims=True)).astype(np.float32), labels, **more)


def alarms(frames: list[Shown], **more: Any) -> list[Alarm]:
    return find_alarms([observe(shown, COUNTS) for shown in frames], **{"total_steps": 100, **more})


def told(found: list[Alarm]) -> list[tuple[str, int]]:
    return [(alarm.kind, alarm.step) for alarm in found]


STEPS = range(0, 101, 10)


def test_a_sound_run_raises_none() -> None:
    losses = [{"step": s, "contrast": 3 - s / 100, "learning_rate": 1e-3} for s in range(1, 101)]
    frames = [frame(s, target_index=np.arange(C)) for s in STEPS]
    assert alarms(frames, losses=losses, batch_size=64) == []


def collapsed_tail() -> np.ndarray:
    centres = optimal_targets(C, 3).copy()
    centres[7] = centres[8] + 0.02
    return centres / np.linalg.norm(centres, axis=1, keepdims=True)


def flat() -> np.ndarray:
    return np.stack([np.where(np.arange(C) % 2, 1.0, -1.0), np.zeros(C), np.zeros(C)], axis=1)


def cone() -> np.ndarray:
    centres = 0.8 * optimal_targets(C, 3) + np.array([0, 0, 1.0])
    return centres / np.linalg.norm(centres, axis=1, keepdims=True)


@pytest.mark.parametrize(
    "shape, kind, words",
    [
        (collapsed_tail, "minority_collapse", "apart"),
        (flat, "dimensional_collapse", "of the 3 dimensions"),
        (cone, "hemisphere", "one hemisphere"),
    ],
)
def test_a_bad_shape_is_told_once_at_its_first_step(shape: Any, kind: str, words: str) -> None:
    bad = [frame(s, shape() if s >= 60 else None, spread=0.002) for s in STEPS]
    found = [alarm for alarm in alarms(bad) if alarm.kind == kind]
    assert told(found) == [(kind, 60)]
    assert words in found[0].reason and found[0].advice.startswith("Try ")


@pytest.mark.parametrize("shape", [collapsed_tail, flat, cone])
def test_early_and_passing_shapes_are_no_alarm(shape: Any) -> None:
    early = [frame(s, shape() if s <= 40 else None, spread=0.002) for s in STEPS]
    passing = [frame(s, shape() if s in (60, 70) else None, spread=0.002) for s in STEPS]
    assert LASTING == 3 and alarms(early) == [] and alarms(passing) == []


def test_a_shape_that_comes_back_is_told_again() -> None:
    frames = [frame(s, None if s == 75 else cone()) for s in range(0, 101, 5)]
    assert told(alarms(frames)) == [("hemisphere", 50), ("hemisphere", 80)]


def test_dimensions_are_counted_against_the_classes() -> None:
    """Nine classes in 64 dimensions need 8 of them: a perfect simplex is no collapse, a line is."""
    simplex = [frame(s, optimal_targets(C, 64), spread=0.001) for s in STEPS]
    line = [frame(s, np.pad(flat(), ((0, 0), (0, 61))), spread=0.0001) for s in STEPS]
    assert "dimensional_collapse" not in [kind for kind, _ in told(alarms(simplex))]
    assert "dimensional_collapse" in [kind for kind, _ in told(alarms(line))]


def test_points_that_cannot_be_labelled_leave_the_other_alarms() -> None:
    frames = [frame(s, cone()) for s in STEPS]
    for shown in frames:
        shown.labels[:] = -1
    assert [kind for kind, _ in told(alarms(frames))] == ["hemisphere"]


# ---------------------------------------------------------------------- caps


def test_the_cap_holds_all_points_and_is_close_to_the_smallest() -> None:
    rng = np.random.default_rng(0)
    for dim in (3, 8, 64):
        pole = np.eye(dim)[0]
        for opening in (20.0, 60.0, 85.0):
            side = rng.normal(size=(400, dim))
            side[:, 0] = 0
            side /= np.linalg.norm(side, axis=1, keepdims=True)
            tilt = np.radians(rng.uniform(0.9 * opening, opening, (400, 1)))
            cap = enclosing_cap(np.cos(tilt) * pole + np.sin(tilt) * side)
            assert cap is not None and cap == pytest.approx(opening, rel=0.05)
    # antipodal pairs: no hemisphere holds them, whatever the search does
    half = rng.normal(size=(50, 3))
    assert enclosing_cap(np.concatenate([half, -half])) >= 90


def test_a_lopsided_cloud_within_a_hemisphere_is_found() -> None:
    """Most points at one rim: the mean direction alone would leave out the other rim."""
    angle = np.radians(np.concatenate([np.full(500, 80.0), [-80.0, -79.0]]))
    z = np.stack([np.sin(angle), np.zeros_like(angle), np.cos(angle)], axis=1)
    assert (z @ z.mean(0)).min() < 0
    assert enclosing_cap(z) < 90


def margin(z: np.ndarray) -> float:
    """Largest t with z_i . u >= t for some u in the unit cube, by linear programming: above 0 in one hemisphere."""
    n, dim = z.shape
    bounds = [(-1.0, 1.0)] * dim + [(None, 1.0)]
    found = linprog([0.0] * dim + [-1.0], A_ub=np.c_[-z, np.ones(n)], b_ub=np.zeros(n), bounds=bounds, method="highs")
    return -found.fun


def test_hemispheres_are_those_of_the_linear_program() -> None:
    """A search by ever smaller steps had missed those whose cap is just under 90 degrees."""
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(120):
        dim = int(rng.choice([2, 3, 4, 8, 16]))
        n = int(rng.choice([dim + 1, 2 * dim, 50, 200]))
        z = rng.standard_normal((n, dim)) + rng.choice([0, 0.3, 1, 2, 4]) * np.eye(dim)[0]
        z /= np.linalg.norm(z, axis=1, keepdims=True)
        cap = enclosing_cap(z)
        assert cap is not None and (cap < 89.999) == (margin(z) > 1e-6)
        inside += cap < 90
    assert 30 < inside < 100


@pytest.mark.parametrize("opening", [89.0, 89.9, 89.99])
def test_a_hemisphere_by_a_hair_is_found(opening: float) -> None:
    turn = np.linspace(0, 2 * np.pi, 500, endpoint=False) ** 1.1
    tilt = np.radians(opening)
    rim = np.stack([np.sin(tilt) * np.cos(turn), np.sin(tilt) * np.sin(turn), np.full(500, np.cos(tilt))], axis=1)
    assert enclosing_cap(rim) == pytest.approx(opening, abs=1e-3)


def test_points_that_coincide_or_lie_in_a_plane_have_a_cap() -> None:
    assert enclosing_cap(np.ones((5, 4))) == pytest.approx(0.0, abs=1e-5)
    flat_ = np.array([[1.0, 0, 0], [0, 1, 0], [0, 1, 0], [0.6, 0.8, 0]])
    assert enclosing_cap(flat_) == pytest.approx(45.0)


@pytest.mark.parametrize("dim", [9, 64])
def test_with_room_for_all_classes_a_hemisphere_says_nothing(dim: int) -> None:
    """Nine independent directions always lie in one: an alarm is only what is closer than nine at right angles."""
    spread_out = [frame(s, optimal_targets(C, 64)[:, :dim] + 1e-3 * np.eye(C, dim), spread=0.001) for s in STEPS]
    lean = np.pad(np.eye(C) - 0.05, ((0, 0), (0, dim - C)))
    right_angles = [frame(s, lean / np.linalg.norm(lean, axis=1, keepdims=True), spread=0.001) for s in STEPS]
    for frames in (spread_out, right_angles):
        assert "hemisphere" not in [kind for kind, _ in told(alarms(frames))]
    tight = np.pad(np.eye(C) + 0.2, ((0, 0), (0, dim - C)))
    narrow = [frame(s, tight / np.linalg.norm(tight, axis=1, keepdims=True), spread=0.001) for s in STEPS]
    (found,) = [alarm for alarm in alarms(narrow) if alarm.kind == "hemisphere"]
    assert "right angles" in found.reason and "71°" in found.reason


def test_no_points_or_no_direction_is_no_cap() -> None:
    assert enclosing_cap(np.zeros((0, 3))) is None and enclosing_cap(np.zeros((2, 3))) is None


# ---------------------------------------------------------------------- losses


def test_a_refused_number_is_told_once() -> None:
    losses = [{"step": s, "contrast": None if s >= 30 else 1.0} for s in range(1, 40)]
    assert told(alarms([], losses=losses)) == [("not_finite", 30)]
    reason = (
        "supcon stopped at step 57 of 300 because loss term 'contrast' is nan at learning rate 0.5; try a lower one"
    )
    found = alarms([], losses=losses[:20], failure=reason)
    assert told(found) == [("not_finite", 57)] and reason in found[0].reason
    event = {"kind": "note", "text": "The metric 'mine' was not finite (nan)."}
    assert told(alarms([frame(40, events=[event])])) == [("not_finite", 40)]


def test_another_failure_is_not_about_numbers() -> None:
    assert alarms([], failure="supcon ran out of memory on cuda at step 3; try batch size 32 instead of 64") == []
    assert alarms([], failure="the worker that trained this run has died; information was kept") == []


def test_a_loss_at_the_level_of_one_point_is_stuck() -> None:
    level = math.log(2 * 64 - 1)
    values = [5.5 - 0.1 * s if s < 7 else level * (1 + 0.005 * (-1) ** s) for s in range(1, 101)]
    losses = [{"step": s, "contrast": v, "total": v + 0.1} for s, v in enumerate(values, 1)]
    found = alarms([], losses=losses, batch_size=64)
    assert told(found) == [("stuck_loss", 7)] and "'contrast'" in found[0].reason and "4.84" in found[0].reason
    assert alarms([], losses=losses, batch_size=32) == [], "another batch has another level"
    assert alarms([], losses=losses) == []


def test_losses_taken_in_as_they_come_tell_the_same_and_none_is_looked_at_twice() -> None:
    level = math.log(2 * 64 - 1)
    looked: list[int] = []

    class Lines(list):
        def __getitem__(self, place):
            found = super().__getitem__(place)
            looked.append(found["step"])
            return found

    losses = [{"step": s, "contrast": 9.0 if s in (20, 30) else level, "total": None} for s in range(1, 101)]
    watch, told = LossWatch(64, 2, stuck_window(100)), []
    for end in (10, 25, 26, 80, 100):
        told = find_alarms([], total_steps=100, losses=Lines(losses[:end]), batch_size=64, watch=watch)
    assert looked == list(range(1, 101))
    assert told == find_alarms([], total_steps=100, losses=losses, batch_size=64)
    assert [(alarm.kind, alarm.step) for alarm in told] == [("not_finite", 1), ("stuck_loss", 31)]
    went_back = find_alarms([], total_steps=100, losses=losses[:15], batch_size=64, watch=watch)
    assert [alarm.kind for alarm in went_back] == ["not_finite"], (
        "a run that was cut back is looked at from its beginning"
    )


def test_a_loss_that_passes_the_level_is_not_stuck() -> None:
    losses = [{"step": s, "contrast": 5.5 - 0.01 * s} for s in range(1, 101)]
    assert alarms([], losses=losses, batch_size=64) == []


# ---------------------------------------------------------------------- targets


def test_a_swap_after_half_of_training_is_told_with_names() -> None:
    swapped = np.arange(C)
    swapped[[2, 5]] = [5, 2]
    frames = [frame(s, target_index=swapped if s >= 70 else np.arange(C)) for s in STEPS]
    found = alarms(frames, class_names=[f"<b>{c}</b>" for c in range(C)])
    assert told(found) == [("target_swap", 70)] and "<b>2</b>, <b>5</b> changed places" in found[0].reason
    early = [frame(s, target_index=swapped if s >= 40 else np.arange(C)) for s in STEPS]
    assert alarms(early) == []


def test_a_matching_that_never_settles_is_one_alarm() -> None:
    frames = [frame(s, target_index=np.roll(np.arange(C), s // 10)) for s in STEPS]
    found = alarms(frames)
    assert told(found) == [("target_swap", 60)]
    assert "and 5 more changed places, and again up to step 100 (5 times in all)" in found[0].reason


def test_a_single_head_class_is_judged_by_thirds() -> None:
    """digits-lt at factor 50 has one class with more than 100 samples: shot groups would leave nothing to compare."""
    counts = np.array([120, 77, 50, 32, 21, 13, 8, 5, 3])
    observation = observe(frame(60, collapsed_tail()), counts)
    assert observation.tail_room is not None and observation.tail_room < 0.1


def test_shapes_are_those_of_the_training_points_where_they_are_known() -> None:
    """Test points spread while training points do not, and the other way round: theory speaks of the latter."""
    split = np.repeat([0, 1], 10 * C)
    for inner, outer, raised in (
        (cone, lambda: optimal_targets(C, 3), {"hemisphere"}),
        (lambda: optimal_targets(C, 3), cone, set()),
        (flat, lambda: optimal_targets(C, 3), {"dimensional_collapse"}),
        (collapsed_tail, lambda: optimal_targets(C, 3), {"minority_collapse"}),
    ):
        seen = []
        for step in STEPS:
            mine, theirs = frame(step, inner()), frame(step, outer())
            both = Shown(
                step, np.concatenate([mine.embeddings, theirs.embeddings]), np.tile(mine.labels, 2),
                metrics={"effective_rank": 2.9},
            )  # fmt: skip
            seen.append(observe(both, COUNTS, split))
        found = find_alarms(seen, total_steps=100)
        assert {alarm.kind for alarm in found} == raised
        assert all("training points" in alarm.reason for alarm in found)
