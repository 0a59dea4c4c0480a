"""The loop that everybody writes: a method trained by PyTorch alone, as the papers' repositories train it.

The model is the method's own, module by module, and so are loss terms, weights, augmentation and batch size. The losses
are those of `ltviz.bench.losses`, dense matrices with masks as in the official code. The rest is what the official
scripts have: AdamW as PyTorch gives it, a cosine schedule, the mean loss by `.item()` at each step. There are no
workers to feed: images lie on the device. Nothing is drawn, measured, recorded or saved.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ltviz.bench.losses import plain_bcl, plain_supcon

Loss = Callable[[Any, Sequence[Tensor], Tensor, Tensor], Tensor]
"""Of a method's modules, its views, their labels (B,) and the log prior (C,)."""


def ce(model: Any, views: Sequence[Tensor], y: Tensor, prior: Tensor) -> Tensor:
    """Cross-entropy, and the read-out on the sphere beside it."""
    return _classified(model, views[0], y, torch.zeros_like(prior))


def logit_adjust(model: Any, views: Sequence[Tensor], y: Tensor, prior: Tensor) -> Tensor:
    """The same with logits that know the prior."""
    return _classified(model, views[0], y, prior)


def _classified(model: Any, x: Tensor, y: Tensor, prior: Tensor) -> Tensor:
    features = model.encoder(x)
    shown = F.normalize(model.head(features.detach()), dim=1) @ F.normalize(model.display.weight, dim=1).T
    return F.cross_entropy(model.classifier(features) + prior, y) + F.cross_entropy(
        model.display.scale * shown + prior, y
    )


def supcon(model: Any, views: Sequence[Tensor], y: Tensor, prior: Tensor) -> Tensor:
    """The contrast of two views, and the probe on detached features."""
    features = model.encoder(torch.cat([views[0], views[1]]))
    first, second = F.normalize(model.head(features), dim=1).chunk(2)
    probed = F.cross_entropy(model.probe(features.detach()) + prior, y.repeat(2))
    return plain_supcon(torch.stack([first, second], dim=1), y) + probed


def bcl(model: Any, views: Sequence[Tensor], y: Tensor, prior: Tensor) -> Tensor:
    """A logit-adjusted cosine classifier on one view, balanced contrast of two."""
    features = model.encoder(torch.cat([views[0], views[1], views[2]]))
    one, *two = features.chunk(3)
    first, second = F.normalize(model.head(torch.cat(two)), dim=1).chunk(2)
    prototypes = F.normalize(model.branch(model.classifier.weight), dim=1)
    logits = model.classifier.scale * F.normalize(one, dim=1) @ F.normalize(model.classifier.weight, dim=1).T
    contrast = plain_bcl(torch.stack([first, second], dim=1), y, prototypes)
    return F.cross_entropy(logits + prior, y) + 0.35 * contrast


LOSSES: dict[str, tuple[Loss, int]] = {
    "ce": (ce, 1),
    "logit_adjust": (logit_adjust, 1),
    "supcon": (supcon, 2),
    "bcl": (bcl, 3),
}
"""Each loss, and the views that it takes."""


def affine(images: Tensor) -> Tensor:
    """Images moved, turned, scaled and made noisy as the policy `affine` does, by what PyTorch has for it."""
    num, _, _, width = images.shape
    reach = (1 if width < 16 else 2) * 2 / width
    turn, stretch, right, down = (2 * torch.rand(4, num, device=images.device) - 1).unbind()
    scale = 1 + 0.1 * stretch
    cos, sin = (0.2 * turn).cos() * scale, (0.2 * turn).sin() * scale
    rows = torch.stack([cos, -sin, reach * right], dim=1), torch.stack([sin, cos, reach * down], dim=1)
    grid = F.affine_grid(torch.stack(rows, dim=1), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, align_corners=False) + 0.1 * torch.randn_like(images)


def crop_flip(images: Tensor) -> Tensor:
    """Images padded by 4, cropped to their size at random and mirrored half of the time, a batch at once."""
    num, channels, height, width = images.shape
    padded = F.pad(images, (4, 4, 4, 4))
    top, left = torch.randint(9, (2, num, 1), device=images.device)
    rows = (top + torch.arange(height, device=images.device))[:, None, :, None]
    columns = left + torch.arange(width, device=images.device)
    columns = torch.where(torch.rand(num, 1, device=images.device) < 0.5, columns.flip(1), columns)[:, None, None]
    index = torch.arange(num, device=images.device)[:, None, None, None]
    return padded[index, torch.arange(channels, device=images.device)[:, None, None], rows, columns]


class PlainLoop:
    """Steps of the plain loop.

    Args:
        name: of the method.
        model: the method, whose modules are trained.
        images, labels: (N, ...) and (N,) of the training set, on the device.
        view: makes an augmented copy of images (B, ...).
        batch_size, steps, learning_rate, weight_decay: as the run has them.
    """

    def __init__(
        self,
        name: str,
        model: nn.Module,
        images: Tensor,
        labels: Tensor,
        view: Callable[[Tensor], Tensor],
        *,
        batch_size: int,
        steps: int,
        learning_rate: float,
        weight_decay: float,
    ):
        self.model, self.images, self.labels, self.view, self.batch_size = model, images, labels, view, batch_size
        self.loss, self.num_views = LOSSES[name]
        counts = torch.bincount(labels).float()
        self.prior = (counts / counts.sum()).log()
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, steps)
        self.sum_of_losses = 0.0

    def step(self) -> None:
        """One step of the optimiser on samples drawn with replacement."""
        index = torch.randint(len(self.labels), (self.batch_size,), device=self.labels.device)
        x, y = self.images[index], self.labels[index]
        loss = self.loss(self.model, [self.view(x) for _ in range(self.num_views)], y, self.prior)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.schedule.step()
        self.sum_of_losses += loss.item()
