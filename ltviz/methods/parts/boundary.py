"""Decision boundaries of a cosine classifier on the sphere, and how far a prior moves them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

NEIGHBOURS = 3
"""Nearest classes with which each class's boundaries are looked at."""
_PARALLEL = 1e-6


def borders(directions: Tensor) -> Tensor:
    """(K, 2) int64 pairs of classes, the smaller number first and no pair twice: each class with its nearest ones.

    Args:
        directions: (C, D) unit rows.
    """
    nearest = min(NEIGHBOURS, len(directions) - 1)
    cosines = (directions @ directions.T).fill_diagonal_(-torch.inf)
    found = cosines.topk(nearest, dim=1).indices
    itself = torch.arange(len(directions), device=directions.device)[:, None].expand_as(found)
    return torch.stack([itself, found], dim=2).view(-1, 2).sort(dim=1).values.unique(dim=0)


def half_angles(a: Tensor, b: Tensor) -> Tensor:
    """(K,) radians: half the angles between unit rows (K, D)."""
    return torch.atan2((a - b).norm(dim=1), (a + b).norm(dim=1))


def boundary_shift(half: Tensor, advantage: Tensor) -> Tensor:
    r"""How far the boundary on the great circle between two classes lies from its middle, towards the first class.

    At the angle :math:`\varphi` from the first of two directions :math:`\theta` apart the logits are
    :math:`s \cos\varphi` and :math:`s \cos(\theta - \varphi)`. Where the second has an advantage of :math:`s\,\delta`
    they are equal at :math:`\varphi = \theta/2 - \arcsin(\delta / (2 \sin(\theta/2)))`, or nowhere between the two:
    all of the arc is the favoured class's then, and the boundary is put at its end.

    Args:
        half: (K,) half the angle between the classes, radians in [0, pi / 2].
        advantage: (K,) delta: what is added to the second class's logit and not to the first one's, over the scale s.

    Returns:
        (K,) radians in [-half, half].
    """
    sine = half.sin()
    return torch.asin((advantage / (2 * sine).clamp_min(torch.finfo(sine.dtype).tiny)).clamp(-sine, sine))


def along(a: Tensor, b: Tensor, angles: Tensor) -> Tensor:
    """(K, D) unit points at these angles (K,), radians, from unit rows a on the great circles towards b, (K, D) each.

    Where a and b are one point or opposite ones, and so on no single great circle, one of theirs is taken.
    """
    towards = b - (a * b).sum(1, keepdim=True) * a
    # the axis farthest from a is never parallel to it
    axis = F.one_hot(a.abs().argmin(1), a.shape[1]).to(a)
    axis = axis - (a * axis).sum(1, keepdim=True) * a
    towards = torch.where(towards.norm(dim=1, keepdim=True) > _PARALLEL, towards, axis)
    return F.normalize(angles.cos()[:, None] * a + angles.sin()[:, None] * F.normalize(towards, dim=1), dim=1)
