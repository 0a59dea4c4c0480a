"""The table of results: names every method, subtracts CE seed by seed, and comes from one command."""

from __future__ import annotations

from pathlib import Path

import pytest

from ltviz.bench import results
from ltviz.cli import main
from ltviz.launch.sweep import read_sweep
from ltviz.methods.registry import methods
from ltviz.recording import Recording

SMALL = """
methods = ["ce", "reweight"]
data = "digits-lt"
imbalance_factor = 50
dim = 3
seed = [0, 1]
steps = 20
"""


@pytest.mark.parametrize("file", results.sweep_files(), ids=lambda file: file.stem)
def test_sweeps_name_every_method_that_fits_with_three_seeds(file: Path) -> None:
    sweep = read_sweep(file)
    several = sweep.run["data"] == ("digits-ml",)
    assert {*sweep.methods} == {name for name, kind in methods().items() if kind.several_labels == several}
    # the classifiers for several labels work on the features: their table is of those, whatever the sphere's dimension
    assert sweep.run["dim"] == ((3,) if several else (3, 64)) and len(sweep.run["seed"]) == 3


def test_all_data_sets_are_there() -> None:
    found = {read_sweep(file).run["data"]: read_sweep(file).run["imbalance_factor"] for file in results.sweep_files()}
    assert found == {("digits-lt",): (50,), ("mnist-lt",): (100,), ("digits-ml",): (50,)}


def test_one_command_trains_and_writes_the_tables_and_trains_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "small.toml").write_text(SMALL)
    monkeypatch.setattr(results, "sweep_files", lambda only: [tmp_path / "small.toml"])
    line = ["bench", "results", "--home", str(tmp_path / "home"), "--out", str(tmp_path / "table.md")]
    assert main(line) == 0
    text = (tmp_path / "table.md").read_text()
    runs = {r.run_id: r for r in map(Recording, (tmp_path / "home").iterdir()) if r.exists}
    assert len(runs) == 4
    few = {(r.info.method, r.info.seed): r.last().metrics["accuracy_few"] for r in runs.values()}
    points = " / ".join(f"{100 * (few['reweight', seed] - few['ce', seed]):+.1f}" for seed in (0, 1))
    assert f"| Re-weighting | {points} |" in text
    assert "| digits-lt | 50" in text and "centre sum" in text
    stamps = {name: r.status().beat for name, r in runs.items()}
    assert main(line) == 0
    assert {name: r.status().beat for name, r in runs.items()} == stamps
    assert (tmp_path / "table.md").read_text() == text
