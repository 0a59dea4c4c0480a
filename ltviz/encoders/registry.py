"""Encoders by name: those of ltviz and those that other packages offer under the entry point group `ltviz.encoders`."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.metadata import entry_points

import torch
from torch import nn

from ltviz.encoders.convnet import convnet
from ltviz.encoders.mlp import mlp
from ltviz.encoders.resnet import resnet32
from ltviz.errors import ConfigError

GROUP = "ltviz.encoders"
Factory = Callable[[tuple[int, int]], nn.Module]
"""(H, W) -> a module (B, 1, H, W) -> (B, feature_dim)."""


@cache
def encoders() -> dict[str, Factory]:
    """Every known encoder by its name."""
    found: dict[str, Factory] = {"mlp": mlp, "convnet": convnet, "resnet32": resnet32}
    found.update({point.name: point.load() for point in entry_points(group=GROUP)})
    return found


def build(name: str, image_shape: tuple[int, int]) -> tuple[nn.Module, int]:
    """A fresh encoder for images (H, W), and its feature_dim.

    Raises:
        ConfigError: no encoder of this name.
    """
    if name not in encoders():
        raise ConfigError(f"encoder must be one of {', '.join(encoders())}, got {name!r}; try mlp")
    encoder = encoders()[name](image_shape)
    with torch.no_grad():
        features = encoder.eval()(torch.zeros(1, 1, *image_shape))
    encoder.train()
    return encoder, features.shape[1]


def build_head(feature_dim: int, dim: int) -> nn.Module:
    """The projection head: (B, feature_dim) -> (B, dim), one hidden layer, not normalised."""
    return nn.Sequential(nn.Linear(feature_dim, feature_dim), nn.ReLU(), nn.Linear(feature_dim, dim))
