"""Inputs as float tensors on the device: put there once, or read in blocks and batches while the device computes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ltviz.data.inputs import HeldInputs, Inputs
from ltviz.data.transfer import send

BLOCK_ROWS, BLOCK_NUMBERS = 2048, 1 << 23
"""Of a block: inputs, and numbers in all of them, at most."""
_MOST_EXPECTED = 3  # batches that are being read ahead


def channels_first(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Of one input as an encoder takes it: (H, W) -> (1, H, W), (H, W, 3) -> (3, H, W), (F,) -> (F,)."""
    match shape:
        case (height, width):
            return 1, height, width
        case (height, width, channels):
            return channels, height, width
    return shape


class DeviceInputs:
    """Inputs on a device. uint8 images stay uint8 there; what is asked for becomes float32 in [0, 1].

    Inputs in memory are put on the device once. Files are read when they are asked for, or before, in a thread, where
    `expect` announced them.

    Args:
        inputs: images or vectors.
        mean, std: by channel; nothing is normalised where they are empty.
    """

    def __init__(self, inputs: Inputs, device: torch.device, *, mean: Sequence[float] = (), std: Sequence[float] = ()):
        self.inputs, self.device = inputs, device
        self.shape = channels_first(inputs.shape)
        # A tensor, not a number: CUDA multiplies by the reciprocal of a number, which is another float now and then.
        self._white = torch.tensor(inputs.white, dtype=torch.float32, device=device)
        self._mean, self._std = (torch.tensor(list(by), device=device)[:, None, None] for by in (mean, std))
        self._held = self._put(inputs.array) if isinstance(inputs, HeldInputs) else None
        self._reader: ThreadPoolExecutor | None = None
        self._coming: dict[bytes, Future[NDArray]] = {}

    def __len__(self) -> int:
        return len(self.inputs)

    def at(self, index: NDArray[np.int64], rows: Tensor | None = None) -> Tensor:
        """(B, C, H, W) in [0, 1], or (B, F), float32: the inputs at these positions, not normalised.

        Args:
            index: (B,) positions.
            rows: the same on the device, for callers that have them there.

        Raises:
            DataError: a file that is missing or damaged.
        """
        if self._held is not None:
            return self._as_float(self._held[send(torch.from_numpy(index), self.device) if rows is None else rows])
        coming = self._coming.pop(index.tobytes(), None)
        return self._as_float(self._put(self.inputs.read(index) if coming is None else coming.result()))

    @property
    def reads_ahead(self) -> bool:
        """Whether to announce positions is of use: inputs in memory are there already."""
        return self._held is None

    def expect(self, index: NDArray[np.int64]) -> None:
        """Begins to read these positions in a thread, for an `at` that is to come; inputs in memory need none."""
        if not self.reads_ahead or (key := index.tobytes()) in self._coming:
            return
        if self._reader is None:
            self._reader = ThreadPoolExecutor(1, thread_name_prefix="ltviz-read-ahead")
        while len(self._coming) >= _MOST_EXPECTED:  # announced, and never asked for
            self._coming.pop(next(iter(self._coming))).cancel()
        self._coming[key] = self._reader.submit(self.inputs.read, index)

    def normalise(self, images: Tensor) -> Tensor:
        """Images less the mean and over the deviation, by channel; as they are where the data set names none."""
        return (images - self._mean) / self._std if len(self._mean) else images

    def blocks(self) -> Iterator[Tensor]:
        """All inputs in order as an encoder sees them without augmentation: (B, C, H, W) or (B, F), normalised."""
        rows = max(1, min(BLOCK_ROWS, BLOCK_NUMBERS // math.prod(self.shape)))
        wanted = list(self.inputs.blocks(rows))
        for place, index in enumerate(wanted):
            for coming in wanted[place : place + 2]:
                self.expect(coming)
            yield self.normalise(self.at(index))

    def _put(self, array: NDArray) -> Tensor:
        """On the device as it is, channels first."""
        whole = torch.from_numpy(np.require(array, requirements=["C", "W"]))
        if array.ndim == 3:
            whole = whole[:, None]
        elif array.ndim == 4:
            whole = whole.permute(0, 3, 1, 2).contiguous()
        return send(whole, self.device)

    def _as_float(self, values: Tensor) -> Tensor:
        return values.float() / self._white if len(self.shape) > 1 else values.float()
