"""On a GPU the host hands numbers over and goes on; here stand-ins for CUDA's streams note what is asked of them."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
import torch

from ltviz.data import transfer


class Device(torch.Tensor):
    """A tensor that says it lies on a GPU."""

    is_cuda = True

    def record_stream(self, stream: Any) -> None:
        stream.asked.append("record")


class Stream:
    """What a CUDA stream is asked for, in order."""

    def __init__(self, *_: Any):
        self.asked: list[str] = []

    def wait_stream(self, other: Any) -> None:
        self.asked.append("wait for what is computed")

    def synchronize(self) -> None:
        self.asked.append("synchronize")


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Stream:
    stream = Stream()
    real = torch.empty
    monkeypatch.setattr(transfer, "_side_stream", lambda index: stream)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device=None: Stream())
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: contextlib.nullcontext())
    monkeypatch.setattr(torch, "empty", lambda *args, pin_memory=False, **more: real(*args, **more))
    return stream


def test_copies_are_waited_for_once(cuda: Stream) -> None:
    copies = transfer.Copies(torch.device("cuda", 0))
    values = torch.arange(3.0).as_subclass(Device)
    found = [copies.start(values), copies.start(values)]
    assert cuda.asked == ["wait for what is computed", "record"] * 2
    copies.wait()
    assert cuda.asked[-1] == "synchronize" and cuda.asked.count("synchronize") == 1
    assert all(torch.equal(copy, torch.arange(3.0)) for copy in found)


def test_on_the_cpu_nothing_is_copied() -> None:
    copies, values = transfer.Copies(torch.device("cpu")), torch.arange(3.0, requires_grad=True)
    assert copies.start(values).data_ptr() == values.data_ptr() and not copies.start(values).requires_grad
    assert transfer.send(values, torch.device("cpu")) is values


def test_what_is_sent_to_a_gpu_is_pinned_and_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: asked.append("pinned") or self)
    monkeypatch.setattr(torch.Tensor, "to", lambda self, device, **how: asked.append((device.type, how)) or self)
    transfer.send(torch.ones(2), torch.device("cuda"))
    assert asked == ["pinned", ("cuda", {"non_blocking": True})]
