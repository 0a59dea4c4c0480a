"""Three ways to targets on the sphere: in closed form, by our annealed descent, and by the official recipe of TSC."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from ltviz.errors import ConfigError
from ltviz.geometry.regular_simplex import simplex
from ltviz.geometry.targets import descended_targets
from ltviz.geometry.threads import one_blas_thread

Method = Literal["closed", "annealed", "official"]
OFFICIAL_STEPS, OFFICIAL_RATE, OFFICIAL_TEMPERATURE = 10_000, 1e-3, 0.07
MOST_WORK = 1e12
"""Products of the official recipe, steps times C^2 D; some minutes of one core."""


def make_targets(
    num_classes: int, dim: int, *, method: Method = "annealed", seed: int = 0, steps: int | None = None
) -> np.ndarray:
    """Targets for C classes, (C, D) float64 unit rows.

    Args:
        num_classes: C >= 2.
        dim: D >= 2, or 1 for two classes.
        method: "closed": the regular simplex, D >= C - 1; "annealed": our descent, whatever fits (`optimal_targets`
            without its short cut); "official": Adam on the mean over i of log sum_j e^(t_i . t_j / 0.07), j = i
            included, which swamps the gradient: it ends near the simplex in many dimensions, and far from it in few.
        seed: of the random starts of the latter two.
        steps: of the official recipe, 10,000 where left out.

    Raises:
        ConfigError: a method that is not known or does not fit, or numbers out of range.

    Source: Li et al. 2022; code: targeted-supcon c4f15eb, `target_generation.py`, here in float64.

    Example:
        >>> targets = make_targets(4, 3, method="closed")
        >>> round(float(targets[0] @ targets[1]), 3)
        -0.333
    """
    if method not in get_args(Method):
        raise ConfigError(f"the method of targets must be one of {', '.join(get_args(Method))}, got {method!r:.40}")
    if num_classes < 2 or dim < 1 or (dim == 1 and num_classes > 2):
        raise ConfigError(f"targets need 2 classes or more and room for them, got {num_classes} classes, dim {dim}")
    if method == "closed":
        return simplex(num_classes, dim)
    if method == "annealed":
        return descended_targets(num_classes, dim, seed=seed)
    taken = OFFICIAL_STEPS if steps is None else steps
    if taken < 1 or taken * num_classes**2 * dim > MOST_WORK:
        raise ConfigError(
            f"the official recipe takes 1 step or more, and at most {MOST_WORK / (num_classes**2 * dim):,.0f} of them "
            f"for {num_classes} classes in {dim} dimensions, got {taken:,}"
        )
    return _official(num_classes, dim, seed, taken)


@one_blas_thread()
def _official(num_classes: int, dim: int, seed: int, steps: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((num_classes, dim))
    first, second = np.zeros_like(vectors), np.zeros_like(vectors)
    for step in range(1, steps + 1):
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        units = vectors / lengths
        weights = np.exp((units @ units.T - 1) / OFFICIAL_TEMPERATURE)
        weights /= weights.sum(axis=1, keepdims=True)
        pull = (weights + weights.T) @ units / (OFFICIAL_TEMPERATURE * num_classes)
        gradient = (pull - units * (units * pull).sum(axis=1, keepdims=True)) / lengths
        first += 0.1 * (gradient - first)  # Adam, betas .9 and .999
        second += 0.001 * (gradient**2 - second)
        size = np.sqrt(second / (1 - 0.999**step)) + 1e-8
        vectors -= OFFICIAL_RATE * first / (1 - 0.9**step) / size
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
