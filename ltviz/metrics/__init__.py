"""Numbers that describe a feature space on the hypersphere: numpy in, numpy out, no torch.

`measure` gives them all at once under the keys of `MEASURES`, and what they rest on under those of `BEHIND`. Each is a
function of a `Space` that `declare` declares, here or in another package.
"""

from ltviz.geometry import fits
from ltviz.metrics.accuracy import ShotAccuracy, shot_accuracy
from ltviz.metrics.calibration import expected_calibration_error
from ltviz.metrics.centres import Simplex, simplex
from ltviz.metrics.classes import Classes, normalise
from ltviz.metrics.clouds import Spread, spread
from ltviz.metrics.collapse import NeuralCollapse, neural_collapse
from ltviz.metrics.declaration import Measure, Measurement, Shown, declare, family
from ltviz.metrics.equality import Equality, equality
from ltviz.metrics.evenness import mmd_sphere, sliced_wasserstein_sphere, uniformity_wasserstein
from ltviz.metrics.final import FINAL, described, geometry, shown_at_end
from ltviz.metrics.information import Bound, information_with_labels, information_with_views
from ltviz.metrics.linear_probe import balanced_probe
from ltviz.metrics.measures import measure
from ltviz.metrics.neighbours import nearest_centre, nearest_samples
from ltviz.metrics.overlap import MeanOverlap, confusion, mean_overlap
from ltviz.metrics.pairs import PairSplit, minority_collapse, pair_split
from ltviz.metrics.pairwise import alignment, uniformity
from ltviz.metrics.precision import MeanAveragePrecision, mean_average_precision
from ltviz.metrics.registry import BEHIND, MEASURES, ceiling_of, known_of, shown_in
from ltviz.metrics.shots import ShotGroups, shot_groups
from ltviz.metrics.similarity import cka, mutual_knn, procrustes_distance, shared_neighbours
from ltviz.metrics.space import Space, space_of
from ltviz.metrics.spectrum import alpha_req, effective_rank, lidar
from ltviz.metrics.targets import target_angles
from ltviz.metrics.territory import territory
from ltviz.metrics.theory import AngleError, angle_error, simplex_error
from ltviz.metrics.tsc import (
    distance_within,
    inter_class_uniformity,
    intra_class_alignment,
    neighbourhood_uniformity,
)
from ltviz.metrics.variability import cdnv, norm_ratio

__all__ = [
    "BEHIND",
    "FINAL",
    "MEASURES",
    "AngleError",
    "Bound",
    "Classes",
    "Equality",
    "MeanAveragePrecision",
    "MeanOverlap",
    "Measure",
    "Measurement",
    "NeuralCollapse",
    "PairSplit",
    "ShotAccuracy",
    "ShotGroups",
    "Shown",
    "Simplex",
    "Space",
    "Spread",
    "alignment",
    "alpha_req",
    "angle_error",
    "balanced_probe",
    "cdnv",
    "ceiling_of",
    "cka",
    "confusion",
    "declare",
    "described",
    "distance_within",
    "effective_rank",
    "equality",
    "expected_calibration_error",
    "family",
    "fits",
    "geometry",
    "information_with_labels",
    "information_with_views",
    "inter_class_uniformity",
    "intra_class_alignment",
    "known_of",
    "lidar",
    "mean_average_precision",
    "mean_overlap",
    "measure",
    "minority_collapse",
    "mmd_sphere",
    "mutual_knn",
    "nearest_centre",
    "nearest_samples",
    "neighbourhood_uniformity",
    "neural_collapse",
    "norm_ratio",
    "normalise",
    "pair_split",
    "procrustes_distance",
    "shared_neighbours",
    "shot_accuracy",
    "shot_groups",
    "shown_at_end",
    "shown_in",
    "simplex",
    "simplex_error",
    "sliced_wasserstein_sphere",
    "space_of",
    "spread",
    "target_angles",
    "territory",
    "uniformity",
    "uniformity_wasserstein",
]
