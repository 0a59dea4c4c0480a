"""`ltviz data`, and the flags of a data set's own settings."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from ltviz.cli import main
from ltviz.cli.train import take_method
from ltviz.data import registry
from ltviz.data.inputs import ImageFiles
from ltviz.data.longtail import Pool
from ltviz.data.source import Outline, Source, Where
from ltviz.recording import Recording


class Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    side: int = Field(8, ge=2, le=64, description="Height and width.")
    mirrored: bool = Field(False, description="Does nothing.")
    tidy: bool = Field(True, description="Does nothing.")


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data set of 2 x 6 PNGs in this folder, with settings of its own."""
    labels = np.arange(12) % 2
    for i in range(12):
        Image.new("L", (8, 8), 20 * i).save(tmp_path / f"{i}.png")

    class Photos(Source):
        name, title, about = "photos", "Photos", "Photos."
        Options, reads_images = Options, True

        def outline(self, where: Where) -> Outline:
            side = where.options.side  # type: ignore[attr-defined]
            return Outline(class_names=("a", "b"), shape=(side, side), train_counts=(4, 4), test_counts=(2, 2))

        def read(self, where: Where) -> Pool:
            train, test = (
                ImageFiles(
                    [f"{i}.png" for i in part],
                    self.outline(where).shape,
                    root=tmp_path,
                    stand_ins=labels[list(part)] if where.skip_bad else None,
                )
                for part in (range(8), range(8, 12))
            )
            return Pool(
                train_inputs=train, train_labels=labels[:8], train_ids=np.arange(8),
                test_inputs=test, test_labels=labels[8:], test_ids=np.arange(8, 12),
                class_names=("a", "b"), notes=("1 line was left out.",),
            )  # fmt: skip

    monkeypatch.setattr(registry.SOURCES, "_found", {**registry.sources(), "photos": Photos()})
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], *argv: str) -> dict:
    assert main(["data", *argv, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_what_a_run_would_train_on_is_one_object(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, "photos", "--imbalance-factor", "2", "--data.side", "16")
    assert (found["counts"], found["train"], found["test"], found["test_counts"]) == ([4, 2], 6, 4, [2, 2])
    assert found["image_shape"] == [16, 16] and sorted(found["class_names"]) == ["a", "b"]
    assert found["streamed"] and found["bytes"] == 10 * 16 * 16 and found["notes"] == ["1 line was left out."]
    assert (found["profile"], found["several_labels"], found["imbalance_factor"]) == ("exp", False, 2)
    several = told(capsys, "--profile", "step", "digits-ml", "--imbalance-factor", "10", "--max-per-class", "30")
    assert several["counts"] == [30] * 5 + [3] * 5 and several["several_labels"] and several["train"] < 165


def test_people_get_a_bar_a_class_and_a_list_of_sets(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "photos", "--imbalance-factor", "2"]) == 0
    first, *classes, last = capsys.readouterr().out.splitlines()
    assert first.startswith(
        "photos: 6 training and 4 test samples of 8 x 8 pixels, 2 classes, profile exp, imbalance factor 2, "
    )
    assert len(classes) == 2 and all("█" in line for line in classes) and last == "1 line was left out."
    assert main(["data"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert any(line.startswith("mnist-lt ") and line.endswith("Not here yet.") for line in listed)
    assert {row["name"] for row in told(capsys)["sets"]} == set(registry.sources())


def test_check_finds_damaged_files(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "photos", "--imbalance-factor", "1", "--check")["notes"] == ["1 line was left out."]
    for i in (3, 9):
        (photos / f"{i}.png").write_bytes(b"damaged")
    assert main(["data", "photos", "--imbalance-factor", "1", "--check"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("ltviz: 2 images of photos cannot be used; ") and "3.png" in said and said.count("\n") == 1
    notes = told(capsys, "photos", "--imbalance-factor", "1", "--check", "--skip-bad")["notes"]
    assert len(notes) == 3 and notes[1].endswith("3.png") and notes[2].endswith("9.png")


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["no-such"], "data must be one of digits-lt"),
        (["photos", "--data.sides", "3"], "no flag --data.sides; try --data.side"),
        (["photos", "--data.side", "1"], "--data.side must be greater than or equal to 2"),
        (["photos", "--imbalance-factor", "0"], "--imbalance-factor must be"),
        (["digits-lt", "--image-size", "32"], "image_size is for sets that read image files"),
        (["digits-lt", "mnist-lt"], "takes no further argument"),
    ],
)
def test_bad_input_is_one_line(photos: Path, capsys: pytest.CaptureFixture[str], argv: list[str], says: str) -> None:
    assert main(["data", *argv]) == 2
    said = capsys.readouterr().err
    assert says in said and said.count("\n") == 1


def test_own_settings_are_flags_of_train_and_stand_in_run_json(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["--data", "photos", "--data.mirrored", "ce", "--data.no-tidy", "--steps", "2", "--batch-size", "4"]
    line += ["--imbalance-factor", "1"]
    assert take_method(line)[0] == "ce"
    assert main(["train", *line, "--run-dir", str(tmp_path / "run"), "--json"]) == 0
    run = Recording(tmp_path / "run").config["run"]
    assert run["data_options"] == {"side": 8, "mirrored": True, "tidy": False}
    assert main(["train", "ce", "--data", "digits-lt", "--data.side", "3"]) == 2
    assert "no flag --data.side" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["train", "ce", "--data", "photos", "--help"])
    assert "--data.side INT" in capsys.readouterr().out
