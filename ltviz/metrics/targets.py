"""How far classes are from the targets that were set for them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ltviz.errors import DataError
from ltviz.metrics.centres import angle_between, unit_centres
from ltviz.metrics.declaration import Measure, Value, declare, family
from ltviz.metrics.shots import GROUPS, mean_over
from ltviz.metrics.space import Space


def target_angles(centres: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """(C,) angle in degrees between each class centre and its own target; NaN for absent classes.

    Args:
        centres: (C, D), normalised here; zero or NaN rows are absent classes.
        targets: (C, D), row c is class c's target, normalised here.

    Raises:
        DataError: shapes that do not match.

    Example:
        >>> import numpy as np
        >>> target_angles(np.eye(2), np.array([[1.0, 1.0], [0.0, 1.0]])).round(3)
        array([45.,  0.])
    """
    here, goal = unit_centres(centres), unit_centres(targets)
    if here.shape != goal.shape:
        raise DataError(f"Each class centre needs one target, got shapes {here.shape} and {goal.shape}.")
    return np.degrees(angle_between(here, goal))


@declare(
    Measure(
        key="target_angle_mean",
        title="Angle to targets",
        unit="degrees",
        low=0,
        high=180,
        better="lower",
        short="Mean angle between a class centre and the target set for it.",
        formula=r"\operatorname{mean}_c \arccos(m_c \cdot t_c)",
        source="Li et al. 2022 (TSC)",
        order=58,
    ),
    family(
        Measure(
            key="target_angle_{}",
            title="Angle to targets, {}",
            unit="degrees",
            low=0,
            high=180,
            better="lower",
            short="Mean angle between a class centre and its target, {}.",
            formula=r"\operatorname{mean}_{c \in group} \arccos(m_c \cdot t_c)",
            source="Li et al. 2022 (TSC)",
            order=45,
        ),
        GROUPS,
    ),
    full=True,
)
def angles_to_targets(space: Space) -> Mapping[str, Value]:
    if space.targets is None:
        return {}
    angles = target_angles(space.centres, space.targets)
    found = {f"target_angle_{name}": mean_over(members, angles) for name, members in space.groups.items()}
    return {"target_angle_mean": mean_over(np.arange(len(angles)), angles), **found}
