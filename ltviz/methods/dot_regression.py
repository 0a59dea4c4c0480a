"""Dot regression: features are drawn to the vertices of a fixed simplex, and nothing pushes (Yang et al., 2022)."""

from __future__ import annotations

import torch
from torch import Tensor

from ltviz.methods.parts.inputs import (
    Labels,
    Numbers,
    check_labels,
    check_numbers,
    check_rows,
    reduce,
)
from ltviz.methods.parts.loss import loss
from ltviz.methods.parts.similarities import own_similarities
from ltviz.methods.parts.tracing import checks_values

SHORTEST = 1e-8
"""Of a feature, which divides."""


@loss()
def dot_regression(
    features: Tensor,
    y: Labels,
    classifier: Tensor,
    *,
    lengths: Numbers | None = None,
    counts: Numbers | None = None,
    reduction: str = "mean",
) -> Tensor:
    r"""Squared difference between a feature's product with its class's fixed row and what it would be in parallel.

    .. math:: L_i = \frac{(h_i \cdot w_{y_i} - |h_i| |w_{y_i}|)^2}{2 |h_i|}, \qquad w_c = \ell_c m_c

    where the lengths |h| and |w| are constants, without a gradient. For unit features and lengths of the counts it is
    half the squared difference of the cosine from 1, averaged within each class and then over the classes.

    Args:
        features: (B, D), as the head gives them: unit rows in the paper.
        y: (B,) labels from 0 to C - 1.
        classifier: (C, D) the fixed rows m, row c is class c's.
        lengths: (C,) factors l on the rows; all 1 where neither these nor counts are given.
        counts: (C,) samples per class that give the lengths, l_c = sqrt(mean n / n_c) with the mean over classes that
            have any, 1 for those without. The official code counts the batch.
        reduction: "mean" gives a scalar, "none" the (B,) values.

    Raises:
        ValueError: where shapes or values break these rules, or both lengths and counts are given.

    Source: Yang et al. 2022, code: ImbalancedLearning 2ebb309, `dot_loss` ("reg_dot_loss"), which divides by |h| alone;
    the paper divides by the square root of E_W E_H, the same where all lengths are 1.

    >>> rows = torch.eye(3)
    >>> dot_regression(rows[[0, 1]], [0, 2], rows, reduction="none")
    tensor([0.0000, 0.5000])
    """
    check_rows("dot_regression", "features", features, (None, None), "(samples, dimensions)")
    num_samples, dim = features.shape
    if not features.numel():
        raise ValueError(
            f"dot_regression: features must hold samples and dimensions, but has shape {tuple(features.shape)}"
        )
    check_rows("dot_regression", "classifier", classifier, (None, dim), f"for features of {dim} dimensions")
    num_classes = len(classifier)
    y = check_labels("dot_regression", "y", y, num_samples, f"for {num_samples} features", features, num_classes)
    if lengths is not None and counts is not None:
        raise ValueError("dot_regression: lengths and counts are two ways of saying one thing; give one of them")
    scale = _lengths(lengths, counts, num_classes, features)[y]
    products = own_similarities(features, classifier[y]) * scale
    norms = features.detach().norm(dim=1)
    parallel = norms * (classifier.detach().norm(dim=1)[y] * scale).detach()
    return reduce("dot_regression", (products - parallel) ** 2 / (2 * norms.clamp_min(SHORTEST)), reduction)


def _lengths(lengths: Numbers | None, counts: Numbers | None, num_classes: int, like: Tensor) -> Tensor:
    because = f"for {num_classes} classes"
    if lengths is not None:
        return check_numbers("dot_regression", "lengths", lengths, (num_classes,), because, like)
    if counts is None:
        return like.new_ones(num_classes)
    counts = check_numbers("dot_regression", "counts", counts, (num_classes,), because, like)
    if checks_values() and not bool(torch.isfinite(counts).all() & (counts >= 0).all()):
        raise ValueError(f"dot_regression: counts must be finite and not negative, but are {counts.tolist()}")
    present = counts > 0
    mean = counts.sum() / present.sum().clamp_min(1)
    return torch.where(present, (mean / torch.where(present, counts, 1.0)).sqrt(), 1.0)
