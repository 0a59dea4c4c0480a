"""Small moves of small grey images: digits may be shifted and turned a little, and never mirrored."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ltviz.data.views.policy import Policy, Randoms


def affine(images: Tensor, randoms: Randoms) -> Tensor:
    """One randomly moved, turned, scaled and noisy copy of each image.

    Shift up to 2 pixels (1 below 16 pixels of width), rotation up to 0.2 rad, scale 0.9 to 1.1, normal noise of 0.1.

    Args:
        images: (N, C, H, W) float32, in [0, 1].

    Returns:
        (N, C, H, W) float32 beside the images; noise may leave [0, 1].
    """
    num, _, height, width = images.shape
    turn, stretch, right, down = (2 * torch.rand(4, num, 1, generator=randoms.generator) - 1).unbind()
    noise = torch.randn(images.shape, generator=randoms.generator).to(images.device)
    scale = 1 + 0.1 * stretch
    cos, sin = (0.2 * turn).cos() * scale, (0.2 * turn).sin() * scale
    reach = (1 if width < 16 else 2) * 2 / width  # grid_sample measures in half widths
    # F.affine_grid of [[cos, -sin, right], [sin, cos, down]], in a fraction of the time of its matrix product
    x, y = _pixel_centres(width), _pixel_centres(height)
    by_column = torch.stack([cos * x + reach * right, sin * x + reach * down], 1).to(images.device)
    by_row = torch.stack([-sin * y, cos * y], 1).to(images.device)
    grid = (by_column[:, :, None] + by_row[..., None]).permute(0, 2, 3, 1)
    return F.grid_sample(images, grid, align_corners=False).add_(noise, alpha=0.1)


def _pixel_centres(size: int) -> Tensor:
    """(size,) centres of pixels, where the image reaches from -1 to 1."""
    return (2 * torch.arange(size) + 1) / size - 1


AFFINE = Policy(
    "affine",
    "Small moves and noise",
    "Shifts by up to 2 pixels, turns by up to 11 degrees, scales by up to a tenth, and adds noise of 0.1.",
    "ours, for digits, which must not be mirrored",
    affine,
)
