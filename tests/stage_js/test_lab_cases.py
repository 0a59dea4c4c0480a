"""What node compares the geometry lab with is what Python computes today."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

HERE = Path(__file__).parent
SOME = 9


def test_the_cases_are_those_of_information(script: Callable[[str], ModuleType]):
    made = script("information_cases")
    stored = json.loads((HERE / "information_cases.json").read_text(encoding="utf-8"))
    assert len(stored) == len(made.PROBLEMS)
    for known, found in zip(stored, made.cases(), strict=True):
        for key, values in found.items():
            assert values == pytest.approx(known[key], rel=1e-12, abs=1e-12), key


def test_the_cases_are_those_of_the_losses(script: Callable[[str], ModuleType]):
    """Every ninth one, with its way; `python tests/stage_js/lab_cases.py` writes all of them anew."""
    made = script("lab_cases")
    stored = json.loads((HERE / "lab_cases.json").read_text(encoding="utf-8"))
    given = made.asked()
    assert len(stored) == len(given)
    for seed in range(0, len(given), SOME):
        found = made.judge(given[seed], seed)
        for key in ("value", "gradient", "gradientColumns", "x", "assigned"):
            if stored[seed][key] is None:
                assert found[key] is None
            else:
                assert found[key] == pytest.approx(stored[seed][key], rel=1e-10, abs=1e-12), (seed, key)
        if "after" in found:
            assert found["after"]["x"] == pytest.approx(stored[seed]["after"]["x"], rel=1e-9, abs=1e-10), seed


def test_the_cases_are_those_of_theory(script: Callable[[str], ModuleType]):
    """Every fifth one; `python tests/stage_js/theory_cases.py` writes all of them anew."""
    made = script("theory_cases")
    stored = json.loads((HERE / "theory_cases.json").read_text(encoding="utf-8"))
    given = made.asked()
    assert [{name: case[name] for name in asked} for asked, case in zip(given, stored, strict=True)] == given
    for at in [*range(0, len(given), 5), len(given) - 1]:
        found = made.judge(given[at])
        for key in {"value", "means", "weights", "logits", "turned", "off"} & set(stored[at]):
            size = max(map(abs, stored[at][key])) if isinstance(stored[at][key], list) else 1.0
            assert found[key] == pytest.approx(stored[at][key], rel=1e-9, abs=1e-7 * size), (given[at], key)


def test_the_cells_are_those_of_phase_diagrams(script: Callable[[str], ModuleType]):
    """Every other plane; `python tests/stage_js/phase_cases.py` writes all of them anew."""
    made = script("phase_cases")
    stored = json.loads((HERE / "phase_cases.json").read_text(encoding="utf-8"))
    assert [(case["rows"], case["ratios"]) for case in stored] == [(rows, ratios) for _, rows, ratios in made.PLANES]
    for at in range(0, len(stored), 2):
        found = made.judge(*made.PLANES[at])
        assert found["plane"] == stored[at]["plane"]
        assert np.array(found["angles"]) == pytest.approx(np.array(stored[at]["angles"]), abs=1e-5)
        for border, before in zip(found["borders"], stored[at]["borders"], strict=True):
            assert border == before or border == pytest.approx(before, rel=1e-8)
