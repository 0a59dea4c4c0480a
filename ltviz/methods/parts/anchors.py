"""Anchors: the rows of a batch whose losses are averaged."""

from __future__ import annotations

import torch
from torch import Tensor


def stack_views(z: Tensor) -> Tensor:
    """(B, V, D) -> (V * B, D) with all first views first."""
    return z.transpose(0, 1).reshape(-1, z.shape[2])


def class_sizes(labels: Tensor, num_classes: int) -> Tensor:
    """How many rows have each label, (C,) int64: `bincount` with a size that is known before."""
    return labels.new_zeros(num_classes).scatter_add(0, labels, torch.ones_like(labels))


def anchor_weights(labels: Tensor, average: str, like: Tensor, num_classes: int | None = None) -> Tensor:
    """How much each anchor counts in the loss, (R,), sum 1.

    Args:
        labels: (R,) int64 anchor labels from 0.
        average: "sample": all anchors alike; "class": first within each class present, then over these classes.
        like: gives dtype and device.
        num_classes: C, at least one more than the largest label; found where left out.
    """
    if average == "sample":
        return like.new_full((len(labels),), 1.0 / len(labels))
    sizes = (torch.bincount(labels) if num_classes is None else class_sizes(labels, num_classes)).to(like)
    return 1.0 / (sizes[labels] * (sizes > 0).sum())
