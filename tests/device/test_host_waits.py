"""Between frames the host does not wait for the device. On CUDA the driver's own check says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from ltviz.methods import registry
from ltviz.training.race import Race

from ..training.counting import waits
from ..training.test_host_waits import EXCEPTIONS

Start = Callable[..., Race]


@pytest.mark.filterwarnings("ignore:Synchronization debug mode")
@pytest.mark.parametrize("name", [name for name in registry.methods() if name not in EXCEPTIONS])
def test_the_host_runs_ahead(start: Start, name: str, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    several = registry.method(name).several_labels
    settings = {"teacher": "none"} if name == "gml" else {}
    race = start(name, data="digits-ml" if several else "digits-lt", settings=settings, cuda_graphs="off")
    (lane,) = race.lanes
    for step in (1, 2, 3):
        lane.train(race.batches.at(step))
    if device == "cpu":
        ready = [race.batches.at(step) for step in range(4, 12)]
        with waits(monkeypatch) as found:
            for batch in ready:
                lane.train(batch)
        assert not found
    else:
        torch.cuda.synchronize()
        torch.cuda.set_sync_debug_mode("error")
        try:
            for step in range(4, 12):
                lane.train(race.batches.at(step))
        finally:
            torch.cuda.set_sync_debug_mode("default")
    lane.look()
    lane.end("finished", None)
