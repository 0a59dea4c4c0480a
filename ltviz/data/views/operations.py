"""The operations that AutoAugment and RandAugment choose from, as Pillow defines them on 8 bits.

Each takes images (B, C, H, W) float32 in [0, 1] and a strength (B, 1, 1, 1), of its own unit, and gives images of the
same shape.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ltviz.data.transfer import send
from ltviz.data.views.colour import brightness, contrast, mixed, saturation
from ltviz.data.views.policy import beside

_GREY = 128 / 255  # comes in where nothing was


def autocontrast(images: Tensor, _: Tensor) -> Tensor:
    """Each channel stretched from its darkest and lightest pixel to 0 and 1; one of a single value stays."""
    low, high = images.amin((2, 3), keepdim=True), images.amax((2, 3), keepdim=True)
    spread = high - low
    return torch.where(spread > 0, (images - low) / torch.where(spread > 0, spread, 1.0), images)


def equalize(images: Tensor, _: Tensor) -> Tensor:
    """Each channel with a flat histogram, as near as 8 bits and whole counts allow."""
    levels = _levels(images).flatten(0, 1).flatten(1)
    counts = torch.zeros(len(levels), 256, dtype=torch.int64, device=images.device)
    counts.scatter_add_(1, levels, torch.ones_like(levels))
    last = counts.gather(1, levels.amax(1, keepdim=True))
    step = (levels.shape[1] - last) // 255
    table = (step // 2 + counts.cumsum(1) - counts) // step.clamp(min=1)
    equal = table.clamp(max=255).gather(1, levels).view(images.shape) / 255
    return torch.where(step.view(*images.shape[:2], 1, 1) > 0, equal, images)


def invert(images: Tensor, _: Tensor) -> Tensor:
    """White for black."""
    return 1 - images


def posterize(images: Tensor, bits: Tensor) -> Tensor:
    """Only the highest `bits` of the 8 kept, 0 to 8."""
    step = 2 ** (8 - bits)
    return (_levels(images) / step).floor() * step / 255


def solarize(images: Tensor, threshold: Tensor) -> Tensor:
    """What is at least as light as a threshold of 0 to 256 inverted."""
    return torch.where(_levels(images) < threshold, images, 1 - images)


def solarize_add(images: Tensor, add: Tensor) -> Tensor:
    """What is darker than 128 made lighter by 0 to 255."""
    return torch.where(_levels(images) < 128, (images + add / 255).clamp(max=1), images)


def sharpness(images: Tensor, factor: Tensor) -> Tensor:
    """The way from a smoothed image (factor 0) through the image (factor 1) to a sharpened one; the border stays."""
    channels = images.shape[1]
    kernel = torch.ones(3, 3, device=images.device)
    kernel[1, 1] = 5
    smooth = F.conv2d(images, (kernel / 13).expand(channels, 1, 3, 3), groups=channels)
    other = images.clone()
    other[:, :, 1:-1, 1:-1] = smooth
    return mixed(images, other, factor)


def shear_x(images: Tensor, by: Tensor) -> Tensor:
    """Rows shifted in proportion to their distance from the upper edge; `by` is the tangent."""
    return _warped(images, lambda x, y: (x + by[:, 0] * y, y))


def shear_y(images: Tensor, by: Tensor) -> Tensor:
    """Columns shifted in proportion to their distance from the left edge; `by` is the tangent."""
    return _warped(images, lambda x, y: (x, y + by[:, 0] * x))


def translate_x(images: Tensor, share: Tensor) -> Tensor:
    """Shifted to the left by a share of the width."""
    return _warped(images, lambda x, y: (x + share[:, 0] * images.shape[3], y))


def translate_y(images: Tensor, share: Tensor) -> Tensor:
    """Shifted upwards by a share of the height."""
    return _warped(images, lambda x, y: (x, y + share[:, 0] * images.shape[2]))


def rotate(images: Tensor, degrees: Tensor) -> Tensor:
    """Turned about the middle, to the left where positive."""
    cos, sin = (degrees[:, 0] * (math.pi / 180)).cos(), (degrees[:, 0] * (math.pi / 180)).sin()
    middle_x, middle_y = images.shape[3] / 2, images.shape[2] / 2

    def source(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        x, y = x - middle_x, y - middle_y
        return cos * x - sin * y + middle_x, sin * x + cos * y + middle_y

    return _warped(images, source)


OPERATIONS: tuple[Callable[[Tensor, Tensor], Tensor], ...] = (
    autocontrast,
    equalize,
    invert,
    rotate,
    posterize,
    solarize,
    solarize_add,
    saturation,
    contrast,
    brightness,
    sharpness,
    shear_x,
    shear_y,
    translate_x,
    translate_y,
)
NUMBER = {operation: i for i, operation in enumerate(OPERATIONS)}
NOTHING = len(OPERATIONS)


def operate(images: Tensor, kinds: NDArray[np.int64], strengths: NDArray[np.float64]) -> Tensor:
    """Each image by an operation of its own.

    Args:
        images: (B, C, H, W).
        kinds: (B,) places in OPERATIONS; NOTHING leaves an image as it is.
        strengths: (B,) in the unit of the operation.
    """
    changed = images.clone()
    for kind, operation in enumerate(OPERATIONS):
        rows = np.flatnonzero(kinds == kind)
        if len(rows):
            there = send(torch.from_numpy(rows), images.device)
            strength = beside(torch.from_numpy(strengths[rows].astype(np.float32)), images)
            changed.index_copy_(0, there, operation(images.index_select(0, there), strength))
    return changed


def _levels(images: Tensor) -> Tensor:
    """(B, C, H, W) int64, 0 to 255."""
    return (images * 255).round().to(torch.int64)


def _warped(images: Tensor, source: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]) -> Tensor:
    """Each pixel from where `source` says, bilinearly; in pixels from the upper left corner, grey outside.

    Args:
        source: x (W,) and y (H, 1), the pixel centres of the result -> those of the image, which broadcast to
            (B, H, W).
    """
    num, _, height, width = images.shape
    x, y = (torch.arange(size, device=images.device) + 0.5 for size in (width, height))
    from_x, from_y = source(x, y[:, None])
    shape = (num, height, width)
    grid = torch.stack([from_x.expand(shape) * (2 / width) - 1, from_y.expand(shape) * (2 / height) - 1], 3)
    return F.grid_sample(images - _GREY, grid, align_corners=False) + _GREY
