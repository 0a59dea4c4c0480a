"""The imbalance beyond which rare classes share one point, and where they end as it grows without bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ltviz.errors import ConfigError
from ltviz.geometry.predicted.peeled import Peeled
from ltviz.geometry.predicted.peeled import energy_of as layer_peeled_energy
from ltviz.geometry.predicted.prediction import positive
from ltviz.geometry.predicted.supcon import SHARPEST, Collapsed
from ltviz.geometry.threads import one_blas_thread

FARTHEST = 1e12
"""Imbalance up to which a threshold is looked for."""


def minority_threshold(
    num_head: int, num_tail: int, *, weight_energy: float = 1.0, feature_energy: float = 5.0
) -> float:
    r"""The ratio R0 = n_head / n_tail above which all tail classes of the layer-peeled model are one point [derived].

    In the solution whose tails share feature and row let S be the sum of n_c (delta_ck - softmax_ck) L_ck, at
    n_head = 1 and n_tail = 1/R. Opening the tails a little gains 1/R for each unit of the product u v and costs
    l_H u^2 + l_W v^2 with l_H l_W = S^2 / (4 C^2 E_W E_H): they are one point if and only if
    R S(R) >= C sqrt(E_W E_H), and R0 is the root.

    Args:
        num_head, num_tail: classes with many and with few samples: 1 or more, and 2 or more.
        weight_energy, feature_energy: E_W and E_H of `layer_peeled`.

    Returns:
        R0, right to 1e-6 of itself; infinity where it is beyond `FARTHEST`.

    Raises:
        ConfigError: numbers of classes or energies that break these rules.

    Example:
        >>> round(minority_threshold(5, 5), 3)
        12.192
    """
    what = "minority_threshold"
    size = _sizes(what, num_head, num_tail)
    energy = layer_peeled_energy(what, weight_energy, feature_energy)

    def excess(log_ratio: float) -> float:
        ratio = float(np.exp(log_ratio))
        peeled = Peeled(np.array([1.0, 1 / ratio]), size, energy, together=np.array([False, True]))
        return np.log(max(ratio * peeled.scaling_slope(peeled.minimum()), 1e-300)) - np.log(peeled.bound)

    return _root(excess)


def supcon_threshold(
    num_head: int, num_tail: int, *, temperature: float, average: str = "sample", denominator: str = "samples"
) -> float:
    """The ratio R0 = n_head / n_tail above which all tail means of population SupCon are one point [derived].

    In the minimum whose tails share one point, they part where that lowers the loss to second order. With the average
    by sample there may be no such R0 (`supcon_tail_limit`); by class there always is.

    Args:
        num_head, num_tail: classes with many and with few samples: 1 or more, and 2 or more.
        temperature, average, denominator: as in `predicted_supcon`.

    Returns:
        R0, right to 1e-6 of itself; infinity where it is beyond `FARTHEST`.

    Raises:
        ConfigError: numbers of classes or a temperature that break these rules.

    Example:
        >>> round(supcon_threshold(2, 2, temperature=0.5), 1), supcon_threshold(5, 5, temperature=0.5)
        (132.6, inf)
    """
    what = "supcon_threshold"
    size = _sizes(what, num_head, num_tail)
    tau = positive(what, "temperature", temperature, SHARPEST)

    def excess(log_ratio: float) -> float:
        counts = np.array([1.0, np.exp(-log_ratio)])
        p = counts / (size @ counts)
        equal = np.full(2, 1 / size.sum())
        weights, masses = p if average == "sample" else equal, p if denominator == "samples" else equal
        collapsed = Collapsed(weights, masses, size, tau, together=np.array([False, True]))
        return collapsed.parting_bend(collapsed.minimum())[1]

    return _root(excess)


def supcon_tail_limit(num_head: int, *, temperature: float) -> float:
    r"""Cosine between the means of two tail classes of population SupCon as the imbalance grows without bound.

    .. math:: \beta = \frac{1}{a - 1} + \tau \log \frac{(1 + Z)^2}{4 Z}, \quad
              Z = \frac{e^{1/\tau} + (a - 1) e^{-1/((a-1) \tau)}}{a}

    for a heads, whatever the number of tails [derived]; 1 where beta >= 1, which means that the tails are one point
    already at a finite imbalance. Average by sample; by class they are so at any temperature.

    Args:
        num_head: a >= 1; always 1 for a <= 2.
        temperature: tau > 0.

    Returns:
        The cosine, right to 1e-9.

    Raises:
        ConfigError: no head class, or a temperature that is not above 0.

    Example:
        >>> round(float(np.degrees(np.arccos(supcon_tail_limit(5, temperature=0.5)))), 2)
        72.19
    """
    _whole("supcon_tail_limit", "num_head", num_head, 1)
    tau = positive("supcon_tail_limit", "temperature", temperature)
    if num_head <= 2:
        return 1.0
    others = num_head - 1
    # log Z, of which e^(1/tau) would overflow
    log_z = np.logaddexp(1 / tau, np.log(others) - 1 / (others * tau)) - np.log(num_head)
    beta = 1 / others + tau * (2 * np.logaddexp(0.0, log_z) - np.log(4.0) - log_z)
    return float(min(beta, 1.0))


@one_blas_thread()
def _root(excess: Callable[[float], float]) -> float:
    """The ratio at which a function of its logarithm turns from below to above 0."""
    from scipy.optimize import brentq

    low, high = 1e-3, 1.0
    while excess(high) < 0:
        low, high = high, high + 1.5
        if high > np.log(FARTHEST) + 1.5:
            return float("inf")
    root: Any = brentq(excess, low, high, xtol=1e-8)
    return float(np.exp(root))


def _sizes(what: str, num_head: int, num_tail: int) -> np.ndarray:
    _whole(what, "num_head", num_head, 1)
    _whole(what, "num_tail", num_tail, 2)
    return np.array([num_head, num_tail], dtype=np.float64)


def _whole(what: str, name: str, value: int, least: int) -> None:
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
        raise ConfigError(f"{what}: {name} must be a whole number of {least} or more, got {value!r:.40}.")
