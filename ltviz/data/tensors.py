"""A data set as tensors on the device: images, a bank of augmentations, and the batches drawn from them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ltviz.data.batch import Batch
from ltviz.data.longtail import LongTailed, random
from ltviz.data.sampling import Sampler, Sampling

COPIES = 8
"""Augmented copies of every training image."""
FINGERPRINT_STEPS = 256
_FLOAT32_LIMIT = 2**28  # bytes of a bank above which it is kept in half precision
_BANK, _INDEX, _COPY, _BALANCED, _BALANCED_COPY = range(10, 15)  # Philox streams


def augment(images: Tensor, generator: torch.Generator) -> Tensor:
    """One randomly moved, turned, scaled and noisy copy of each image.

    Shift up to 2 pixels (1 below 16 pixels of width), rotation up to 0.2 rad, scale 0.9 to 1.1, normal noise of 0.1.

    Args:
        images: (N, 1, H, W) float32 on the CPU, in [0, 1].

    Returns:
        (N, 1, H, W) float32; noise may leave [0, 1].
    """

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator) * 2 - 1

    num, width = len(images), images.shape[-1]
    angle, scale = 0.2 * uniform(num), 1 + 0.1 * uniform(num)
    shift = uniform(num, 2) * (1 if width < 16 else 2) * 2 / width  # affine_grid measures in half widths
    cos, sin = angle.cos() * scale, angle.sin() * scale
    rows = [torch.stack([cos, -sin, shift[:, 0]], 1), torch.stack([sin, cos, shift[:, 1]], 1)]
    grid = F.affine_grid(torch.stack(rows, 1), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, align_corners=False) + 0.1 * torch.randn(images.shape, generator=generator)


class Batches:
    """Batches of a long-tailed training set, the same for every method of a race and for every machine.

    Batch t is a function of (seed, t) alone, so training may be continued at any step. Samples are drawn with
    replacement; the views of one sample within a batch are different copies of the bank (up to 8 views). Where samples
    have several labels, a batch knows them all and comes with a second, re-balanced one: a class is drawn uniformly,
    then one of the samples that show it.

    Args:
        data: the set; its images and bank are put on `device`.
        batch_size: B.
        seed: of the batches and the bank.
        sampling: how often each class is drawn; "instance" draws all samples alike.
        total_steps: of the training, which "progressive" sampling goes by.
    """

    def __init__(
        self,
        data: LongTailed,
        *,
        batch_size: int,
        seed: int,
        device: torch.device,
        sampling: Sampling = "instance",
        total_steps: int = 1,
    ):
        self.batch_size, self.seed, self.device, self.total_steps = batch_size, seed, device, total_steps
        self._sampler = Sampler(data.train_labels if data.train_multi is None else data.train_multi, sampling)
        self.labels = torch.from_numpy(data.train_labels).to(device)
        self._multi = self._balanced = None
        if data.train_multi is not None:
            self._multi = torch.from_numpy(data.train_multi).to(device, torch.float32)
            self._balanced = Sampler(data.train_multi, "class-balanced")
        self._bank = _make_bank(torch.from_numpy(data.train_images)[:, None], seed).to(device)

    def at(self, step: int) -> Batch:
        """The batch of training step `step`, from 1."""
        if self._balanced is None:
            return self._make(step, *self._draw(step))
        return self._make(step, *self._draw(step), lambda: self._make(step, *self._draw_balanced(step)))

    def fixed(self, per_class: int, limit: int) -> Batch:
        """A batch of step 0 that is the same at every call: the first `per_class` samples of each class, fewer where
        that would be more than `limit`; view i is copy i of the bank."""
        each = max(1, min(per_class, limit // max(1, int(self.labels.max()) + 1)))
        labels = self.labels.cpu().numpy()
        index = np.concatenate([np.flatnonzero(labels == c)[:each] for c in np.unique(labels)])[:limit]
        return self._make(0, index, np.tile(np.arange(COPIES), (len(index), 1)))

    def _make(
        self, step: int, index: np.ndarray, copies: np.ndarray, rebalanced: Callable[[], Batch] | None = None
    ) -> Batch:
        rows = torch.from_numpy(index).to(self.device)
        columns = torch.from_numpy(copies).to(self.device)
        return Batch(
            step,
            rows,
            self.labels[rows],
            lambda view: self._bank[columns[:, view % COPIES], rows].to(torch.float32),
            labels=None if self._multi is None else self._multi[rows],
            make_rebalanced=rebalanced,
        )

    def fingerprint(self, total_steps: int) -> str:
        """SHA-256 of which samples and copies the first (at most 256) steps take, as hexadecimal digits."""
        digest = hashlib.sha256()
        for step in range(1, min(total_steps, FINGERPRINT_STEPS) + 1):
            for drawn in (*self._draw(step), *(self._draw_balanced(step) if self._balanced else ())):
                digest.update(drawn.astype("<i8").tobytes())
        return digest.hexdigest()

    def _draw(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """(B,) samples and (B, COPIES) the order in which each one's copies are used."""
        progress = min(1.0, (step - 1) / max(self.total_steps - 1, 1))
        index = self._sampler.draw(random(self.seed, _INDEX, step), self.batch_size, progress)
        return index, self._order_copies(_COPY, step)

    def _draw_balanced(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """As `_draw`, every class alike."""
        assert self._balanced is not None
        index = self._balanced.draw(random(self.seed, _BALANCED, step), self.batch_size, 0.0)
        return index, self._order_copies(_BALANCED_COPY, step)

    def _order_copies(self, stream: int, step: int) -> np.ndarray:
        return random(self.seed, stream, step).random((self.batch_size, COPIES)).argsort(axis=1)


def _make_bank(images: Tensor, seed: int) -> Tensor:
    """(COPIES, N, 1, H, W), made on the CPU so that every device trains on the same pictures."""
    dtype = torch.float32 if COPIES * images.numel() * 4 <= _FLOAT32_LIMIT else torch.float16
    generator = torch.Generator().manual_seed(int(random(seed, _BANK).integers(2**62)))
    bank = torch.empty((COPIES, *images.shape), dtype=dtype)
    for copy in bank:
        copy.copy_(augment(images, generator))
    return bank
