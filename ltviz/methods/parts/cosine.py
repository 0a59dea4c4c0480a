"""The cosine classifier: unit features against unit class weights."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ltviz.methods.base import LinearClassifier
from ltviz.methods.parts.similarities import Partners, similarities

SCALE = 16.0
"""Inverse temperature that suits small images and dim = 3; 30 in the official BCL and ProCo."""


def cosine_logits(rows: Tensor, directions: Tensor, scale: float) -> Tensor:
    """Logits (B, C): scale times the cosines of unit rows (B, D) and unit class directions (C, D)."""
    about = Partners(torch.arange(len(directions), device=directions.device))
    return scale * similarities(rows, directions, about)


class CosineClassifier(nn.Module):
    """Logits scale * cos(feature, weight), (B, dim) -> (B, C).

    Args:
        dim, num_classes: D and C.
        scale: inverse temperature.

    Source: `NormedLinear` of LDAM-DRW and BCL f72d070; initial weights uniform in a cube, then normalised, as there.
    """

    def __init__(self, dim: int, num_classes: int, scale: float = SCALE):
        super().__init__()
        self.scale = scale
        self.weight = nn.Parameter(F.normalize(torch.rand(num_classes, dim) * 2 - 1, dim=1))

    def forward(self, features: Tensor) -> Tensor:
        return cosine_logits(F.normalize(features, dim=1), self.directions(), self.scale)

    def directions(self) -> Tensor:
        """Unit class weights, (C, D)."""
        return F.normalize(self.weight, dim=1)


def linear_classifier(module: nn.Linear | CosineClassifier) -> LinearClassifier:
    """The weights of a classifier that is one of these two modules."""
    if isinstance(module, CosineClassifier):
        weight = module.scale * module.directions()
        return LinearClassifier(weight, weight.new_zeros(len(weight)), unit=True)
    return LinearClassifier(module.weight, module.bias)
