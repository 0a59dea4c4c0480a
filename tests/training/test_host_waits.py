"""Between frames nothing is read from the device: a loop that reads waits for a GPU at every step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
import torch

from ltviz.methods import registry
from ltviz.methods.parts import partition
from ltviz.training.race import Race

from .counting import waits

Start = Callable[..., Race]

EXCEPTIONS = {
    "tsc": {"cpu", "numpy", "__bool__", "_local_scalar_dense", "is_nonzero"},
    "proco": {"cpu", "numpy"},
    "vmf": {"cpu", "numpy"},
    "sbcl": {"cpu", "numpy", "nonzero", "equal", "index by a mask", "__bool__", "__int__", "_local_scalar_dense"},
}
"""Methods that need the host by their nature, and what they ask of it: TSC's Hungarian matching after each step, whose
result the next step aims at, runs on the CPU; so do the Bessel functions of ProCo and vMF, which are scipy's, and at
a few steps the k-means of SBCL."""


def counted(race: Race, monkeypatch: pytest.MonkeyPatch, first: int, last: int) -> Counter[str]:
    """What waits in the steps first ... last, which have no frame."""
    batches = race.batches
    (lane,) = race.lanes
    for step in range(1, first):
        lane.train(batches.at(step))
    ready = [batches.at(step) for step in range(first, last + 1)]
    with waits(monkeypatch) as found:
        for batch in ready:
            lane.train(batch)
    lane.look()
    assert lane.step == last
    return found


@pytest.mark.parametrize("name", registry.methods())
def test_no_method_waits_between_frames(start: Start, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    several = registry.method(name).several_labels
    settings = {"teacher": "none"} if name == "gml" else {}
    race = start(name, data="digits-ml" if several else "digits-lt", settings=settings, steps=40)
    found = counted(race, monkeypatch, 3, 30)  # from half time on TSC's targets pull; GML's queues fill meanwhile
    race.lanes[0].end("finished", None)
    strange = {what: times for what, times in found.items() if what not in EXCEPTIONS.get(name, set())}
    assert not strange, f"{name} asks the device for values in {found} of 28 steps"
    assert bool(found) == (name in EXCEPTIONS), "an exception that is none any more must go"


@pytest.mark.parametrize("name", ["supcon", "bcl", "simclr", "moco", "kcl", "gml"])
def test_large_contrasts_do_not_wait_either(start: Start, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond some size kernels take over, of which a GPU gets one that reads no value."""
    monkeypatch.setattr(partition, "SMALLEST_FUSED", 1)
    monkeypatch.setattr(partition, "reads_are_free", lambda x: False)
    race = start(name, settings={"teacher": "none"} if name == "gml" else {}, steps=40)
    found = counted(race, monkeypatch, 3, 8)
    race.lanes[0].end("finished", None)
    assert not found


@pytest.mark.parametrize("name", ["ce", "bcl", "clip"])
def test_nothing_waits_where_samples_are_pixels(start: Start, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    race = start(name, data="digits-seg", encoder="convnet", batch_size=4, steps=40)
    found = counted(race, monkeypatch, 3, 8)
    race.lanes[0].end("finished", None)
    assert not found


def test_what_waits_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.arange(4.0)
    with waits(monkeypatch) as found:
        x.tolist(), x[0].item(), x[x > 1], bool(x[0] > 0), torch.bincount(x.long()), x.numpy(), x.nonzero()
    assert {"tolist", "item", "index by a mask", "__bool__", "bincount", "numpy", "nonzero"} <= set(found)
    with waits(monkeypatch) as found:
        x[torch.tensor([0, 1])], x.where(x > 1, 0.0), x + 1
    assert not found
