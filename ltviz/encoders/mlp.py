"""The default encoder: two linear layers with batch norm, a millisecond a step on one core."""

from __future__ import annotations

from math import prod

from torch import nn

from ltviz.encoders.convolutional import Shape
from ltviz.encoders.normed import linear_before_norm

FEATURE_DIM = 128


def mlp(image_shape: Shape) -> nn.Module:
    """All numbers of an image or a vector -> 256 -> 128 (128 -> 128 for at most 100); batch norm and ReLU each."""
    numbers = prod(image_shape)
    hidden = 256 if numbers > 100 else 128
    return nn.Sequential(
        nn.Flatten(),
        linear_before_norm(numbers, hidden),
        nn.BatchNorm1d(hidden),
        nn.ReLU(),
        linear_before_norm(hidden, FEATURE_DIM),
        nn.BatchNorm1d(FEATURE_DIM),
        nn.ReLU(),
    )
