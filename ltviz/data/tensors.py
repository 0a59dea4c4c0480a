"""A data set as tensors on the device: images, and the batches of augmented views that are drawn from them."""

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
from ltviz.data.transfer import send

AUGMENTATION = "afresh at each step"
"""How views are made, as run.json says it. Older runs saw eight fixed copies of each image, and say nothing."""
FINGERPRINT_STEPS = 256
_INDEX, _VIEW, _BALANCED, _BALANCED_VIEW = 11, 12, 13, 14  # Philox streams


def augment(images: Tensor, generator: torch.Generator) -> Tensor:
    """One randomly moved, turned, scaled and noisy copy of each image.

    Shift up to 2 pixels (1 below 16 pixels of width), rotation up to 0.2 rad, scale 0.9 to 1.1, normal noise of 0.1.

    Args:
        images: (N, 1, H, W) float32, in [0, 1].
        generator: on the CPU, wherever the images are, so that every device makes the same copies.

    Returns:
        (N, 1, H, W) float32 beside the images; noise may leave [0, 1].
    """
    num, _, height, width = images.shape
    turn, stretch, right, down = (2 * torch.rand(4, num, 1, generator=generator) - 1).unbind()
    noise = send(torch.randn(images.shape, generator=generator), images.device)
    scale = 1 + 0.1 * stretch
    cos, sin = (0.2 * turn).cos() * scale, (0.2 * turn).sin() * scale
    reach = (1 if width < 16 else 2) * 2 / width  # grid_sample measures in half widths
    # F.affine_grid of [[cos, -sin, right], [sin, cos, down]], in a fraction of the time of its matrix product
    x, y = _pixel_centres(width), _pixel_centres(height)
    by_column = send(torch.stack([cos * x + reach * right, sin * x + reach * down], 1), images.device)
    by_row = send(torch.stack([-sin * y, cos * y], 1), images.device)
    grid = (by_column[:, :, None] + by_row[..., None]).permute(0, 2, 3, 1)
    return F.grid_sample(images, grid, align_corners=False).add_(noise, alpha=0.1)


def _pixel_centres(size: int) -> Tensor:
    """(size,) centres of pixels, where the image reaches from -1 to 1."""
    return (2 * torch.arange(size) + 1) / size - 1


class Batches:
    """Batches of a long-tailed training set, the same for every method of a race and for every machine.

    Batch t is a function of (seed, t) alone, so training may be continued at any step. Samples are drawn with
    replacement; view i of the batch is augmented afresh, every row by itself, by random numbers of (seed, t, i), which
    come from the CPU wherever the images are. Where samples have several labels, a batch knows them all and comes with
    a second, re-balanced one: a class is drawn uniformly, then one of the samples that show it.

    Args:
        data: the set; its images are put on `device`.
        batch_size: B.
        seed: of the batches and the augmentations.
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
        self._images = torch.from_numpy(data.train_images)[:, None].to(device)

    def at(self, step: int) -> Batch:
        """The batch of training step `step`, from 1."""
        if self._balanced is None:
            return self._make(step, self._draw(step))
        return self._make(
            step, self._draw(step), lambda: self._make(step, self._draw_balanced(step), stream=_BALANCED_VIEW)
        )

    def fixed(self, per_class: int, limit: int) -> Batch:
        """A batch of step 0 that is the same at every call: the first `per_class` samples of each class, fewer where
        that would be more than `limit`."""
        each = max(1, min(per_class, limit // max(1, int(self.labels.max()) + 1)))
        labels = self.labels.cpu().numpy()
        index = np.concatenate([np.flatnonzero(labels == c)[:each] for c in np.unique(labels)])[:limit]
        return self._make(0, index)

    def _make(
        self, step: int, index: np.ndarray, rebalanced: Callable[[], Batch] | None = None, stream: int = _VIEW
    ) -> Batch:
        rows = send(torch.from_numpy(index), self.device)

        def view(i: int) -> Tensor:
            chance = random(self.seed, stream, step, i).integers(2**62)
            return augment(self._images[rows], torch.Generator().manual_seed(int(chance)))

        return Batch(
            step,
            rows,
            self.labels[rows],
            view,
            labels=None if self._multi is None else self._multi[rows],
            make_rebalanced=rebalanced,
        )

    def fingerprint(self, total_steps: int) -> str:
        """SHA-256 of which samples the first (at most 256) steps take, and of how views are made of them, as
        hexadecimal digits."""
        digest = hashlib.sha256(AUGMENTATION.encode())
        for step in range(1, min(total_steps, FINGERPRINT_STEPS) + 1):
            for drawn in (self._draw(step), *([self._draw_balanced(step)] if self._balanced else [])):
                digest.update(drawn.astype("<i8").tobytes())
        return digest.hexdigest()

    def _draw(self, step: int) -> np.ndarray:
        """(B,) samples."""
        progress = min(1.0, (step - 1) / max(self.total_steps - 1, 1))
        return self._sampler.draw(random(self.seed, _INDEX, step), self.batch_size, progress)

    def _draw_balanced(self, step: int) -> np.ndarray:
        """As `_draw`, every class alike."""
        assert self._balanced is not None
        return self._balanced.draw(random(self.seed, _BALANCED, step), self.batch_size, 0.0)
