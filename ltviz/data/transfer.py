"""Numbers on their way between host and device, without waiting where that can be helped."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor


def send(values: Tensor, device: torch.device) -> Tensor:
    """`values`, which lie on the host, on the device. The host does not wait for what the device still has to do."""
    if device.type != "cuda" or values.is_cuda:  # what is there already cannot be pinned
        return values.to(device)
    return values.pin_memory().to(device, non_blocking=True)


class Copies:
    """Copies on the host that are all under way together, beside what the device computes.

    >>> copies = Copies(torch.device("cpu"))
    >>> one = copies.start(torch.ones(2))
    >>> copies.wait()  # before this a copy holds anything
    >>> one
    tensor([1., 1.])
    """

    def __init__(self, device: torch.device):
        self._stream = _side_stream(device.index or 0) if device.type == "cuda" else None

    def start(self, values: Tensor) -> Tensor:
        """A copy on the host, in pinned memory, which is whole after `wait`; `values` itself where it is there."""
        values = values.detach()
        if self._stream is None or not values.is_cuda:
            return values.cpu()
        copy = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
        self._stream.wait_stream(torch.cuda.current_stream(values.device))
        with torch.cuda.stream(self._stream):
            copy.copy_(values, non_blocking=True)
        values.record_stream(self._stream)  # its memory is given to nobody else before
        return copy

    def wait(self) -> None:
        """Until all copies are whole."""
        if self._stream is not None:
            self._stream.synchronize()


@lru_cache(maxsize=16)
def _side_stream(index: int) -> torch.cuda.Stream:
    return torch.cuda.Stream(index)
