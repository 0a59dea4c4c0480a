"""Runs whose encoder, weights and views were asked for by name: what run.json says, and how they go on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from ltviz import encoders
from ltviz.cli import main
from ltviz.errors import ConfigError, RecordingError
from ltviz.export.results import read_results
from ltviz.recording import Recording
from ltviz.training.settings import RunSettings
from ltviz.training.shared_start import prepare, relocate, run_settings

SHORT = ["--steps", "4", "--batch-size", "16", "--probe-points", "40", "--no-evaluate"]


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Of a convnet for 8 x 8 digits, under the prefix of another's code, with a classifier."""
    torch.manual_seed(99)
    encoder, _ = encoders.build("convnet", (8, 8))
    path = tmp_path / "given.safetensors"
    tensors = {f"backbone.{key}": value for key, value in encoder.state_dict().items()}
    save_file(tensors | {"fc.bias": torch.ones(3)}, path)
    return path


def test_a_run_starts_from_given_weights_and_says_what_it_read(
    home: Path, weights: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(weights.parent)
    line = ["train", "ce", "--encoder", "convnet", *SHORT]
    assert main([*line, "--weights", weights.name, "--run-dir", str(home / "given")]) == 0
    said = f"the encoder starts from {weights}: 19 of its 19 tensors were read, 1 of the file are left out (fc.bias)"
    assert capsys.readouterr().out.splitlines()[0] == said
    recording = Recording(home / "given")
    assert recording.config["weights"] == said and recording.config["run"]["weights"] == str(weights)
    assert main([*line, "--run-dir", str(home / "drawn")]) == 0
    drawn = Recording(home / "drawn")
    assert "weights" not in drawn.config and "starts from" not in capsys.readouterr().out
    assert drawn.info.fingerprints.weights != recording.info.fingerprints.weights
    assert drawn.info.fingerprints.batches == recording.info.fingerprints.batches
    given, own = (prepare(RunSettings(encoder="convnet", weights=file)) for file in (str(weights), None))
    assert torch.equal(given.head[0].weight, own.head[0].weight), "the head's are those of the seed either way"


def test_weights_that_do_not_fit_leave_nothing_behind(home: Path, weights: Path, capsys) -> None:
    line = ["train", "ce", "--weights", str(weights), *SHORT]
    assert main(line) == 2
    told = capsys.readouterr().err
    assert "must hold at least half of the encoder's" in told and told.count("\n") == 1 and list(home.iterdir()) == []


def test_a_run_goes_on_without_its_file_once_it_has_saved_weights(home: Path, weights: Path) -> None:
    path = home / "given"
    assert main(["train", "ce", "--encoder", "convnet", "--weights", str(weights), *SHORT, "--run-dir", str(path)]) == 0
    recording = Recording(path)
    weights.unlink()
    run = relocate(run_settings(recording))
    assert run.weights is None
    start = prepare(run)
    start.check_began(recording, has_weights=True)
    with pytest.raises(RecordingError, match=f"the file of weights that it was given, but {weights} is not there or"):
        start.check_began(recording, has_weights=False)


def test_policies_are_named_in_run_json_and_a_run_goes_on_with_them(home: Path) -> None:
    path = home / "seen"
    assert main(["train", "supcon", "--policies", "crop-flip, blur", *SHORT, "--run-dir", str(path)]) == 0
    recording = Recording(path)
    assert recording.config["augmentation"] == "crop-flip, blur, afresh at each step"
    assert recording.config["run"]["policies"] == "crop-flip, blur"
    start = prepare(RunSettings(policies="crop-flip"))
    with pytest.raises(RecordingError, match="had crop-flip, blur, afresh at each step, and now it is c"):
        start.check_began(recording, has_weights=True)


def test_an_unknown_policy_or_encoder_is_said_before_anything_is_written(home: Path, tmp_path: Path, capsys) -> None:
    sweep = tmp_path / "sweep.toml"
    sweep.write_text("methods = ['ce']\npolicies = 'cropflip'")
    for line in (["train", "ce", "--policies", "cropflip", *SHORT], ["sweep", str(sweep)]):
        assert main(line) == 2
        told = capsys.readouterr().err
        assert "got 'cropflip'; try crop-flip" in told and told.count("\n") == 1 and list(home.iterdir()) == []
    with pytest.raises(ConfigError, match=r"network of timm|needs the package timm"):
        prepare(RunSettings(encoder="timm:no-such-network"))


def test_identity_trains_a_head_alone(home: Path) -> None:
    path = home / "heads"
    assert main(["train", "ce", "--encoder", "identity", *SHORT, "--run-dir", str(path)]) == 0
    assert Recording(path).steps()[-1] == 4


@pytest.mark.parametrize(("profile", "factor", "how"), [("natural", 4.0, "measured"), ("exp", 3.0, "set")])
def test_of_classes_that_keep_their_sizes_the_imbalance_is_measured(
    home: Path, tmp_path: Path, profile: str, factor: float, how: str
) -> None:
    labels = np.repeat([0, 1, 2], [16, 8, 4])
    table = tmp_path / "features.npz"
    vectors = np.random.default_rng(0).standard_normal((56, 4)).astype(np.float32)
    np.savez(table, embeddings=vectors, labels=np.tile(labels, 2), split=np.repeat(["train", "test"], 28))
    line = ["train", "ce", "--data", "table-lt", "--data-dir", str(table), "--profile", profile, *SHORT]
    assert main([*line, "--imbalance-factor", "3", "--run-dir", str(home / "run")]) == 0
    info = Recording(home / "run").info
    assert info.imbalance_factor == factor
    assert info.config["data"]["imbalance_factor"] == how
    assert info.config["run"]["imbalance_factor"] == 3, "what was set stays, so that the run goes on and is known again"
    ((result,), _) = read_results([Recording(home / "run")])
    assert result.cell["imbalance_factor"] == factor, "what comparisons, tables and reports say"


def test_a_terminal_says_what_judges_are_at(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr("ltviz.cli.train._TICK", 0.0)
    line = [part for part in SHORT if part != "--no-evaluate"]
    assert main(["train", "ce", *line, "--run-dir", str(home / "run")]) == 0
    said = capsys.readouterr().err.split("\r\x1b[K")
    assert said.index("judging CE: 256 of 500 test images") > said.index(next(x for x in said if "step 4/4" in x))
    assert said[-1] == "", "the line is taken away at the end"
