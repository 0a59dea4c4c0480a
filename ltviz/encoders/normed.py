"""Linear layers whose outputs batch norm centres."""

from __future__ import annotations

from torch import nn


def linear_before_norm(width_in: int, width_out: int) -> nn.Linear:
    """A linear layer in front of batch norm, whose bias stays as it was drawn.

    Batch norm takes the bias out again, so its gradient is zero up to rounding, and AdamW makes full steps of rounding:
    each bias walked at random, in other directions with another number of threads, and the running means that
    evaluation subtracts lagged behind it. The parameter is kept, so that initial weights and saved ones stay valid.
    """
    layer = nn.Linear(width_in, width_out)
    layer.bias.requires_grad_(False)
    return layer
