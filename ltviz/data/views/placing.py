"""What moves pixels and leaves their values: crops, flips, and the hole of cutout."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ltviz.data.transfer import send
from ltviz.data.views.policy import Policy, Randoms, sequence

PADDING = 4
_TRIES = 10  # of torchvision, before it takes the middle of the image


def crop(images: Tensor, randoms: Randoms, padding: int = PADDING) -> Tensor:
    """Each image (B, C, H, W) shifted by -padding to padding pixels along each axis; black comes in.

    Source: He et al. 2016, Section 4.2; torchvision's `RandomCrop(size, padding)`.
    """
    num, channels, height, width = images.shape
    down, right = send(randoms.integers(2 * padding + 1, 2, num, rows=1), images.device)
    padded = F.pad(images, (padding,) * 4)
    rows = down[:, None] + torch.arange(height, device=images.device)
    columns = right[:, None] + torch.arange(width, device=images.device)
    places = rows[:, :, None] * padded.shape[3] + columns[:, None]
    return padded.flatten(2).gather(2, places.view(num, 1, -1).expand(num, channels, -1)).view(images.shape)


def flip(images: Tensor, randoms: Randoms, probability: float = 0.5) -> Tensor:
    """Images (B, C, H, W), each mirrored left to right with this probability. Source: torchvision's
    `RandomHorizontalFlip`."""
    mirrored = send(randoms.happens(probability, len(images)), images.device)[:, None]
    columns = torch.arange(images.shape[3], device=images.device)
    columns = torch.where(mirrored, columns.flip(0), columns)
    return images.gather(3, columns[:, None, None].expand(images.shape))


def resized_crop(images: Tensor, randoms: Randoms, smallest: float = 0.08) -> Tensor:
    """A rectangle of each image (B, C, H, W), enlarged to the size of the image, bilinearly.

    Its area is a share of the image's, uniform from `smallest` to 1; its width over its height is log-uniform from 3/4
    to 4/3.

    Source: Szegedy et al. 2015, Section 6; torchvision's `RandomResizedCrop`, whose rectangles these are. The papers
    cut from the file's own image; here from one that was brought to the training's size before.
    """
    num, _, height, width = images.shape
    left, top, wide, high = send(boxes(images, randoms, smallest)[..., None], images.device)
    x = _inside(left, wide, width) * (2 / width) - 1
    y = _inside(top, high, height) * (2 / height) - 1
    grid = torch.stack([x[:, None].expand(num, height, width), y[:, :, None].expand(num, height, width)], 3)
    return F.grid_sample(images, grid, align_corners=False, padding_mode="border")


def boxes(images: Tensor, randoms: Randoms, smallest: float) -> Tensor:
    """(4, B) float32 on the CPU: left, top, width and height of a rectangle of whole pixels for each image."""
    num, _, height, width = images.shape
    area = height * width * randoms.uniform(num, _TRIES, low=smallest, high=1.0)
    ratio = randoms.uniform(num, _TRIES, low=math.log(3 / 4), high=math.log(4 / 3)).exp()
    wide, high = (area * ratio).sqrt().round(), (area / ratio).sqrt().round()
    fits = (wide >= 1) & (wide <= width) & (high >= 1) & (high <= height)
    first = fits.int().argmax(1, keepdim=True)
    # where none of the tries fits: the middle, cut to a ratio that is allowed
    usual = fits.any(1)
    wide = torch.where(usual, wide.gather(1, first)[:, 0], float(min(width, round(height * 4 / 3))))
    high = torch.where(usual, high.gather(1, first)[:, 0], float(min(height, round(width * 4 / 3))))
    room = torch.stack([width - wide, height - high])
    place = (randoms.uniform(2, num, rows=1) * (room + 1)).minimum(room)  # rounding may reach room + 1
    return torch.cat([torch.where(usual, place, room / 2).floor(), torch.stack([wide, high])])


def _inside(start: Tensor, length: Tensor, size: int) -> Tensor:
    """(B, size) places to read, in pixels from the edge of the image: as if (B, 1) `length` pixels from `start` on were
    cut out and then enlarged, so nothing beyond the cut is seen."""
    centres = (torch.arange(size, device=start.device) + 0.5) * (length / size)
    return start + torch.minimum(centres.clamp(min=0.5), length - 0.5)


def cutout(images: Tensor, randoms: Randoms, share: float = 0.5) -> Tensor:
    """Images (B, C, H, W), each with a black square whose side is `share` of the image's shorter one.

    Its centre is any pixel, so at the border a part of it is outside.

    Source: DeVries and Taylor 2017, Section 3.2; code: the `Cutout(1, 16)` of PaCo, GML and ProCo on CIFAR, which is
    half the side for both sets, where the paper has 8 pixels for CIFAR-100.
    """
    num, _, height, width = images.shape
    reach = round(share * min(height, width)) // 2
    y, x = (send(randoms.integers(size, num, 1), images.device) for size in (height, width))
    rows, columns = (torch.arange(size, device=images.device) for size in (height, width))
    tall = (rows >= y - reach) & (rows < y + reach)
    wide = (columns >= x - reach) & (columns < x + reach)
    return images * ~(tall[:, None, :, None] & wide[:, None, None])


CROP_FLIP = Policy(
    "crop-flip",
    "Crop and flip",
    f"Shifts by up to {PADDING} pixels along each axis, black coming in, and mirrors half of the images.",
    "He et al. 2016, Section 4.2; code: `RandomCrop(32, 4)` and `RandomHorizontalFlip` of LDAM-DRW and PaCo",
    sequence(crop, flip),
    by_rows=True,
)
RESIZED_CROP = Policy(
    "resized-crop",
    "Resized crop and flip",
    "Enlarges a rectangle of 8 to 100 % of the image, and mirrors half of the images.",
    "Szegedy et al. 2015, Section 6; code: `--slaug` of BalFeat (KCL). Cut from the image at the training's size",
    sequence(resized_crop, flip),
    by_rows=True,
)
CUTOUT = Policy(
    "cutout",
    "Cutout",
    "Blackens a square of half the image's side.",
    "DeVries and Taylor 2017; code: `Cutout(1, 16)` of PaCo, GML and ProCo",
    cutout,
    by_rows=True,
)
