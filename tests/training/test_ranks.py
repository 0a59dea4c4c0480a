"""Several processes that train together come to what one comes to, and whatever ends one of them ends in a sentence."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch

from ltviz.data.device_inputs import DeviceInputs
from ltviz.errors import ConfigError
from ltviz.methods import registry
from ltviz.recording import Recording, load_weights, send_request
from ltviz.training.race import Race
from ltviz.training.settings import RunSettings
from ltviz.training.start import Entrant, begin, resume

ONE_LABEL = [name for name, kind in registry.methods().items() if not kind.several_labels]
SEVERAL = [name for name, kind in registry.methods().items() if kind.several_labels]
STEPS = 20
QUICK = {"steps": STEPS, "batch_size": 21, "max_per_class": 30, "imbalance_factor": 10, "probe_points": 20}
QUICK |= {"least_frames": 1, "watch_share": 0.01, "forces_every": 0}
WITHIN = 1e-5
"""Absolute and relative."""

Train = Callable[..., Path]


def start(home: Path, names: list[str], **run: object) -> Race:
    chosen = {**QUICK, "device": "cpu", "evaluate": False, "precision": "64", **run}
    return begin([Entrant(home / name, name) for name in names], RunSettings.model_validate(chosen))


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every method, trained by one process."""
    home = tmp_path_factory.mktemp("alone")
    _train(home)
    return home


def assert_close(found: Any, wanted: Any, what: str = "") -> None:
    np.testing.assert_allclose(found, wanted, rtol=WITHIN, atol=WITHIN, err_msg=what)


def _train(home: Path, **run: object) -> None:
    for data, names in (("digits-lt", ONE_LABEL), ("digits-ml", SEVERAL)):
        outcomes = start(home, names, data=data, **run).run()
        assert [outcome.reason for outcome in outcomes] == [None] * len(names)


@pytest.fixture(scope="module", params=[2, 3])
def together(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every method, trained by two processes, and by three, which share the rows unequally."""
    home = tmp_path_factory.mktemp("together")
    _train(home, devices=request.param)
    return home


@pytest.mark.parametrize("name", [*ONE_LABEL, *SEVERAL])
def test_ranks_come_to_what_one_process_comes_to(alone: Path, together: Path, name: str) -> None:
    totals = [
        [json.loads(line)["total"] for line in (home / name / "metrics.jsonl").read_text().splitlines()]
        for home in (alone, together)
    ]
    assert len(totals[0]) == STEPS
    assert_close(totals[1], totals[0])
    one, several = (load_weights(home / name).tensors["model"] for home in (alone, together))
    assert one.keys() == several.keys()
    for key in one:
        assert_close(several[key], one[key], key)


def followers() -> list[psutil.Process]:
    return [one for one in psutil.Process().children() if "ltviz.training.follower" in " ".join(one.cmdline())]


def test_no_process_outlives_the_race_and_one_folder_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    race = start(tmp_path, ["ce"], devices=2, steps=3)
    assert len(followers()) == 1
    read, plain = [], DeviceInputs.at
    monkeypatch.setattr(
        DeviceInputs, "at", lambda self, index, rows=None: (read.append(len(index)), plain(self, index, rows))[1]
    )
    race.run()
    assert [rows for rows in read if rows in (10, 11, 21)] == 3 * [10], "each rank reads its share of the 21 images"
    assert followers() == [] and [path.name for path in tmp_path.iterdir()] == ["ce"]
    assert any("2 processes" in note for note in Recording(tmp_path / "ce").config["engine"]["notes"])


def test_a_run_goes_on_with_another_number_of_ranks(tmp_path: Path, alone: Path) -> None:
    def stop(step: int) -> None:
        if step == 8:
            send_request(tmp_path / "gml", "stop")

    chosen = RunSettings.model_validate({**QUICK, "device": "cpu", "evaluate": False, "precision": "64", "devices": 2})
    begin([Entrant(tmp_path / "gml", "gml")], chosen, progress=stop).run()
    assert 0 < Recording(tmp_path / "gml").last().step < STEPS  # type: ignore[union-attr]
    (outcome,) = resume([tmp_path / "gml"], devices=3).run()
    assert outcome.state == "finished"
    one, several = (load_weights(home / "gml").tensors["model"] for home in (alone, tmp_path))
    for key in one:
        assert_close(several[key], one[key], key)


def test_a_rank_that_dies_ends_the_race_with_a_sentence(tmp_path: Path) -> None:
    begun: list[float] = []

    def kill(step: int) -> None:
        if step == 5:
            begun.append(time.monotonic())
            os.kill(followers()[0].pid, signal.SIGKILL)

    chosen = RunSettings.model_validate({**QUICK, "steps": 2000, "device": "cpu", "evaluate": False, "devices": 3})
    race = begin([Entrant(tmp_path / name, name) for name in ("ce", "bcl")], chosen, progress=kill)
    outcomes = race.run()
    assert time.monotonic() - begun[0] < 60
    for outcome in outcomes:
        assert outcome.state == "failed" and outcome.reason is not None
        assert "rank 1 has ended (signal 9), and a step needs all 3 ranks" in outcome.reason
    assert followers() == []


def test_live_settings_reach_all_ranks(tmp_path: Path) -> None:
    found = []
    for name, devices in (("one", 1), ("two", 2)):

        def change(step: int, folder: Path = tmp_path / name / "supcon") -> None:
            if step == 3:
                send_request(folder, "set", {"temperature": 0.5, "learning_rate": 0.01})
                time.sleep(0.3)

        values = {**QUICK, "device": "cpu", "evaluate": False, "precision": "64", "devices": devices, "steps": 8}
        begin(
            [Entrant(tmp_path / name / "supcon", "supcon")], RunSettings.model_validate(values), progress=change
        ).run()
        found.append(load_weights(tmp_path / name / "supcon").tensors["model"])
    for key in found[0]:
        assert_close(found[1][key], found[0][key], key)


@pytest.mark.parametrize(
    "wrong, says",
    [
        ({"batch_size": 3, "devices": 2}, "batch_size must be at least two samples a rank, 4"),
        ({"devices": 2, "compile": True}, "compile is for one device"),
        ({"devices": 2, "nodes": 2}, "set MASTER_ADDR"),
        ({"devices": 2, "cuda_graphs": "on"}, "cuda_graphs are for one device"),
    ],
)
def test_what_cannot_be_shared_is_refused_before_anything_starts(
    tmp_path: Path, wrong: dict[str, object], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    with pytest.raises(ConfigError, match=says):
        start(tmp_path, ["ce"], **wrong)
    assert followers() == [] and not list(tmp_path.iterdir())


def test_more_devices_than_there_are_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(ConfigError, match=r"devices must be at most the 1 CUDA devices.*try --devices 1"):
        start(tmp_path, ["ce"], devices=2, device="cuda")
