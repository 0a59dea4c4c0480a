"""The shape of labelled points on the sphere: their class centres, and the clouds around them.

It is measured of all points, and of training and test points apart: a cloud of training points may be half as wide as
that of test points, and a probe holds more test points of some classes than of others.
"""

from __future__ import annotations

import numpy as np

from ltviz.metrics.centres import simplex
from ltviz.metrics.classes import Classes
from ltviz.metrics.clouds import centre_angles, common_kappas, grouped_quantile
from ltviz.metrics.pairs import minority_collapse
from ltviz.metrics.pairwise import uniformity
from ltviz.metrics.shots import Groups, mean_over
from ltviz.metrics.tsc import intra_class_alignment

Found = dict[str, float | None]
PARTS = {"train": 0, "test": 1}
"""Suffix of a key that is measured of a part of the points, and the value of `split` there."""
FEWEST_POINTS = 3
"""A pair has a distance, and no evenness: two opposite points would be the most uniform cloud of all."""


def shape(unit: Classes, groups: Groups, *, full: bool) -> Found:
    """Centres and clouds under the keys of `MEASURES`, and under those of `BEHIND` what they leave out.

    Args:
        unit: unit rows.
        groups: of the same classes.
        full: also the 95 % caps.
    """
    return _centres(unit) | _clouds(unit, groups, full)


def part_shape(unit: Classes, groups: Groups, *, full: bool) -> Found:
    """What is measured of training and of test points alone; arguments as of `shape`, with `full` some more."""
    found = shape(unit, groups, full=full)
    if full:
        found["minority_collapse"] = room_of_tail(unit, groups)
        found["tsc_alignment"] = distance_within(unit)
        found["uniformity"] = uniformity(unit.z) if len(unit.y) >= FEWEST_POINTS else None
    return found


def distance_within(unit: Classes) -> float | None:
    """TSC's A over the classes with two samples or more; None without one, and where all points lie in one place: that
    samples of a class are close is worth something only if others are not."""
    here = unit.several[unit.y]
    if unit.one_place or not here.any():
        return None
    return intra_class_alignment(unit if here.all() else Classes.of(unit.z[here], unit.y[here], unit.num_classes))


def room_of_tail(unit: Classes, groups: Groups) -> float | None:
    """`minority_collapse`; None also where two centres are not there."""
    return None if np.isfinite(unit.centres[:, 0]).sum() < 2 else minority_collapse(unit.centres, groups)


def fewer(number: int, of: int) -> float | None:
    """How many classes are behind a measure: None where all are, so that a frame holds only what needs to be said."""
    return float(number) if 0 < number < of else None


def _centres(unit: Classes) -> Found:
    here = np.isfinite(unit.centres[:, 0])
    if here.sum() < 2:
        return {}
    found = simplex(unit.centres)
    return {
        "simplex_deviation_mean": found.deviation_mean,
        "simplex_deviation_max": found.deviation_max,
        "centre_sum": found.centre_sum,
        "min_centre_angle": found.smallest_angle,
        "centre_classes": fewer(int(here.sum()), unit.num_classes),
        "centre_singles": float((unit.count == 1).sum()) or None,
    }


def _clouds(unit: Classes, groups: Groups, full: bool) -> Found:
    angles = np.degrees(centre_angles(unit))
    # a single sample is its own centre: its spread of 0 says nothing about the class
    several = np.where(unit.several, 1.0, np.nan)
    mean_angle = unit.average(angles) * several
    cap95 = grouped_quantile(unit, angles, 0.95) * several if full else None
    kappas = common_kappas(unit, [members for _, members in groups.items()])
    found: Found = {}
    for (name, members), kappa in zip(groups.items(), kappas, strict=True):
        found[f"spread_{name}"] = mean_over(members, mean_angle)
        found[f"kappa_{name}"] = float(kappa)
        if cap95 is not None:
            found[f"cap95_{name}"] = mean_over(members, cap95)
        found[f"spread_{name}_classes"] = fewer(int(unit.several[members].sum()), len(members))
    return found
