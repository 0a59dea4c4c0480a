"""Charts of a run whose samples do not all have a label: the others are as if those were not there."""

from __future__ import annotations

import numpy as np
import pytest

import ltviz
from ltviz.export import charts
from ltviz.export.report import write_report
from ltviz.export.results import group_results, read_results
from ltviz.recording import Recording
from ltviz.recording.measured import find_alarms_of

Y = np.repeat([0, 1, 2], [20, 10, 8])


def points() -> np.ndarray:
    z = np.random.default_rng(0).normal(size=(38, 3)) + 2 * np.eye(3)[Y]
    return z / np.linalg.norm(z, axis=1, keepdims=True)


def recorded(path, z, labels, **given) -> Recording:
    with ltviz.record(path, labels=labels, **given) as run:
        run.frame(0, embeddings=z, predictions=labels)
        run.frame(10, embeddings=z, predictions=labels)
    return Recording(path)


@pytest.fixture
def both(home):
    """The group of a run with unlabelled samples, and that of the same run without them."""
    free = np.arange(38) % 3 == 0
    labels = [None if off else int(y) for y, off in zip(Y, free, strict=True)]
    some = recorded(home / "some-run", points(), labels)
    rest = recorded(home / "rest-run", points()[~free], Y[~free])
    return [group_results(read_results([run])[0])[0] for run in (some, rest)]


@pytest.mark.parametrize("name", ["spreads", "territories", "counts"])
def test_charts_of_classes_leave_them_out(both, name) -> None:
    a, b = (getattr(charts, name)(group, "light") for group in both)
    for one, other in zip(a.data, b.data, strict=True):
        np.testing.assert_allclose(np.asarray(one.y, float), np.asarray(other.y, float))


@pytest.mark.parametrize("name", ["cosines", "angles", "confusion"])
def test_charts_of_a_frame_leave_them_out(both, name) -> None:
    drawn = []
    for group in both:
        result = group.arms[0].results[0]
        frame = charts.frame_of(result)
        assert frame is not None
        drawn.append(getattr(charts, name)(result, frame, "light").to_json())
    assert drawn[0] == drawn[1]


def test_alarms_leave_them_out(both) -> None:
    a, b = (find_alarms_of(group.arms[0].results[0].recording) for group in both)
    assert a == b


def test_a_report_of_a_run_without_classes_shows_its_points(home, tmp_path) -> None:
    run = recorded(home / "free-run", points(), [None] * 38)
    write_report(tmp_path / "report.html", [run], made=1e9)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "unlabelled (38)" in page and "Measures of classes" not in page
