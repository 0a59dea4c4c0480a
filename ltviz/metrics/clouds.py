"""How far the samples of a class spread around their centre."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ltviz.geometry import kappa
from ltviz.geometry.blocks import blocks
from ltviz.metrics.centres import angle_between
from ltviz.metrics.classes import Classes
from ltviz.metrics.declaration import Measure, Place, Shown, Value, declare, family
from ltviz.metrics.named_values import NamedValues
from ltviz.metrics.shots import GROUPS, fewer, mean_over
from ltviz.metrics.space import Space

# Closest that a mean of float32 unit vectors can be told from length 1: from here on samples coincide.
LONGEST_RESULTANT = 1.0 - 2.0**-23


@dataclass(frozen=True, eq=False)
class Spread(NamedValues):
    """One entry a class, float64 except `count`; NaN where the class cannot show it."""

    mean_angle: np.ndarray
    """(C,) mean angle of a sample to the class centre, degrees, 0 to 180. NaN for a class without samples."""
    kappa: np.ndarray
    """(C,) von Mises-Fisher concentration, maximum likelihood. NaN for a class with fewer than two samples, or whose
    samples coincide: no concentration is the likeliest then."""
    cap95: np.ndarray
    """(C,) angle around the centre that holds 95 % of the samples, degrees. NaN for a class without samples."""
    count: np.ndarray
    """(C,) int64 samples."""


def spread(z: np.ndarray, y: np.ndarray, num_classes: int | None = None) -> Spread:
    """Spread of each class around its centre (the normalised mean).

    Args:
        z: (N, D) embeddings, D >= 2; rows are normalised where they are not unit.
        y: (N,) integers in 0 ... C-1.
        num_classes: C; default the largest label + 1.

    Returns:
        Spread. A class whose samples cancel out has no centre and counts as kappa 0, angles NaN.

    Raises:
        DataError: shapes, labels or values that cannot be used.

    Example:
        >>> import numpy as np
        >>> from ltviz.geometry import sample_von_mises_fisher
        >>> found = spread(sample_von_mises_fisher(np.eye(3)[0], 50.0, 2000), np.zeros(2000, int))
        >>> bool(abs(found.kappa[0] / 50 - 1) < 0.1), found.count
        (True, array([2000]))
    """
    return spread_of(Classes.of(z, y, num_classes).normalised())


def spread_of(classes: Classes) -> Spread:
    """`spread` of samples already grouped; rows must be unit."""
    angles = np.degrees(centre_angles(classes))
    concentration = np.full(classes.num_classes, np.nan)
    apart = classes.several & (classes.resultant < LONGEST_RESULTANT)
    concentration[apart] = kappa(classes.resultant[apart], max(2, classes.z.shape[1]))
    return Spread(classes.average(angles), concentration, grouped_quantile(classes, angles, 0.95), classes.count)


def common_kappas(classes: Classes, groups: Sequence[np.ndarray]) -> np.ndarray:
    """(G,) for each group of classes the concentration that fits best if they all share one, each around its centre.

    Every class counts the same, so the likeliest one solves A_D(kappa) = mean of the classes' resultant lengths. Unlike
    a mean of concentrations, which have no upper end, a single tight class does not decide it: classes of 1249, 7, 9
    and 6 in 3-D have 9.4 in common, and 318 on average.

    Args:
        classes: unit rows.
        groups: class indices of each; those with fewer than two samples are left out.

    Returns:
        float64 >= 0; NaN where no class is left, or the samples of every class coincide.

    Source: the mixture of Banerjee et al. 2005 with one kappa and equal weights.
    """
    lengths = np.full(len(groups), np.nan)
    for index, members in enumerate(groups):
        chosen = classes.resultant[members][classes.several[members]]
        if len(chosen) and (length := float(np.minimum(chosen, 1.0).mean())) < LONGEST_RESULTANT:
            lengths[index] = length
    return kappa(lengths, max(2, classes.z.shape[1]))


def centre_angles(classes: Classes) -> np.ndarray:
    """(N,) angle of each sample to the centre of its class, radians; NaN where the class has no centre."""
    centres = classes.centres.astype(classes.z.dtype, copy=False)
    found = np.empty(len(classes.y))
    for block in blocks(len(found)):
        found[block] = angle_between(classes.z[block], centres[classes.y[block]])
    return found


def grouped_quantile(classes: Classes, values: np.ndarray, share: float) -> np.ndarray:
    """(C,) quantile of one value a sample, (N,), within each class, linear between samples; NaN where there is none."""
    ordered = values[np.lexsort((values, classes.y))]
    place = share * (classes.count[classes.present] - 1)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, classes.count[classes.present] - 1)
    out = np.full(classes.num_classes, np.nan)
    low, high = ordered[classes.starts + below], ordered[classes.starts + above]
    out[classes.present] = low + (place - below) * (high - low)
    return out


# ---------------------------------------------------------------------- measures
# Of all points, and of training and test points apart: a cloud of training points may be half as wide as that of test
# points, and a probe holds more test points of some classes than of others.

_SHOWN: Mapping[str, Mapping[Place, Shown]] = {
    "head": {"table": Shown(at=30, label="Spread, head"), "report": Shown(at=90)},
    "tail": {"table": Shown(at=31, label="Spread, tail"), "curves": Shown(at=30), "report": Shown(at=91)},
}


@declare(
    family(
        Measure(
            key="spread_{}",
            title="Spread, {}",
            unit="degrees",
            low=0,
            high=180,
            short="Mean angle between a sample and its class centre, {}, over classes with two samples or more.",
            formula=r"\operatorname{mean}_{i: y_i = c} \arccos(z_i \cdot m_c)",
            source="ltviz",
            caution="Small is tight, not good: tight classes may lie on one another.",
            order=40,
        ),
        GROUPS,
        _SHOWN,
    ),
    family(
        Measure(
            key="spread_{}_classes",
            title="Classes behind the spread, {}",
            unit="classes",
            low=0,
            short="How many classes are behind spread, concentration and cap, {}, where not all are: those with two "
            "samples or more.",
            formula=r"|\{c \in group : n_c \ge 2\}|",
            source="ltviz",
            behind=True,
            order=113,
        ),
        GROUPS,
    ),
    apart="always",
)
def spread_of_groups(space: Space) -> Mapping[str, Value]:
    mean_angle = space.unit.average(space.once(_angles)) * space.once(_several)
    found: dict[str, Value] = {}
    for name, members in space.groups.items():
        found[f"spread_{name}"] = mean_over(members, mean_angle)
        found[f"spread_{name}_classes"] = fewer(int(space.unit.several[members].sum()), len(members))
    return found


@declare(
    family(
        Measure(
            key="kappa_{}",
            title="Concentration, {}",
            low=0,
            short="Von Mises-Fisher concentration that fits best where all classes share one, {}: higher is tighter.",
            formula=r"A_D(\kappa) = \operatorname{mean}_{c \in group} \| \operatorname{mean}_{i: y_i = c} z_i \|",
            source="Banerjee et al. 2005, solved exactly; every class counts the same",
            caution="It grows with D, and is too high for classes with few samples: compare at the same D and the same "
            "probe.",
            order=41,
        ),
        GROUPS,
    ),
    apart="always",
)
def concentration_of_groups(space: Space) -> Mapping[str, Value]:
    names, members = zip(*space.groups.items(), strict=True)
    kappas = common_kappas(space.unit, members)
    return {f"kappa_{name}": float(value) for name, value in zip(names, kappas, strict=True)}


@declare(
    family(
        Measure(
            key="cap95_{}",
            title="95 % cap, {}",
            unit="degrees",
            low=0,
            high=180,
            short="Angle around the class centre that holds 95 % of its samples, {}.",
            formula=r"Q_{0.95}\{\arccos(z_i \cdot m_c) : y_i = c\}",
            source="ltviz",
            caution="With fewer than 20 samples this is nearly the farthest one.",
            order=42,
        ),
        GROUPS,
    ),
    full=True,
    apart="always",
)
def caps_of_groups(space: Space) -> Mapping[str, Value]:
    cap95 = grouped_quantile(space.unit, space.once(_angles), 0.95) * space.once(_several)
    return {f"cap95_{name}": mean_over(members, cap95) for name, members in space.groups.items()}


def _angles(space: Space) -> np.ndarray:
    return np.degrees(centre_angles(space.unit))


def _several(space: Space) -> np.ndarray:
    """(C,) 1, or NaN for a class of a single sample, which is its own centre: its spread of 0 says nothing."""
    return np.where(space.unit.several, 1.0, np.nan)
