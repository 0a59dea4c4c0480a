"""How far classes are from the targets that were set for them."""

from __future__ import annotations

import numpy as np

from ltviz.errors import DataError
from ltviz.metrics.centres import angle_between, unit_centres


def target_angles(centres: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """(C,) angle in degrees between each class centre and its own target; NaN for absent classes.

    Args:
        centres: (C, D), normalised here; zero or NaN rows are absent classes.
        targets: (C, D), row c is class c's target, normalised here.

    Raises:
        DataError: shapes that do not match.
    """
    here, goal = unit_centres(centres), unit_centres(targets)
    if here.shape != goal.shape:
        raise DataError(f"Each class centre needs one target, got shapes {here.shape} and {goal.shape}.")
    return np.degrees(angle_between(here, goal))
