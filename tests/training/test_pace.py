"""The cost of watching, with a clock that only moves when told."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltviz.training.pace import MIN_FRAMES, FramePacer


class Clock:
    """Seconds that pass only by `advance`."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


def simulate(
    steps: int, share: float, fps: float, step_s: float, frame_s: float
) -> tuple[FramePacer, list[int], list[float]]:
    """A run of equal steps and frames; gives the pacer, the steps with frames, and when each frame began."""
    clock = Clock()
    pacer = FramePacer(steps, share, fps, clock=clock)
    framed, times = [], []
    for step in range(steps + 1):
        if step:
            clock.advance(step_s)
        if pacer.due(step):
            framed.append(step)
            times.append(clock.now)
            with pacer.frame():
                clock.advance(frame_s)
    return pacer, framed, times


@settings(max_examples=60, deadline=None)
@given(
    steps=st.integers(1, 3000),
    share=st.floats(0.01, 0.9),
    fps=st.floats(0.5, 100),
    step_s=st.floats(1e-4, 0.5),
    frame_s=st.floats(1e-4, 0.5),
)
def test_the_laws_hold_for_every_run(steps: int, share: float, fps: float, step_s: float, frame_s: float) -> None:
    pacer, framed, times = simulate(steps, share, fps, step_s, frame_s)
    assert framed[0] == 0 and framed[-1] == steps
    assert len(framed) >= min(MIN_FRAMES, steps + 1)
    wanted = {round(i * steps / MIN_FRAMES) for i in range(MIN_FRAMES + 1)}
    assert wanted <= set(framed)
    bought = [i for i, step in enumerate(framed) if step not in wanted]
    assert all(times[i] - times[i - 1] >= 1 / fps - 1e-9 for i in bought), "frames beyond the wanted ones keep the rate"
    free = frame_s * len(wanted)
    spent = frame_s * len(framed)
    assert pacer.share == pytest.approx(spent / pacer.elapsed)
    assert spent <= max(free, share * pacer.elapsed) * 1.02 + frame_s, "frames that must come are reckoned with"


@pytest.mark.parametrize("share", [0.05, 0.25, 0.6])
def test_a_long_run_reaches_the_share_and_not_more(share: float) -> None:
    pacer, _, _ = simulate(20_000, share, 1000, 0.004, 0.02)
    assert share * 0.95 < pacer.share < share * 1.01


@pytest.mark.parametrize("steps, frame_s", [(1500, 0.007), (2000, 0.0087), (4000, 0.0087)])
def test_a_run_that_can_keeps_its_share_to_the_end(steps: int, frame_s: float) -> None:
    """What is bought leaves room for the frames that must still come."""
    pacer, framed, _ = simulate(steps, 0.05, 10, 0.002, frame_s)
    assert len(framed) > MIN_FRAMES + 1 and pacer.share <= 0.05


def test_cheap_frames_are_bounded_by_the_rate_and_spread_evenly() -> None:
    _, framed, times = simulate(20_000, 0.9, 10, 0.004, 0.0001)
    assert len(framed) == pytest.approx(800, abs=40), "10 frames a second of an 80 s run"
    assert np.diff(times).max() < 0.11


@pytest.mark.parametrize("steps", [1, 2, 5, 19, 20, 21, 300])
def test_a_short_run_has_twenty_frames_whatever_they_cost(steps: int) -> None:
    pacer, framed, _ = simulate(steps, 0.01, 10, 0.001, 1.0)
    assert len(framed) == min(steps, MIN_FRAMES) + 1
    assert pacer.share > 0.9, "the share reached says so"


def test_idle_time_buys_no_frames_and_does_not_dilute_the_share() -> None:
    clock = Clock()
    pacer = FramePacer(10_000, 0.1, 1000, clock=clock)
    with pacer.frame():
        clock.advance(0.5)
    clock.advance(1.0)
    with pacer.idle():
        clock.advance(3600)
    assert not pacer.due(7)
    assert pacer.elapsed == pytest.approx(1.5) and pacer.share == pytest.approx(1 / 3)
    clock.advance(10)
    assert pacer.due(8)


def test_the_share_may_change_while_the_run_trains() -> None:
    clock = Clock()
    pacer = FramePacer(10_000, 0.01, 1000, clock=clock)
    with pacer.frame():
        clock.advance(0.1)
    clock.advance(1)
    assert not pacer.due(3)
    pacer.allowed = 0.5
    assert pacer.due(3)


def test_a_frame_that_fails_is_paid_for_too() -> None:
    clock = Clock()
    pacer = FramePacer(10_000, 0.5, 1000, clock=clock)
    with pytest.raises(OSError), pacer.frame():
        clock.advance(1)
        raise OSError
    assert pacer.share == 1


def test_a_frame_that_waits_for_room_costs_what_it_costs() -> None:
    clock = Clock()
    pacer = FramePacer(10_000, 0.1, 1000, clock=clock)
    with pacer.frame():
        clock.advance(0.5)
        with pacer.idle():
            clock.advance(3600)
            assert pacer.elapsed == pytest.approx(0.5), "time stands still"
    clock.advance(1.5)
    assert pacer.elapsed == pytest.approx(2) and pacer.share == pytest.approx(0.25)
    clock.advance(10)
    assert pacer.due(8), "the hour buys no frames, and is no reason to go without"
