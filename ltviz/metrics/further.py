"""Measures for comparing runs, too slow or too special for a live frame."""

from __future__ import annotations

import numpy as np

from ltviz.geometry import best_angle
from ltviz.metrics.centres import simplex
from ltviz.metrics.classes import Classes, one_place
from ltviz.metrics.equality import equality
from ltviz.metrics.pairs import pair_split, tail_room
from ltviz.metrics.pairwise import uniformity
from ltviz.metrics.shape import FEWEST_POINTS, Found, distance_within
from ltviz.metrics.shots import Groups, mean_over
from ltviz.metrics.targets import target_angles
from ltviz.metrics.territory import territory
from ltviz.metrics.tsc import inter_class_uniformity, neighbourhood_uniformity


def further_measures(unit: Classes, groups: Groups, targets: np.ndarray | None) -> Found:
    """What `measure(..., full=True)` adds from geometry alone; None where it cannot be measured.

    Args:
        unit: unit rows.
        groups: of the same classes.
        targets: (C, D) or None.
    """
    found: Found = {"tsc_alignment": distance_within(unit)}
    centres = unit.centres
    here = np.isfinite(centres[:, 0])
    if here.sum() > 1:
        found |= _between_centres(centres, groups)
        found["packing_gap"] = _packing_gap(centres)
        found["uniformity_centres"] = uniformity(centres[here]) if here.sum() >= FEWEST_POINTS else None
    # one class owns the sphere whatever it does, and centres that coincide would share it as if by merit
    if here.sum() > 1 and not one_place(centres[here]):
        share = territory(centres)
        for name, members in groups.items():
            if len(members):
                found[f"territory_{name}"] = float(share[members].sum())
    for name, members in groups.items():
        rows = unit.z[np.isin(unit.y, members)]
        if len(rows) >= FEWEST_POINTS:
            found[f"uniformity_{name}"] = uniformity(rows)
    if targets is not None:
        angles = target_angles(centres, targets)
        found["target_angle_mean"] = mean_over(np.arange(len(angles)), angles)
        for name, members in groups.items():
            found[f"target_angle_{name}"] = mean_over(members, angles)
    return found


def norms_and_angles(seen: Classes) -> Found:
    """Equal norms and equal angles of the class means of features; nothing for two classes, whose means always lie
    equally far from their middle, or for means in one place."""
    means = seen.means[seen.present]
    if len(means) < FEWEST_POINTS or one_place(means):
        return {}
    found = equality(means)
    return {} if found is None else dict(found)


def _between_centres(centres: np.ndarray, groups: Groups) -> Found:
    split = pair_split(centres, groups)
    found: Found = {
        "tsc_uniformity": inter_class_uniformity(centres),
        "tsc_neighbour_uniformity": neighbourhood_uniformity(centres),
        "minority_collapse": tail_room(split),
    }
    for pair in ("head_head", "head_tail", "tail_tail"):
        found[f"simplex_deviation_{pair}"] = split[pair].deviation_mean
        found[f"min_centre_angle_{pair}"] = split[pair].smallest_angle
    return found


def _packing_gap(centres: np.ndarray) -> float | None:
    num_classes, dim = centres.shape
    # with classes absent, the others may lie further apart than all of them could
    if np.isnan(centres).any() or (dim == 1 and num_classes > 2):
        return None
    return best_angle(num_classes, dim) - simplex(centres).smallest_angle
