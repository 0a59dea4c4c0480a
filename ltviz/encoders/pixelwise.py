"""Dense sets: an encoder whose features are those of single pixels, read from the map of any convolutional one.

The map is enlarged bilinearly to the size of the image, as in FCN (Long et al. 2015) and what came of it, but only
where it is read.
"""

from __future__ import annotations

from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ltviz.encoders.convolutional import Shape
from ltviz.encoders.registry import trunk as trunk_of
from ltviz.errors import ConfigError


class PixelEncoder(nn.Module):
    """B images with P places each, in one tensor (B, C H W + P) of `ltviz.data.device_inputs.packed` -> (B P, F), the
    P rows of the first image, then those of the next.

    Args:
        trunk: (B, C, H, W) -> (B, F, h, w).
        shape: of one image, (C, H, W).
    """

    def __init__(self, trunk: nn.Module, shape: tuple[int, int, int]):
        super().__init__()
        self.trunk, self.shape = trunk, shape

    def forward(self, x: Tensor) -> Tensor:
        """(B, C H W + P) -> (B P, F)."""
        images, places = self.unpack(x)
        features = self.trunk(images)
        width = self.shape[2]
        down = _shares(places.div(width, rounding_mode="floor"), self.shape[1], features.shape[2])
        right = _shares(places.remainder(width), width, features.shape[3])
        share = (down[..., None] * right[:, :, None]).flatten(2)  # a product of matrices has no atomic sums backwards
        return (share.to(features.dtype) @ features.flatten(2).transpose(1, 2)).flatten(0, 1)

    def everywhere(self, images: Tensor) -> Tensor:
        """(B, C, H, W) -> (B H W, F): the features of all pixels, as `forward` gives them of some."""
        features = self.trunk(images)
        whole = F.interpolate(features, self.shape[1:], mode="bilinear", align_corners=False)
        return whole.permute(0, 2, 3, 1).flatten(0, 2)

    def unpack(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, H, W) and (B, P) of (B, C H W + P)."""
        numbers = prod(self.shape)
        return x[:, :numbers].unflatten(1, self.shape), x[:, numbers:]

    def around(self, x: Tensor, side: int = 9) -> Tensor:
        """(B P, C, side, side): the square around each place, black beyond the image."""
        images, places = self.unpack(x)
        rows, columns = places.long().div(self.shape[2], rounding_mode="floor"), places.long() % self.shape[2]
        reach = torch.arange(side, device=x.device)
        wide = F.pad(images, [side // 2] * 4).permute(0, 2, 3, 1)
        which = torch.arange(len(x), device=x.device)[:, None, None, None]
        cut = wide[which, (rows[..., None] + reach)[..., None], (columns[..., None] + reach)[:, :, None]]
        return cut.flatten(0, 1).permute(0, 3, 1, 2)


def of_pixels(encoder: nn.Module, name: str, shape: Shape) -> tuple[PixelEncoder, int]:
    """The encoder of pixels that shares the trunk of an encoder of images, and its feature_dim.

    Args:
        encoder: of `build`.
        name: its name.
        shape: of one image, (H, W) or (H, W, 3).

    Raises:
        ConfigError: the encoder has no feature map.
    """
    try:
        trunk = trunk_of(encoder, name)
    except ConfigError as error:
        raise ConfigError(f"the samples are pixels, so {error}") from error
    channels = shape[2] if len(shape) == 3 else 1
    found = PixelEncoder(trunk, (channels, shape[0], shape[1]))
    with torch.no_grad():
        features = found.eval()(torch.zeros(1, channels * shape[0] * shape[1] + 1))
    return found.train(), features.shape[1]


def _shares(pixels: Tensor, size: int, cells: int) -> Tensor:
    """(..., cells) what each of so many cells contributes to a pixel of 0 to size - 1: two neighbours, by distance."""
    at = ((pixels + 0.5) * (cells / size) - 0.5).clamp(0, cells - 1)
    return (1 - (at[..., None] - torch.arange(cells, device=pixels.device)).abs()).clamp(min=0)
