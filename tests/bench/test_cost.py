"""What a loss keeps grows with its batch and its queue."""

from __future__ import annotations

import json

import pytest
import torch

from ltviz.bench import cost
from ltviz.methods.parts.queue import KeyQueue
from ltviz.training.engine import growth


def told(capsys: pytest.CaptureFixture[str], *flags: str) -> dict[str, dict[str, float]]:
    cost.run(["--classes", "5", "--device", "cpu", "--json", *flags])
    return json.loads(capsys.readouterr().out)["mib"]


def test_a_larger_batch_and_a_longer_queue_take_more(capsys: pytest.CaptureFixture[str]) -> None:
    small = told(capsys, "--methods", "supcon,moco", "--batch", "16,64", "--queue", "64")
    assert small["supcon"]["64"] > small["supcon"]["16"] > 0
    large = told(capsys, "--methods", "moco", "--batch", "16", "--queue", "4096")
    assert large["moco"]["16"] > small["moco"]["16"]


def test_queues_are_full_and_what_is_there_anyway_counts_for_nothing() -> None:
    queue = torch.nn.Sequential(KeyQueue(64, 8))
    queue.counts = torch.ones(3)
    cost.fill_queues(queue, 64)  # type: ignore[arg-type]
    assert len(queue[0]) == 64  # type: ignore[arg-type]
    weight = torch.randn(64, 64, requires_grad=True)
    found = []
    for but in ([], [weight]):
        with growth(torch.device("cpu"), but) as grown:
            (torch.ones(2, 64, requires_grad=True) @ weight).sum()
        found.append(grown.bytes)
    assert found[0] - found[1] == weight.nbytes
