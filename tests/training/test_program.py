"""The code that a person is shown trains as the run does: every method, outside of ltviz."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import math
import subprocess
import sys
from functools import cache
from typing import Any, Literal, get_args, get_origin

import pytest
import torch

from ltviz.errors import ConfigError
from ltviz.methods.base import FIRST, NONE, Method, Settings
from ltviz.methods.ce import CrossEntropy
from ltviz.methods.registry import method, methods
from ltviz.recording import Recording
from ltviz.training import optimiser
from ltviz.training.learner import Learner
from ltviz.training.program import Change, of_run, program
from ltviz.training.settings import RunSettings
from ltviz.training.shared_start import SharedStart, prepare
from ltviz.training.start import Entrant, begin

STEPS = 4
LONGEST = 100


def settings_of(kind: type[Method], **more: Any) -> RunSettings:
    usual = {"data": "digits-ml" if kind.several_labels else "digits-lt", "steps": STEPS, "device": "cpu"}
    return RunSettings(**{**usual, **more}, evaluate=False, probe_points=20)


def told(text: str) -> list[float]:
    """What a program prints of each step."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), torch.random.fork_rng(devices=[]):
        exec(compile(text, "program", "exec"), {"__name__": "__main__"})
    return [float(line.split()[1]) for line in said.getvalue().splitlines()]


def shared(run: RunSettings) -> SharedStart:
    return _shared(run.model_dump_json())


@cache
def _shared(run: str) -> SharedStart:
    return prepare(RunSettings.model_validate_json(run))


def trained(kind: type[Method], settings: Settings, run: RunSettings, steps: int = STEPS) -> list[float]:
    """What ltviz makes of the same steps."""
    made = shared(run)
    built = made.build(kind, settings)
    learner = Learner(built, run, made.engine, made.share_of(built))
    for step in range(1, steps + 1):
        learner.step(made.batches.at(step))
    return [terms["total"] for _, terms in learner.read(made.batches.at)[0]]


def as_run(text: str, steps: int) -> str:
    """The program, ended after so many steps."""
    return text.replace("in range(1, steps + 1)", f"in range(1, {steps + 1})")


@pytest.fixture(params=list(methods()))
def kind(request) -> type[Method]:
    return methods()[request.param]


def test_the_code_of_every_method_finds_the_losses_of_its_run(kind, tmp_path):
    run = settings_of(kind)
    text = program(kind, kind.Settings(), run)
    if kind.teacher_recipe is None:
        expected = trained(kind, kind.Settings(), run)
    else:  # its teacher trains first
        begin([Entrant(tmp_path / "run", kind.card.name)], run).run()
        lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
        expected = [json.loads(line)["total"] for line in lines]
    found = told(text)
    assert found[0] == pytest.approx(expected[0], rel=1e-6)
    assert found == pytest.approx(expected, rel=1e-5)


def variants(kind: type[Method]) -> list[dict[str, Any]]:
    """Every other choice of each setting that has choices, and all numbers elsewhere in their bounds."""
    found, numbers = [], {}
    for name, field in kind.Settings.model_fields.items():
        if get_origin(field.annotation) is Literal:
            found += [{name: choice} for choice in get_args(field.annotation) if choice != field.default]
        elif field.annotation is float:
            most = min([constraint.le for constraint in field.metadata if hasattr(constraint, "le")], default=math.inf)
            numbers[name] = min(1.5 * field.default + 0.01, most)
    return [*found, *([numbers] if numbers else []), *([{"teacher": NONE}] if kind.teacher_recipe else [])]


def test_the_code_has_the_settings_in_force(kind):
    run = settings_of(kind)
    for values in variants(kind):
        if kind.teacher_recipe:
            values = {"teacher": NONE, **values}
        settings = kind.Settings(**values)
        found = told(as_run(program(kind, settings, run), 1))
        expected = trained(kind, settings, run, 1)
        assert found == pytest.approx(expected, rel=2e-6), values


def test_the_code_is_short_and_reads_as_python_does(kind):
    text = program(kind, kind.Settings(), settings_of(kind))
    ast.parse(text)
    assert len(text.splitlines()) < LONGEST
    assert max(map(len, text.splitlines())) <= 120
    assert not any(line != line.rstrip() for line in text.splitlines())
    assert text.startswith(f'"""{kind.card.title} ')


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"schedule": "constant"},
        {"final_rate": 0.1},
        {"warmup": 0.5},
        {"rate_every": "epoch"},
        {"rate_every": "epoch", "warmup": 2.0, "schedule": "step", "milestones": "3,5"},
        {"schedule": "step", "milestones": "1,3", "decay_factor": 0.2},
        {"switches": "0.5: renew", "warmup": 0.2},
        {"switches": "0.25: renew; 0.5: renew", "schedule": "constant", "warmup": 0.3},
    ],
)
def test_the_rate_is_that_of_the_run(values):
    run = RunSettings(data="digits-lt", steps=80, **values)
    text = program(method("ce"), method("ce").Settings(), run)
    rated = as_run(text.replace("print(step, loss.item())", 'print(step, optimizer.param_groups[0]["lr"])'), 80)
    _, _, loop = rated.partition("for step in")
    assert "loss.backward()" in loop
    quick = rated.replace("    loss.backward()\n", "").replace("    optimizer.step()\n", "")
    images = shared(settings_of(method("ce"))).data.num_images
    assert told(quick) == pytest.approx([optimiser.rate(run, step, images) for step in range(1, 81)], rel=1e-9)


@pytest.mark.parametrize(
    "values",
    [
        {"optimizer": "sgd", "nesterov": True, "learning_rate": 0.05},
        {"sampling": "class-balanced", "head": "mlp-norm", "head_width": 32, "dim": 5},
        {"imbalance_factor": 10, "max_per_class": 50, "seed": 3, "batch_size": 16, "encoder": "convnet"},
        {"data": "digits-seg", "encoder": "convnet", "batch_size": 4},
        {"switches": "0.5: temperature=0.5, weight_decay=0.1, renew"},
    ],
)
def test_the_code_has_the_settings_of_the_run(values):
    kind, run = method("supcon"), settings_of(method("supcon"), **values)
    found = told(program(kind, kind.Settings(), run))
    if "switches" in values:
        assert len(set(found)) == STEPS
        halfway = settings_of(kind)
        assert found[:2] == pytest.approx(trained(kind, kind.Settings(), halfway)[:2], rel=1e-1)
        return
    assert found == pytest.approx(trained(kind, kind.Settings(), run), rel=1e-5)


def test_a_change_on_the_way_is_made_at_its_step(tmp_path):
    kind, run = method("supcon"), settings_of(method("supcon"), switches="0.5: temperature=0.5")
    begin([Entrant(tmp_path / "run", "supcon")], run).run()
    changes = [Change(3, "temperature", 0.5), Change(2, "unknown", 1)]
    text = program(kind, kind.Settings(), settings_of(kind), changes=changes)
    assert told(of_run(Recording(tmp_path / "run"))) == told(text) == told(program(kind, kind.Settings(), run))
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert told(text) == pytest.approx([json.loads(line)["total"] for line in lines], rel=1e-5)
    assert "unknown" not in text
    assert text.count("temperature = 0.5") == 1


def test_further_views_are_taken_where_the_run_takes_them():
    kind, run = method("ce"), settings_of(method("ce"), views=2)
    built = shared(run).build(kind, kind.Settings())
    share = shared(run).share_of(built)
    assert told(program(kind, kind.Settings(), run, share=share)) == pytest.approx(
        trained(kind, kind.Settings(), run), rel=1e-5
    )


def test_the_code_is_a_program_of_its_own(tmp_path):
    kind = method("simclr")
    path = tmp_path / "program.py"
    path.write_text(program(kind, kind.Settings(), settings_of(kind), of="some-run"))
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=True)
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["1", "2", "3", "4"]
    assert "as the run some-run trained it" in path.read_text()


def test_a_method_without_code_says_so():
    class Silent(CrossEntropy):
        @classmethod
        def listing(cls, settings: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
            return None

    with pytest.raises(ConfigError, match="must give a listing"):
        program(Silent, Silent.Settings(), settings_of(Silent))
    gml = method("gml")
    assert program(gml, gml.Settings.model_validate({"teacher": FIRST}), settings_of(gml))
    with pytest.raises(ConfigError, match="--teacher first"):
        program(gml, gml.Settings.model_validate({"teacher": "some-run"}), settings_of(gml))
