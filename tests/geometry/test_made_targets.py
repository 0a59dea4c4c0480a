from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ltviz.cli import main
from ltviz.data.target_files import encode_targets, read_targets
from ltviz.errors import ConfigError, DataError
from ltviz.geometry import make_targets, simplex


def deviation(targets: np.ndarray) -> float:
    cosines = (targets @ targets.T)[np.triu_indices(len(targets), 1)]
    return float(np.abs(cosines + 1 / (len(targets) - 1)).max())


def test_the_official_recipe_does_not_reach_the_simplex_and_ours_does() -> None:
    assert deviation(make_targets(10, 12, method="closed")) < 1e-12
    assert deviation(make_targets(10, 12, method="annealed")) < 1e-6
    official = make_targets(10, 12, method="official", steps=4000)
    assert 0.1 < deviation(official) < 1
    assert 1e-5 < deviation(make_targets(10, 128, method="official", steps=4000)) < 0.01
    np.testing.assert_array_equal(official, make_targets(10, 12, method="official", steps=4000))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"num_classes": 5, "dim": 3, "method": "closed"}, "needs dim >= 4"),
        ({"num_classes": 1, "dim": 3}, "2 classes or more"),
        ({"num_classes": 5, "dim": 3, "method": "mine"}, "must be one of closed, annealed, official"),
        ({"num_classes": 1000, "dim": 512, "method": "official"}, "at most 1,953"),
    ],
)
def test_recipes_that_do_not_fit_are_refused(options: dict, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        make_targets(**options)


def test_the_command_writes_a_file_that_is_read_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "targets.npz"
    assert main(["targets", "--classes", "4", "--dim", "3", "--method", "closed", "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["smallest_angle"] == pytest.approx(109.47, abs=0.01)
    np.testing.assert_allclose(read_targets(out, num_classes=4, dim=3), simplex(4, 3), atol=1e-15)
    out = tmp_path / "no.npz"
    assert main(["targets", "--classes", "9", "--dim", "3", "--method", "closed", "--out", str(out)]) == 2
    assert not out.exists()


def test_the_command_replaces_targets_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["targets", "--classes", "4", "--dim", "3", "--method", "closed", "--out"]
    mine, out = tmp_path / "features.npz", tmp_path / "targets.npz"
    np.savez(mine, embeddings=np.eye(3), labels=np.arange(3))
    before = mine.read_bytes()
    assert main([*line, str(mine)]) == 2 and mine.read_bytes() == before
    assert "a new file or one of targets" in capsys.readouterr().err
    assert main([*line, str(tmp_path / "t.safetensors")]) == 2 and not (tmp_path / "t.safetensors").exists()
    assert "try --out t.npz" in capsys.readouterr().err
    assert main([*line, str(out)]) == main([*line, str(out)]) == 0


def test_json_and_plain_arrays_are_targets_too(tmp_path: Path) -> None:
    rows = simplex(3, 2)
    (tmp_path / "a.json").write_text(json.dumps({"targets": rows.tolist(), "about": {}}))
    (tmp_path / "b.json").write_text(json.dumps(rows.tolist()))
    np.save(tmp_path / "c.npy", rows.astype(np.float32))
    np.savez(tmp_path / "d.npz", anything=rows)
    for name in ("a.json", "b.json", "c.npy", "d.npz"):
        np.testing.assert_allclose(read_targets(tmp_path / name), rows, atol=1e-6)


def test_files_that_hold_no_targets_are_refused(tmp_path: Path) -> None:
    rows = simplex(3, 2)
    (tmp_path / "text.npz").write_text("no")
    (tmp_path / "text.json").write_text("{")
    (tmp_path / "none.json").write_text("{}")
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    for name, bad in (("long", 2 * rows), ("nan", rows * np.nan), ("flat", rows[0])):
        (tmp_path / f"{name}.npz").write_bytes(encode_targets(bad, {}))
    (tmp_path / "good.npz").write_bytes(encode_targets(rows, {}))
    for name in ("text.npz", "text.json", "none.json", "objects.npy", "long.npz", "nan.npz", "flat.npz", "gone.npz"):
        with pytest.raises(DataError, match=r"targets"):
            read_targets(tmp_path / name)
    with pytest.raises(DataError, match="4 classes of the run, but are of 3"):
        read_targets(tmp_path / "good.npz", num_classes=4)
    with pytest.raises(DataError, match="5 dimensions of the run, but are of 2"):
        read_targets(tmp_path / "good.npz", dim=5)
