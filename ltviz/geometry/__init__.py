"""Directions on the hypersphere, in numpy: ideal arrangements, matching, concentration, rotation.

Nothing here imports torch; every function takes and gives arrays, angles are in degrees.
"""

from ltviz.geometry.matching import match_targets
from ltviz.geometry.packing import angle_source, best_angle
from ltviz.geometry.regular_simplex import fits, ideal_cosine, simplex
from ltviz.geometry.rotation import procrustes
from ltviz.geometry.targets import optimal_targets
from ltviz.geometry.von_mises_fisher import cap, kappa, resultant_length, sample_von_mises_fisher

__all__ = [
    "angle_source",
    "best_angle",
    "cap",
    "fits",
    "ideal_cosine",
    "kappa",
    "match_targets",
    "optimal_targets",
    "procrustes",
    "resultant_length",
    "sample_von_mises_fisher",
    "simplex",
]
