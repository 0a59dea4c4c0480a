"""The cosine classifier: unit features against unit class weights."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ltviz.methods.base import LinearClassifier
from ltviz.methods.parts.anchors import stack_views
from ltviz.methods.parts.tug import Tug, shares, similarities

SCALE = 16.0
"""Inverse temperature that suits small images and dim = 3; 30 in the official BCL and ProCo."""


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
        return self.scale * F.normalize(features, dim=1) @ self.directions().T

    def directions(self) -> Tensor:
        """Unit class weights, (C, D)."""
        return F.normalize(self.weight, dim=1)


def linear_classifier(module: nn.Linear | CosineClassifier) -> LinearClassifier:
    """The weights of a classifier that is one of these two modules."""
    if isinstance(module, CosineClassifier):
        weight = module.scale * module.directions()
        return LinearClassifier(weight, weight.new_zeros(len(weight)), unit=True)
    return LinearClassifier(module.weight, module.bias)


def softmax_tug(
    z: Tensor,
    directions: Tensor,
    wanted: Tensor,
    *,
    scale: float,
    shift: Tensor | None = None,
    sample_weights: Tensor | None = None,
) -> Tug:
    """What class directions do to embeddings under softmax cross-entropy: each pulls or pushes with
    scale w_i (wanted_ic - p_ic), where p is the softmax of scale * cos + shift.

    Args:
        z: (B, V, D) unit rows, R = B V of them.
        directions: (C, D) unit class weights.
        wanted: (R, C) share of each class in the label, rows that sum to 1, or to 0 for samples that do not count.
        shift: (C,) what the training counts add to the logits; nothing where left out.
        sample_weights: (R,) w_i, sum 1, where they depend on the training counts; 1 / R where left out.
    """
    rows = stack_views(z)
    logits = scale * similarities(rows, directions)
    counted = wanted.sum(1, keepdim=True)
    unaware = scale * (wanted - counted * shares(logits)) / len(rows)
    weights, prior = unaware, None
    if shift is not None or sample_weights is not None:
        each = scale / len(rows) if sample_weights is None else scale * sample_weights[:, None]
        weights = each * (wanted - counted * shares(logits if shift is None else logits + shift))
        prior = weights - unaware
    classes = torch.arange(len(directions), device=z.device)
    return Tug(partners=directions, classes=classes, weights=weights, positives=wanted > 0, prior=prior)
