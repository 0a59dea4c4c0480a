"""A process that trains together with others makes its own rows of a batch, which are those of the whole batch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from ltviz.data import registry, views
from ltviz.data.device_inputs import DeviceInputs
from ltviz.data.divided import Divided
from ltviz.data.inputs import HeldInputs
from ltviz.data.longtail import LongTailed
from ltviz.data.tensors import Batches
from ltviz.data.views.policy import Policy, Randoms

CPU = torch.device("cpu")
SIZE, OWN = 13, slice(4, 9)
"""Of the batch, and the rows of this process: not the first, and not as many as of anything else."""


@pytest.fixture(scope="module")
def data() -> LongTailed:
    """Digits in three colours, with a mean and a deviation."""
    plain = registry.load("digits-lt", imbalance_factor=50)
    images = np.repeat(np.repeat(plain.train_inputs.whole()[..., None] * 15, 2, 1), 2, 2)
    inputs = HeldInputs(np.stack([images[..., 0], images[..., 0] // 2, 255 - images[..., 0]], 3).astype(np.uint8))
    return replace(plain, train_inputs=inputs, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4))


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images were read, each time that some were."""
    found: list[int] = []
    plain = DeviceInputs.at

    def count(self: DeviceInputs, index: np.ndarray, rows: Tensor | None = None) -> Tensor:
        found.append(len(index))
        return plain(self, index, rows)

    monkeypatch.setattr(DeviceInputs, "at", count)
    return found


def batches(data: LongTailed, policies: str = "", *, divided: bool = True, size: int = SIZE) -> Batches:
    own = (lambda rows: OWN) if divided else None
    return Batches(data, batch_size=size, seed=0, device=CPU, policies=policies, own=own)


@pytest.mark.parametrize("policies", [*views.policies(), "crop-flip,randaug"])
def test_own_rows_are_those_of_the_whole_view(data: LongTailed, policies: str, read: list[int]) -> None:
    batch, alone = batches(data, policies).at(2), batches(data, policies, divided=False).at(2)
    pair = batch.views(0, 1)
    assert isinstance(pair, Divided) and pair.shape == (2 * SIZE, 3, 16, 16) and read == []
    found = pair.own().view(2, OWN.stop - OWN.start, 3, 16, 16)
    assert read == [OWN.stop - OWN.start], "the images of both views are read once, and no others"
    wanted = alone.views(0, 1).view(2, SIZE, 3, 16, 16)[:, OWN]
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)


def test_whoever_looks_at_a_view_sees_all_of_it(data: LongTailed) -> None:
    """Nothing that computes with the images may take a part for the whole."""
    alone = batches(data, divided=False).at(1)
    whole, pair = alone.view(0), alone.views(0, 1)
    for act in (
        lambda x: x + 1,
        lambda x: 2.0 * x,
        lambda x: x.double(),
        lambda x: x[3],
        lambda x: x[:5],
        lambda x: x[torch.randperm(SIZE, generator=torch.Generator().manual_seed(0))],
        lambda x: x.flatten(1).mean(1),
        lambda x: torch.stack([x, x]),
        lambda x: torch.cat([x, torch.zeros(2, 3, 16, 16)]),
        lambda x: torch.cat([x, x], 1),
        lambda x: torch.nn.functional.conv2d(x, torch.ones(1, 3, 3, 3)),
        lambda x: torch.from_numpy(x.numpy()),
        lambda x: torch.tensor(x.tolist()),
        lambda x: x.detach().clone(),
        lambda x: x.chunk(3)[1],
    ):
        found = act(batches(data).at(1).view(0))
        assert not isinstance(found, Divided)
        assert torch.equal(found, act(whole))
    halves = batches(data).at(1).views(0, 1).chunk(2)
    assert all(isinstance(half, Divided) for half in halves)
    assert torch.equal(torch.cat([half + 0 for half in halves]), pair)


def test_a_batch_of_a_methods_own_stays_divided_and_a_cut_one_is_whole(data: LongTailed, read: list[int]) -> None:
    batch = batches(data).at(1)
    own, again = batch.share(SIZE, 1), batch.share(2 * SIZE, 2)
    assert isinstance(own.views(0, 1), Divided) and isinstance(again.view(0), Divided) and own.images == 2 * SIZE
    assert isinstance(torch.cat([batch.view(0), own.view(1)]), Divided) and read == []
    cut = batch.share(SIZE + 3, 1).view(0)
    assert not isinstance(cut, Divided) and len(cut) == SIZE + 3
    view = batch.view(0)
    assert isinstance(view, Divided) and torch.equal(view.own(), cut[OWN]), "what is there already is not made again"
    assert read == [SIZE]


def test_marks_and_policies_that_do_not_say_that_rows_are_their_own_are_whole(
    data: LongTailed, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not isinstance(batches(data).fixed(2, 20).view(0), Divided)
    foreign = Policy("foreign", "", "", "", lambda x, randoms: x + torch.rand(len(x), generator=randoms.generator)[0])
    monkeypatch.setattr("ltviz.data.tensors.views.chosen", lambda *given, **more: (foreign,))
    assert not isinstance(batches(data).at(1).view(0), Divided)


def test_a_draw_whose_rows_lie_elsewhere_is_refused() -> None:
    randoms = Randoms(0, OWN, SIZE)
    assert torch.equal(randoms.uniform(2, 5, rows=1), Randoms(0).uniform(2, SIZE)[:, OWN])
    assert np.array_equal(randoms.chosen(lambda of, num: of.random(num), 5), Randoms(0).choices.random(SIZE)[OWN])
    with pytest.raises(ValueError, match="must be that of the rows, of which 5 are made here"):
        randoms.uniform(2, 5)
