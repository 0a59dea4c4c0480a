"""What every convolutional encoder is made of: a trunk that gives a feature map, and what makes features of the map."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from ltviz.errors import ConfigError

Shape = tuple[int, ...]
"""Of one sample: (H, W) of a grey image, (H, W, 3) of a colour image, (F,) of a vector."""


class Convolutional(nn.Sequential):
    """Layers in one row, of which the first ones are the trunk; weights are named by their place in the whole row.

    `trunk`, (B, C, H, W) -> (B, F, h, w), is for whoever needs a feature for each place; it shares the weights.
    """

    def __init__(self, trunk: Iterable[nn.Module], rest: Iterable[nn.Module]):
        layers = list(trunk)
        super().__init__(*layers, *rest)
        self._reach = len(layers)

    @property
    def trunk(self) -> nn.Sequential:
        """(B, C, H, W) -> (B, F, h, w), the map before it is averaged or flattened."""
        return nn.Sequential(*list(self)[: self._reach])


def image_of(shape: Shape, encoder: str) -> tuple[int, int, int]:
    """(channels, height, width) of an image.

    Raises:
        ConfigError: the samples are vectors.
    """
    if len(shape) == 1:
        raise ConfigError(
            f"encoder {encoder} takes images, but the samples have {shape[0]} numbers each; try mlp or identity"
        )
    return (1 if len(shape) == 2 else shape[2]), shape[0], shape[1]
