"""NTCE and NONL: contrast by the classifier, whose rows pick their samples out of the batch (ICML 2026)."""

from __future__ import annotations

import torch
from torch import Tensor

from ltviz.methods.parts.inputs import (
    Labels,
    check_choice,
    check_labels,
    check_rows,
    check_temperature,
    reduce,
)
from ltviz.methods.parts.loss import loss
from ltviz.methods.parts.similarities import Partners, similarities


@loss("features", "weights")
def ntce(
    features: Tensor, y: Labels, weights: Tensor, *, temperature: float | Tensor, reduction: str = "mean"
) -> Tensor:
    r"""The row of a sample's class must pick it out of all samples of the batch, itself and its class included.

    .. math:: L_i = -s_{y_i i} + \log \sum_j e^{s_{y_i j}}, \qquad s_{ci} = w_c \cdot h_i / \tau

    Its least value is the log of how many samples of the class are in the batch, not 0: values of different batches, or
    of other methods, cannot be compared.

    Args:
        features: (B, D) unit rows h, taken as given.
        y: (B,) labels from 0 to C - 1.
        weights: (C, D) unit rows w, row c is class c's. The official code takes (D, C), and where D = C takes either.
        temperature: positive number or 0-d tensor; 0.1 in the official README.
        reduction: "mean" gives a scalar, "none" the (B,) values.

    Raises:
        ValueError: where shapes or values break these rules; the sentence names the sizes.

    Source: nc_by_design 4ee8435, `NTCE`.

    >>> rows = torch.eye(3)
    >>> round(ntce(rows[[0, 0, 1]], [0, 0, 1], rows, temperature=0.1).item(), 3)  # two thirds of log 2
    0.462
    """
    y, s = _similarities("ntce", features, y, weights, temperature)
    return reduce("ntce", s.logsumexp(dim=1)[y] - _own(s, y), reduction)


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
    r"""NTCE with negatives alone in the denominator, so that there is no floor: values may be below 0.

    .. math:: L_i = -s_{y_i i} + \log \sum_{j: y_j \neq y_i} e^{s_{y_i j}}, \qquad s_{ci} = w_c \cdot h_i / \tau

    Args:
        features: (B, D) unit rows h, taken as given.
        y: (B,) labels from 0 to C - 1.
        weights: (C, D) unit rows w, row c is class c's.
        temperature: positive number or 0-d tensor; 0.1 in the official README.
        negatives: "class": the samples of other classes against the row of the class, as above; "instance": the sample
            against the rows of other classes, the sum over c != y_i of exp s_ci; "both": the sum of the two sums.
        reduction: "mean" gives a scalar, "none" the (B,) values. An anchor without negatives counts as 0 and stays in
            (minus infinity in the official code).

    Raises:
        ValueError: where shapes or values break these rules; the sentence names the sizes.

    Source: nc_by_design 4ee8435, `NONL`: `symmetric` is "class". There NaN where exp overflows; here log-sum-exp.

    >>> rows = torch.eye(3)
    >>> round(nonl(rows[[0, 0, 1]], [0, 0, 1], rows, temperature=1.0).item(), 3)
    -0.769
    """
    check_choice("nonl", "negatives", negatives, ("class", "instance", "both"))
    y, s = _similarities("nonl", features, y, weights, temperature)
    same_class = torch.arange(len(weights), device=y.device)[:, None] == y  # (C, B)
    of_others = s.masked_fill(same_class, -torch.inf)
    parts = []
    if negatives != "instance":
        parts.append(of_others[y])  # (B, B): samples of other classes at the row of the anchor's class
    if negatives != "class":
        parts.append(of_others.T)  # (B, C): rows of other classes at the anchor
    terms = torch.cat(parts, dim=1)
    has_negatives = ~terms.detach().isneginf().all(dim=1)
    # without any, 0 stands in for the terms: the logarithm of nothing has no gradient
    pushed = terms.masked_fill(~has_negatives[:, None], 0.0).logsumexp(dim=1)
    return reduce("nonl", torch.where(has_negatives, pushed - _own(s, y), 0.0), reduction)


def _similarities(
    name: str, features: Tensor, y: Labels, weights: Tensor, temperature: float | Tensor
) -> tuple[Tensor, Tensor]:
    """Checked labels, and s (C, B)."""
    check_rows(name, "features", features, (None, None), "(samples, dimensions)")
    num_samples, dim = features.shape
    if not features.numel():
        raise ValueError(f"{name}: features must hold samples and dimensions, but has shape {tuple(features.shape)}")
    check_rows(name, "weights", weights, (None, dim), f"(classes, dimensions) for features of {dim} dimensions")
    y = check_labels(name, "y", y, num_samples, f"for {num_samples} features", features, len(weights))
    tau = check_temperature(name, temperature, features)
    classes = torch.arange(len(weights), device=y.device)
    return y, similarities(features, weights, Partners(classes=classes, row_classes=y)).T / tau


def _own(s: Tensor, y: Tensor) -> Tensor:
    """(B,) s at each sample's own class."""
    return s.gather(0, y[None])[0]
