"""How many parameters a network has, from shapes alone: for whoever must not import torch.

The tests build every encoder that is named here and count it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

_CIFAR = {"resnet32": 5, "resnet56": 9}
"""Blocks of each of three stages with 16, 32 and 64 channels."""
_IMAGENET = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3)}
"""Blocks of two convolutions in each of four stages."""
_DEEP = {
    "resnet50": (3, 4, 6, 3),
    "resnet101": (3, 4, 23, 3),
    "resnet152": (3, 8, 36, 3),
    "resnext50": (3, 4, 6, 3),
    "resnext50_32x4d": (3, 4, 6, 3),
}
"""Blocks of three convolutions in each of four stages."""
_TIMM = "timm:"


@dataclass(frozen=True)
class Size:
    """Parameters of an encoder, and the width of the features that it gives."""

    parameters: int
    feature_dim: int


def encoder_size(name: str, shape: Sequence[int], *, of_pixels: bool = False) -> Size | None:
    """The size of an encoder for samples of a shape; None for one that is not known here, such as a plug-in's.

    Args:
        name: as the setting `encoder` has it.
        shape: (H, W) of grey images, (H, W, 3) of colour, (F,) of vectors.
        of_pixels: whether the features are those of single pixels, for which only the trunk is trained.

    Example:
        >>> encoder_size("resnet32", (32, 32, 3))
        Size(parameters=463504, feature_dim=64)
    """
    if name in ("mlp", "identity"):
        return None if of_pixels else _of_row(name, prod(shape))
    if len(shape) == 1:
        return None
    channels = shape[2] if len(shape) == 3 else 1
    if name == "convnet":
        return _convnet(channels, shape[0], shape[1], of_pixels)
    if name in _CIFAR:
        return _cifar_resnet(channels, _CIFAR[name])
    name = name.removeprefix(_TIMM)
    if name in _IMAGENET:
        return _resnet(channels, _IMAGENET[name])
    if name in _DEEP:
        return _deep_resnet(channels, _DEEP[name], grouped=name.startswith("resnext"))
    return None


def head_size(feature_dim: int, dim: int, kind: str = "mlp", width: int | None = None) -> int:
    """Parameters of the projection head of the settings `head` and `head_width`."""
    if kind == "linear":
        return _linear(feature_dim, dim)
    hidden = width or feature_dim
    norm = _norm(hidden) if kind == "mlp-norm" else 0
    return _linear(feature_dim, hidden) + norm + _linear(hidden, dim)


def classifier_size(feature_dim: int, num_classes: int) -> int:
    """Parameters of a linear classifier with a bias on the features."""
    return _linear(feature_dim, num_classes)


def _linear(width_in: int, width_out: int) -> int:
    return (width_in + 1) * width_out


def _norm(width: int) -> int:
    return 2 * width


def _convolution(channels_in: int, channels: int, side: int, groups: int = 1) -> int:
    """Of one without a bias, and the batch norm that follows it."""
    return channels_in // groups * channels * side**2 + _norm(channels)


def _of_row(name: str, numbers: int) -> Size:
    """Of an encoder that takes a sample as a row of numbers."""
    if name == "identity":
        return Size(0, numbers)
    hidden, features = 256 if numbers > 100 else 128, 128
    return Size(_linear(numbers, hidden) + _norm(hidden) + _linear(hidden, features) + _norm(features), features)


def _convnet(channels: int, height: int, width: int, of_pixels: bool) -> Size:
    trunk, features = _convolution(channels, 16, 3) + _convolution(16, 32, 3), 128
    if of_pixels:
        return Size(trunk, 32)
    cells = ((height + 3) // 4) * ((width + 3) // 4)
    return Size(trunk + _linear(32 * cells, features) + _norm(features), features)


def _cifar_resnet(channels: int, blocks: int) -> Size:
    """Shortcuts have no parameters."""
    count, before = _convolution(channels, 16, 3), 16
    for width in (16, 32, 64):
        count += _convolution(before, width, 3) + (2 * blocks - 1) * _convolution(width, width, 3)
        before = width
    return Size(count, before)


def _resnet(channels: int, blocks: Sequence[int]) -> Size:
    count, before = _convolution(channels, 64, 7), 64
    for stage, repeats in enumerate(blocks):
        width = 64 * 2**stage
        count += _convolution(before, width, 3) + (2 * repeats - 1) * _convolution(width, width, 3)
        count += _convolution(before, width, 1) if before != width else 0
        before = width
    return Size(count, before)


def _deep_resnet(channels: int, blocks: Sequence[int], *, grouped: bool) -> Size:
    """Of ResNeXt where `grouped`: 32 groups, of 4 channels each in the first stage."""
    count, before, groups = _convolution(channels, 64, 7), 64, 32 if grouped else 1
    for stage, repeats in enumerate(blocks):
        inner, outer = (128 if grouped else 64) * 2**stage, 256 * 2**stage
        count += _convolution(before, outer, 1)
        for block in range(repeats):
            count += _convolution(outer if block else before, inner, 1)
            count += _convolution(inner, inner, 3, groups) + _convolution(inner, outer, 1)
        before = outer
    return Size(count, before)
