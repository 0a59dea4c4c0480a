"""Where C classes should go on the sphere: the targets of TSC, and the reference of every comparison with an ideal."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ltviz.errors import ConfigError
from ltviz.geometry.regular_simplex import fits, simplex
from ltviz.geometry.threads import one_blas_thread

# Temperatures of the annealed descent: warm enough at first to leave poor arrangements, cold enough at the end for the
# soft maximum to be the largest cosine. Ending at .07 loses one to three degrees for 10 classes in 3-D.
TEMPERATURES = (0.5, 0.2, 0.08, 0.03, 0.02, 0.005)
# Starts take turns at where they enter. Warm, many points find what cold ones do not; but for few points the warm
# objective has a single minimum, and from it every start ends in one arrangement, which for 13, 14, 15, 17 and 22 in
# 3-D is not the best.
ENTRIES = (0, 4, 5)
# The best of all starts is taken further down, to within .005 degrees of where it leads.
LAST_TEMPERATURES = (0.001, 0.0002, 0.00004)
# Pairwise terms that one call may evaluate, restarts and iterations together: a few seconds of one core.
WORK = 1.5e8
MOST_RESTARTS = 24
MOST_ITERATIONS = 300
FEWEST_ITERATIONS = 4


def optimal_targets(num_classes: int, dim: int, *, seed: int = 0) -> np.ndarray:
    """The most uniform arrangement of C unit vectors: the regular simplex where it fits, else the best one found.

    Where dim < C - 1 the largest cosine over pairs is minimised by L-BFGS on t log sum_{i<j} exp(t_i . t_j / t), t
    annealed from 0.5 (or, at two starts of three, from 0.02 and 0.005) to 0.00004, from several random starts. In 3-D
    it ends within .05 degrees of the best known arrangement for every C up to 24. The objective differs from the
    official code of TSC (Li et al. 2022, target_generation.py): no constant self term, which swamps the gradient there;
    all pairs in one soft maximum; annealing.

    Args:
        num_classes: C >= 1. One class gets the first axis.
        dim: D >= 1; D >= 2 where C > 2.
        seed: seed of the random starts; the same arguments give the same targets. Without effect for a simplex.

    Returns:
        (C, D) float64 unit rows, a fresh array each call. Results are kept in the process, so that a second call costs
        nothing. The first takes 0.1 s for 10 in 3-D, 0.2 s for 24, and a second or two for hundreds of classes; memory
        is 16 C^2 bytes.

    Raises:
        ConfigError: C < 1, D < 1, or more than two classes on a line.

    Example:
        >>> import numpy as np
        >>> targets = optimal_targets(6, 3)
        >>> cosines = targets @ targets.T - 2 * np.eye(6)
        >>> round(float(np.degrees(np.arccos(cosines.max()))), 1)
        90.0
    """
    if num_classes < 1 or dim < 1:
        raise ConfigError(f"Targets need num_classes >= 1 and dim >= 1, got {num_classes} and {dim}.")
    if dim == 1 and num_classes > 2:
        raise ConfigError(
            f"On a line (dim = 1) there are two directions, too few for {num_classes} classes; take dim >= 2."
        )
    return _targets(int(num_classes), int(dim), int(seed)).copy()


@lru_cache(maxsize=64)
def _targets(num_classes: int, dim: int, seed: int) -> np.ndarray:
    if num_classes == 1:
        return np.eye(1, dim)
    if fits(num_classes, dim):
        return simplex(num_classes, dim)
    return descended_targets(num_classes, dim, seed=seed)


@one_blas_thread()
def descended_targets(num_classes: int, dim: int, *, seed: int = 0) -> np.ndarray:
    """`optimal_targets` by descent even where the simplex is known, (C, D) float64, C >= 2.

    Example:
        >>> targets = descended_targets(4, 3)
        >>> bool(np.abs((targets @ targets.T)[np.triu_indices(4, 1)] + 1 / 3).max() < 1e-3)
        True
    """
    rng = np.random.default_rng(seed)
    evaluations = WORK / (num_classes * num_classes * (1 + dim / 64))
    iterations = int(np.clip(evaluations / len(TEMPERATURES), FEWEST_ITERATIONS, MOST_ITERATIONS))
    restarts = int(np.clip(evaluations / (len(TEMPERATURES) * iterations), 1, MOST_RESTARTS))
    best, best_cosine = np.empty(0), np.inf
    for restart in range(restarts):
        temperatures = TEMPERATURES[ENTRIES[restart % len(ENTRIES)] :]
        targets = _descend(rng.standard_normal((num_classes, dim)), temperatures, iterations)
        cosines = targets @ targets.T
        np.fill_diagonal(cosines, -1.0)
        if cosines.max() < best_cosine:
            best, best_cosine = targets, float(cosines.max())
    return _descend(best, LAST_TEMPERATURES, iterations)


def _descend(start: np.ndarray, temperatures: tuple[float, ...], iterations: int) -> np.ndarray:
    """Minimise at each temperature in turn; (C, D) free vectors in, unit rows out."""
    from scipy.optimize import minimize  # half a second to import, and not needed where a simplex fits

    shape = start.shape
    targets = start / np.linalg.norm(start, axis=1, keepdims=True)
    for temperature in temperatures:
        found = minimize(
            _soft_largest_cosine,
            targets.ravel(),
            args=(shape, temperature),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": iterations, "ftol": 1e-13, "gtol": 1e-9},
        )
        targets = found.x.reshape(shape)
        targets = targets / np.linalg.norm(targets, axis=1, keepdims=True)
    return targets


def _soft_largest_cosine(flat: np.ndarray, shape: tuple[int, int], temperature: float) -> tuple[float, np.ndarray]:
    """t log sum_{i != j} exp(cos_ij / t) over free vectors, and its gradient."""
    vectors = flat.reshape(shape)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    units = vectors / norms
    weights = units @ units.T
    np.fill_diagonal(weights, -np.inf)
    largest = float(weights.max())
    weights -= largest
    weights /= temperature
    np.exp(weights, out=weights)
    total = float(weights.sum())
    pull = weights @ units * (2.0 / total)
    gradient = (pull - units * np.sum(units * pull, axis=1, keepdims=True)) / norms
    return largest + temperature * float(np.log(total)), gradient.ravel()
