r"""Contrasts: which columns stand in the denominator of each anchor.

Each contrastive loss is, for anchor i, a log-sum-exp over the columns a that i is compared with, minus what its
positives bring. The second part is linear and cheap. The first is N x N:

    \log Z_i = \log \sum_a \exp( x_i \cdot y_a / \tau + b_{ia} )

`Contrast` says which columns count and how much, and gives every \log Z_i by plain autograd; for large N `partition`
sums them up without holding N x N numbers.

Legend: R anchors, M columns, D dimensions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ltviz.methods.parts.similarities import Partners, similarities


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """Which columns stand in the denominator of each anchor, and with what weight."""

    skip_self: bool = False
    """Column i is left out for anchor i."""
    bias: Tensor | None = None
    """(M,) or (R, M): log-weight of each column."""
    labels: tuple[Tensor, Tensor] | None = None
    """Classes of the anchors (R,) and of the columns (M,); needed by the two fields below."""
    own_bias: Tensor | None = None
    """(R,): added to the logits of the columns of the anchor's own class; the same for anchors of one class."""
    against_own: bool = False
    """Give log Z_i minus the log-sum-exp over the columns of the own class: -log of that class's share of Z_i.
    An anchor without such columns gives 0."""
    about: Partners | None = None
    """What is known of the columns, for whoever looks."""

    def sorted_by(self, order: Tensor) -> Contrast:
        """The same after anchors, and the columns that are these anchors, are put into another order."""

        def rearrange(values: Tensor) -> Tensor:
            return torch.cat([values[order], values[len(order) :]])

        labels = None if self.labels is None else (rearrange(self.labels[0]), rearrange(self.labels[1]))
        bias = None if self.bias is None else rearrange(self.bias)
        own_bias = None if self.own_bias is None else rearrange(self.own_bias)
        return replace(self, bias=bias, labels=labels, own_bias=own_bias)

    def logits(self, x: Tensor, y: Tensor, tau: Tensor | float, start: int = 0) -> tuple[Tensor, Tensor | None]:
        """Logits (r, M) of anchors start ... start + r, and the mask of own-class columns where it is needed."""
        return self.biased(similarities(x, y, self.about, tau), start)

    def biased(self, logits: Tensor, start: int = 0) -> tuple[Tensor, Tensor | None]:
        """As `logits`, of similarities (r, M) over the temperature, which may be filled in place."""
        rows = slice(start, start + len(logits))
        if self.bias is not None:
            logits = logits + (self.bias if self.bias.ndim == 1 else self.bias[rows])
        own = None
        if self.labels is not None:
            own = self.labels[0][rows, None] == self.labels[1]
            if self.own_bias is not None:
                logits = logits + own * self.own_bias[rows, None]
        if self.skip_self:
            # in place: neither a product's nor a sum's gradient needs its own value
            logits.diagonal(start).fill_(-math.inf)
            if own is not None:
                own.diagonal(start).fill_(False)
        return logits, own if self.against_own else None

    def log_partition(self, x: Tensor, y: Tensor, tau: Tensor, extra: Tensor | None = None) -> Tensor:
        """log Z_i of every anchor, (R,), by plain autograd; memory R x M.

        Args:
            x, y: anchors (R, D) and columns (M, D).
            tau: 0-d temperature.
            extra: (R,) logit of one more column of each anchor's own, such as its momentum key.
        """
        logits, own = self.logits(x, y, tau)
        total = logits.logsumexp(1)
        if extra is not None:
            total = torch.logaddexp(total, extra)
        if own is None:
            return total
        lonely = ~own.any(1)
        numerator = logits.masked_fill(~(own | lonely[:, None]), -math.inf).logsumexp(1)
        return (total - numerator).masked_fill(lonely, 0.0)
