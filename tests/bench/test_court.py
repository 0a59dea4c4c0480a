"""The court of measures: its verdicts, which the cautions of the measures rest on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ltviz.bench import measures
from ltviz.metrics import court

FAILED = {
    "feature cloning": {"uniformity", "mmd_sphere"},
    "feature padding": {"uniformity", "mmd_sphere"},
    "dimensional collapse": {"mmd_sphere"},
    "number of points": {"uniformity_wasserstein", "sliced_wasserstein_sphere", "effective_rank"},
    "dimensions": {"uniformity", "uniformity_wasserstein", "effective_rank"},
    "head cloned": {*measures.MEASURES},
    "tail cloned": {*measures.MEASURES},
    "probe unbalanced": {*measures.MEASURES},
}


@pytest.fixture(scope="module")
def heard() -> dict[str, Any]:
    return measures.hear()


def test_the_verdicts_are_those_that_were_found_and_those_that_are_kept(heard: dict[str, Any]) -> None:
    failed = {
        charge: {name for name, one in row["measures"].items() if not one["passed"]} for charge, row in heard.items()
    }
    assert {charge: names for charge, names in failed.items() if names} == FAILED
    kept = {trial.name: trial for trial in court.read_court().trials}
    assert list(kept) == list(heard) == [charge.name for charge in measures.CHARGES]
    for name, row in heard.items():
        assert (kept[name].asks, list(kept[name].along), kept[name].judges) == (
            row["asks"],
            row["along"],
            row["judges"],
        )
        assert {key for key, tried in kept[name].measures.items() if not tried.passed} == failed[name]
        for key, one in row["measures"].items():
            assert kept[name].measures[key].curve == pytest.approx(one["curve"], abs=0.01)
            assert len(one["curve"]) == len(row["along"])


@pytest.mark.parametrize(
    "key, blind",
    [
        ("uniformity_test", {"dimensions", "balance"}),
        ("uniformity_wasserstein", {"points", "dimensions", "balance"}),
        ("mmd_sphere", {"balance"}),
        ("centre_sum", set()),
    ],
)
def test_what_a_measure_is_blind_to_follows_from_its_trials(key: str, blind: set[str]) -> None:
    assert court.blind_to(key) == blind


def test_what_sees_nothing_passes_where_nothing_changes_alone() -> None:
    nearly_blind = lambda z: float(np.ptp(z) == 1)  # noqa: E731 - 1 where all points are one axis, else 0
    by_name = {charge.name: measures.try_measure(nearly_blind, charge)[0] for charge in measures.CHARGES}
    assert by_name == {charge.name: not charge.grows for charge in measures.CHARGES}


def test_what_is_written_is_what_is_printed(
    heard: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(measures, "hear", lambda: heard)
    monkeypatch.setattr(measures, "RECORDED", tmp_path / "court.json")
    measures.run(["--write"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + len(measures.CHARGES) and "failed (-0.08)" in "".join(lines)
    assert json.loads((tmp_path / "court.json").read_text())["charges"] == heard
    measures.run(["--json"])
    found = json.loads(capsys.readouterr().out)
    assert found == {charge: row["measures"] for charge, row in heard.items()}
