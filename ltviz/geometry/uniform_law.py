"""What is expected of points that are uniform on the sphere."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln, hyp0f1, ive

from ltviz.errors import ConfigError

LARGEST_SERIES = 250.0
"""Up to here the hypergeometric series stays below the largest double, beyond it ive is far from underflow."""


def expected_kernel(dim: int, t: float) -> float:
    r"""E exp(-t |u - v|^2) of two independent uniform points: :math:`e^{-2t} {}_0F_1(; d/2; t^2)`.

    Args:
        dim: d >= 2.
        t: >= 0.

    Returns:
        In (0, 1]: 1 at t = 0.

    Raises:
        ConfigError: dim < 2, or t negative or not finite.

    Example:
        >>> round(expected_kernel(3, 2.0), 6), expected_kernel(8, 0.0)
        (0.124958, 1.0)
    """
    if dim < 2 or not 0 <= t < np.inf:
        raise ConfigError(f"The expected kernel takes dim >= 2 and a finite t >= 0, got {dim} and {t:g}.")
    order = dim / 2 - 1
    if t <= LARGEST_SERIES:
        return float(np.exp(-2 * t) * hyp0f1(order + 1, t * t))
    return float(np.exp(gammaln(order + 1) - order * np.log(t)) * ive(order, 2 * t))
