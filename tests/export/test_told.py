"""Who judges compared runs at frames: one judge for all wherever the frames know it."""

from __future__ import annotations

import numpy as np
import pytest

from ltviz.export import charts
from ltviz.export.basis import judge_note
from ltviz.export.findings import images_note
from ltviz.export.report import write_report
from ltviz.export.results import group_results, read_results
from ltviz.export.summary import as_json, markdown
from ltviz.export.told import accuracy_key, judges_of, told_in, told_over_training
from ltviz.metrics import shot_groups
from ltviz.recording import Recording


def shares(own: float, ncm: float | None = None, sphere: float | None = None, linear: float | None = None):
    """The accuracies of a frame by these judges."""
    given = {
        "accuracy_{}": own, "accuracy_ncm_{}_features": ncm, "accuracy_ncm_{}": sphere,
        "accuracy_probe_{}_features": linear,
    }  # fmt: skip
    shots = ("all", "many", "medium", "few")
    return {kind.format(shot): share for kind, share in given.items() if share is not None for shot in shots}


def groups(*runs: Recording):
    return group_results(read_results(runs)[0])


@pytest.fixture
def race(make_run):
    """CE, whose sphere is a read-out, and BCL, of frames that all judges know."""
    ce, bcl = shares(0.4, 0.8, 0.1, 0.7), shares(0.6, 0.7, 0.9, 0.6)
    return [make_run(method, metrics=found | {"centre_sum": 0.5}) for method, found in (("ce", ce), ("bcl", bcl))]


def test_frames_are_compared_by_one_judge_with_own_beside(race) -> None:
    found = groups(*race)
    assert judges_of(found) == ["ncm", "own", "linear"]
    for judge, kind, second in (
        ("ncm", "accuracy_ncm_{}_features", "accuracy_few"),
        ("linear", "accuracy_probe_{}_features", "accuracy_few"),
        ("own", "accuracy_{}", "accuracy_ncm_few_features"),
    ):
        keys = [one.key for one in told_in("table", found, judge) if "accuracy" in one.key]
        assert keys == [*(kind.format(shot) for shot in ("many", "medium", "few")), second]
        assert next(one.key for one in told_in("findings", found, judge)) == kind.format("few")
        curves = [one.key for one in told_over_training("curves", found, judge) if "accuracy" in one.key]
        assert curves == [kind.format("few")]
        assert accuracy_key(found, judge, "few") == kind.format("few")
        assert kind.format("few") in as_json(found)[0]
    assert "few, ncm % ↑" in markdown(found) and "few % ↑" in markdown(found)


def test_it_is_said_what_taught_the_judge_and_what_was_judged(race) -> None:
    found = groups(*race)
    said = judge_note(found)
    assert "of the test points that the frames show, by the nearest class mean of the features" in said
    train = int((race[0].probe.split == 0).sum())
    assert "own classifier (own)" in said and said.endswith(f"Training points there: {train}.")
    assert "solved to its minimum by least squares" in judge_note(found, "linear")
    rare = np.isin(race[0].probe.labels, shot_groups(np.array(race[0].info.counts)).tail)
    few = int((rare & (race[0].probe.split == 1)).sum())
    assert f"few {few} (± " in images_note(found, [one.key for one in told_in("table", found)])


def test_frames_of_other_programs_are_judged_on_the_sphere_where_nobodys_is_a_read_out(make_run) -> None:
    other, old = shares(0.5, sphere=0.6), make_run("ce", metrics=shares(0.4, sphere=0.1))
    spheres = [make_run(method, metrics=other) for method in ("supcon", "bcl")]
    assert judges_of(groups(*spheres)) == ["ncm", "own"]
    assert next(one.key for one in told_in("findings", groups(*spheres))) == "accuracy_ncm_few"
    assert "on the sphere (nearest mean)" in judge_note(groups(*spheres))
    mixed = groups(old, *spheres)
    assert judges_of(mixed) == ["own"], "the sphere of CE was trained beside its encoder"
    assert next(one.key for one in told_in("findings", mixed)) == "accuracy_few"
    assert next(one.key for one in told_over_training("curves", mixed)) == "accuracy_few"
    assert "own classifier (own)" in judge_note(mixed)
    several = [make_run("bce", metrics=shares(0.5, 0.6) | {"map_all": 0.4, "map_few": 0.3}) for _ in range(2)]
    assert judges_of(groups(*several)) == []


def test_no_curve_shows_the_sphere_of_a_read_out(race) -> None:
    (group,) = groups(*race)
    figure = charts.curves(group, "centre_sum", "light")
    assert figure is not None and {trace.name for trace in figure.data if trace.name} == {"BCL"}


def test_curves_of_a_report_follow_the_judge(race, tmp_path) -> None:
    pages = {}
    for judge in ("ncm", "own"):
        write_report(tmp_path / f"{judge}.html", race, judge=judge)
        pages[judge] = (tmp_path / f"{judge}.html").read_text(encoding="utf-8").split("Over training")[1]
    assert "Nearest-mean accuracy of features, rare classes" in pages["ncm"]
    assert "Nearest-mean accuracy of features, rare classes" not in pages["own"]
