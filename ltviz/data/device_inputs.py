"""Inputs as float tensors on the device: put there once, or read in blocks and batches while the device computes."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ltviz.data.inputs import HeldInputs, Inputs
from ltviz.data.pixels import Pixels
from ltviz.data.transfer import send
from ltviz.data.views.policy import Randoms, where

BLOCK_ROWS, BLOCK_NUMBERS = 2048, 1 << 23
"""Of a block: inputs, and numbers in all of them, at most."""
READ_WIDTH = 512
"""Numbers that a pixel's features may take, for how many fit a block."""
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

    def finish(self, images: Tensor, rows: Tensor, randoms: Randoms) -> Tensor:
        """A view as an encoder takes it.

        Args:
            images: of `at`, augmented.
            rows: (B,) positions on the device.
            randoms: those of the view, after the augmentation has drawn its own.
        """
        return self.normalise(images)

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


class DevicePixels:
    """Labelled pixels as `DeviceInputs` are images: what an encoder takes of their images, on a device.

    B images with P samples each are one tensor (B, C H W + P): the numbers of each image, and after them the places
    y W + x of its samples. So views can be stacked, split and counted as those of images, and a `PixelEncoder` gives
    B P rows, image by image.

    Args:
        inputs: the samples.
        mean, std: by channel; nothing is normalised where they are empty.
    """

    def __init__(self, inputs: Pixels, device: torch.device, *, mean: Sequence[float] = (), std: Sequence[float] = ()):
        self.images = DeviceInputs(inputs.images, device, mean=mean, std=std)
        self._take(inputs, device)

    def __len__(self) -> int:
        return len(self.inputs)

    def at(self, index: NDArray[np.int64], rows: Tensor | None = None) -> Tensor:
        """(len(index), C, H, W) in [0, 1]: the images that these samples are of; otherwise as `DeviceInputs.at`."""
        return self.images.at(self._images(index), None if rows is None else self._of[rows])

    @property
    def reads_ahead(self) -> bool:
        """As `DeviceInputs.reads_ahead`."""
        return self.images.reads_ahead

    def expect(self, index: NDArray[np.int64]) -> None:
        """As `DeviceInputs.expect`."""
        self.images.expect(self._images(index))

    def finish(self, images: Tensor, rows: Tensor, randoms: Randoms) -> Tensor:
        """A view as an encoder takes it, (B, C H W + P); half of the images are mirrored where the set says so, and
        their places with them.

        Args:
            images: (B, C, H, W) of `at`, augmented by what moves no pixel.
            rows: (B P,) positions on the device, P of the first image, then P of the next.
            randoms: those of the view, after the augmentation has drawn its own.
        """
        places = self._places[rows].view(len(images), -1)
        if self.inputs.mirror:
            flipped = randoms.happens(0.5, len(images))
            images = where(flipped, images.flip(3), images)
            width = images.shape[3]
            shift = (width - 1 - 2 * (places % width)) * send(flipped, places.device)[:, None]
            places = places + shift
        return packed(self.images.normalise(images), places)

    def blocks(self) -> Iterator[Tensor]:
        """All samples in order as an encoder takes them without augmentation, normalised. Samples of one image that
        follow one another share it."""
        for first, images, each in self.inputs.runs():
            rows = max(1, min(BLOCK_ROWS, BLOCK_NUMBERS // (math.prod(self.inputs.shape) + READ_WIDTH * each)))
            for start in range(0, images, rows):
                taken = min(rows, images - start)
                index = np.arange(first + start * each, first + (start + taken) * each)
                whole = self.images.normalise(self.at(index[::each]))
                yield packed(whole, self._places[index[0] : index[-1] + 1].view(taken, each))

    def together(self) -> tuple[DevicePixels, Tensor]:
        """The same samples in an order in which `blocks` shows an encoder each image once, and (N,) where each of ours
        is among them, on the device."""
        order, found = self.inputs.together(), copy.copy(self)
        found._take(self.inputs.reordered(order), self.device)
        return found, torch.from_numpy(np.argsort(order)).to(self.device)

    def _take(self, inputs: Pixels, device: torch.device) -> None:
        self.inputs, self.device = inputs, device
        self._of = torch.from_numpy(inputs.of.astype(np.int64)).to(device)
        self._places = torch.from_numpy(inputs.places).to(device)

    def _images(self, index: NDArray[np.int64]) -> NDArray[np.int64]:
        return self.inputs.of[index].astype(np.int64)


OnDevice = DeviceInputs | DevicePixels


def on_device(
    inputs: Inputs, device: torch.device, *, mean: Sequence[float] = (), std: Sequence[float] = ()
) -> OnDevice:
    """Inputs of any kind as an encoder takes them."""
    kind = DevicePixels if isinstance(inputs, Pixels) else DeviceInputs
    return kind(inputs, device, mean=mean, std=std)  # type: ignore[arg-type]


def packed(images: Tensor, places: Tensor) -> Tensor:
    """(B, C H W + P) of images (B, C, H, W) and places (B, P), which float32 holds exactly up to 2^24."""
    return torch.cat([images.flatten(1), places.to(images.dtype)], dim=1)
