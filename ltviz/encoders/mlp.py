"""The default encoder: two linear layers with batch norm, a millisecond a step on one core."""

from __future__ import annotations

from torch import nn

from ltviz.encoders.normed import linear_before_norm

FEATURE_DIM = 128


def mlp(image_shape: tuple[int, int]) -> nn.Module:
    """H * W -> 256 -> 128 (128 -> 128 for images of at most 100 pixels), batch norm and ReLU after each."""
    pixels = image_shape[0] * image_shape[1]
    hidden = 256 if pixels > 100 else 128
    return nn.Sequential(
        nn.Flatten(),
        linear_before_norm(pixels, hidden),
        nn.BatchNorm1d(hidden),
        nn.ReLU(),
        linear_before_norm(hidden, FEATURE_DIM),
        nn.BatchNorm1d(FEATURE_DIM),
        nn.ReLU(),
    )
