"""Which class goes to which target."""

from __future__ import annotations

import numpy as np

from ltviz.errors import ConfigError


def match_targets(class_means: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The assignment of classes to targets with the largest total inner product (Hungarian method).

    Same optimum as the smallest total distance when all rows are unit vectors (Li et al. 2022, TSC, Algorithm 1; the
    official code maximises the inner product too).

    Args:
        class_means: (C, D) means of the classes, unit rows; zero rows (classes never seen) may go anywhere.
        targets: (T, D) unit rows with T >= C.

    Returns:
        (C,) int64, distinct: `targets[result[c]]` belongs to class c.

    Raises:
        ConfigError: shapes that do not match, fewer targets than classes, or values that are not finite.

    Example:
        >>> import numpy as np
        >>> targets = np.eye(3)
        >>> match_targets(targets[[2, 0, 1]], targets)
        array([2, 0, 1])
    """
    from scipy.optimize import linear_sum_assignment  # half a second to import, and most readers of runs never match

    means = np.asarray(class_means, dtype=np.float64)
    goals = np.asarray(targets, dtype=np.float64)
    if means.ndim != 2 or goals.ndim != 2 or means.shape[1] != goals.shape[1] or len(means) > len(goals):
        raise ConfigError(
            "match_targets takes class means (C, D) and targets (T, D) with T >= C,"
            f" got shapes {means.shape} and {goals.shape}."
        )
    similarity = means @ goals.T
    if not np.isfinite(similarity).all():
        raise ConfigError("match_targets takes finite class means and targets; NaN or infinity was given.")
    return linear_sum_assignment(similarity, maximize=True)[1].astype(np.int64)
