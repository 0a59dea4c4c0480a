"""Sorting runs for comparison, and the table of means."""

from __future__ import annotations

import numpy as np
import pytest

from ltviz.export import charts
from ltviz.export.basis import images_a_step, images_seen_note, judge_note, readout_note
from ltviz.export.findings import compare_arms
from ltviz.export.report import write_report
from ltviz.export.results import best_of, group_results, read_results
from ltviz.export.summary import as_json, markdown
from ltviz.export.told import judges_of, told_in
from ltviz.metrics.judged import NAMES
from ltviz.recording import Recording
from ltviz.recording.evaluation import Evaluation, write_evaluation


def groups(*runs: Recording):
    return group_results(read_results(runs)[0])


def test_runs_that_differ_by_seed_alone_are_one_arm(six: list[Recording]) -> None:
    (group,) = groups(*six)
    assert group.shown == {"data": "digits-lt", "imbalance_factor": 50.0, "dim": 3}
    assert [(arm.label, arm.seeds) for arm in group.arms] == [("SUPCON", [0, 1, 2]), ("BCL", [0, 1, 2])]
    assert group.arms[1].mean("centre_sum") == pytest.approx(np.mean([0.31, 0.30, 0.28]))
    assert group.arms[1].deviation("centre_sum") == pytest.approx(np.std([0.31, 0.30, 0.28], ddof=1))
    assert group.baseline is group.arms[0], "without CE the first one"
    best = {key: best_of(group.arms, key) for key in ("centre_sum", "accuracy_few", "accuracy_many")}
    assert best == {"centre_sum": group.arms[1], "accuracy_few": group.arms[1], "accuracy_many": None}


def test_every_other_setting_makes_another_cell(make_run) -> None:
    found = groups(
        make_run("ce", steps=20), make_run("ce", steps=40), make_run("ce", imbalance_factor=10.0), make_run("ce", dim=4)
    )
    assert len(found) == 4 and all(list(group.shown)[:3] == ["data", "imbalance_factor", "dim"] for group in found)
    assert {group.shown["steps"] for group in found} == {20, 40}
    assert [group.shown["imbalance_factor"] for group in found] == [10.0, 50.0, 50.0, 50.0], "sorted by the settings"


def test_how_a_run_was_watched_makes_no_other_cell(make_run) -> None:
    assert len(groups(make_run("ce", watch_share=0.05, device="cpu"), make_run("bcl", watch_share=0.5, threads=2))) == 1


def test_a_run_from_before_a_setting_came_shares_the_cell_of_its_default(make_run) -> None:
    new = {"optimizer": "adamw", "schedules": "", "profile": ""}
    assert len(groups(make_run("ce"), make_run("bcl", **new))) == 1
    assert len(groups(make_run("ce"), make_run("bcl", **new | {"optimizer": "sgd"}))) == 2


def test_settings_of_a_method_tell_its_arms_apart(make_run) -> None:
    (group,) = groups(
        make_run("bcl", settings={"temperature": 0.1, "average": "class"}),
        make_run("bcl", settings={"temperature": 0.2, "average": "class"}),
        make_run("ce", settings={"temperature": 0.7}),
    )
    assert [arm.label for arm in group.arms] == ["BCL (temperature 0.1)", "BCL (temperature 0.2)", "CE"]


def test_of_two_runs_with_one_seed_the_newer_is_compared(make_run) -> None:
    (group,) = groups(make_run("bcl", 0, centre_sum=0.9), make_run("bcl", 0, centre_sum=0.1))
    assert group.arms[0].by_seed("centre_sum") == {0: 0.1} and group.arms[0].mean("centre_sum") == 0.5


def test_runs_without_a_seed_have_means_and_no_pairs(make_run) -> None:
    (group,) = groups(make_run("bcl", None), make_run("ce", None))
    assert group.arms[0].by_seed("centre_sum") == {} and group.arms[0].mean("centre_sum") == 0.5
    assert "no seed in common" in compare_arms(group, *group.arms, "centre_sum").sentence()


def test_the_table_in_markdown(six: list[Recording], make_run) -> None:
    lines = markdown(groups(*six)).splitlines()
    assert lines[0].split("|")[1:-1][0].strip() == "data" and len({line.count("|") for line in lines}) == 1
    assert "| BCL    |     3 |" in lines[3] and "**70.0 ± 0.0**" in lines[3] and "**0.297 ± 0.015**" in lines[3]
    assert "0.417 ± 0.045" in lines[2] and "medium" not in lines[0], "medium was not measured"
    nasty = markdown(groups(make_run("ce", title="a|b <img src=x> `c`\nd *e*")))
    assert "a\\|b &lt;img src=x&gt; \\`c\\` d \\*e\\*" in nasty and len(nasty.splitlines()) == 3
    assert "± " not in nasty, "one run has no deviation"
    assert markdown([]) == "no finished runs\n"


def test_samples_with_several_labels_have_a_table_of_their_own(six: list[Recording], make_run) -> None:
    multi = make_run("bce", data="digits-ml", metrics={"map_many": 0.9, "map_medium": 0.7, "map_few": 0.4})
    first, second = markdown(groups(*six, multi)).split("\n\n")
    assert (
        "few % ↑" in first and "centre sum, all samples ↓" in first and "mAP" not in first and "digits-ml" not in first
    )
    assert "mAP few %" in second and "40.0" in second and second.count("digits-ml") == 1
    assert [row.get("map_few", {}).get("mean") for row in as_json(groups(multi))] == [0.4]


def test_the_table_in_json(six: list[Recording]) -> None:
    rows = as_json(groups(*six))
    assert [row["method"] for row in rows] == ["supcon", "bcl"] and rows[1]["seeds"] == [0, 1, 2]
    assert rows[1]["centre_sum"]["values"] == {0: 0.31, 1: 0.30, 2: 0.28} and "accuracy_medium" not in rows[1]


def test_the_sphere_of_a_read_out_is_left_out_of_comparisons(make_run) -> None:
    (group,) = groups(make_run("ce"), make_run("supcon"), make_run("bcl"))
    assert [arm.mean("centre_sum") for arm in group.arms] == [None, 0.5, 0.5]
    assert [arm.mean("accuracy_few") for arm in group.arms] == [0.5] * 3
    assert group.baseline_in("accuracy_few") is group.arms[0] and group.baseline_in("centre_sum") is group.arms[1]
    assert readout_note([group]).startswith("The sphere of CE is a read-out") and "CE's" not in readout_note([group])
    assert readout_note(groups(make_run("supcon", dim=4))) == ""


@pytest.fixture
def judged(make_run):
    """judged("ce", few={"own": .6, "ncm": .8}) -> a run that was evaluated at its end."""

    def made(method: str, seed: int = 0, *, few: dict[str, float], several: bool = False, **more) -> Recording:
        run = make_run(method, seed, **more)
        shares = {judge: {"all": share, "many": 0.9, "medium": 0.8, "few": share} for judge, share in few.items()}
        scores = {"all": 0.5, "few": 0.4} if several else {}
        sphere = {part: {"centre_sum": value} for part, value in (("train", 0.1), ("test", 0.2))}
        write_evaluation(
            run.path,
            Evaluation(
                step=max(run.frame_metrics()), test_images=[50] * 5, accuracy={} if several else shares, map=scores,
                geometry=sphere, features=sphere,
            ),
        )  # fmt: skip
        return run

    return made


def test_one_judge_decides_which_accuracies_stand_first_and_own_ones_stand_beside(judged) -> None:
    shares = {"own": 0.6, "ncm": 0.8, "linear": 0.7}
    found = groups(judged("ce", few=shares), judged("bcl", few=shares))
    assert judges_of(found) == ["ncm", "own", "linear"]
    for judge, second in (("ncm", "own"), ("linear", "own"), ("own", "ncm")):
        for place in ("table", "summary", "report"):
            keys = [one.key for one in told_in(place, found, judge) if "accuracy" in one.key]
            assert [key for key in keys if key.endswith(f"_{judge}")][-1] == f"final_accuracy_few_{judge}"
            assert keys[-1] == f"final_accuracy_few_{second}" and not any(
                key.endswith("linear") for key in keys if judge != "linear"
            )
        assert next(one.key for one in told_in("findings", found, judge)) == f"final_accuracy_few_{judge}"
        assert f"few, {judge} % ↑" in markdown(found, judge=judge)
        assert f"({NAMES[judge]}); beside it" in judge_note(found, judge)
    assert {"final_accuracy_few_own", "final_accuracy_few_linear"} <= as_json(found)[0].keys()


def test_without_an_evaluation_of_every_run_each_is_judged_by_its_own_classifier(judged, make_run) -> None:
    found = groups(judged("bcl", few={"own": 0.6, "ncm": 0.8}), make_run("ce"))
    assert judges_of(found) == [] and "few % ↑" in markdown(found, judge="ncm")
    assert judge_note(found).endswith("1 of 2 was not.") and "own classifier" in judge_note(found)
    assert judges_of(groups(judged("bce", few={}, several=True))) == []
    assert "own scores" in judge_note(groups(judged("bce", few={}, several=True)))
    partly = groups(judged("bcl", few={"own": 0.6, "ncm": 0.8}), judged("ce", few={"own": 0.6}))
    assert judges_of(partly) == ["own"], "a judge is asked about all or none"


def test_the_end_shows_test_geometry_where_the_frames_mix(judged) -> None:
    (group,) = groups(judged("bcl", few={"own": 0.6}), judged("ce", few={"own": 0.6}))
    keys = {one.key for one in told_in("table", [group])}
    assert {"final_centre_sum_test", "final_centre_sum_test_features"} <= keys and "centre_sum" not in keys
    assert [arm.mean("final_centre_sum_test") for arm in group.arms] == [0.2, None], "a read-out has no sphere"
    assert [arm.mean("final_centre_sum_test_features") for arm in group.arms] == [0.2, 0.2]


def test_test_and_training_geometry_are_shown_apart_where_frames_know_them(make_run) -> None:
    apart = {
        "centre_sum": 0.5,
        "centre_sum_test": 0.6,
        "simplex_deviation_mean": 0.3,
        "simplex_deviation_mean_train": 0.2,
    }
    whole = {"centre_sum": 0.5, "simplex_deviation_mean": 0.3}
    new, old = make_run("bcl", metrics=apart), make_run("supcon", metrics=whole)

    def labels(*runs: Recording) -> list[str]:
        return [one.label_in("table") for one in told_in("table", groups(*runs))]

    assert labels(new) == ["Centre sum, test", "Deviation, train"]
    assert labels(old) == ["Centre sum, all samples", "Deviation"]
    assert labels(new, old) == ["Centre sum, test", "Centre sum, all samples", "Deviation, train", "Deviation"]


def test_unequal_images_are_said(make_run) -> None:
    def seen(*rates: int) -> str:
        metrics = [{"accuracy_few": 0.5, "images_seen": 20.0 * rate} for rate in rates]
        methods = ("ce", "supcon", "simclr", "bcl")
        (group,) = groups(*(make_run(m, metrics=x) for m, x in zip(methods, metrics, strict=False)))
        return images_seen_note(images_a_step(group))

    assert seen(64, 128, 128, 192).startswith(
        "Unequal images: at each step CE saw 64, SUPCON and SIMCLR 128 and BCL 192, each view counted."
    )
    assert "3 views" in seen(64, 128) and seen(192, 192, 191) == "" and seen(64) == ""


def test_a_report_says_who_judged(judged, tmp_path) -> None:
    shares = {"own": 0.6, "ncm": 0.8, "linear": 0.7}
    runs = [judged(method, few=shares) for method in ("ce", "bcl")]
    for judge, words in (
        ("ncm", "the nearest class mean of the frozen features"),
        ("linear", "a class-balanced linear"),
    ):
        write_report(tmp_path / "report.html", runs, judge=judge)
        page = (tmp_path / "report.html").read_text(encoding="utf-8")
        assert f"at the end of training, by {words}" in page and f"few, {judge} % ↑" in page and "few, own % ↑" in page


def test_charts_of_classes_are_of_one_part_of_the_samples(make_run) -> None:
    run = make_run("bcl")
    (result,), _ = read_results([run])
    frame, split = charts.frame_of(result), run.probe.split
    assert frame is not None
    for part, value in (("train", 0), ("test", 1)):
        labels = charts.labels_of(result, frame, part)
        assert (labels[split == value] == frame.labels[split == value]).all() and (labels[split != value] == -1).all()
    ridges = charts.angles(result, frame, "light").data
    shown = sum(len(trace.x) for trace in ridges if trace.type == "violin")
    assert shown == int((split == 1).sum()), "test samples alone"
