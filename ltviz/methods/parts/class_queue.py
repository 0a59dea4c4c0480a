"""The class-wise queue: each class has slots of its own, so none crowds out another."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from ltviz.methods.parts.anchors import class_sizes
from ltviz.methods.parts.running_mean import allow_absent
from ltviz.methods.parts.tracing import sizes_are_fixed


def slots_per_class(counts: Tensor, total: int, floor: int) -> list[int]:
    """Slots of each class: `floor` each, the rest in proportion to frequency; their sum is `total`.

    Args:
        counts: (C,) training samples per class.
        total: K slots in all, at least C * floor.
        floor: slots that every class has, at least 1.

    Raises:
        ValueError: too few slots.

    Source: Suh and Seo 2023, Eq. 6, as in Long-tailed-recognition 1ff816c: class c ends at
    ceil((c + 1) floor + (total - C floor) (pi_0 + ... + pi_c)). Head classes get the longer queues.
    """
    num_classes = len(counts)
    if floor < 1 or total < num_classes * floor:
        raise ValueError(
            f"a class-wise queue needs at least {num_classes} classes x {max(floor, 1)} slots, but has {total}"
        )
    share = np.cumsum(counts.double().cpu().numpy()) / float(counts.double().sum())
    # rounded first: a sum of floats a hair above an integer must not get another slot
    ends = [
        math.ceil(round((c + 1) * floor + (total - num_classes * floor) * float(share[c]), 6))
        for c in range(num_classes)
    ]
    return np.diff([0, *ends]).tolist()


class ClassQueue(nn.Module):
    """A ring of feature vectors for each class; all state lies in buffers and is saved with the weights.

    Each push is a step; ages of features from weights that were saved without them count from the loading on.

    Args:
        slots: of each class, from `slots_per_class`.
        width: of the vectors.
    """

    def __init__(self, slots: list[int], width: int):
        super().__init__()
        sizes = torch.tensor(slots)
        self.register_buffer("sizes", sizes, persistent=False)
        self.register_buffer("starts", sizes.cumsum(0) - sizes, persistent=False)
        self.register_buffer("slot_labels", torch.repeat_interleave(torch.arange(len(slots)), sizes), persistent=False)
        self.register_buffer("all_features", torch.zeros(sum(slots), width))
        self.register_buffer("all_images", torch.full((sum(slots),), -1))
        self.register_buffer("all_steps", torch.zeros(sum(slots), dtype=torch.int64))
        self.register_buffer("pointers", torch.zeros(len(slots), dtype=torch.int64))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.sizes: Tensor
        self.starts: Tensor
        self.slot_labels: Tensor
        self.all_features: Tensor
        self.all_images: Tensor
        self.all_steps: Tensor
        self.pointers: Tensor
        self.steps: Tensor
        allow_absent(self, "all_steps", "steps")

    def contents(self) -> tuple[Tensor, Tensor, Tensor]:
        """Features (filled, width), labels (filled,) and images (filled,), sorted by class.

        In the steps of a training, whose sizes hang on no value, these are all slots, the empty ones labelled -1.
        """
        filled = self.all_images >= 0
        if sizes_are_fixed():
            return self.all_features, self.slot_labels.where(filled, -1), self.all_images
        return self.all_features[filled], self.slot_labels[filled], self.all_images[filled]

    @property
    def ages(self) -> Tensor:
        """(filled,) int64: how many pushes ago each of `contents` came in, 0 for the newest."""
        return self.steps - self.all_steps[self.all_images >= 0]

    @torch.no_grad()
    def push(self, features: Tensor, y: Tensor, images: Tensor) -> None:
        """Overwrite the oldest entries of each class; of more than fit, the first of the batch are kept (official).

        Args:
            features: (B, width).
            y: (B,) labels.
            images: (B,) positions in the training set, 0 or more.
        """
        order = y.argsort(stable=True)
        sorted_y = y[order]
        counts = class_sizes(y, len(self.sizes))
        first = (counts.cumsum(0) - counts)[sorted_y]
        # one too many writes again what the first of its class did, so that the sizes hang on no value
        rank = (torch.arange(len(y), device=y.device) - first) % self.sizes[sorted_y]
        order = order[first + rank]
        slots = self.starts[sorted_y] + (self.pointers[sorted_y] + rank) % self.sizes[sorted_y]
        self.all_features[slots] = features[order].to(self.all_features.dtype)
        self.all_images[slots] = images[order]
        self.steps += 1
        self.all_steps[slots] = self.steps
        self.pointers.copy_((self.pointers + torch.minimum(counts, self.sizes)) % self.sizes)
