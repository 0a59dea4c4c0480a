"""The geometry each loss must end in, computed from the class counts, where features are free vectors.

A trained network need not get there: every `Prediction` says under which penalty it holds and how sure it is.
"""

from ltviz.geometry.predicted.cross_entropy import predicted_ce
from ltviz.geometry.predicted.decayed import predicted_decay
from ltviz.geometry.predicted.fixed import predicted_relu, predicted_simplex
from ltviz.geometry.predicted.peeled import layer_peeled
from ltviz.geometry.predicted.prediction import Prediction, angles_between
from ltviz.geometry.predicted.supcon import predicted_supcon
from ltviz.geometry.predicted.thresholds import minority_threshold, supcon_tail_limit, supcon_threshold

__all__ = [
    "Prediction",
    "angles_between",
    "layer_peeled",
    "minority_threshold",
    "predicted_ce",
    "predicted_decay",
    "predicted_relu",
    "predicted_simplex",
    "predicted_supcon",
    "supcon_tail_limit",
    "supcon_threshold",
]
