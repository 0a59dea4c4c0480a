"""A small convolutional encoder: five times the cost of the MLP at 28 x 28 pixels."""

from __future__ import annotations

from torch import nn

from ltviz.encoders.convolutional import Convolutional, Shape, image_of
from ltviz.encoders.normed import linear_before_norm

FEATURE_DIM = 128


def convnet(image_shape: Shape) -> nn.Module:
    """Two convolutions of stride 2 (16 and 32 channels), then a linear layer to 128; batch norm and ReLU after each.

    Its map has a quarter of the image's sides. Images of 1 or 3 channels.
    """
    channels, *sides = image_of(image_shape, "convnet")
    height, width = ((side + 3) // 4 for side in sides)  # each convolution halves a side, rounding up
    return Convolutional(
        [
            nn.Conv2d(channels, 16, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(),
        ],
        [
            nn.Flatten(),
            linear_before_norm(32 * height * width, FEATURE_DIM),
            nn.BatchNorm1d(FEATURE_DIM),
            nn.ReLU(),
        ],
    )
