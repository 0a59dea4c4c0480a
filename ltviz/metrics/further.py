"""Measures for comparing runs, too slow or too special for a live frame."""

from __future__ import annotations

import numpy as np

from ltviz.geometry import best_angle
from ltviz.metrics.centres import simplex
from ltviz.metrics.classes import Classes
from ltviz.metrics.equality import equality
from ltviz.metrics.pairs import minority_collapse, pair_split
from ltviz.metrics.pairwise import uniformity
from ltviz.metrics.shots import Groups, mean_over
from ltviz.metrics.targets import target_angles
from ltviz.metrics.territory import territory
from ltviz.metrics.tsc import inter_class_uniformity, intra_class_alignment, neighbourhood_uniformity


def further_measures(
    raw: Classes, unit: Classes, groups: Groups, targets: np.ndarray | None
) -> dict[str, float | None]:
    """What `measure(..., full=True)` adds from geometry alone; None where it cannot be measured.

    Args:
        raw: samples as given, for the norms of class means.
        unit: the same, normalised.
        groups: of the same classes.
        targets: (C, D) or None.
    """
    found: dict[str, float | None] = {"tsc_alignment": intra_class_alignment(unit)}
    centres = unit.centres
    here = np.isfinite(centres[:, 0])
    if here.sum() > 1:
        found |= _between_centres(centres, groups)
        found["packing_gap"] = _packing_gap(centres)
        found["uniformity_centres"] = uniformity(centres[here])
    if here.any():
        share = territory(centres)
        for name, members in groups.items():
            if len(members):
                found[f"territory_{name}"] = float(share[members].sum())
    equal = equality(np.where(raw.count[:, None] > 0, raw.means, np.nan))
    if equal is not None:
        found |= dict(equal)
    for name, members in groups.items():
        rows = unit.z[np.isin(unit.y, members)]
        if len(rows) > 1:
            found[f"uniformity_{name}"] = uniformity(rows)
    if targets is not None:
        angles = target_angles(centres, targets)
        found["target_angle_mean"] = mean_over(np.arange(len(angles)), angles)
        for name, members in groups.items():
            found[f"target_angle_{name}"] = mean_over(members, angles)
    return found


def _between_centres(centres: np.ndarray, groups: Groups) -> dict[str, float | None]:
    found: dict[str, float | None] = {
        "tsc_uniformity": inter_class_uniformity(centres),
        "tsc_neighbour_uniformity": neighbourhood_uniformity(centres),
        "minority_collapse": minority_collapse(centres, groups),
    }
    split = pair_split(centres, groups)
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
