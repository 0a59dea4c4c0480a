"""`ltviz code`: the program of a method or a run, on the command line."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from ltviz.cli import main
from ltviz.data import registry
from ltviz.methods.registry import method
from ltviz.recording import Recording
from ltviz.training.program import of_run, program
from ltviz.training.settings import RunSettings

DEMO = Path(__file__).parents[2] / "checkpoints" / "demo-supcon"


def said(capsys: pytest.CaptureFixture[str], *line: str) -> str:
    assert main(["code", *line]) == 0
    return capsys.readouterr().out


def test_it_prints_the_program_of_a_method_with_its_settings(capsys):
    text = said(capsys, "supcon", "--temperature", "0.3", "--steps", "20", "--seed", "4", "--learning-rate", "0.1")
    ast.parse(text)
    assert "temperature = 0.3" in text
    assert "seed, dim, steps = 4, 3, 20" in text
    assert "learning_rate, weight_decay = 0.1, 0.001" in text


def test_it_prints_the_program_of_a_run(capsys):
    text = said(capsys, str(DEMO))
    assert text == of_run(Recording(DEMO))
    assert "as the run demo-supcon trained it" in text
    told = json.loads(said(capsys, str(DEMO), "--json"))
    assert told == {"method": "supcon", "run": "demo-supcon", "code": text}


def test_a_method_for_several_labels_has_data_with_several(capsys):
    kind = method("focal")
    assert said(capsys, "focal") == program(kind, kind.Settings(), RunSettings.model_validate({"data": "digits-ml"}))
    assert main(["code", "focal", "--data", "digits-lt"]) == 2
    assert "learns from samples with several labels" in capsys.readouterr().err


def test_epochs_become_steps_and_views_a_share(capsys):
    text = said(capsys, "ce", "--epochs", "2", "--views", "3")
    assert ".share(192, 1)" in text
    run = RunSettings.model_validate({"epochs": 2})
    steps = run.steps_over(registry.describe(run.data, **run.cut).images)
    assert f"seed, dim, steps = 0, 3, {steps}" in text


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ([], "needs a METHOD or a RUN"),
        (["nosuch"], "RUN must be the id or the folder of a run"),
        (["supcon", "--temperature", "9"], "temperature"),
        (["gml", "--teacher", "some-run"], "try --teacher first"),
        ([str(DEMO), "--temperature", "0.3"], "--temperature"),
    ],
)
def test_what_cannot_be_printed_is_one_sentence(line, sentence, capsys):
    assert main(["code", *line]) == 2
    told = capsys.readouterr()
    assert sentence in told.err
    assert told.out == "" and told.err.count("\n") == 1


def test_a_run_that_ltviz_did_not_train_has_no_code(tmp_path, capsys):
    import numpy as np

    import ltviz

    with ltviz.record(tmp_path / "own", labels=[0, 1]) as run:
        run.frame(0, embeddings=np.eye(2, 3))
    assert main(["code", str(tmp_path / "own")]) == 2
    assert "runs that ltviz trained" in capsys.readouterr().err
