"""ARB: cross-entropy that repels by what the batch holds (Xie et al., 2022). A loss alone: see what it equals."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from ltviz.methods.logit_adjust import logit_adjusted
from ltviz.methods.parts.anchors import class_sizes
from ltviz.methods.parts.inputs import Labels, Numbers, check_choice, check_labels, check_samples
from ltviz.methods.parts.loss import loss

_ABSENT = -1e30  # a logit that exp turns into 0 in any dtype, with derivatives of 0 of any order


@loss()
def arb(logits: Tensor, y: Labels, *, counts: Numbers | None = None, reduction: str = "mean") -> Tensor:
    r"""Attraction-repulsion-balanced loss: classes repel in proportion to how many samples of them the batch holds.

    .. math:: L_i = -\log \frac{e^{x_{i y_i}}}{\sum_c \frac{n_c}{n_{y_i}} e^{x_{ic}}}

    Classes that the batch lacks leave the denominator and feel no push.

    Args:
        logits: (B, C).
        y: (B,) labels from 0 to C - 1.
        counts: (C,) training samples per class in place of those of the batch. The loss is then logit adjustment at
            tau 1 (balanced softmax) identically, its rule for count 0 included.
        reduction: "mean" gives a scalar, "none" the (B,) values.

    Raises:
        ValueError: where shapes or values break these rules; the sentence names the sizes.

    Source: Xie et al. 2022; code: ARBLOSS 85e9748, `ARB_Loss`, which clamps logits to +-30 (no gradient beyond; not so
    here), prints a line a call, and stands in a file that imports a module the repository lacks.

    >>> logits = torch.zeros(3, 3)  # class 2 is not in the batch
    >>> arb(logits, [0, 0, 1], reduction="none").round(decimals=3)
    tensor([0.4050, 0.4050, 1.0990])
    """
    check_samples("arb", "logits", logits)
    check_choice("arb", "reduction", reduction, ("mean", "none"))
    num_samples, num_classes = logits.shape
    y = check_labels("arb", "y", y, num_samples, f"for {num_samples} rows of logits", logits, num_classes)
    if counts is not None:
        return logit_adjusted(logits, y, counts, reduction=reduction)
    sizes = class_sizes(y, num_classes)
    present = logits + sizes.clamp_min(1).to(logits).log()
    return F.cross_entropy(present.masked_fill(sizes == 0, _ABSENT), y, reduction=reduction)
