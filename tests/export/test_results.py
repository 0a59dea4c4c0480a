"""Sorting runs for comparison, and the table of means."""

from __future__ import annotations

import numpy as np
import pytest

from ltviz.export.findings import compare_arms
from ltviz.export.results import as_json, best_of, group_results, markdown, read_results
from ltviz.recording import Recording


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
    assert "0.417 ± 0.045" in lines[2] and "–" in lines[2], "medium was not measured"
    nasty = markdown(groups(make_run("ce", title="a|b <img src=x> `c`\nd *e*")))
    assert "a\\|b &lt;img src=x&gt; \\`c\\` d \\*e\\*" in nasty and len(nasty.splitlines()) == 3
    assert "± " not in nasty, "one run has no deviation"
    assert markdown([]) == "no finished runs\n"


def test_samples_with_several_labels_have_a_table_of_their_own(six: list[Recording], make_run) -> None:
    multi = make_run("bce", data="digits-ml", metrics={"map_many": 0.9, "map_medium": 0.7, "map_few": 0.4})
    first, second = markdown(groups(*six, multi)).split("\n\n")
    assert "few % ↑" in first and "centre sum ↓" in first and "mAP" not in first and "digits-ml" not in first
    assert "mAP few %" in second and "40.0" in second and second.count("digits-ml") == 1
    assert [row.get("map_few", {}).get("mean") for row in as_json(groups(multi))] == [0.4]


def test_the_table_in_json(six: list[Recording]) -> None:
    rows = as_json(groups(*six))
    assert [row["method"] for row in rows] == ["supcon", "bcl"] and rows[1]["seeds"] == [0, 1, 2]
    assert rows[1]["centre_sum"]["values"] == {0: 0.31, 1: 0.30, 2: 0.28} and "accuracy_medium" not in rows[1]
