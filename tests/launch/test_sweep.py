"""Sweep files: what they mean, what is refused and how, and run ids that follow from the settings alone."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from ltviz.data import registry as data_registry
from ltviz.errors import ConfigError, DataError
from ltviz.launch.sweep import Cell, Sweep, plan, read_sweep, run_id
from ltviz.recording import RUN_ID
from ltviz.training.settings import EQUAL_VIEWS, RunSettings


class Own(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature: float = Field(0.1, gt=0, le=2)
    form: Literal["in", "out"] = "out"


KINDS: dict[str, type[BaseModel]] = {"ce": Own, "supcon": Own, "bcl": Own}


def planned(text: str, tmp_path: Path) -> list[Cell]:
    file = tmp_path / "tails.toml"
    file.write_text(text)
    return plan(read_sweep(file), KINDS)


def test_every_combination_is_a_cell_and_its_methods_a_race(tmp_path: Path) -> None:
    cells = planned(
        'methods = ["ce", "bcl"]\nimbalance_factor = [10, 50]\ndim = [3, 8]\nseed = [0, 1, 2]\nsteps = 20\n', tmp_path
    )
    assert len(cells) == 12 and all([run.method for run in cell.job.runs] == ["ce", "bcl"] for cell in cells)
    assert [cell.run.seed for cell in cells[:3]] == [0, 1, 2], "seeds vary fastest"
    assert {(c.run.imbalance_factor, c.run.dim) for c in cells} == {(10, 3), (10, 8), (50, 3), (50, 8)}
    assert all(cell.run.steps == 20 and cell.job.run["steps"] == 20 for cell in cells)
    ids = [run.run_id for cell in cells for run in cell.job.runs]
    assert len(set(ids)) == 24 and all(RUN_ID.fullmatch(one) for one in ids)
    assert len({cell.job.job_id for cell in cells}) == 12


def test_methods_that_are_compared_see_equally_many_images_unless_the_file_says_otherwise(tmp_path: Path) -> None:
    def asked(text: str) -> list[int]:
        return [cell.run.views for cell in planned(text, tmp_path)]

    assert asked('methods = ["ce", "bcl"]\nseed = [0, 1]\n') == [EQUAL_VIEWS, EQUAL_VIEWS]
    assert asked('methods = ["ce"]\n') == [0], "there is nothing to compare"
    assert asked('methods = ["ce", "bcl"]\nviews = [0, 6]\n') == [0, 6]


def test_a_list_of_a_method_setting_makes_variants(tmp_path: Path) -> None:
    (cell,) = planned('methods = ["ce", "supcon"]\n[supcon]\ntemperature = [0.07, 0.1]\nform = "in"\n', tmp_path)
    assert [(run.method, run.settings) for run in cell.job.runs] == [
        ("ce", {"temperature": 0.1, "form": "out"}),
        ("supcon", {"temperature": 0.07, "form": "in"}),
        ("supcon", {"temperature": 0.1, "form": "in"}),
    ]


def test_the_name_comes_from_the_file_or_from_inside(tmp_path: Path) -> None:
    for name, stem, said in (
        ("", "My Tails_2", "my-tails_2"),
        ("", "s1", "s1"),
        ("", "_ü", "sweep"),
        ('name = "fig2"\n', "x", "fig2"),
    ):
        file = tmp_path / f"{stem}.toml"
        file.write_text(f'{name}methods = ["ce"]\n')
        assert read_sweep(file).name == said


# ---------------------------------------------------------------------- ids


def test_an_id_follows_from_what_is_learned_alone(tmp_path: Path) -> None:
    short = planned('methods = ["ce"]\n', tmp_path)[0].job.runs[0].run_id
    spelled = planned(
        'methods = ["bcl", "ce"]\nimbalance_factor = 50.0\nsteps = [300]\nthreads = 2\nwatch_share = 0.3\nmax_fps = 2\n'
        'device = "cpu"\nviews = 0\n[ce]\ntemperature = 0.1\n',
        tmp_path,
    )[0]
    assert spelled.job.runs[1].run_id == short, "defaults, order and the way of watching make no other run"
    assert re.fullmatch(r"ce-digits-lt-if50-d3-s0-[0-9a-f]{10}", short)


@pytest.mark.parametrize("change", [{"seed": 1}, {"steps": 299}, {"dim": 4}, {"batch_size": 32}, {"precision": "bf16"}])
def test_what_is_learned_makes_another_id(change: dict[str, Any]) -> None:
    base = Own().model_dump()
    assert run_id("ce", base, RunSettings(**change)) != run_id("ce", base, RunSettings())
    assert run_id("ce", {**base, "temperature": 0.2}, RunSettings()) != run_id("ce", base, RunSettings())
    assert run_id("bcl", base, RunSettings()) != run_id("ce", base, RunSettings())


def test_ids_are_run_ids_whatever_the_names() -> None:
    for method in ("x" * 90, "Ünïcode method", "a"):
        assert RUN_ID.fullmatch(run_id(method, {}, RunSettings(seed=2**62, imbalance_factor=123456.789)))


# ---------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    "text, said",
    [
        ("", r"must name its methods; add methods = \["),
        ("methods = []", "methods must be|methods .* at least 1 item"),
        ('methods = ["ce"', "a sweep file must be TOML"),
        ('methods = ["ce", "ce"]', "methods must name each value once"),
        ('methods = ["supkon"]', "methods must name one of ce, supcon, bcl, got 'supkon'; try supcon"),
        ('methods = ["ce"]\nseeds = [0, 1]', "seeds is not a setting; try seed"),
        ('methods = ["ce"]\nseed = [0, 0]', "must name each value once"),
        ('methods = ["ce"]\nseed = [0, 0.0]', "two have equal settings"),
        ('methods = ["ce"]\nseed = []', "seed .*at least 1 item"),
        ('methods = ["ce"]\nseed = [[0], [1]]', "seed"),
        ('methods = ["ce"]\ndim = [3, 1]', "dim must be greater than or equal to 2, got 1"),
        ('methods = ["ce"]\nimbalance_factor = 0.5', "imbalance_factor must be greater than or equal to 1, got 0.5"),
        ('methods = ["ce"]\nimbalance_factor = nan', "imbalance_factor must be"),
        ('methods = ["ce"]\n[supcon]\ntemperature = 0.1', r"\[supcon\] has settings of a method that methods does not"),
        ('methods = ["ce"]\n[ce]\ntemperatur = 0.1', "temperatur is not a setting; try temperature"),
        ('methods = ["ce"]\n[ce]\ntemperature = [0.1, 9]', "temperature must be less than or equal to 2, got 9"),
        ('methods = ["ce"]\n[ce.more]\nx = 1', "ce.more"),
        ('methods = ["ce"]\ndata = "digit-lt"', "data must be one of .*, got 'digit-lt'; try digits-lt"),
        ('name = "../x"\nmethods = ["ce"]', "name must match pattern|name String should"),
        (
            f'methods = ["ce"]\nseed = {[*range(150)]}\ndim = {[*range(2, 102)]}',
            "at most 10,000 runs, .* has 15,000",
        ),
    ],
)
def test_a_bad_file_is_one_sentence(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        planned(text, tmp_path)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_sweep(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="Is a directory"):
        read_sweep(tmp_path)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="must be TOML"):
        read_sweep(tmp_path / "binary.toml")
    (tmp_path / "huge.toml").write_bytes(b"#" * ((1 << 20) + 1))
    with pytest.raises(ConfigError, match="at most 1,048,576 bytes"):
        read_sweep(tmp_path / "huge.toml")


def test_missing_data_is_told_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="mnist"):
        planned(f'methods = ["ce"]\ndata = ["digits-lt", "mnist-lt"]\ndata_dir = "{tmp_path}"\n', tmp_path)


def test_settings_of_the_data_set_are_axes_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Options(BaseModel):
        model_config = ConfigDict(frozen=True, extra="forbid")

        kappa: float = Field(10.0, gt=0, le=1e4, description="Concentration.")
        kind: str = Field("a", description="Another.")

    monkeypatch.setattr(data_registry.source("digits-lt").__class__, "Options", Options)
    cells = planned('methods = ["ce"]\nseed = [0, 1]\n[data_options]\nkappa = [10, 50]\n', tmp_path)
    found = [(cell.run.seed, cell.run.data_options) for cell in cells]
    assert found == [(seed, {"kappa": kappa, "kind": "a"}) for kappa in (10.0, 50.0) for seed in (0, 1)], "complete"
    assert len({run.run_id for cell in cells for run in cell.job.runs}) == 4
    for options, says in (("kapa = 3", "kapa is not a setting; try kappa"), ("kappa = 0", "kappa must be greater")):
        with pytest.raises(ConfigError, match=f"digits-lt: {says}"):
            planned(f'methods = ["ce"]\n[data_options]\n{options}\n', tmp_path)


def test_an_id_of_before_there_were_profiles_is_the_same() -> None:
    assert run_id("bcl", {"a": 1}, RunSettings(seed=3)) == "bcl-digits-lt-if50-d3-s3-5ad3760ce1"
    for change in ({"profile": "step"}, {"policies": "none"}, {"skip_bad": True}, {"data_options": {"a": 1}}):
        assert run_id("bcl", {"a": 1}, RunSettings(seed=3, **change)) != run_id("bcl", {"a": 1}, RunSettings(seed=3))


def test_too_many_methods_for_one_job_are_split() -> None:
    sweep = Sweep(methods=("ce",), settings={"ce": {"temperature": tuple(0.01 * i for i in range(1, 101))}})
    cells = plan(sweep, KINDS)
    assert [len(cell.job.runs) for cell in cells] == [64, 36]


def test_planning_needs_no_torch() -> None:
    code = "import sys, ltviz.launch.sweep, ltviz.launch.slots, ltviz.cli.sweep; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
