"""Small moves of small grey images: digits may be shifted and turned a little, and never mirrored."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from ltviz.data.transfer import send
from ltviz.data.views.policy import Policy, Randoms


def affine(images: Tensor, randoms: Randoms) -> Tensor:
    """One randomly moved, turned, scaled and noisy copy of each image.

    Shift up to 2 pixels (1 below 16 pixels of width), rotation up to 0.2 rad, scale 0.9 to 1.1, normal noise of 0.1.

    Args:
        images: (N, C, H, W) float32, in [0, 1].

    Returns:
        (N, C, H, W) float32 beside the images; noise may leave [0, 1].
    """
    return affine_views(images, [randoms])


def affine_views(images: Tensor, randoms: Sequence[Randoms]) -> Tensor:
    """(V N, C, H, W): `affine` with each of the V random parameters, in one after the other; the same to the bit, and
    for small images in little more time than one."""
    num, _, height, width = images.shape
    moves = _joined([one.uniform(4, num, 1, rows=1) for one in randoms], 1)
    moves = 2 * moves - 1  # turn, stretch, right, down
    noise = _joined([one.normal(*images.shape) for one in randoms], 0)
    noise = send(noise, images.device)
    angle, scale = 0.2 * moves[0], 1 + 0.1 * moves[1]
    cos, sin = angle.cos() * scale, angle.sin() * scale
    reach = (1 if width < 16 else 2) * 2 / width  # grid_sample measures in half widths
    # F.affine_grid of [[cos, -sin, right], [sin, cos, down]], in a fraction of the time of its matrix product
    by_column = send(torch.stack([cos, sin]) * _pixel_centres(width) + reach * moves[2:], images.device)
    by_row = send(torch.stack([-sin, cos]) * _pixel_centres(height), images.device)
    grid = (by_column[:, :, None] + by_row[..., None]).permute(1, 2, 3, 0)
    return F.grid_sample(_joined([images] * len(randoms), 0), grid, align_corners=False).add_(noise, alpha=0.1)


def _joined(parts: list[Tensor], dim: int) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim)


@lru_cache(maxsize=64)
def _pixel_centres(size: int) -> Tensor:
    """(size,) centres of pixels, where the image reaches from -1 to 1."""
    return (2 * torch.arange(size) + 1) / size - 1


AFFINE = Policy(
    "affine",
    "Small moves and noise",
    "Shifts by up to 2 pixels, turns by up to 11 degrees, scales by up to a tenth, and adds noise of 0.1.",
    "ours, for digits, which must not be mirrored",
    affine,
    together=affine_views,
    by_rows=True,
)
