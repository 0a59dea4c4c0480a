"""What changes the values of pixels: jitter, grey and blur. Grey images have no hue and no saturation to change."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ltviz.data.transfer import send
from ltviz.data.views.policy import Policy, Randoms, beside, where

_LUMA = (0.299, 0.587, 0.114)  # ITU-R 601, as Pillow's mode L


def grey(images: Tensor) -> Tensor:
    """(B, 1, H, W) lightness of images (B, C, H, W) with C 1 or 3."""
    if images.shape[1] == 1:
        return images
    red, green, blue = images.unbind(1)
    return (_LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue)[:, None]


def mixed(images: Tensor, other: Tensor, factor: Tensor) -> Tensor:
    """The way from `other` (factor 0) through the image (factor 1) and on, kept within [0, 1]; factor (B, 1, 1, 1)."""
    return (factor * images + (1 - factor) * other).clamp(0, 1)


def brightness(images: Tensor, factor: Tensor) -> Tensor:
    """Images (B, C, H, W) times a factor (B, 1, 1, 1); 0 is black."""
    return (factor * images).clamp(0, 1)


def contrast(images: Tensor, factor: Tensor) -> Tensor:
    """Images (B, C, H, W) spread about their mean lightness; 0 is a plane of it."""
    return mixed(images, grey(images).mean((1, 2, 3), keepdim=True), factor)


def saturation(images: Tensor, factor: Tensor) -> Tensor:
    """Images (B, C, H, W) spread about their lightness, pixel by pixel; 0 is grey."""
    return images if images.shape[1] == 1 else mixed(images, grey(images), factor)


def hue(images: Tensor, turn: Tensor) -> Tensor:
    """Images (B, C, H, W) with the hue of each pixel turned by (B, 1, 1, 1) of a circle; value and chroma stay."""
    if images.shape[1] == 1:
        return images
    value, chroma = images.amax(1), images.amax(1) - images.amin(1)
    red, green, blue = images.unbind(1)
    per = torch.where(chroma == 0, 1.0, chroma)
    sixths = torch.where(
        value == red,
        (green - blue) / per,
        torch.where(value == green, 2 + (blue - red) / per, 4 + (red - green) / per),
    )
    sixths = sixths + 6 * turn[:, 0]
    # Smith 1978 in one line a channel: how far the channel lies below the value, by its distance along the circle
    below = (((sixths + start) % 6) for start in (5, 3, 1))
    return torch.stack([value - chroma * torch.minimum(at, 4 - at).clamp(0, 1) for at in below], 1)


def jitter(
    images: Tensor,
    randoms: Randoms,
    brightness_by: float = 0.4,
    contrast_by: float = 0.4,
    saturation_by: float = 0.4,
    hue_by: float = 0.1,
    probability: float = 0.8,
) -> Tensor:
    """Images (B, C, H, W), each with this probability at another brightness, contrast, saturation and hue.

    The first three factors are uniform from 1 - s to 1 + s, the turn of hue from -s to s of the circle.

    Source: Chen et al. 2020 (SimCLR), Appendix A; torchvision's `ColorJitter`, which draws an order of the four for
    each image: here one order is drawn for all images of the view, and the factors for each.
    """
    num = len(images)
    kinds: tuple[tuple[Callable[[Tensor, Tensor], Tensor], float, float], ...] = (
        (brightness, 1.0, brightness_by),
        (contrast, 1.0, contrast_by),
        (saturation, 1.0, saturation_by),
        (hue, 0.0, hue_by),
    )
    factors = randoms.uniform(len(kinds), num, low=-1.0, high=1.0, rows=1)
    chosen = randoms.happens(probability, num)
    changed = images
    for kind in randoms.choices.permutation(len(kinds)):
        change, middle, by = kinds[kind]
        if by:
            changed = change(changed, beside(middle + by * factors[kind], images))
    return where(chosen, changed, images)


def gray(images: Tensor, randoms: Randoms, probability: float = 0.2) -> Tensor:
    """Images (B, C, H, W), each with this probability in grey. Source: Chen et al. 2020 (SimCLR), Appendix A;
    torchvision's `RandomGrayscale`."""
    return where(randoms.happens(probability, len(images)), grey(images).expand_as(images), images)


def blur(images: Tensor, randoms: Randoms, probability: float = 0.5, low: float = 0.1, high: float = 2.0) -> Tensor:
    """Images (B, C, H, W), each with this probability blurred by a normal kernel; what lies beyond the border is
    mirrored.

    The kernel's standard deviation is uniform from `low` to `high` pixels.

    Source: Chen et al. 2020 (SimCLR), Appendix A; code: `GaussianBlur` of moco 90e244a, where Pillow comes near the
    kernel by three boxes and repeats the border.
    """
    sigma = randoms.uniform(len(images), low=low, high=high)
    chosen = randoms.happens(probability, len(images))
    sigma = send(sigma, images.device)[:, None, None]
    height, width = images.shape[2:]
    across = images.flatten(1, 2) @ _smoother(width, sigma)
    turned = across.view(images.shape).transpose(2, 3).flatten(1, 2) @ _smoother(height, sigma)
    return where(chosen, turned.view(*images.shape[:2], width, height).transpose(2, 3), images)


def _smoother(size: int, sigma: Tensor) -> Tensor:
    """(B, size, size) by which rows of pixels are multiplied to be smoothed by sigma, (B, 1, 1)."""
    at = torch.arange(size, device=sigma.device)
    apart = torch.arange(2 * size, device=sigma.device)
    # cut where the weight is nothing (2e-22): what is smaller still is slow to compute with
    weight = (-0.5 * (apart / sigma[:, 0]).square()).clamp(min=-50).exp()
    sums = at[:, None] + at
    straight, mirrored = (at[:, None] - at).abs(), (sums + 1, 2 * size - 1 - sums)  # the image's mirrors at both ends
    total = weight[:, straight] + weight[:, mirrored[0]] + weight[:, mirrored[1]]
    return (total / total.sum(2, keepdim=True)).transpose(1, 2)


JITTER = Policy(
    "jitter",
    "Colour jitter",
    "Changes brightness, contrast, saturation and hue of four images in five.",
    "Chen et al. 2020 (SimCLR), Appendix A; code: `ColorJitter(0.4, 0.4, 0.4, 0.1)` at 0.8 of SupContrast 66a8fe5. One "
    "order of the four a view, not an image",
    jitter,
    in_place=True,
    by_rows=True,
)
GRAY = Policy(
    "gray",
    "Grey",
    "Turns one image in five grey.",
    "Chen et al. 2020 (SimCLR), Appendix A; code: `RandomGrayscale(0.2)` of SupContrast 66a8fe5",
    gray,
    in_place=True,
    by_rows=True,
)
BLUR = Policy(
    "blur",
    "Blur",
    "Blurs half of the images by 0.1 to 2 pixels.",
    "Chen et al. 2020 (SimCLR), Appendix A; code: `GaussianBlur` of moco 90e244a. A normal kernel, not three boxes",
    blur,
    in_place=True,
    by_rows=True,
)
