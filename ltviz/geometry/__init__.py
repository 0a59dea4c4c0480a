"""Directions on the hypersphere, in numpy: ideal and predicted arrangements, matching, concentration, rotation.

Nothing here imports torch; every function takes and gives arrays, angles are in degrees.
"""

from ltviz.geometry.made_targets import make_targets
from ltviz.geometry.matching import match_targets
from ltviz.geometry.packing import angle_source, best_angle
from ltviz.geometry.predicted import (
    Prediction,
    layer_peeled,
    minority_threshold,
    predicted_ce,
    predicted_decay,
    predicted_relu,
    predicted_simplex,
    predicted_supcon,
    supcon_tail_limit,
    supcon_threshold,
)
from ltviz.geometry.regular_simplex import fits, ideal_cosine, simplex
from ltviz.geometry.rotation import procrustes, turned_onto
from ltviz.geometry.targets import optimal_targets
from ltviz.geometry.von_mises_fisher import cap, kappa, resultant_length, sample_von_mises_fisher

__all__ = [
    "Prediction",
    "angle_source",
    "best_angle",
    "cap",
    "fits",
    "ideal_cosine",
    "kappa",
    "layer_peeled",
    "make_targets",
    "match_targets",
    "minority_threshold",
    "optimal_targets",
    "predicted_ce",
    "predicted_decay",
    "predicted_relu",
    "predicted_simplex",
    "predicted_supcon",
    "procrustes",
    "resultant_length",
    "sample_von_mises_fisher",
    "simplex",
    "supcon_tail_limit",
    "supcon_threshold",
    "turned_onto",
]
