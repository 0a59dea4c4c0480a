"""No encoder: the features are the sample itself, for stored features on which only heads are trained."""

from __future__ import annotations

from math import prod

from torch import nn

from ltviz.encoders.convolutional import Shape
from ltviz.errors import ConfigError

MOST = 8192


def identity(image_shape: Shape) -> nn.Module:
    """A vector as it is, or an image as a row of its numbers; no weights.

    Raises:
        ConfigError: more than 8192 numbers, since the projection head has the square of it in weights.
    """
    if prod(image_shape) > MOST:
        raise ConfigError(
            f"encoder identity takes samples of at most {MOST} numbers, of which the head's weights are the square, "
            f"got {' x '.join(map(str, image_shape))}; try mlp, or smaller images"
        )
    return nn.Flatten()
