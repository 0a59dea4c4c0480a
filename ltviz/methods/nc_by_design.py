"""NTCE and NONL: class weights as anchors, negatives alone in the denominator (ICML 2026)."""

from __future__ import annotations

import torch
from torch import Tensor

from ltviz.methods.parts.inputs import (
    Labels,
    check_choice,
    check_labels,
    check_rows,
    check_samples,
    check_temperature,
    reduce,
)
from ltviz.methods.parts.loss import loss
from ltviz.methods.parts.similarities import Partners, similarities


@loss("features", "weights")
def ntce(
    features: Tensor, y: Labels, weights: Tensor, *, temperature: float | Tensor, reduction: str = "mean"
) -> Tensor:
    r"""Normalised-temperature cross-entropy: each class's weight must pick its features among the whole batch.

    With s_ci = w_c . h_i / tau,

    .. math:: L_i = -s_{y_i i} + \log \sum_j e^{s_{y_i j}}

    where j runs over all rows of the batch, those of i's own class and i itself included. So the floor is not 0 but the
    log of how many samples of the class the batch holds: values of different batches, or methods, cannot be compared.

    Args:
        features: (B, D) unit rows h, taken as given (the official docstring says that it normalises; it does not).
        y: (B,) labels from 0 to C - 1.
        weights: (C, D) unit rows, row c is class c's; gradients flow into them. The official code takes (D, C), and
            where D = C takes one for the other silently.
        temperature: positive number or 0-d tensor; 0.1 in the README, 0.2 in the code.
        reduction: "mean" gives a scalar, "none" the (B,) values.

    Raises:
        ValueError: where shapes or values break these rules; the sentence names the sizes.

    Source: nc_by_design 4ee8435, `NTCE` (its `--symmetric` does nothing here; under DDP its batch is one GPU's).

    >>> features = torch.eye(3)[[0, 0, 1]]  # all at their class weights, and yet log 2 remains of the first two
    >>> ntce(features, [0, 0, 1], torch.eye(3), temperature=0.1, reduction="none").round(decimals=3)
    tensor([6.9300e-01, 6.9300e-01, 1.0000e-03])
    """
    y, values = _scores("ntce", features, y, weights, temperature)
    own = values[y, torch.arange(len(y), device=y.device)]
    return reduce("ntce", values.logsumexp(1)[y] - own, reduction)


@loss("features", "weights")
def nonl(
    features: Tensor,
    y: Labels,
    weights: Tensor,
    *,
    temperature: float | Tensor,
    negatives: str = "class",
    reduction: str = "mean",
) -> Tensor:
    r"""Negatives-only loss: like `ntce`, with the positives left out of the denominator.

    .. math:: L_i = -s_{y_i i} + \log N_i, \qquad N_i = \sum_{j: y_j \ne y_i} e^{s_{y_i j}} \;\text{(class)},
              \quad \sum_{c \ne y_i} e^{s_{ci}} \;\text{(instance)}, \quad \text{or both sums together}

    It has no floor at 0: values are often negative. An anchor without negatives counts as 0 and stays in the mean.

    Args:
        features, y, weights, temperature, reduction: as in `ntce`.
        negatives: "class": features of other classes against the class weight (the README's setting, `symmetric`);
            "instance": other classes' weights against the feature; "both".

    Raises:
        ValueError: where shapes or values break these rules; the sentence names the sizes.

    Source: nc_by_design 4ee8435, `NONL`, which takes exp without a shift (NaN below tau 0.0014 in float64, 0.011 in
    float32) and gives minus infinity for a batch of one class. Its `main_ce.py` imports a file that the repository
    lacks, so it does not run as published.

    >>> round(nonl(torch.eye(3)[[0, 1]], [0, 1], torch.eye(3), temperature=0.5).item(), 3)
    -2.0
    """
    check_choice("nonl", "negatives", negatives, ("class", "instance", "both"))
    y, values = _scores("nonl", features, y, weights, temperature)
    own = values[y, torch.arange(len(y), device=y.device)]
    negative = torch.arange(len(weights), device=y.device)[:, None] != y
    of_class, has_class = (found[y] for found in _log_sum(values, negative, 1))
    of_instance, has_instance = _log_sum(values, negative, 0)
    if negatives == "class":
        total, has = of_class, has_class
    elif negatives == "instance":
        total, has = of_instance, has_instance
    else:
        has = has_class | has_instance
        total = torch.where(has_instance, of_instance, of_class)
        total = torch.where(has_class & has_instance, torch.logaddexp(of_class, of_instance), total)
    return reduce("nonl", (total - own).masked_fill(~has, 0.0), reduction)


def _scores(
    loss: str, features: Tensor, y: Labels, weights: Tensor, temperature: float | Tensor
) -> tuple[Tensor, Tensor]:
    """The labels, and s (C, B): similarities of every class weight with every feature over the temperature."""
    check_samples(loss, "features", features)
    num_samples, dim = features.shape
    check_rows(loss, "weights", weights, (None, dim), f"for features of {dim} dimensions, a row for each class")
    y = check_labels(loss, "y", y, num_samples, f"for {num_samples} rows of features", features, len(weights))
    tau = check_temperature(loss, temperature, features)
    about = Partners(y, torch.arange(len(weights), device=y.device))
    return y, similarities(weights, features, about, tau)


def _log_sum(values: Tensor, kept: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Log-sum-exp over an axis of the values that are kept, and whether there are any; finite where there are none."""
    has = kept.any(axis)
    return values.masked_fill(~kept & has.unsqueeze(axis), -torch.inf).logsumexp(axis), has
