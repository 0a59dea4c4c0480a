"""What other tools are given: read back here by what ltviz needs anyway, and by the tools in tests/release."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from ltviz.cli import main
from ltviz.export.formats import FORMATS, NOTE, find_format
from ltviz.recording import record

LABELS = np.array([0, 0, 0, 1, 1, 2, -1])
NAMES = ["a cat", "tab\there", "line\nbreak"]
PLAIN = ["a cat", "tab here", "line break"]
"""The names as run.json holds them."""


@pytest.fixture
def runs(home: Path) -> Path:
    """Two runs of two frames; the fourth sample is absent from the last frame of the first."""
    for name in ("one-run", "two-run"):
        with record(home / name, labels=LABELS, class_names=NAMES, sample_ids=np.arange(7) * 10) as run:
            for step in (0, 5):
                z = np.random.default_rng(step).normal(size=(7, 4))
                keep = np.arange(7) != 3 if (name, step) == ("one-run", 5) else slice(None)
                run.frame(step, embeddings=z[keep], sample_ids=(np.arange(7) * 10)[keep])
    return home


def export(*argv: str, capsys: pytest.CaptureFixture[str]) -> dict:
    assert main(["export", *argv, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_every_format_says_what_it_is_and_has_a_name_to_write() -> None:
    assert {"report", "html", "csv", "parquet", "npz", "tensorboard", "projector", "atlas", "rerun"} <= {*FORMATS}
    assert {"png", "svg", "gif", "mp4"} <= {*FORMATS}
    for name in FORMATS:
        found = find_format(name)
        assert found.ABOUT and found.OUT.startswith("ltviz-") and callable(found.write)


def test_what_needs_no_run_refuses_the_flags_that_choose_runs(tmp_path: Path, capsys) -> None:
    out = tmp_path / "lab.html"
    assert main(["export", "--to", "geometry", "--method", "ce", "--imbalance-factor", "9", "--out", str(out)]) == 2
    assert "leave --method, --imbalance-factor out" in capsys.readouterr().err and not out.exists()


@pytest.mark.parametrize("flags", [[], ["--overwrite"]])
def test_a_folder_is_no_place_for_a_file_and_what_to_type_is_said(runs: Path, tmp_path: Path, capsys, flags) -> None:
    there = tmp_path / "there"
    there.mkdir()
    for argv, name in (
        (["export", "--to", "geometry", "--out"], "ltviz-geometry.html"),
        (["export", "one-run", "--to", "csv", "--out"], "ltviz-csv.csv"),
        (["pack", "one-run", "--out"], "one-run.ltviz.tar"),
        (["doctor", "--bundle"], "ltviz-doctor.json"),
    ):
        assert main([*argv, str(there), *flags]) == 2, argv
        said = capsys.readouterr().err
        assert f"is a file, and a folder is there; try {argv[-1]} {there / name}" in said and "overwrite" not in said
    assert list(there.iterdir()) == []


def test_npz_holds_all_frames_or_the_one_asked_for(runs: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "run.npz"
    told = export("one-run", "--to", "npz", "--out", str(out), capsys=capsys)
    assert (told["used"], told["frames"], told["left_out"]) == (1, 2, [])
    with np.load(out, allow_pickle=False) as held:
        assert held["embeddings"].shape == (2, 7, 4) and held["embeddings"].dtype == np.float32
        assert held["labels"].tolist() == LABELS.tolist() and held["steps"].tolist() == [0, 5]
        assert held["class_names"].tolist() == PLAIN and held["counts"].tolist() == [3, 2, 1]
        assert held["present"].sum(axis=1).tolist() == [7, 6] and held["sample_ids"][3] == 30
        last = held["embeddings"][1]
    export("one-run", "--to", "npz", "--out", str(out), "--step", "5", "--overwrite", capsys=capsys)
    with np.load(out, allow_pickle=False) as held:
        assert np.array_equal(held["embeddings"], last) and held["steps"] == 5


def test_the_projectors_folder_has_a_line_a_point_and_a_head(runs: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "made"
    assert export("one-run", "--to", "projector", "--out", str(out), capsys=capsys)["points"] == 6
    tensors, metadata = (out / "tensors.tsv").read_text(), (out / "metadata.tsv").read_text().splitlines()
    z = np.loadtxt(tensors.splitlines(), delimiter="\t")
    assert z.shape == (6, 4) and np.allclose(np.linalg.norm(z, axis=1), 1, atol=1e-6)
    assert metadata[0].split("\t") == ["label", "class", "split", "sample_id"] and len(metadata) == 7
    assert [line.split("\t")[0] for line in metadata[1:]] == ["a cat"] * 3 + ["tab here", "line break", "unlabelled"]
    assert 'metadata_path: "metadata.tsv"' in (out / "projector_config.pbtxt").read_text()
    several = tmp_path / "several"
    export("one-run", "two-run", "--to", "projector", "--out", str(several), capsys=capsys)
    assert len((several / "two-run" / "tensors.tsv").read_text().splitlines()) == 7


def test_atlas_is_a_row_a_point_with_class_names_and_two_main_directions(runs: Path, tmp_path: Path, capsys) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    out = tmp_path / "points.parquet"
    told = export("one-run", "two-run", "--to", "atlas", "--out", str(out), capsys=capsys)
    assert (told["used"], told["points"]) == (2, 13)
    rows = pq.read_table(out).to_pylist()
    assert [row["label"] for row in rows[:6]] == [PLAIN[0]] * 3 + [PLAIN[1], PLAIN[2], "unlabelled"]
    assert rows[3]["sample_id"] == 40 and rows[0]["step"] == 5 and rows[6]["run_id"] == "two-run"
    vectors = np.array([row["vector"] for row in rows[6:]])
    flat = np.array([[row["x"], row["y"]] for row in rows[6:]])
    spread = np.linalg.svd(vectors - vectors.mean(axis=0), compute_uv=False)
    assert np.allclose(np.linalg.norm(flat, axis=0), spread[:2], atol=1e-5)


def test_attributes_go_along_also_those_whose_names_are_taken(home: Path, tmp_path: Path, capsys) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    known = {"year": [2001, None, 3, 4, 5, 6, 7], "split": ["north", None, "c", "d", "e", "f", "g"]}
    with record(home / "known-run", labels=LABELS, attributes=known) as run:
        run.frame(0, embeddings=np.random.default_rng(0).normal(size=(7, 3)))
    out = tmp_path / "points.parquet"
    export("known-run", "--to", "atlas", "--out", str(out), capsys=capsys)
    rows = pq.read_table(out).to_pylist()
    assert [(row["year"], row["attribute.split"], row["split"]) for row in rows[:2]] == [
        (2001.0, "north", "train"),
        (None, None, "train"),
    ]
    export("known-run", "--to", "projector", "--out", str(tmp_path / "made"), capsys=capsys)
    lines = (tmp_path / "made" / "metadata.tsv").read_text().splitlines()
    assert lines[1].split("\t")[-2:] == ["2001", "north"] and lines[2].split("\t")[-2:] == ["-", "-"]


def test_a_format_of_one_run_refuses_two(runs: Path, tmp_path: Path, capsys) -> None:
    assert main(["export", "one-run", "two-run", "--to", "npz", "--out", str(tmp_path / "x.npz")]) == 2
    assert "try `ltviz export one-run --to npz`" in capsys.readouterr().err and list(tmp_path.glob("x*")) == []


@pytest.mark.parametrize("to, package", [("tensorboard", "tensorboard"), ("rerun", "rerun-sdk"), ("atlas", "pyarrow")])
def test_a_package_that_is_missing_gets_the_line_that_installs_it(
    runs: Path, tmp_path: Path, to: str, package: str, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    for name in ("tensorboard", "rerun", "pyarrow"):
        for loaded in [module for module in sys.modules if module.split(".")[0] == name]:
            monkeypatch.delitem(sys.modules, loaded)
        monkeypatch.setitem(sys.modules, name, None)
    out = tmp_path / "out"
    assert main(["export", "one-run", "--to", to, "--out", str(out)]) == 2
    assert f"`pip install {package}`" in capsys.readouterr().err and list(tmp_path.glob("*out*")) == []


def test_a_folder_is_replaced_only_where_an_export_made_it(runs: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "mine"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    argv = ["export", "one-run", "--to", "projector", "--out", str(out), "--overwrite"]
    assert main(argv) == 2 and "replaces only what ltviz has made" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]
    (out / "thesis.txt").unlink()
    assert main(argv) == 0 == main(argv) and json.loads((out / NOTE).read_text())["runs"] == ["one-run"]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".mine")] == []


def test_a_step_that_is_not_there_writes_nothing(runs: Path, tmp_path: Path, capsys) -> None:
    for to in ("npz", "projector", "png"):
        assert main(["export", "one-run", "--to", to, "--step", "3", "--out", str(tmp_path / "made")]) != 0
        assert "no frame of step 3" in capsys.readouterr().err
    assert list(tmp_path.glob("*made*")) == []


@pytest.mark.browser
@pytest.mark.parametrize("to, begins", [("png", b"\x89PNG"), ("svg", b"<"), ("gif", b"GIF89a"), ("mp4", b"\0\0\0")])
def test_pictures_are_those_of_the_stage(home: Path, tmp_path: Path, to: str, begins: bytes, browser, capsys) -> None:
    for name in ("one-run", "two-run"):
        with record(home / name, labels=LABELS) as run:
            for step in range(10):
                run.frame(step, embeddings=np.random.default_rng(step).normal(size=(7, 3)))
    out = tmp_path / f"picture.{to}"
    told = export("one-run", "two-run", "--to", to, "--out", str(out), capsys=capsys)
    data = out.read_bytes()
    assert data.startswith(begins) and told["used"] == 2 and told["bytes"] == len(data) > 5000
    assert to != "mp4" or data[4:8] == b"ftyp"
    assert to not in ("gif", "mp4") or told["moments"] == 10


def test_without_chromium_one_sentence_says_what_is_needed(runs: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    chromium = importlib.import_module("ltviz.launch.chromium")
    monkeypatch.setattr(chromium, "chromium_path", lambda: None)
    assert main(["export", "one-run", "--to", "png", "--out", str(tmp_path / "x.png")]) == 2
    said = capsys.readouterr().err
    assert "needs chromium" in said and said.count("\n") == 1 and list(tmp_path.glob("*.png")) == []


def test_a_browser_that_does_not_start_is_one_sentence(runs: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("LTVIZ_CHROMIUM", str(tmp_path / "none"))
    assert main(["export", "one-run", "--to", "svg", "--out", str(tmp_path / "x.svg")]) == 2
    said = capsys.readouterr().err
    assert "chromium could not be started" in said and said.count("\n") == 1 and list(tmp_path.glob("*.svg")) == []


def test_a_film_of_one_moment_is_refused_at_once(home: Path, tmp_path: Path, capsys) -> None:
    with record(home / "short-run", labels=LABELS) as run:
        run.frame(0, embeddings=np.random.default_rng(0).normal(size=(7, 3)))
    assert main(["export", "short-run", "--to", "gif", "--out", str(tmp_path / "x.gif")]) == 2
    assert "two moments or more" in capsys.readouterr().err and list(tmp_path.glob("*.gif")) == []
