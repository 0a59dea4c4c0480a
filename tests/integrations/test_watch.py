from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from ltviz.errors import ConfigError, RecordingWarning
from ltviz.integrations.watch import Watch, labels_of, to_device, undisturbed
from ltviz.recording import Recording

from .conftest import Net


def draws() -> list[float]:
    return [random.random(), float(np.random.rand()), float(torch.rand(()))]


def test_a_look_leaves_generators_and_modes_as_they_were(samples):
    own = torch.Generator().manual_seed(5)
    model = Net().train()
    model.body[1].eval()  # a norm that somebody has frozen
    loader = DataLoader(samples, 8, shuffle=True, generator=own)
    torch.manual_seed(3), random.seed(3), np.random.seed(3)
    expected = [*draws(), float(torch.rand((), generator=own))]
    torch.manual_seed(3), random.seed(3), np.random.seed(3), own.manual_seed(5)
    before = [module.training for module in model.modules()]
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    orders = []
    for _ in range(2):
        with undisturbed(model, own):
            assert not model.training and not torch.is_grad_enabled()
            orders.append([y.tolist() for _, y in loader])
            draws()
    assert orders[0] == orders[1], "a loader that shuffles gives the same order at every look"
    assert [module.training for module in model.modules()] == before and torch.is_grad_enabled()
    assert [*draws(), float(torch.rand((), generator=own))] == expected
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())


def test_modes_come_back_after_an_error():
    model = Net().train()
    with pytest.raises(ZeroDivisionError), undisturbed(model):
        _ = 1 / 0
    assert model.training and model.body.training


def test_steps_that_are_due():
    watch = Watch("never", 10)
    due = []
    for step in (0, 0, 3, 9, 10, 10, 24, 25, 29, 31):
        if watch.is_due(step):
            due.append(step)
            watch._last = step
    assert due == [0, 10, 24, 31], "once for each multiple that was passed, also by steps of more than one"
    assert not watch.is_due(31, end=True) and watch.is_due(33, end=True)
    with pytest.raises(ConfigError, match="every must be a number of optimiser steps"):
        Watch("never", 0)


def test_what_goes_wrong_after_the_first_frame_is_counted(tmp_path, samples):
    model, watch = Net(), Watch(tmp_path / "run", 1)
    loader = DataLoader(samples, 16)
    watch.look(0, model, loader, lambda batch: model(batch[0]), device="cpu")

    def fails(batch):
        raise RuntimeError("out of memory")

    with pytest.warns(RecordingWarning, match="out of memory") as heard:
        watch.look(1, model, loader, fails, device="cpu")
    assert heard[0].filename == __file__, "it points at the line that is not ltviz's"
    with pytest.warns(RecordingWarning, match="other labels came"):
        watch.look(2, model, DataLoader(samples, 16, sampler=range(60)), lambda batch: model(batch[0]), device="cpu")
    watch.look(3, model, loader, lambda batch: model(batch[0]), device="cpu")
    with pytest.warns(RecordingWarning, match="2 of 4 frames were dropped"):
        watch.end()
    assert Recording(tmp_path / "run").steps() == [0, 3]


def test_a_look_that_cannot_begin_is_told(tmp_path, samples):
    watch = Watch(tmp_path / "run", 1)
    with pytest.raises(TypeError):
        watch.look(0, Net(), DataLoader(samples, 16), lambda batch: None + 1, device="cpu")  # type: ignore[operator]
    assert not (tmp_path / "run").exists()


def test_batches_of_all_kinds_travel(samples):
    batch = {"x": torch.ones(2), "more": [torch.zeros(1), ("word", 3)]}
    moved = to_device(batch, "meta")
    assert moved["x"].device.type == moved["more"][0].device.type == "meta" and moved["more"][1] == ["word", 3]
    assert labels_of({"labels": 1}) == labels_of({"label": 1}) == labels_of((0, 1)) == 1
    with pytest.raises(Exception, match="must hold labels"):
        labels_of({"x": 1})


def test_ranks_that_do_not_write_look_and_go_on_too(tmp_path, samples):
    model, watch = Net(), Watch(tmp_path / "run", 1)
    loader, seen = DataLoader(samples, 32), []
    watch.look(0, model, loader, lambda batch: seen.append(0) or model(batch[0]), device="cpu", writes=False)
    watch.look(1, model, loader, lambda batch: 1 / 0, device="cpu", writes=False)
    watch.end()
    assert len(seen) == 2 and not (tmp_path / "run").exists()
