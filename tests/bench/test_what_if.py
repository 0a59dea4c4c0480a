"""How far what-ifs can be trusted is measured of every method that can be imagined, and of trained networks only."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ltviz.bench import what_if
from ltviz.cli import main
from ltviz.launch.sweep import read_sweep
from ltviz.methods.parts.forces import offers_what_if
from ltviz.methods.registry import methods
from ltviz.metrics.agreement import LENT, RECORDED, STAND_INS

SMALL = """
methods = ["ce", "supcon"]
data = "digits-lt"
imbalance_factor = 50
dim = 3
seed = 0
steps = 20
forces_every = 1
watch_share = 0.5
"""


def test_the_sweep_names_every_method_that_can_be_imagined() -> None:
    own = {name for name, kind in methods().items() if kind.__module__.startswith("ltviz.") and offers_what_if(kind)}
    assert {*read_sweep(what_if.SWEEP).methods} == own


def test_one_command_trains_and_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "small.toml").write_text(SMALL)
    monkeypatch.setattr(what_if, "SWEEP", tmp_path / "small.toml")
    assert main(["bench", "what_if", "--home", str(tmp_path / "home"), "--out", str(tmp_path / "found.json")]) == 0
    found = json.loads((tmp_path / "found.json").read_text())
    assert found.keys() == json.loads(RECORDED.read_text()).keys()
    assert found["lends"] == ["ce"] and found["methods"]["supcon"] == {STAND_INS: 1.0}
    assert found["methods"]["ce"][LENT] > found["methods"]["ce"][STAND_INS]
    assert "| supcon | 1.00 | – | yes |" in capsys.readouterr().out


def test_a_method_is_worth_what_it_is_in_its_worst_dimension_once_trained() -> None:
    class Run:
        def __init__(self, dim: int, late: float):
            self.info = type("Info", (), {"method": "kcl", "total_steps": 10, "dim": dim})
            self.metrics = {0: -1.0, 4: -1.0, 5: late, 10: late}

        def frame_metrics(self) -> dict[int, dict[str, float]]:
            return {step: {STAND_INS: value} for step, value in self.metrics.items()} | {7: {}}

    found = what_if.as_record([Run(3, 0.8), Run(64, 0.6)])  # type: ignore[list-item]
    assert found["methods"] == {"kcl": {STAND_INS: 0.6}} and found["lends"] == []
