"""Targets of classes: who is sent where, by running centres and the Hungarian method."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ltviz import geometry
from ltviz.methods.parts.anchors import class_sizes

_KEPT = 0.9  # of a centre that a batch moves, as in targeted-supcon c4f15eb


def follow(centres: Tensor, z: Tensor, y: Tensor) -> Tensor:
    """Running unit centres (C, dim) after embeddings z (B, dim) of classes (B,); zero for classes not yet seen."""
    sums = torch.zeros_like(centres).index_add_(0, y, z.to(centres.dtype))
    seen = class_sizes(y, len(sums)) > 0
    moved = F.normalize(_KEPT * centres + (1 - _KEPT) * F.normalize(sums, dim=1), dim=1)
    return torch.where(seen[:, None], moved, centres)


def match(centres: Tensor, targets: Tensor) -> Tensor:
    """(C,) int64: the row of the targets that each class is sent to, on the CPU."""
    return torch.from_numpy(geometry.match_targets(centres.cpu().numpy(), targets.cpu().numpy()))
