"""`ltviz open` and `ltviz metrics FILE`, as a person types them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ltviz.cli import main
from ltviz.recording import Recording

Z = np.random.default_rng(0).normal(size=(12, 3)).round(3)
CSV = "f0,f1,f2,label,year\n" + "".join(
    f"{','.join(map(str, row))},{['cat', 'dog', ''][i % 3]},{2000 + i}\n" for i, row in enumerate(Z)
)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LTVIZ_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def told(capsys) -> dict:
    return json.loads(capsys.readouterr().out.strip().splitlines()[-1])


def test_the_last_line_says_what_was_understood(tmp_path, home, capsys):
    (tmp_path / "a.csv").write_text(CSV)
    assert main(["open", str(tmp_path / "a.csv"), "--no-app", "--json", "--name", "pets"]) == 0
    said = told(capsys)
    assert said["runs"] == ["pets"] and said["points"] == 12 and said["dim"] == 3
    assert said["classes"] == 2 and said["unlabelled"] == 4 and said["attributes"] == ["year"]
    assert Recording(home / "pets").info.class_names == ["cat", "dog"]


def test_columns_are_named_in_one_argument(tmp_path, home, capsys):
    (tmp_path / "a.csv").write_text(CSV)
    line = ["open", str(tmp_path / "a.csv"), "--no-app", "--json", "--vector-columns", "f0, f2", "--label-column", ""]
    assert main(line) == 0
    said = told(capsys)
    assert said["dim"] == 2 and said["classes"] == 0 and set(said["attributes"]) == {"f1", "label", "year"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("f0,f1,label\n1,2,a\nx,3,b\n", "line 3"),
        ("f0,f1,label\n1,2,a\n0,0,b\n", "line 3 holds only zeros"),
        ("nothing\n", "one column"),
    ],
)
def test_a_refusal_is_one_sentence_and_no_run(tmp_path, home, capsys, text, sentence):
    (tmp_path / "a.csv").write_text(text)
    assert main(["open", str(tmp_path / "a.csv"), "--no-app", "--json"]) == 2
    printed = capsys.readouterr()
    assert sentence in printed.err and printed.err.count("\n") == 1 and printed.out == ""
    assert not home.exists() or not list(home.iterdir())


def test_nothing_to_open_is_said(home, capsys):
    assert main(["open"]) == 2
    assert "needs FILE" in capsys.readouterr().err


def test_several_names_for_several_runs(tmp_path, home, capsys):
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text(CSV)
    files = [str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]
    assert main(["open", *files, "--compare", "--no-app", "--json", "--name", "pets"]) == 0
    assert told(capsys)["runs"] == ["pets-a", "pets-b"]
    assert main(["open", str(home / "pets-a"), "--no-app", "--json"]) == 0
    assert told(capsys)["runs"] == ["pets-a"], "a run at home is shown as it is"


def test_each_of_several_runs_is_told_with_its_own_counts(tmp_path, home, capsys):
    lines = CSV.splitlines(keepends=True)
    (tmp_path / "a.csv").write_text(CSV)
    (tmp_path / "b.csv").write_text("".join(lines[:6]))
    assert main(["open", str(tmp_path / "a.csv"), str(tmp_path / "b.csv"), "--compare", "--no-app"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("12 points of 3 dimensions") and second.startswith("5 points of 3 dimensions")
    assert first.split(": ")[1] != second.split(": ")[1]


def test_a_file_is_measured_without_a_run(tmp_path, home, capsys):
    (tmp_path / "a.csv").write_text(CSV)
    assert main(["metrics", str(tmp_path / "a.csv"), "--json"]) == 0
    measured = told(capsys)
    assert measured["points"] == 12 and "centre_sum" in measured and not home.exists()
    assert main(["open", str(tmp_path / "a.csv"), "--no-app", "--json", "--name", "pets"]) == 0
    assert main(["metrics", "pets", "--json"]) == 0
    of_run = told(capsys)
    assert of_run["centre_sum"] == pytest.approx(measured["centre_sum"], abs=1e-6)


def test_many_points_are_measured_in_part_and_the_error_is_told(tmp_path, home, capsys, monkeypatch):
    monkeypatch.setattr("ltviz.recording.estimate.estimate.__defaults__", (60, lambda share: None))
    labels = np.arange(400) % 4
    z = np.eye(4)[labels] + np.random.default_rng(0).normal(size=(400, 4)) / 4
    np.savez(tmp_path / "a.npz", embeddings=z, labels=labels)
    assert main(["metrics", str(tmp_path / "a.npz"), "--json"]) == 0
    said = told(capsys)
    assert said["sampled"] == 60 and said["points"] == 400
    assert 0 < said["standard_errors"]["centre_sum"] < 0.1 and said["standard_errors"].keys() <= said.keys()
    assert main(["metrics", str(tmp_path / "a.npz")]) == 0
    printed = capsys.readouterr()
    assert "60 of 400 points" in printed.err
    assert f"{said['centre_sum']:.4f} ± {said['standard_errors']['centre_sum']:.2g}" in printed.out
    assert main(["open", str(tmp_path / "a.npz"), "--no-app", "--name", "many"]) == 0
    capsys.readouterr()
    assert main(["metrics", "many", "--json"]) == 0
    run = told(capsys)
    assert "centre_sum" not in run["standard_errors"], "measured of all when it was written"
    assert run["standard_errors"]["uniformity_centres"] > 0
