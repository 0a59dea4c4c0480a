"""The clock decides what each panel shows: pure, so time is a number here."""

from __future__ import annotations

import pytest
from ltviz_app.service.clock import MAX_TICKS, REST_SECONDS, Clock, Track, union

STEPS = (0, 10, 20, 30)


def shown(clock: Clock, tracks: dict[str, Track], now: float) -> dict[str, int]:
    clock.tick(tracks, now)
    return clock.targets(tracks)


def test_a_live_run_shows_its_newest_frame():
    clock = Clock()
    assert shown(clock, {"a": Track(STEPS, live=True)}, 0.0) == {"a": 30}
    assert shown(clock, {"a": Track((*STEPS, 40), live=True)}, 0.01) == {"a": 40}


def test_finished_runs_play_at_hz_rest_at_the_end_and_start_again():
    clock, tracks = Clock(hz=10), {"a": Track(STEPS, live=False), "b": Track((0, 20), live=False)}
    seen = [shown(clock, tracks, 0.1001 * tick) for tick in range(4 + round(REST_SECONDS * 10) + 1)]
    assert [at["a"] for at in seen[:4]] == [0, 10, 20, 30]
    assert [at["b"] for at in seen[:4]] == [0, 0, 20, 20]
    assert {at["a"] for at in seen[4:-1]} == {30}
    assert seen[-1]["a"] == 0


def test_a_resting_clock_keeps_its_beat():
    clock, tracks = Clock(hz=10), {"a": Track((0,), live=False)}
    shown(clock, tracks, 0.0)
    beat = clock.beat
    shown(clock, tracks, 0.2)
    assert clock.beat == beat + 1


def test_a_run_watched_to_its_end_rests_there():
    clock = Clock(hz=10)
    shown(clock, {"a": Track(STEPS, live=True)}, 0.0)
    assert shown(clock, {"a": Track(STEPS, live=False)}, 1.0) == {"a": 30}


def test_beside_a_live_run_the_finished_one_plays():
    clock, tracks = Clock(hz=10), {"old": Track(STEPS, live=False), "new": Track((0, 1, 2), live=True)}
    assert shown(clock, tracks, 0.0) == {"old": 30, "new": 2}
    clock.follow()
    assert shown(clock, tracks, 10.0)["new"] == 2


def test_hold_shows_the_newest_frame_at_or_before_the_step():
    clock = Clock(step=25)
    tracks = {"a": Track(STEPS, live=True), "late": Track((28, 30), live=True), "empty": Track((), live=True)}
    assert shown(clock, tracks, 0.0) == {"a": 20}
    clock.hold(28)
    assert clock.targets(tracks) == {"a": 20, "late": 28}
    assert clock.wait(0.0) is None


def test_play_from_a_step_goes_on_and_meets_the_live_run():
    clock, tracks = Clock(hz=10), {"a": Track(STEPS, live=True)}
    clock.play(10)
    assert [shown(clock, tracks, 1 + 0.1001 * i)["a"] for i in range(2)] == [20, 30]
    shown(clock, tracks, 2.0)
    assert clock.mode == "follow"


def test_a_run_that_grows_is_not_played_twice():
    clock = Clock(hz=10)
    clock.play(0)
    shown(clock, {"a": Track((0, 1), live=False)}, 1.0)
    assert shown(clock, {"a": Track((0, 1, 2), live=False)}, 1.2) == {"a": 2}


def test_speed_changes_the_interval_and_skips_frames_beyond_the_tick_rate():
    clock, tracks = Clock(hz=10), {"a": Track(tuple(range(100)), live=False)}
    clock.set_speed(2)
    assert clock.interval == pytest.approx(0.05)
    clock.set_speed(float("nan"))
    assert clock.speed == 2
    clock.set_speed(1000)
    assert clock.interval == pytest.approx(1 / MAX_TICKS)
    first = shown(clock, tracks, 0.0)["a"]
    assert shown(clock, tracks, 0.1)["a"] - first == round(160 / MAX_TICKS)


@pytest.mark.parametrize(("hz", "kept"), [(0, 0.1), (-5, 0.1), (1e9, 60.0), (25, 25)])
def test_hz_is_held_in_its_bounds(hz: float, kept: float):
    assert Clock(hz=hz).hz == kept


def test_union_of_timelines():
    assert union([]) == ()
    assert union([(), (1, 2)]) == (1, 2)
    assert union([(1, 2), (1, 2)]) == (1, 2)
    assert list(union([(1, 3), (2, 3)])) == [1, 2, 3]
