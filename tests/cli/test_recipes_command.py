"""`ltviz recipes`, and training as a recipe says: flags go before it, and run.json tells of both."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ltviz import recipes
from ltviz.cli import main
from ltviz.cli.train import take_method
from ltviz.launch.sweep import plan, read_sweep
from ltviz.methods import registry
from ltviz.recording import Recording

SMALL = ["--data", "digits-lt", "--encoder", "mlp", "--epochs", "1", "--device", "cpu"]


def test_the_list_tells_of_each_recipe_what_it_aims_at_and_costs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipes", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["recipes"]
    assert len(rows) >= 40 and len({(row["method"], row["name"]) for row in rows}) == len(rows)
    for row in rows:
        assert row["published"] is None or 0 < row["published"] < 100
        assert row["source"] and row["follows"] and row["cost"]["steps"] > 0 and row["cost"]["rests_on"]
        assert row["run"]["data"] == row["data"] and len(row["sha256"]) == 64
    assert sum(row["published"] is not None for row in rows) >= 30
    assert main(["recipes", "bcl", "gml", "--images-per-second", "2000"]) == 0
    told = capsys.readouterr().out
    assert "cifar100-lt-if100" in told and "53.90 %" in told and "unknown" in told and "proco" not in told
    assert main(["recipes", "clip"]) == 2
    assert "METHOD must be one with recipes" in capsys.readouterr().err


@pytest.mark.parametrize("method, name", [("bcl", "cifar100-lt-if100"), ("tsc", "cifar10-lt-if100"), ("ce", "inat18")])
def test_a_recipe_trains_on_small_data_and_run_json_names_all_that_it_set(
    home: Path, capsys: pytest.CaptureFixture[str], method: str, name: str
) -> None:
    argv = ["train", method, "--recipe", name, *SMALL, "--imbalance-factor", "10", "--batch-size", "32", "--json"]
    assert main([*argv, "--run-dir", str(home / "run")]) == 0
    recipe, recording = recipes.find(method, name), Recording(home / "run")
    config = recording.config
    overridden = config["recipe"]["overridden"]
    assert (config["recipe"]["name"], config["recipe"]["sha256"]) == (name, recipe.sha256)
    assert config["recipe"]["published"] == recipe.published.value and config["recipe"]["source"]
    assert {"data", "encoder", "epochs", "batch_size"} <= set(overridden)
    assert recipe.run["policies"] == config["run"]["policies"]
    assert config["augmentation"].startswith(", ".join(str(recipe.run["policies"]).split(",")))
    assert overridden["data"] == recipe.run["data"] and config["run"]["data"] == "digits-lt"
    for key, value in recipe.run_values.items():
        assert config["run"][key] == value or overridden[key] == value, key
    assert config["method"].items() >= recipe.settings.items()
    assert config["run"]["optimizer"] == "sgd" and config["run"]["learning_rate"] == recipe.run["learning_rate"]
    last = recording.last()
    assert last is not None and last.step == config["run"]["steps"] == round(sum(recording.info.counts) / 32)
    told = [event["kind"] for frame in recording.since(None) for event in frame.events]
    assert ("renewed" in told) == (method == "tsc")


def test_flags_of_the_method_and_switches_go_before_a_recipe(home: Path) -> None:
    argv = ["train", "logit_adjust", "--recipe", "cifar10-lt-if100", *SMALL[:-4], "--steps", "3", "--no-nesterov"]
    assert main([*argv, "--tau", "0.5", "--momentum", "0.8", "--run-dir", str(home / "run"), "--device", "cpu"]) == 0
    config = Recording(home / "run").config
    assert (config["run"]["steps"], config["run"]["epochs"], config["run"]["nesterov"]) == (3, None, False)
    assert config["method"]["tau"] == 0.5 and config["run"]["momentum"] == 0.8
    overridden = config["recipe"]["overridden"]
    assert overridden["settings.tau"] == 1.0 and overridden["nesterov"] is True and overridden["epochs"] == 1241


def test_a_recipe_needs_no_data_and_a_missing_set_is_one_sentence(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LTVIZ_DATA", raising=False)
    assert main(["train", "bcl", "--recipe", "cifar100-lt-if100", "--run-dir", str(home / "run")]) == 2
    told = capsys.readouterr().err
    assert told.startswith("ltviz: ") and told.count("\n") == 1 and "cifar" in told
    assert not (home / "run").exists()


def test_a_run_without_a_recipe_says_nothing_of_one(home: Path) -> None:
    assert main(["train", "ce", "--steps", "2", "--device", "cpu", "--run-dir", str(home / "run")]) == 0
    assert "recipe" not in Recording(home / "run").config


@pytest.mark.parametrize(
    "argv, said",
    [
        (["bcl", "--recipe", "cifar100"], "try cifar100-lt-if50 or cifar10"),
        (["--race", "bcl,ce", "--recipe", "inat18"], "--recipe needs one METHOD"),
        (["bcl", "--recipe", "inat18", "--steps", "5", "--epochs", "2"], "--steps and --epochs exclude one another"),
        (["bcl", "--recipe", "inat18", "--momentum", "1"], "--momentum must be less than 1, got 1; try 0.9"),
        (["bcl", "--recipe", "inat18", "--momentum", "0", "--nesterov"], "nesterov must be off where momentum is 0"),
        (["kcl", "--recipe", "inat18", "--run.momentum", "1"], "--run.momentum must be less than 1"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    home: Path, capsys: pytest.CaptureFixture[str], argv: list[str], said: str
) -> None:
    assert main(["train", *argv, "--data", "digits-lt", "--run-dir", str(home / "run")]) == 2
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1 and not (home / "run").exists()


def test_a_file_with_an_unknown_setting_of_the_method_is_one_sentence(
    home: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'method = "ce"\ntitle = "Mine"\nfollows = "me"\n[published]\nsource = "unknown: none"\n[run]\n'
        'data = "digits-lt"\n[settings]\ntau = 1\n'.replace('"me"', '"myself"')
    )
    assert main(["train", "ce", "--recipe", str(path), "--run-dir", str(home / "run")]) == 2
    assert "a recipe's settings.tau is not a setting" in capsys.readouterr().err


def test_the_method_is_found_behind_a_switch_that_is_on_by_default() -> None:
    assert take_method(["--no-evaluate", "ce"]) == ("ce", ["--no-evaluate"])
    assert take_method(["--recipe", "inat18", "--nesterov", "bcl"])[0] == "bcl"
    assert take_method(["--no-nesterov", "bcl", "--recipe", "inat18"])[0] == "bcl"


# ---------------------------------------------------------------------- sweeps


def planned(text: str, tmp_path: Path) -> list:
    file = tmp_path / "sweep.toml"
    file.write_text(text)
    return plan(read_sweep(file), {name: kind.Settings for name, kind in registry.methods().items()})


def test_a_sweep_may_follow_recipes(tmp_path: Path) -> None:
    text = 'methods = ["ce", "bcl"]\nrecipe = "imagenet-lt"\ndata = "digits-lt"\nencoder = "mlp"\nseed = [0, 1]\n'
    cells = planned(text + "steps = 7\n[bcl]\ntemperature = [0.07, 0.2]\n", tmp_path)
    assert [[run.method for run in cell.job.runs] for cell in cells] == [["ce"], ["ce"], ["bcl", "bcl"], ["bcl", "bcl"]]
    ce, bcl = cells[0], cells[2]
    assert (ce.run.batch_size, bcl.run.batch_size, ce.run.learning_rate) == (512, 256, 0.2), "each as its own recipe"
    assert (ce.run.steps, ce.run.epochs, ce.run.data, ce.run.views) == (7, None, "digits-lt", 0)
    told = bcl.job.runs[1].recipe
    assert told is not None and told["name"] == "imagenet-lt"
    assert told["overridden"] == {
        "data": "imagenet-lt",
        "encoder": "resnext50",
        "epochs": 90,
        "profile": "natural",
        "image_size": 224,
        "settings.temperature": 0.07,
    }
    assert "settings.temperature" not in (bcl.job.runs[0].recipe or {})["overridden"]
    two = planned('methods = ["bcl"]\nrecipe = ["imagenet-lt", "inat18"]\ndata = "digits-lt"\n', tmp_path)
    assert [cell.run.weight_decay for cell in two] == [5e-4, 1e-4]


def test_a_sweep_counts_steps_from_epochs(tmp_path: Path) -> None:
    (cell,) = planned('methods = ["ce"]\nepochs = 2\nbatch_size = 100\n', tmp_path)
    assert cell.planned_steps == cell.run.steps_over(sum(counts_of_digits())) > 1
    with pytest.raises(Exception, match="steps and epochs exclude one another"):
        planned('methods = ["ce"]\nepochs = 2\nsteps = 3\n', tmp_path)
    with pytest.raises(Exception, match="recipe must be one of"):
        planned('methods = ["ce"]\nrecipe = "cifar"\n', tmp_path)


def counts_of_digits() -> tuple[int, ...]:
    from ltviz.data import registry as data_registry

    return data_registry.describe("digits-lt", imbalance_factor=50).counts
