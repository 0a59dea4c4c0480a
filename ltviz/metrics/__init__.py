"""Numbers that describe a feature space on the hypersphere: numpy in, numpy out, no torch.

`measure` gives them all at once under the keys of `MEASURES`, and what they rest on under those of `BEHIND`.
"""

from ltviz.geometry import fits
from ltviz.metrics.calibration import expected_calibration_error
from ltviz.metrics.centres import Simplex, simplex
from ltviz.metrics.classes import Classes, normalise
from ltviz.metrics.clouds import Spread, spread
from ltviz.metrics.collapse import NeuralCollapse, neural_collapse
from ltviz.metrics.described import Measure
from ltviz.metrics.equality import Equality, equality
from ltviz.metrics.final import FINAL, described, geometry
from ltviz.metrics.measures import measure
from ltviz.metrics.neighbours import nearest_centre, nearest_samples
from ltviz.metrics.pairs import PairSplit, minority_collapse, pair_split
from ltviz.metrics.pairwise import alignment, uniformity
from ltviz.metrics.precision import MeanAveragePrecision, mean_average_precision
from ltviz.metrics.probe import balanced_probe
from ltviz.metrics.registry import BEHIND, MEASURES
from ltviz.metrics.shape import distance_within
from ltviz.metrics.shots import Groups, ShotAccuracy, shot_accuracy, shot_groups
from ltviz.metrics.spectrum import effective_rank
from ltviz.metrics.targets import target_angles
from ltviz.metrics.territory import territory
from ltviz.metrics.tsc import inter_class_uniformity, intra_class_alignment, neighbourhood_uniformity

__all__ = [
    "BEHIND",
    "FINAL",
    "MEASURES",
    "Classes",
    "Equality",
    "Groups",
    "MeanAveragePrecision",
    "Measure",
    "NeuralCollapse",
    "PairSplit",
    "ShotAccuracy",
    "Simplex",
    "Spread",
    "alignment",
    "balanced_probe",
    "described",
    "distance_within",
    "effective_rank",
    "equality",
    "expected_calibration_error",
    "fits",
    "geometry",
    "inter_class_uniformity",
    "intra_class_alignment",
    "mean_average_precision",
    "measure",
    "minority_collapse",
    "nearest_centre",
    "nearest_samples",
    "neighbourhood_uniformity",
    "neural_collapse",
    "normalise",
    "pair_split",
    "shot_accuracy",
    "shot_groups",
    "simplex",
    "spread",
    "target_angles",
    "territory",
    "uniformity",
]
