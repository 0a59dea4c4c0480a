"""ETF head: a fixed simplex instead of a learned classifier, and nothing but pull (Yang et al., 2022)."""

from __future__ import annotations

import torch
from torch import Tensor

from ltviz.methods.parts.inputs import Labels, Numbers, check_labels, check_numbers, check_rows, check_samples, reduce
from ltviz.methods.parts.loss import loss
from ltviz.methods.parts.similarities import fixed_targets, pulled_similarities

_SHORTEST = 1e-8


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
    r"""Dot regression: each feature is drawn to the fixed direction of its class, and pushed from nothing.

    With w_c = l_c m_c, where m_c is row c of the classifier, and the lengths |h|, |w| taken as constants,

    .. math:: L_i = \frac{(h_i \cdot w_{y_i} - |h_i| |w_{y_i}|)^2}{2 |h_i|}

    Args:
        features: (B, D) rows of any length; unit ones in the paper. No gradient flows through their lengths.
        y: (B,) labels from 0 to C - 1.
        classifier: (C, D), row c is class c's direction; in the paper a regular simplex, never trained.
        lengths: (C,) l_c, 1 where left out.
        counts: (C,) samples of each class, which give l_c = sqrt(mean n / n_c), the mean over the classes that have
            any, and 1 for a class without. Not together with `lengths`.
        reduction: "mean" gives a scalar, "none" the (B,) values.

    Raises:
        ValueError: where shapes or values break these rules, or lengths and counts are both given; the sentence names
            the sizes.

    Source: Yang et al. 2022, Eq. 8; code: ImbalancedLearning 2ebb309, `dot_loss` with `reg_dot_loss`, `produce_Ew`.
    Deviations of that code: it divides by |h| alone where the paper has |h| |w|, which is the same only at l = 1. Its
    default lengths, of the counts of the batch, make the loss exactly (cos - 1)^2 / 2 averaged within each class and
    then over the classes present: class averaging, not a longer target. Its `produce_global_Ew`, of the training
    counts, is never called and gives infinity at count 0.

    >>> features, classifier = torch.eye(3)[:2], torch.eye(3)
    >>> dot_regression(features, [0, 2], classifier, reduction="none")
    tensor([0.0000, 0.5000])
    """
    check_samples("dot_regression", "features", features)
    num_samples, dim = features.shape
    check_rows("dot_regression", "classifier", classifier, (None, dim), f"for features of {dim} dimensions")
    y = check_labels("dot_regression", "y", y, num_samples, f"for {num_samples} rows", features, len(classifier))
    if lengths is not None and counts is not None:
        raise ValueError("dot_regression: lengths and counts were both given; counts make lengths, give one of them")
    size, because = (len(classifier),), f"for {len(classifier)} classes"
    if counts is not None:
        lengths = balancing_lengths(check_numbers("dot_regression", "counts", counts, size, because, features))
    if lengths is not None:
        classifier = check_numbers("dot_regression", "lengths", lengths, size, because, features)[:, None] * classifier
    aims = classifier[y]
    sizes = features.detach().norm(dim=1).clamp_min(_SHORTEST)
    pulls = pulled_similarities(features, aims, lambda: classifier, fixed_targets(y, len(classifier)))
    return reduce("dot_regression", (pulls - sizes * aims.detach().norm(dim=1)).square() / (2 * sizes), reduction)


def balancing_lengths(counts: Tensor) -> Tensor:
    """Lengths (C,) that make dot regression a mean over classes, of counts (C,); 1 for a class without samples."""
    has = counts > 0
    mean = counts.sum() / has.sum().clamp_min(1)
    return torch.where(has, mean / torch.where(has, counts, 1.0), 1.0).sqrt()
