"""Networks of the package timm: ResNet-18, ResNet-50, ResNeXt-50 by name, any other as `timm:NAME`.

timm comes with the extra `images`, and is imported when such a network is built. Nothing is downloaded: a network
starts from random weights, or from the file that `--weights` names.
"""

from __future__ import annotations

import importlib
from difflib import get_close_matches
from types import ModuleType
from typing import Any

from torch import Tensor, nn

from ltviz.encoders.convolutional import Shape, image_of
from ltviz.errors import ConfigError

PREFIX = "timm:"


class Pretrained(nn.Module):
    """A network of timm without its classifier.

    Args:
        network: it; its weights have the names of published ones.
    """

    def __init__(self, network: Any):
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, feature_dim)."""
        return self.network(x)

    @property
    def trunk(self) -> FeatureMap:
        """(B, C, H, W) -> (B, F, h, w), the map before it is pooled."""
        return FeatureMap(self.network)


class FeatureMap(nn.Module):
    """The last map of a network of timm, whose tokens are laid out as the patches that they are of."""

    def __init__(self, network: Any):
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, F, h, w)."""
        features = self.network.forward_features(x)
        if features.ndim == 3:
            patches = features[:, getattr(self.network, "num_prefix_tokens", 0) :]
            height, width = self.network.patch_embed.grid_size
            return patches.transpose(1, 2).unflatten(2, (height, width))
        last = features.shape[1] != self.network.num_features == features.shape[3]  # channels last, as in Swin
        return features.permute(0, 3, 1, 2) if last else features


def resnet18(image_shape: Shape) -> nn.Module:
    """ResNet-18 of ImageNet (He et al. 2016, Table 1) with 1 or 3 channels: 11,176,512 weights with 3."""
    return from_timm("resnet18", image_shape)


def resnet50(image_shape: Shape) -> nn.Module:
    """ResNet-50 of ImageNet (He et al. 2016, Table 1) with 1 or 3 channels: 23,508,032 weights with 3."""
    return from_timm("resnet50", image_shape)


def resnext50(image_shape: Shape) -> nn.Module:
    """ResNeXt-50 32x4d (Xie et al. 2017, Table 1) with 1 or 3 channels: 22,979,904 weights with 3."""
    return from_timm("resnext50_32x4d", image_shape)


def from_timm(name: str, shape: Shape) -> nn.Module:
    """A network of timm by its own name, with random weights.

    Raises:
        ConfigError: timm is not installed, has no such network, or the network does not take such images.
    """
    channels, height, width = image_of(shape, PREFIX + name)
    timm = _timm(name)
    if not timm.is_model(name):
        near = get_close_matches(name, timm.list_models(), 1) or ["resnet50"]
        raise ConfigError(f"encoder {PREFIX}NAME must be a network of timm, got {name[:60]!r}; try {PREFIX}{near[0]}")
    settings: dict[str, Any] = {"in_chans": channels, "num_classes": 0}
    config = timm.get_pretrained_cfg(name)
    if config is not None and config.fixed_input_size:  # a transformer, whose places are learned
        settings["img_size"] = (height, width)
    return Pretrained(timm.create_model(name, pretrained=False, **settings))


def _timm(name: str) -> ModuleType:
    try:
        return importlib.import_module("timm")
    except (ImportError, RuntimeError) as error:  # it is missing; or its torchvision was built for another torch
        raise ConfigError(
            f"encoder {name} needs the package timm, which cannot be imported ({error}); "
            "try `pip install 'ltviz[images]'`"
        ) from error
