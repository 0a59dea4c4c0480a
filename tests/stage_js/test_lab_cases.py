"""What node compares the geometry lab with is what Python computes today."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent
SOME = 9


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def made() -> ModuleType:
    return load("lab_cases")


def test_the_cases_are_those_of_information():
    made = load("information_cases")
    stored = json.loads((HERE / "information_cases.json").read_text(encoding="utf-8"))
    assert len(stored) == len(made.PROBLEMS)
    for known, found in zip(stored, made.cases(), strict=True):
        for key, values in found.items():
            assert values == pytest.approx(known[key], rel=1e-12, abs=1e-12), key


def test_the_cases_are_those_of_the_losses(made: ModuleType):
    """Every ninth one, with its way; `python tests/stage_js/lab_cases.py` writes all of them anew."""
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
