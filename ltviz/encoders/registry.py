"""Encoders by name: those that the files of this folder define, and entry points `ltviz.encoders` of other packages."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from inspect import signature
from types import FunctionType
from typing import Any, cast

import torch
from torch import nn

from ltviz.encoders.convolutional import Shape
from ltviz.encoders.normed import linear_before_norm
from ltviz.encoders.vision import PREFIX, from_timm
from ltviz.encoders.weights import load
from ltviz.errors import ConfigError
from ltviz.plugins import Registry, defined_in

DEFAULT = "mlp"
Factory = Callable[[Shape], nn.Module]
"""Shape of a sample, (H, W), (H, W, 3) or (F,) -> a module (B, C, H, W) or (B, F) -> (B, feature_dim). One whose map
(B, F, h, w) before pooling is of use has it as `trunk`, a module."""


def _built_in() -> dict[str, Factory]:
    """What the files of this folder define as a function of an image shape alone; the default first."""
    made = {one.__name__: one for one in defined_in("ltviz.encoders") if isinstance(one, FunctionType)}
    named = {name: one for name, one in made.items() if list(signature(one).parameters) == ["image_shape"]}
    return {DEFAULT: named.pop(DEFAULT), **named}


def _accept(name: str, factory: Any) -> tuple[str, Factory]:
    if not callable(factory):
        raise TypeError(f"{factory!r} is no function from the shape of a sample to a module")
    return name, cast(Factory, factory)


ENCODERS: Registry[Factory] = Registry("encoder", "ltviz.encoders", _built_in, _accept)
"""Name -> factory; those of other packages are called as their entry points are."""


def encoders() -> dict[str, Factory]:
    """Every known encoder by its name. A plug-in that cannot be used is left out with a warning.

    Besides these, `timm:NAME` is any network of timm.
    """
    return dict(ENCODERS)


def find(name: str) -> Factory:
    """The encoder of this name, which may be `timm:NAME`; whether timm has it is seen when it is built.

    Raises:
        ConfigError: there is none.
    """
    if name.startswith(PREFIX):
        return partial(from_timm, name.removeprefix(PREFIX))
    return ENCODERS.find(name)


def build(name: str, shape: Shape, weights: str | None = None) -> tuple[nn.Module, int]:
    """A fresh encoder for samples of a shape, and its feature_dim.

    Args:
        name: of `encoders()`, or `timm:NAME`.
        shape: (H, W) of grey images, (H, W, 3) of colour, (F,) of vectors.
        weights: a safetensors file to start from; `load_weights` on the encoder says what was loaded and left out.

    Raises:
        ConfigError: no encoder of this name, or one that does not take such samples.
        DataError: the file of weights is missing, damaged, or of another network.
    """
    factory = find(name)
    size = "x".join(map(str, shape))
    channels = (*shape[2:], *shape[:2]) if len(shape) == 3 else (1, *shape)
    try:
        encoder = factory(shape)
        with torch.no_grad():
            features = encoder.eval()(torch.zeros(1, *(channels if len(shape) > 1 else shape)))
    except ConfigError:
        raise
    except Exception as error:  # whatever a network raises for samples that it was not made for
        raise ConfigError(
            f"encoder {name} must take samples of shape {size}, but fails with {type(error).__name__}: {error}; "
            f"try {DEFAULT}"
        ) from error
    if features.ndim != 2:
        raise ConfigError(
            f"encoder {name} must give features (B, feature_dim), but gives {tuple(features.shape)} for one sample of "
            f"shape {size}; try {DEFAULT}"
        )
    encoder.train()
    if weights is not None:
        load(encoder, weights)
    return encoder, features.shape[1]


def trunk(encoder: nn.Module, name: str) -> nn.Module:
    """The part of an encoder that gives a feature map, (B, C, H, W) -> (B, F, h, w); it shares the encoder's weights.

    Raises:
        ConfigError: the encoder has none.
    """
    found = getattr(encoder, "trunk", None)
    if not isinstance(found, nn.Module):
        raise ConfigError(f"an encoder with a feature map is needed, but {name} has none; try convnet or resnet32")
    return found


class Octant(nn.Module):
    """A ReLU after which every row still has a direction: where all of it is cut off, that of the octant's middle."""

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return rows.relu() + torch.finfo(rows.dtype).eps


def build_head(feature_dim: int, dim: int, kind: str = "mlp", width: int | None = None) -> nn.Module:
    """The projection head: (B, feature_dim) -> (B, dim), not normalised.

    Args:
        kind: "mlp", one hidden layer; "mlp-norm", the same with batch norm before its ReLU; "linear"; "relu", an mlp
            with a ReLU at its end, so that all embeddings lie in one octant.
        width: of the hidden layer; feature_dim where None.
    """
    if kind == "linear":
        return nn.Linear(feature_dim, dim)
    width = width or feature_dim
    if kind == "relu":
        return nn.Sequential(nn.Linear(feature_dim, width), nn.ReLU(), nn.Linear(width, dim), Octant())
    if kind == "mlp":
        return nn.Sequential(nn.Linear(feature_dim, width), nn.ReLU(), nn.Linear(width, dim))
    return nn.Sequential(
        linear_before_norm(feature_dim, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, dim)
    )
