"""The cosine classifier: unit features against unit class weights."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class CosineClassifier(nn.Module):
    """Logits scale * cos(feature, weight), (B, dim) -> (B, C).

    Args:
        dim, num_classes: D and C.
        scale: inverse temperature; 30 in the official BCL and ProCo, 16 suits small images and dim = 3.

    Source: `NormedLinear` of LDAM-DRW and BCL f72d070; initial weights uniform in a cube, then normalised, as there.
    """

    def __init__(self, dim: int, num_classes: int, scale: float = 16.0):
        super().__init__()
        self.scale = scale
        self.weight = nn.Parameter(F.normalize(torch.rand(num_classes, dim) * 2 - 1, dim=1))

    def forward(self, features: Tensor) -> Tensor:
        return self.scale * F.normalize(features, dim=1) @ self.directions().T

    def directions(self) -> Tensor:
        """Unit class weights, (C, D)."""
        return F.normalize(self.weight, dim=1)
