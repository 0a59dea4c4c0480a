"""What an assistant is told about runs; the protocol itself is talked in tests/release/check_mcp.py."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from ltviz.cli import main
from ltviz.errors import ConfigError, RecordingError
from ltviz.integrations import answers
from ltviz.recording import Home, RunInfo, RunWriter, record
from ltviz.recording.attention import FILE, Attention, read_attention, write_attention

LABELS = np.repeat([0, 1, 2], [20, 10, 5])


@pytest.fixture
def root(home: Path) -> Home:
    """Two runs of frames 0, 5, ... 45; the second collapses onto one point from step 20 on."""
    for name in ("one-run", "two-run"):
        with record(home / name, labels=LABELS, class_names=["a", "b", "c"], sample_ids=np.arange(35) * 2) as run:
            for step in range(0, 50, 5):
                z = np.random.default_rng(step).normal(size=(35, 3))
                if name == "two-run" and step >= 20:
                    z = z * 1e-3 + [1, 0, 0]
                run.frame(step, embeddings=z)
    return Home(home)


def test_runs_are_listed_with_what_they_are(root: Home) -> None:
    told = answers.list_runs(root)
    assert {row["run_id"] for row in told["runs"]} == {"one-run", "two-run"} and told["left_out"] == 0
    row = told["runs"][0]
    assert (row["state"], row["first_step"], row["last_step"], row["frames"]) == ("finished", 0, 45, 10)
    assert (row["dim"], row["num_classes"], row["method"]) == (3, 3, None)
    assert answers.list_runs(root, most=1)["left_out"] == 1 and answers.list_runs(root, state="running")["runs"] == []


def test_an_empty_home_answers_with_the_demos_as_the_app_does(home: Path) -> None:
    assert any(row["run_id"] == "demo-ce" for row in answers.list_runs(Home(home))["runs"])
    assert answers.measure(Home(home), "demo-ce")["step"] == 300


def test_measures_come_with_their_meaning_and_over_steps(root: Home) -> None:
    told = answers.measure(root, "two-run", keys=["centre_sum"])
    assert told["step"] == 45 and told["measures"]["centre_sum"] > 0.99 and told["meaning"].keys() == {"centre_sum"}
    course = answers.course(root, "two-run", "centre_sum", most=4)["values"]
    assert [value["step"] for value in course] == [0, 15, 30, 45] and course[0]["value"] < course[-1]["value"]


def test_alarms_are_those_since_a_step(root: Home) -> None:
    found = answers.alarms(root, "two-run")["alarms"]
    assert found and all(alarm["step"] >= 20 and alarm["reason"] and alarm["advice"] for alarm in found)
    assert answers.alarms(root, "two-run", since=46)["alarms"] == []


def test_runs_are_compared_side_by_side(root: Home) -> None:
    told = answers.compare(root, ["one-run", "two-run"], keys=["centre_sum"])
    sums = {row["run_id"]: row["measures"]["centre_sum"] for row in told["runs"]}
    assert sums["one-run"] < 0.99 < sums["two-run"]
    assert all(row["step"] == 45 for row in told["runs"]) and told["left_out"] == []
    demos = answers.compare(Home(root.root / "none"), ["demo-ce", "demo-bcl"])
    assert "seed" in " ".join(demos["sentences"]), "one seed tells nothing, and that is said"


def test_what_if_tells_each_methods_forces_and_how_far_they_agree(home: Path) -> None:
    own = np.array([[3.0, 0, 0], [0, 4, 0], [0, 0, 0]], np.float32)
    info = RunInfo(
        run_id="forced-run",
        method="ce",
        created=0.0,
        dim=3,
        num_classes=3,
        class_names=["a", "b", "c"],
        counts=[9, 30, 1],
    )
    with RunWriter.create(home / "forced-run", info, labels=[0, 1, 2]) as run:
        run.frame(4, embeddings=np.eye(3), forces={"ce": {"total": own}, "supcon": {"total": -own[[1, 0, 2]]}})
    first, second = answers.what_if(Home(home), "forced-run")["methods"]
    assert first["own"] and first["cosine_with_own"] == 1
    assert list(first["force_by_class"].items()) == [("b", 4.0), ("a", 3.0), ("c", 0.0)], "from most samples to fewest"
    assert second["cosine_with_own"] == 0 and second["trusted_to"] > 0 and isinstance(second["can_be_trusted"], bool)


def test_what_is_selected_in_the_app_is_told_with_its_classes(root: Home) -> None:
    assert answers.selection(root)["sample_ids"] == []
    write_attention(root.root, Attention(runs=["one-run"], sample_ids=[0, 68, 999], at=5.0))
    told = answers.selection(root)
    assert told["sample_ids"] == [0, 68, 999] and told["of_run"] == "one-run" and told["selected_at"] == 5.0
    assert told["samples"] == [
        {"sample_id": 0, "class": "a", "prediction": None},
        {"sample_id": 68, "class": "c", "prediction": None},
    ]
    (root.root / FILE).write_text("{")
    assert read_attention(root.root) is None


@pytest.mark.parametrize("run", ["../one-run", "/etc", "", "no-such-run", "."])
def test_nothing_but_a_run_of_the_home_is_answered_about(root: Home, run: str) -> None:
    with pytest.raises(RecordingError, match="there is no run"):
        answers.measure(root, run)


def test_what_cannot_be_answered_is_a_sentence(root: Home) -> None:
    with pytest.raises(ConfigError, match="has no measure 'nothing'"):
        answers.measure(root, "one-run", keys=["nothing"])
    with pytest.raises(ConfigError, match="needs two runs"):
        answers.compare(root, ["one-run", "one-run"])
    with pytest.raises(ConfigError, match="holds no forces"):
        answers.what_if(root, "one-run")


def test_without_the_package_one_line_says_how_to_get_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "mcp", None)
    assert main(["mcp"]) == 2
    said = capsys.readouterr()
    assert said.out == "" and "pip install 'mcp>=2'" in said.err and said.err.count("\n") == 1
