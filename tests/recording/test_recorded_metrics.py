"""The metrics of very many frames: what dicts would say, in a fraction of their room."""

import tracemalloc

from ltviz.recording.recorded_metrics import RecordedMetrics

GIVEN = {30: {"a": 1.0, "b": 2.0}, 10: {"b": 3.0, "a": 4.0}, 20: {"a": 5.0}}


def _taken() -> RecordedMetrics:
    found = RecordedMetrics()
    for step, metrics in GIVEN.items():
        found.set(step, metrics)
    return found


def test_it_says_what_it_was_given():
    assert _taken() == GIVEN
    assert list(_taken().in_order()) == [10, 20, 30]
    assert 20 in _taken() and 5 not in _taken()
    assert _taken().get(5) is None


def test_a_curve_is_one_metric_by_growing_step():
    assert _taken().curve("a") == ([10, 20, 30], [4.0, 5.0, 1.0])
    assert _taken().curve("b") == ([10, 30], [3.0, 2.0])
    assert _taken().curve("c") == ([], [])


def test_a_curve_that_was_asked_for_follows_what_is_taken_in():
    found = _taken()
    assert found.curve("a") is found.curve("a")
    found.set(40, {"a": 6.0})
    assert found.curve("a")[0] == [10, 20, 30, 40]
    found.forget(20)
    assert found.curve("a")[0] == [10, 30, 40]


def test_what_is_known_now_does_not_change_later():
    all_ = _taken()
    now = all_.in_order()
    all_.set(40, {"a": 0.0})
    assert all_.forget(10) and not all_.forget(10)
    now[30]["a"] = -1.0  # the caller's own
    assert now == GIVEN


def test_a_frame_takes_little_more_than_its_numbers():
    names, found = [f"metric_{i}" for i in range(25)], RecordedMetrics()
    tracemalloc.start()
    for step in range(2_000):
        found.set(step, {f"{name}": step / 7 for name in names})
    taken = tracemalloc.get_traced_memory()[0] / 2_000
    tracemalloc.stop()
    assert taken < 2.5 * 8 * len(names), f"{taken:.0f} bytes a frame"
