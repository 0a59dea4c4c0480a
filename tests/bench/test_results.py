"""The table of results: names every method, subtracts CE seed by seed, and comes from one command."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ltviz
from ltviz.bench import results
from ltviz.cli import main
from ltviz.launch.sweep import read_sweep
from ltviz.methods.registry import methods
from ltviz.recording import Recording
from ltviz.recording.evaluation import read_evaluation

SMALL = """
methods = ["ce", "reweight"]
data = "digits-lt"
imbalance_factor = 50
dim = [3, 8]
seed = [0, 1, 2]
steps = 20
"""


@pytest.mark.parametrize("file", results.sweep_files(), ids=lambda file: file.stem)
def test_sweeps_name_every_method_that_fits_with_five_seeds_and_equal_images(file: Path) -> None:
    sweep = read_sweep(file)
    several = sweep.run["data"] == ("digits-ml",)
    assert {*sweep.methods} == {name for name, kind in methods().items() if kind.several_labels == several}
    # the classifiers for several labels work on the features: their table is of those, whatever the sphere's dimension
    assert sweep.run["dim"] == ((3,) if several else (3, 64)) and len(sweep.run["seed"]) == 5
    assert sweep.run["steps"] == ((1000,) if several else (300, 3000)) and sweep.run["views"] == (2 if several else 3,)


def test_what_is_most_worth_knowing_is_trained_first() -> None:
    assert results.FILES == ("digits", "mnist", "digits-ml")
    order = [(cell.run.steps, cell.run.dim) for cell in results.cells_of(results.sweep_files("digits")[0])]
    assert list(dict.fromkeys(order)) == [(steps, dim) for steps in (300, 3000) for dim in (3, 64)]


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
    assert len(runs) == 12
    ce, first = next(section for section in text.split("## ") if ", d 3, 20 steps" in section), []
    for recording in runs.values():
        if recording.info.method == "ce" and recording.info.dim == 3:
            found = read_evaluation(recording.path)
            assert found is not None and sum(found.test_images) == 500
            first.append(100 * found.accuracy["ncm"]["few"])
    row = next(line for line in ce.splitlines() if line.startswith("| CE "))
    assert f"{np.mean(first):.1f} ± {np.std(first, ddof=1):.1f}" in row and "3,840 |" in row, (
        "20 steps of 64 samples in 3 views"
    )
    again = next(section for section in text.split("## ") if ", d 8, 20 steps" in section)
    assert "as at d 3" in next(line for line in again.splitlines() if line.startswith("| CE "))
    assert (
        "few-shot" not in again
        and "final accuracy by nearest mean (rare classes)" in ce
        and "by nearest mean" not in again
        and ltviz.__version__ in text
    )
    stamps = {name: r.status().beat for name, r in runs.items()}
    assert main(line) == 0
    assert {name: r.status().beat for name, r in runs.items()} == stamps
    assert (tmp_path / "table.md").read_text() == text
