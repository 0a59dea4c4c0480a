"""SBCL: head classes fall into subclasses as large as the tail (Hou et al., 2023)."""

from __future__ import annotations

import torch
from torch import Tensor

from ltviz.methods.parts.anchors import stack_views
from ltviz.methods.parts.inputs import (
    Labels,
    Numbers,
    check_choice,
    check_labels,
    check_numbers,
    check_temperature,
    check_views,
)
from ltviz.methods.parts.loss import loss
from ltviz.methods.parts.similarities import Partners, similarities
from ltviz.methods.parts.tracing import checks_values
from ltviz.methods.supcon import contrast_of_labels


@loss("z")
def sbcl(
    z: Tensor,
    y: Labels,
    clusters: Labels,
    *,
    temperature: float | Tensor,
    class_temperatures: Numbers | None = None,
    weight: float = 0.25,
    reduction: str = "mean",
) -> Tensor:
    r"""Subclass-balancing contrast: subclasses are the classes of SupCon, and classes hold their subclasses together.

    .. math:: L_i = L^{out}_i(\text{subclasses}; \tau) - \frac{\lambda}{|P(i)|} \sum_{p \in P(i)} \log
              \frac{e^{z_i \cdot z_p / \varphi}}{\sum_{a \in A(i)} e^{z_i \cdot z_a / \varphi}}

    P(i): the other views of i's image, and all rows of i's class in other subclasses. A(i): the other views of i's
    image, and all rows of other subclasses of any class. phi is the temperature of i's class.

    Args:
        z: (B, V, D) unit rows, any V; taken as given (the official code takes V = 2).
        y: (B,) labels from 0 to C - 1.
        clusters: (B,) the subclass of each sample, any integers; one number may serve in several classes.
        temperature: tau, positive number or 0-d tensor.
        class_temperatures: (C,) phi, above 0; tau where left out.
        weight: lambda, 0 or more.
        reduction: "mean" gives a scalar, "none" the (B, V) values of the anchors.

    Raises:
        ValueError: where shapes or values break these rules; the sentence names the sizes.

    Source: Hou et al. 2023; code: SBCL 3b9047a, `SupConLoss_rank`, whose factor temperature / base_temperature sits on
    the first term alone: that loss is temperature / base_temperature times this one at weight = gamma base_temperature
    / temperature. Its balanced k-means is off, and its call raises TypeError.

    Time and memory of the second term O((BV)^2).

    >>> z = torch.eye(3)[[0, 0, 1, 1]].view(2, 2, 3)
    >>> round(sbcl(z, [0, 0], [0, 1], temperature=0.5).item(), 3)
    0.583
    """
    check_views("sbcl", z)
    num_samples = len(z)
    y = check_labels("sbcl", "y", y, num_samples, f"for {num_samples} samples in z", z)
    if checks_values() and int(y.min()) < 0:
        raise ValueError(f"sbcl: y must hold labels from 0, but holds {int(y.min())}; relabel the classes")
    clusters = check_labels("sbcl", "clusters", clusters, num_samples, f"for {num_samples} samples in z", z)
    tau = check_temperature("sbcl", temperature, z)
    check_choice("sbcl", "reduction", reduction, ("mean", "none"))
    if not 0 <= weight < float("inf"):
        raise ValueError(f"sbcl: weight must be finite and 0 or more, but is {weight:g}; try 0.25")
    by_class = tau.expand(num_samples)
    if class_temperatures is not None:
        phi = check_numbers("sbcl", "class_temperatures", class_temperatures, (None,), "(one for each class)", z)
        if checks_values() and not (len(phi) > int(y.max()) and 0 < float(phi.detach().min()) < float("inf")):
            raise ValueError(
                f"sbcl: class_temperatures must be positive and of all classes, but is {phi.tolist()} "
                f"for labels up to {int(y.max())}"
            )
        by_class = phi[y]
    # samples are of one subclass where both numbers are the same: its name is the place of its first sample
    same = (y[:, None] == y) & (clusters[:, None] == clusters)
    subclasses = same.int().argmax(1)
    first = contrast_of_labels("sbcl", z, subclasses, tau, reduction=reduction, classes=y)
    second = _between_subclasses(z, y, same, by_class)
    return first + weight * (second if reduction == "none" else second.mean())


def _between_subclasses(z: Tensor, y: Tensor, same: Tensor, phi: Tensor) -> Tensor:
    """The second term (B, V), of samples that are of one subclass where `same` (B, B) says so, at phi (B,)."""
    num_samples, num_views, _ = z.shape
    rows, places = stack_views(z), torch.arange(num_samples, device=z.device)
    own_views = (places[:, None] == places).repeat(num_views, num_views)
    itself = torch.eye(len(rows), dtype=torch.bool, device=z.device)
    others = ~same.repeat(num_views, num_views)
    compared = (own_views & ~itself) | others
    positives = (own_views & ~itself) | (others & (y[:, None] == y).repeat(num_views, num_views))
    classes = y.repeat(num_views)
    scores = similarities(rows, rows, Partners(classes, classes, lambda: positives)) / phi.repeat(num_views)[:, None]
    amounts = positives.sum(1)
    has = amounts > 0
    # an anchor without positives counts as 0; where nothing is compared, all is, so that the logarithm has a value
    compared = compared | ~has[:, None]
    total = scores.masked_fill(~compared, -torch.inf).logsumexp(1)
    pulls = (scores * positives).sum(1) / amounts.clamp_min(1)
    return (total - pulls).masked_fill(~has, 0.0).view(num_views, num_samples).T
