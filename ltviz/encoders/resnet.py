"""ResNet-32 and ResNet-56 for small images (He et al. 2016, section 4.2), of the papers on long-tailed CIFAR.

Shortcuts are option A of the paper (subsample and pad with zero channels), as in the code of LDAM, BCL and ProCo.
Features are the 64 averaged channels.
"""

from __future__ import annotations

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from ltviz.encoders.convolutional import Convolutional, Shape, image_of

FEATURE_DIM = 64


class Block(nn.Module):
    """Two 3 x 3 convolutions and a shortcut without parameters."""

    def __init__(self, channels_in: int, channels: int):
        super().__init__()
        self.stride = 1 if channels_in == channels else 2
        self.first = nn.Conv2d(channels_in, channels, 3, stride=self.stride, padding=1, bias=False)
        self.first_norm = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels_in, H, W) -> (B, channels, ceil(H / stride), ceil(W / stride))."""
        out = F.relu(self.first_norm(self.first(x)))
        out = self.second_norm(self.second(out))
        if self.stride > 1:
            missing = out.shape[1] - x.shape[1]
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, missing // 2, missing - missing // 2))
        return F.relu(out + x)


def resnet32(image_shape: Shape) -> nn.Module:
    """Three stages of five blocks with 16, 32 and 64 channels; any image size, 1 or 3 channels.

    463,504 weights with 3 channels. Its map has a quarter of the image's sides.
    """
    return _resnet(image_shape, "resnet32", blocks=5)


def resnet56(image_shape: Shape) -> nn.Module:
    """As `resnet32` with nine blocks a stage: GML's teacher on CIFAR. 853,018 weights with 3 channels and a classifier
    of 10."""
    return _resnet(image_shape, "resnet56", blocks=9)


def _resnet(shape: Shape, name: str, blocks: int) -> nn.Module:
    channels, *_ = image_of(shape, name)
    widths = [16] * (blocks + 1) + [32] * blocks + [64] * blocks
    net = Convolutional(
        [
            nn.Conv2d(channels, 16, 3, padding=1, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            *(Block(before, after) for before, after in pairwise(widths)),
        ],
        [nn.AdaptiveAvgPool2d(1), nn.Flatten()],
    )
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    return net
