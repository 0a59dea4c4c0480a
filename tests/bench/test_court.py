"""The court of measures: its verdicts, which the cautions of the measures rest on."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ltviz.bench import measures

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


def test_the_verdicts_are_those_that_were_found(capsys: pytest.CaptureFixture[str]) -> None:
    measures.run(["--json"])
    found = json.loads(capsys.readouterr().out)
    assert {*found} == {charge.name for charge in measures.CHARGES}
    failed = {charge: {name for name, one in row.items() if not one["passed"]} for charge, row in found.items()}
    assert {charge: names for charge, names in failed.items() if names} == FAILED


def test_what_sees_nothing_passes_where_nothing_changes_alone() -> None:
    nearly_blind = lambda z: float(np.ptp(z) == 1)  # noqa: E731 - 1 where all points are one axis, else 0
    by_name = {charge.name: measures.try_measure(nearly_blind, charge)[0] for charge in measures.CHARGES}
    assert by_name == {charge.name: not charge.grows for charge in measures.CHARGES}


def test_the_table_has_a_row_a_charge(capsys: pytest.CaptureFixture[str]) -> None:
    measures.run()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + len(measures.CHARGES) and "failed (-0.13)" in "".join(lines)
