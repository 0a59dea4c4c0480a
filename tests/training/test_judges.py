"""Judges: exact, deterministic, on the whole test set, and honest about what they cannot judge."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from ltviz.cli import main
from ltviz.errors import ConfigError, RecordingError
from ltviz.recording import Recording, load_weights, record
from ltviz.training import judges
from ltviz.training.judges import TrainedMethod, judge
from ltviz.training.settings import RunSettings
from ltviz.training.start import Entrant, begin

RUN = RunSettings(steps=60, batch_size=32, imbalance_factor=50)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    home = tmp_path_factory.mktemp("home")
    begin([Entrant(home / name, name) for name in ("ce", "bcl", "gml")], RUN).run()
    return home


@pytest.fixture(scope="module")
def trained(home: Path) -> TrainedMethod:
    """Of CE."""
    return judges._load(Recording(home / "ce"))[1]


def test_the_own_classifier_scores_what_the_last_frame_recorded(home: Path) -> None:
    for name in ("ce", "bcl", "gml"):
        recording = Recording(home / name)
        found = judge(recording, [])
        recorded: Any = recording.last()
        assert found["step"] == recorded.step == 60 and found["refused"] == {}
        expected = {group: recorded.metrics[f"accuracy_{group}"] for group in ("all", "many", "medium", "few")}
        assert found["judges"] == {"own": pytest.approx(expected)}, "the probe of digits holds the whole test set"


def test_judges_say_the_same_again(home: Path) -> None:
    torch.manual_seed(1)
    first = judge(Recording(home / "ce"))
    torch.manual_seed(2)
    assert judge(Recording(home / "ce")) == first
    assert list(first["judges"]) == ["own", "ncm", "linear", "crt", "tau_norm"]


def test_ncm_finds_the_nearest_mean_of_unit_features(trained: TrainedMethod) -> None:
    features, y = (x.numpy() for x in trained.train)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    means = np.stack([unit[y == c].mean(0) for c in range(10)])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    expected = [int(np.argmax([mean @ row for mean in means])) for row in trained.test.numpy()]
    assert judges.ncm(trained).tolist() == expected


def test_linear_is_the_minimum_that_another_solver_finds(trained: TrainedMethod) -> None:
    features, y = (x.numpy() for x in trained.train)
    mean, deviation = features.mean(0), features.std(0, ddof=1).clip(1e-6)
    strength = 1 / (2 * judges.RIDGE * len(y))
    other = LogisticRegression(C=strength, class_weight="balanced", max_iter=5000, tol=1e-8)
    expected = other.fit((features - mean) / deviation, y).predict((trained.test.numpy() - mean) / deviation)
    assert (judges.linear(trained).numpy() == expected).mean() > 0.995


def test_crt_is_trained_on_balanced_batches_and_helps_the_tail(
    trained: TrainedMethod, monkeypatch: pytest.MonkeyPatch
) -> None:
    tail = torch.from_numpy(trained.shared.data.test_labels) >= 5
    truth = torch.from_numpy(trained.shared.data.test_labels)
    before = {name: value.clone() for name, value in trained.method.state_dict().items()}
    balanced = judges.crt(trained)
    assert all(torch.equal(value, before[name]) for name, value in trained.method.state_dict().items())
    right = (balanced == truth)[tail].double().mean()
    assert right > (trained.own() == truth)[tail].double().mean() + 0.05
    real = judges.Batches
    monkeypatch.setattr(judges, "Batches", lambda data, **more: real(data, **{**more, "sampling": "instance"}))
    assert right > (judges.crt(trained) == truth)[tail].double().mean() + 0.03, "the balance is what helps"


@pytest.mark.parametrize("tau", [0.0, 0.5, 1.0])
def test_tau_norm_evens_out_the_lengths_of_the_weights(trained: TrainedMethod, tau: float) -> None:
    weight = trained.method.get_parameter("classifier.weight").detach().double().numpy()
    scaled = weight / np.linalg.norm(weight, axis=1, keepdims=True) ** tau
    expected = (trained.test.numpy() @ scaled.T).argmax(1)
    found, said = judges.tau_norm(trained, tau)
    assert (found.numpy() == expected).mean() > 0.995 and said == {"tau": tau, "chosen_on": "given"}


def balanced(trained: TrainedMethod, rows: torch.Tensor, y: np.ndarray, tau: float) -> float:
    weight = trained.method.get_parameter("classifier.weight").detach().double().numpy()
    predictions = (rows.numpy() @ (weight / np.linalg.norm(weight, axis=1, keepdims=True) ** tau).T).argmax(1)
    return float(np.mean([(predictions[y == c] == c).mean() for c in np.unique(y)]))


def test_tau_is_chosen_on_the_validation_share_and_never_on_what_is_judged(tmp_path: Path) -> None:
    begin([Entrant(tmp_path / "ce", "ce")], RUN.model_copy(update={"validation_share": 0.3})).run()
    recording: Any = Recording(tmp_path / "ce")
    trained = judges._load(recording)[1]
    data, probe = trained.shared.data, recording.probe
    assert set(data.test_ids[trained.held]) == set(probe.sample_ids[probe.split == 2]) and trained.held.any()
    rows, y = trained.validation
    scores = [balanced(trained, rows, y.numpy(), tau) for tau in judges.TAUS]
    found = judge(recording, ["tau_norm"])
    assert found["tau_norm"]["chosen_on"] == "validation"
    assert scores[judges.TAUS.index(found["tau_norm"]["tau"])] == pytest.approx(max(scores))
    held = int(trained.held.sum())
    assert found["judged_on"] == {"split": "test", "samples": len(trained.held) - held, "validation_samples": held}
    assert found["judges"]["own"]["all"] == pytest.approx(recording.last().metrics["accuracy_all"])
    data.test_labels[~trained.held] = 0
    assert judges.tau_norm(trained)[1] == found["tau_norm"], "the labels of the judged samples have no say"


def test_tau_is_chosen_on_the_training_set_without_a_validation_share(home: Path, trained: TrainedMethod) -> None:
    found = judge(Recording(home / "ce"), ["tau_norm"])
    rows, y = trained.train
    scores = [balanced(trained, rows, y.numpy(), tau) for tau in judges.TAUS]
    assert found["tau_norm"]["chosen_on"] == "train" and found["judged_on"]["validation_samples"] == 0
    assert scores[judges.TAUS.index(found["tau_norm"]["tau"])] == pytest.approx(max(scores))


def test_the_best_tau_is_found_and_is_the_middle_of_equals() -> None:
    evened = judges.Evened(torch.tensor([[4.0, 0.0], [0.0, 1.0]], dtype=torch.float64))
    rows, y = torch.tensor([[1.0, 0.0], [1.0, 2.0]], dtype=torch.float64), torch.tensor([0, 1])
    # the second sample needs 4^(1 - tau) < 2, so tau above 1/2
    best = [tau for tau in judges.TAUS if tau > 0.5]
    assert evened.best_tau(rows, y) == best[len(best) // 2]
    assert evened.best_tau(rows[:1], y[:1]) == 0.5


def test_tau_norm_refuses_directions_and_the_others_go_on(home: Path) -> None:
    found = judge(Recording(home / "bcl"), ["tau_norm", "ncm"])
    assert list(found["judges"]) == ["own", "ncm"]
    assert "tau_norm needs a linear classifier, but that of bcl" in found["refused"]["tau_norm"]


def test_what_cannot_be_judged_is_refused(home: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a judge must be one of ncm, linear, crt, tau_norm, got 'svm'"):
        judge(Recording(home / "ce"), ["svm"])
    shutil.copytree(home / "ce", tmp_path / "ce")
    shutil.rmtree(tmp_path / "ce" / "weights")
    with pytest.raises(RecordingError, match="no weights"):
        judge(Recording(tmp_path / "ce"))
    with record(tmp_path / "script", labels=[0, 1, 0]) as run:
        run.frame(0, embeddings=np.eye(3))
    with pytest.raises(RecordingError, match="only a run that `ltviz train` made"):
        judge(Recording(tmp_path / "script"))


def test_a_student_is_judged_without_its_teacher(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home / "gml", tmp_path / "gml")
    assert load_weights(tmp_path / "gml").step == 60
    assert judge(Recording(tmp_path / "gml"), ["ncm"]) == judge(Recording(home / "gml"), ["ncm"])


def test_the_command_prints_a_table_or_json(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LTVIZ_HOME", str(home))
    assert main(["judge", "bcl", "--by", "ncm,tau_norm", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["run_id"] == "bcl" and printed["method"] == "bcl" and printed["step"] == 60
    assert printed["judges"]["ncm"].keys() == {"all", "many", "medium", "few"}
    assert main(["judge", str(home / "bcl"), "--by", "ncm,tau_norm"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["judge", "all", "many", "medium", "few"]
    assert [line.split()[0] for line in lines[2:4]] == ["own", "ncm"] and lines[4].startswith("tau_norm needs")
    for tau, says in (("0.7", "is 0.7, as given"), ("auto", "the training set, which the classifier has learned from")):
        assert main(["judge", str(home / "ce"), "--by", "tau_norm", "--tau", tau]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert "500 samples of the test set, in %" in lines[0] and says in lines[-1]
    assert main(["judge", "bcl", "--by", "svm"]) == 2
    assert main(["judge", "nobody"]) == 2
    assert main(["judge", "bcl", "--tau", "2"]) == 2
    assert main(["judge", "bcl", "--tau", "half"]) == 2
    assert capsys.readouterr().err.count("\n") == 4
