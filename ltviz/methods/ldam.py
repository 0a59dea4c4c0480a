"""LDAM-DRW: margins that grow for rare classes, weights that come late (Cao et al., 2019)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ltviz.methods.parts.inputs import (
    Labels,
    Numbers,
    check_choice,
    check_labels,
    check_numbers,
    check_samples,
    checked_counts,
)
from ltviz.methods.parts.loss import loss


@loss()
def ldam(
    logits: Tensor,
    y: Labels,
    counts: Numbers,
    *,
    max_margin: float = 0.5,
    scale: float = 30.0,
    class_weights: Numbers | None = None,
    reduction: str = "mean",
) -> Tensor:
    r"""Cross-entropy in which each sample must win by the margin of its class, the larger the rarer the class is.

    .. math:: L_i = -\log \frac{e^{s (x_{i y_i} - m_{y_i})}}{e^{s (x_{i y_i} - m_{y_i})} + \sum_{c \ne y_i}
              e^{s x_{ic}}}, \qquad m_c = M \Big( \frac{\min_k n_k}{n_c} \Big)^{1/4}

    Args:
        logits: (B, C) cosines x, not scaled.
        y: (B,) labels from 0 to C - 1.
        counts: (C,) training samples per class, not negative. The minimum is taken over the classes that have any; a
            class without gets the largest margin (infinity, and then NaN, in the official code).
        max_margin: M, the margin of the rarest class, 0 or more.
        scale: s, inverse temperature, above 0.
        class_weights: (C,) w_c, not negative; the mean is then over the batch's total weight, as in `cross_entropy`.
        reduction: "mean" gives a scalar, "none" the (B,) values, with weights w_y l / mean(w_y), whose mean it is.

    Raises:
        ValueError: where shapes or values break these rules; the sentence names the sizes.

    Source: Cao et al. 2019, Eq. 13; code: LDAM-DRW 2536330, `LDAMLoss`, whose uint8 masks torch no longer takes.

    >>> logits = torch.tensor([[0.5, 0.5], [0.5, 0.5]])  # the rarer class must win by twice the margin
    >>> ldam(logits, [0, 1], [16, 1], scale=10.0, reduction="none").round(decimals=3)
    tensor([2.5790, 5.0070])
    """
    check_samples("ldam", "logits", logits)
    num_samples, num_classes = logits.shape
    y = check_labels("ldam", "y", y, num_samples, f"for {num_samples} rows of logits", logits, num_classes)
    check_choice("ldam", "reduction", reduction, ("mean", "none"))
    for name, value, least in (("max_margin", max_margin, 0.0), ("scale", scale, 1e-9)):
        if not least <= value < float("inf"):
            raise ValueError(
                f"ldam: {name} must be finite and {'positive' if least else '0 or more'}, but is {value:g}"
            )
    counts = checked_counts("ldam", counts, num_classes, logits)
    taken = F.one_hot(y, num_classes).to(logits) * margins(counts, max_margin)
    values = F.cross_entropy(scale * (logits - taken), y, reduction="none")
    if class_weights is not None:
        because = f"for {num_classes} classes"
        weights = check_numbers("ldam", "class_weights", class_weights, (num_classes,), because, logits)[y]
        values = values * weights / weights.mean().clamp_min(torch.finfo(weights.dtype).tiny)
    return values.mean() if reduction == "mean" else values


def margins(counts: Tensor, max_margin: float) -> Tensor:
    """Margin (C,) of each class of counts (C,): the largest for the rarest class that has samples, and for those
    without."""
    rarest = torch.where(counts > 0, counts, torch.inf).min()
    return max_margin * (rarest / torch.where(counts > 0, counts, rarest)) ** 0.25
