"""Encoders by name: those that the files of this folder define, and entry points `ltviz.encoders` of other packages."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from types import FunctionType
from typing import Any, cast

import torch
from torch import nn

from ltviz.encoders.normed import linear_before_norm
from ltviz.plugins import Registry, defined_in

DEFAULT = "mlp"
Factory = Callable[[tuple[int, int]], nn.Module]
"""(H, W) -> a module (B, 1, H, W) -> (B, feature_dim)."""


def _built_in() -> dict[str, Factory]:
    """What the files of this folder define as a function of an image shape alone; the default first."""
    made = {one.__name__: one for one in defined_in("ltviz.encoders") if isinstance(one, FunctionType)}
    named = {name: one for name, one in made.items() if list(signature(one).parameters) == ["image_shape"]}
    return {DEFAULT: named.pop(DEFAULT), **named}


def _accept(name: str, factory: Any) -> tuple[str, Factory]:
    if not callable(factory):
        raise TypeError(f"{factory!r} is no function from an image shape (H, W) to a module")
    return name, cast(Factory, factory)


ENCODERS: Registry[Factory] = Registry("encoder", "ltviz.encoders", _built_in, _accept)
"""Name -> factory; those of other packages are called as their entry points are."""


def encoders() -> dict[str, Factory]:
    """Every known encoder by its name. A plug-in that cannot be used is left out with a warning."""
    return dict(ENCODERS)


def build(name: str, image_shape: tuple[int, int]) -> tuple[nn.Module, int]:
    """A fresh encoder for images (H, W), and its feature_dim.

    Raises:
        ConfigError: no encoder of this name.
    """
    encoder = ENCODERS.find(name)(image_shape)
    with torch.no_grad():
        features = encoder.eval()(torch.zeros(1, 1, *image_shape))
    encoder.train()
    return encoder, features.shape[1]


def build_head(feature_dim: int, dim: int, kind: str = "mlp", width: int | None = None) -> nn.Module:
    """The projection head: (B, feature_dim) -> (B, dim), not normalised.

    Args:
        kind: "mlp", one hidden layer; "mlp-norm", the same with batch norm before its ReLU; "linear".
        width: of the hidden layer; feature_dim where None.
    """
    if kind == "linear":
        return nn.Linear(feature_dim, dim)
    width = width or feature_dim
    if kind == "mlp":
        return nn.Sequential(nn.Linear(feature_dim, width), nn.ReLU(), nn.Linear(width, dim))
    return nn.Sequential(
        linear_before_norm(feature_dim, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, dim)
    )
