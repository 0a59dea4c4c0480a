"""`ltviz reproduce`: what is named is there, and a verdict follows from its numbers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ltviz import metrics
from ltviz.cli import main
from ltviz.museum import EXHIBITS, Exhibit, computed, read_found
from ltviz.recording import Recording, record

QUICK = [name for name in EXHIBITS if name != "tsc-targets"]  # ten thousand steps of its official recipe


def test_the_list_names_them_one_a_line(capsys) -> None:
    assert main(["reproduce", "--list"]) == 0
    assert capsys.readouterr().out.splitlines() == list(EXHIBITS)


def test_the_list_needs_no_torch_and_what_was_found_is_kept_of_all() -> None:
    code = "import sys; from ltviz.cli import main; main(['reproduce', '--list']); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=300, check=False).returncode == 0
    kept = read_found()["found"]
    assert list(kept) == list(EXHIBITS)
    for name, one in kept.items():
        off = abs(one["value"] - EXHIBITS[name].expected)
        assert ("not" in one["verdict"]) is (off > EXHIBITS[name].tolerance)


@pytest.mark.parametrize("name", QUICK)
def test_every_result_is_as_it_was_found(name: str, capsys) -> None:
    assert main(["reproduce", name, "--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert all(isinstance(found[key], float | int) for key in ("value", "expected", "tolerance"))
    inside = abs(found["value"] - found["expected"]) <= found["tolerance"]
    assert ("not" in found["verdict"]) is not inside
    assert inside is (name not in ("bcl-as-published", "ntce-speed")), found


@pytest.mark.parametrize(
    "value, verdict", [(1.0, "reproduced"), (1.2, "not reproduced"), (float("nan"), "not reproduced")]
)
def test_a_verdict_is_that_of_the_tolerance(value: float, verdict: str) -> None:
    one = Exhibit(
        name="one", claim="One is one.", source="here", expected=1, tolerance=0.1, unit="", compute=lambda: value
    )
    assert one.judge()["verdict"] == verdict


def test_what_is_not_reproduced_is_said_with_by_how_much(capsys) -> None:
    assert main(["reproduce", "bcl-as-published"]) == 0
    said = capsys.readouterr().out
    assert "not reproduced, off by 0.2" in said and "gives head classes more say" in said


@pytest.mark.parametrize("argv", [[], ["supcon"], ["--list", "--bad"]])
def test_an_unknown_name_is_one_line(argv: list[str], capsys) -> None:
    assert main(["reproduce", *argv]) == 2
    assert capsys.readouterr().err.count("\n") == 1


# ---------------------------------------------------------------------- films

FILMED = [name for name, exhibit in EXHIBITS.items() if exhibit.filmed]


def film(name: str, folder: Path) -> tuple[dict[str, Any], Recording, list[int]]:
    found, run = EXHIBITS[name].judge(folder), Recording(folder)
    assert run.status().state == "finished" and run.info.config["exhibit"] == name
    return found, run, run.steps()


def rows_of(run: Recording, step: int) -> np.ndarray:
    return run.frame(step).embeddings.astype(np.float64)


def test_every_result_has_one_moving_picture() -> None:
    assert all(bool(exhibit.moves) is not bool(exhibit.filmed) for exhibit in EXHIBITS.values())


def test_the_relu_film_ends_in_what_the_angle_is_of(tmp_path: Path) -> None:
    found, run, steps = film("relu-frame", tmp_path / "film")
    z, y = rows_of(run, steps[-1]), run.probe.labels
    centres = np.stack([z[y == c].mean(0) for c in range(3)])
    assert metrics.simplex(centres).smallest_angle == pytest.approx(found["value"], abs=1e-3)
    assert len(steps) > 20 and (z >= 0).all() and metrics.simplex(rows_of(run, 0)[[0, 40, 50]]).smallest_angle < 80
    losses = [values["loss"] for values in run.frame_metrics().values()]
    assert losses == sorted(losses, reverse=True)


def test_the_targets_film_ends_in_the_iterate_that_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(computed, "TSC_STEPS", 200)
    found, run, steps = film("tsc-targets", tmp_path / "film")
    assert steps[-1] == 200 and run.info.dim == 2
    assert metrics.simplex(rows_of(run, 200)).deviation_max == pytest.approx(found["value"], abs=1e-5)


def test_the_sigreg_film_begins_at_the_number_and_finds_nothing_lower(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(computed, "EVEN_ROUNDS", 6)
    found, run, steps = film("sigreg-bias", tmp_path / "film")
    losses = [values["loss"] for values in run.frame_metrics().values()]
    assert losses[0] == pytest.approx(found["value"], rel=1e-3)
    assert 0.995 * losses[0] < losses[-1] < losses[0]
    nearest = [np.sort(z @ z.T, 1)[:, -2] for z in (rows_of(run, steps[0]), rows_of(run, steps[-1]))]
    assert np.degrees(np.arccos(nearest[0])).min() > 10 > 5 > np.degrees(np.arccos(nearest[1])).min()


def test_the_cloning_films_end_in_clones(tmp_path: Path) -> None:
    found, run, steps = film("instance-cloning", tmp_path / "samples")
    first, last = rows_of(run, steps[0]), rows_of(run, steps[-1])
    half = len(last) // 2
    assert np.allclose(last[:half], last[half:], atol=1e-6) and not np.allclose(first[:half], first[half:], atol=0.1)
    value = metrics.uniformity_wasserstein(last) - metrics.uniformity_wasserstein(last[:half])
    assert value == pytest.approx(found["value"], abs=1e-6)
    found, run, steps = film("feature-cloning-wasserstein", tmp_path / "features")
    last = rows_of(run, steps[-1])
    assert np.allclose(last[:, :16], last[:, 16:], atol=1e-6)
    assert metrics.uniformity_wasserstein(last) == pytest.approx(found["value"], abs=1e-4)
    assert metrics.uniformity_wasserstein(rows_of(run, 0)) < 0.2


def test_the_collapse_film_loses_direction_after_direction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(computed, "ONE_IN", 200)
    found, run, steps = film("w2-synthetic", tmp_path / "film")
    assert steps == [0, 25, 50, 75, 90, 98] and found["verdict"] == "reproduced"
    assert [np.any(rows_of(run, step), axis=0).sum() for step in steps] == [200, 150, 100, 50, 20, 4]
    told = run.frame_metrics().values()
    off = [abs(one["wasserstein_of_all"] - one["derived"]) for one in told]
    assert max(off) == pytest.approx(found["value"], abs=1e-6)


def test_a_film_takes_the_place_of_its_own_kind_alone(tmp_path: Path, capsys) -> None:
    folder = tmp_path / "film"
    for _ in range(2):
        assert main(["reproduce", "instance-cloning", "--json", "--record", str(folder)]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["record"] == str(folder)
    assert main(["reproduce", "relu-frame", "--record", str(folder)]) == 2
    assert "must hold no other run" in capsys.readouterr().err
    with record(tmp_path / "own", labels=[0, 1]) as run:
        run.frame(0, embeddings=np.eye(2))
    assert main(["reproduce", "relu-frame", "--record", str(tmp_path / "own")]) == 2
    assert Recording(tmp_path / "own").steps() == [0]
    assert main(["reproduce", "supcon-simplex", "--record", str(tmp_path / "new")]) == 2
    said = capsys.readouterr().err
    assert "/geometry?losses=supcon" in said and said.count("\n") == 2 and not (tmp_path / "new").exists()
