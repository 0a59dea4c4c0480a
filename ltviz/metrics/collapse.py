"""Neural collapse, NC1 to NC4 (Papyan, Han and Donoho 2020)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ltviz.errors import ConfigError, DataError
from ltviz.metrics.centres import NO_SIMPLEX
from ltviz.metrics.classes import Classes, one_place
from ltviz.metrics.declaration import Measure, Value, declare
from ltviz.metrics.named_values import NamedValues
from ltviz.metrics.shots import fewer
from ltviz.metrics.space import Space
from ltviz.metrics.spectrum import LARGEST_LIVE_SPECTRUM

GlobalMean = Literal["samples", "classes"]
# Relative cut of the pseudo-inverse, on eigenvalues of the between-class covariance, as numpy.linalg.pinv has it.
SMALLEST_EIGENVALUE = 1e-15
# Samples whose residuals are held at once.
BLOCK = 8192


@dataclass(frozen=True, eq=False)
class NeuralCollapse(NamedValues):
    """All are 0 under perfect collapse. None: not measurable from what was given."""

    nc1: float | None = None
    """Within-class against between-class scatter, tr(S_W S_B^+) / C, >= 0. None with a single class, where all class
    means coincide, or where no class has two samples: 0/0 is no collapse."""
    nc2: float | None = None
    """Distance of the classifier's Gram matrix from that of a simplex, 0 to 2. Needs weights."""
    nc3: float | None = None
    """Distance of classifier against class means from duality, 0 to 2. Needs weights, and every class present with
    means that differ."""
    nc4: float | None = None
    """Share of samples where classifier and nearest class mean disagree, 0 to 1. Needs weights, bias, and means that
    differ. Single samples of a class do not count: they are their own nearest mean."""


def neural_collapse(
    z: np.ndarray,
    y: np.ndarray,
    weights: np.ndarray | None = None,
    bias: np.ndarray | None = None,
    *,
    num_classes: int | None = None,
    global_mean: GlobalMean = "samples",
) -> NeuralCollapse:
    """NC1 to NC4 of raw features.

    With H = [mu_c - mu_G], S_W = mean of (h - mu_y)(h - mu_y)', S_B = H H' / C:
    NC1 = tr(S_W S_B^+) / C, NC2 = |WW'/|WW'| - E|, NC3 = |WH/|WH| - E| with E = (I - 11'/C) / sqrt(C-1) and Frobenius
    norms, NC4 = share of samples where argmax(Wh + b) is not the nearest class mean.

    Args:
        z: (N, D) features as the classifier sees them, not normalised here.
        y: (N,) integers in 0 ... C-1.
        weights: (C, D) rows of a linear classifier.
        bias: (C,) its bias.
        num_classes: C; default the rows of `weights`, else the largest label + 1.
        global_mean: mu_G over all samples (the official code), or over class means. With imbalance they differ.

    Returns:
        NeuralCollapse. NC1 counts the classes present; a class with one sample adds nothing to S_W, as in the official
        code.

    Raises:
        DataError: shapes, labels or values that cannot be used.
        ConfigError: an unknown `global_mean`, or a bias without weights.

    Source: Papyan et al. 2020; Zhu et al. 2021, validate_NC.py (github.com/tding1/Neural-Collapse).

    Example:
        >>> import numpy as np
        >>> from ltviz.geometry import simplex
        >>> weights, y = simplex(3, 2), np.arange(30) % 3
        >>> found = neural_collapse(5 * weights[y], y, weights, np.zeros(3))
        >>> {name: abs(round(value, 6)) for name, value in found.items()}
        {'nc1': 0.0, 'nc2': 0.0, 'nc3': 0.0, 'nc4': 0.0}
    """
    if global_mean not in ("samples", "classes"):
        raise ConfigError(f'global_mean must be "samples" or "classes", got {global_mean!r}.')
    if weights is None and bias is not None:
        raise ConfigError("neural_collapse got a bias without weights; give both, or neither.")
    if weights is not None and num_classes is None:
        num_classes = len(weights)
    return collapse_of(Classes.of(z, y, num_classes), weights, bias, global_mean=global_mean)


def collapse_of(
    classes: Classes,
    weights: np.ndarray | None = None,
    bias: np.ndarray | None = None,
    *,
    global_mean: GlobalMean = "samples",
) -> NeuralCollapse:
    """`neural_collapse` of features already grouped."""
    here = classes.present
    means = classes.means[here]
    share = classes.count[here] / len(classes.y) if global_mean == "samples" else np.full(len(here), 1 / len(here))
    centred = means - share @ means
    comparable = len(here) > 1 and not one_place(means)
    nc1 = _within_to_between(classes, centred) if comparable and classes.several.any() else None
    if weights is None:
        return NeuralCollapse(nc1=nc1)
    w = np.asarray(weights, dtype=np.float64)
    if w.shape != classes.means.shape:
        raise DataError(
            f"Classifier weights must be (C, D) = {classes.means.shape} like the class means, got {w.shape}."
        )
    every = comparable and len(here) == classes.num_classes
    return NeuralCollapse(
        nc1=nc1,
        nc2=_distance_from_simplex(w @ w.T) if classes.num_classes > 1 else None,
        nc3=_distance_from_simplex(w @ centred.T) if every else None,
        nc4=None if bias is None else _mismatch(classes, w, np.asarray(bias, dtype=np.float64), comparable),
    )


def _within_to_between(classes: Classes, centred: np.ndarray) -> float | None:
    """tr(S_W S_B^+) / K without forming S_W: residuals are projected on the K - 1 or K directions of S_B."""
    _, singular, directions = np.linalg.svd(centred, full_matrices=False)
    kept = singular**2 > SMALLEST_EIGENVALUE * singular[0] ** 2
    if not kept.any():
        return None
    whiten = directions[kept].T / singular[kept]
    means = classes.means @ whiten
    total = 0.0
    for start in range(0, len(classes.y), BLOCK):
        residual = classes.z[start : start + BLOCK] @ whiten - means[classes.y[start : start + BLOCK]]
        total += float(np.vdot(residual, residual))
    return total / len(classes.y)


def _distance_from_simplex(gram: np.ndarray) -> float | None:
    size = len(gram)
    norm = np.linalg.norm(gram)
    if norm == 0:
        return None
    ideal = (np.eye(size) - 1 / size) / np.sqrt(size - 1)
    return float(np.linalg.norm(gram / norm - ideal))


def _mismatch(classes: Classes, weights: np.ndarray, bias: np.ndarray, comparable: bool) -> float | None:
    if bias.shape != (classes.num_classes,):
        raise DataError(f"The classifier's bias must be ({classes.num_classes},), got {bias.shape}.")
    judged = classes.several[classes.y]
    if not comparable or not judged.any():
        return None
    z = classes.z if judged.all() else classes.z[judged]
    predicted = (z @ weights.T + bias).argmax(axis=1)
    means = classes.means[classes.present]
    # |h - mu|^2 without |h|^2, which is the same for every class
    nearest = (z @ means.T - 0.5 * np.einsum("kd,kd->k", means, means)).argmax(axis=1)
    return float(np.mean(predicted != classes.present[nearest]))


# ---------------------------------------------------------------------- measures


@declare(
    Measure(
        key="nc1",
        title="NC1, within-class scatter",
        low=0,
        better="lower",
        short="How tight classes are against the distances between their means: 0 is collapsed. Of the features that "
        "the classifier reads where a frame was measured with them, else of the embeddings.",
        formula=r"\operatorname{tr}(\Sigma_W \Sigma_B^+) / C",
        source="Papyan et al. 2020; code of Zhu et al. 2021",
        caution="It divides by the smallest spread of the class means, so it jumps where they are nearly flat, as at "
        "D = 3; a class of one sample has no scatter to add.",
        order=20,
    ),
    Measure(
        key="nc1_classes",
        title="Classes behind NC1",
        unit="classes",
        low=0,
        short="How many classes have two samples or more and so a scatter, where not all have.",
        formula=r"|\{c : n_c \ge 2\}|",
        source="ltviz",
        behind=True,
        order=112,
    ),
    apart="always",
    of_sphere=False,
)
def scatter_within_classes(space: Space) -> Mapping[str, Value]:
    nc1 = space.once(_collapse).nc1
    return {} if nc1 is None else {"nc1": nc1, "nc1_classes": fewer(int(space.seen.several.sum()), space.num_classes)}


@declare(
    Measure(
        key="nc2",
        title="NC2, classifier to simplex",
        low=0,
        high=2,
        better="lower",
        short="How far the classifier's weight vectors are from a regular simplex.",
        formula=r"\| W W^\top / \|W W^\top\|_F - (I - 11^\top/C)/\sqrt{C-1} \|_F",
        source="Papyan et al. 2020; code of Zhu et al. 2021",
        caution=NO_SIMPLEX,
        needs_simplex=True,
        order=21,
    ),
    Measure(
        key="nc3",
        title="NC3, classifier against class means",
        low=0,
        high=2,
        better="lower",
        short="How far the classifier's weight vectors are from pointing along the class means.",
        formula=r"\| W H / \|W H\|_F - (I - 11^\top/C)/\sqrt{C-1} \|_F, \; H = [\mu_c - \mu_G]",
        source="Papyan et al. 2020; code of Zhu et al. 2021",
        caution="The global mean is over samples, as in the official code; with imbalance it leans to the head.",
        order=22,
    ),
    Measure(
        key="nc4",
        title="NC4, disagreement with nearest mean",
        unit="share",
        low=0,
        high=1,
        better="lower",
        short="Share of points where the classifier and the nearest class mean of the features disagree.",
        formula=r"P[\arg\max_c (W h + b)_c \ne \arg\min_c \|h - \mu_c\|]",
        source="Papyan et al. 2020",
        order=23,
    ),
    of_sphere=False,
)
def classifier_collapse(space: Space) -> Mapping[str, Value]:
    found = space.once(_collapse)
    return {"nc2": found.nc2, "nc3": found.nc3, "nc4": found.nc4}


def _collapse(space: Space) -> NeuralCollapse:
    if not space.full and min(space.seen.means.shape) > LARGEST_LIVE_SPECTRUM:
        return NeuralCollapse()
    return collapse_of(space.seen, space.weights, space.bias)
