"""Targets of classes: where they stand, and who is sent where, by running centres and the Hungarian method."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from ltviz import geometry
from ltviz.data.target_files import read_targets
from ltviz.methods.base import Setup
from ltviz.methods.parts.anchors import class_sizes
from ltviz.recording.names import typed_path

_KEPT = 0.9  # of a centre that a batch moves, as in targeted-supcon c4f15eb


def targets_file() -> Any:
    """The setting that names a file of targets."""
    return Field(
        "",
        max_length=1000,
        description="File of targets that `ltviz targets` or the geometry page saved, a row for each class; where "
        "empty the regular simplex, or below C - 1 dimensions the best arrangement found.",
    )


def targets_of(file: str, setup: Setup) -> Tensor:
    """Targets (C, dim), unit rows: of a file, or where there is none as even as they can be.

    Raises:
        DataError: a file that holds none, or none that fit.
    """
    if file:
        rows = read_targets(typed_path(file), num_classes=setup.num_classes, dim=setup.dim)
    else:
        rows = geometry.optimal_targets(setup.num_classes, setup.dim, seed=0)
    return torch.from_numpy(rows).float()


def follow(centres: Tensor, z: Tensor, y: Tensor) -> Tensor:
    """Running unit centres (C, dim) after embeddings z (B, dim) of classes (B,); zero for classes not yet seen."""
    sums = torch.zeros_like(centres).index_add_(0, y, z.to(centres.dtype))
    seen = class_sizes(y, len(sums)) > 0
    moved = F.normalize(_KEPT * centres + (1 - _KEPT) * F.normalize(sums, dim=1), dim=1)
    return torch.where(seen[:, None], moved, centres)


def match(centres: Tensor, targets: Tensor) -> Tensor:
    """(C,) int64: the row of the targets that each class is sent to, on the CPU."""
    return torch.from_numpy(geometry.match_targets(centres.cpu().numpy(), targets.cpu().numpy()))
