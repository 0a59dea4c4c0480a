"""Geometric Harmonization: room by category without labels (Zhou et al., 2023)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ltviz.methods.parts.anchors import stack_views
from ltviz.methods.parts.inputs import Numbers, check_numbers, check_rows, check_temperature, check_views, reduce
from ltviz.methods.parts.loss import loss
from ltviz.methods.parts.similarities import Partners, similarities
from ltviz.methods.parts.tracing import checks_values

_LOWEST_PLAIN = 0.01
"""Temperature of Sinkhorn's iteration from which exp takes no logarithms: scores within 1 of 0 give e^(+-200)."""


@loss()
def geometric_harmonization(
    z: Tensor,
    targets: Tensor,
    *,
    prior: Numbers | None = None,
    temperature: float | Tensor = 0.1,
    sinkhorn_temperature: float = 0.05,
    iterations: int = 300,
    reduction: str = "mean",
) -> Tensor:
    r"""Each view must predict the target to which the other view is assigned, with room for each target by the prior.

    With t_v the scores z_v M^T normalised across the targets, and Q_v their Sinkhorn assignment (no gradient),

    .. math:: L_i = -\sum_k Q_{1ik} \log \operatorname{softmax}_k(t_{2i} / \tau) - \sum_k Q_{2ik} \log
              \operatorname{softmax}_k(t_{1i} / \tau)

    Args:
        z: (B, 2, D) rows of any length, of which the loss is independent.
        targets: (K, D) unit rows M, a regular simplex in the paper.
        prior: (K,) share of the samples that each target takes, up to a factor; uniform where left out. A target of
            prior 0 gets nobody.
        temperature: tau, positive number or 0-d tensor.
        sinkhorn_temperature: of the assignment exp(t / temperature).
        iterations: rounds of Sinkhorn's iteration, each of which ends on the samples' side; 1 or more.
        reduction: "mean" gives a scalar, "none" the (B,) values: the sum, not the mean, of the two views.

    Raises:
        ValueError: where shapes or values break these rules; the sentence names the sizes.

    Source: Zhou et al. 2023; code: Geometric-Harmonization 9f7057c, `GHLoss`, `sinkhorn`. That the scores are
    normalised across targets, gradients through it, is in the code and not in the paper's formula. There the momentum
    of the prior begins in uninitialised memory (`torch.empty`), `gen_target.py` has a syntax error, and a warm-up of 0
    raises NameError (`pi`).

    >>> z = torch.eye(3)[[0, 0, 1, 1, 2, 2]].view(3, 2, 3)
    >>> round(geometric_harmonization(z, torch.eye(3)).item(), 3)
    0.0
    """
    check_views("geometric_harmonization", z)
    if z.shape[1] != 2:
        raise ValueError(f"geometric_harmonization: z must hold 2 views, but has shape {tuple(z.shape)}")
    num_samples, _, dim = z.shape
    check_rows("geometric_harmonization", "targets", targets, (None, dim), f"for z of {dim} dimensions")
    tau = check_temperature("geometric_harmonization", temperature, z)
    if not (len(targets) and iterations >= 1 and 0 < sinkhorn_temperature < float("inf")):
        raise ValueError(
            "geometric_harmonization: targets, iterations and sinkhorn_temperature must be above 0, but are "
            f"{len(targets)}, {iterations} and {sinkhorn_temperature:g}; try 300 iterations at 0.05"
        )
    shares = _shares(prior, len(targets), z)
    # classes are not known here: all that pulls or pushes are the targets
    nobody = torch.full((len(targets),), -1, device=z.device)
    about = Partners(nobody, nobody.new_full((2 * num_samples,), -1), targets=torch.ones_like(nobody, dtype=torch.bool))
    scores = F.normalize(similarities(stack_views(z), targets, about), dim=1).view(2, num_samples, len(targets))
    assigned = sinkhorn(scores.detach(), shares, sinkhorn_temperature, iterations)
    predicted = (scores.flip(0) / tau).log_softmax(2)
    return reduce("geometric_harmonization", -(assigned * predicted).sum((0, 2)), reduction)


def _shares(prior: Numbers | None, num_targets: int, like: Tensor) -> Tensor:
    if prior is None:
        return like.new_full((num_targets,), 1 / num_targets)
    name = "geometric_harmonization"
    prior = check_numbers(name, "prior", prior, (num_targets,), f"for {num_targets} targets", like).detach()
    if checks_values() and not (float(prior.min()) >= 0 and 0 < float(prior.sum()) < float("inf")):
        raise ValueError(f"{name}: prior must be finite, not negative and not all zero, but is {prior.tolist()}")
    return prior / prior.sum()


def sinkhorn(scores: Tensor, shares: Tensor, temperature: float, iterations: int) -> Tensor:
    """Assignments (V, B, K) of scores (V, B, K) within 1 of 0, without gradient: rows sum to 1, columns after so many
    rounds nearly to B times their shares (K,). In float64 inside."""
    found = _assign if not torch.compiler.is_compiling() else _assign_operator
    return found(scores, shares, temperature, iterations)


def _assign(scores: Tensor, shares: Tensor, temperature: float, iterations: int) -> Tensor:
    kernel, share = scores.double() / temperature, scores.shape[1] * shares.double()[:, None]
    if temperature < _LOWEST_PLAIN:
        return _assign_by_logarithms(kernel, share.log(), iterations).to(scores.dtype)
    # e^(score - largest score of the sample) times a factor of the sample, which is what the iteration begins with
    largest = kernel.amax(2, keepdim=True)
    kernel, of_sample = (kernel - largest).exp(), (largest - largest.amax(1, keepdim=True)).exp()
    across = kernel.transpose(1, 2)
    of_target = torch.ones_like(across[..., :1])
    for _ in range(iterations):
        of_target = share / (across @ of_sample)
        of_sample = 1 / (kernel @ of_target)
    return (of_sample * kernel * of_target.transpose(1, 2)).to(scores.dtype)


def _assign_by_logarithms(kernel: Tensor, log_share: Tensor, iterations: int) -> Tensor:
    of_sample, of_target = kernel.new_zeros(()), kernel.new_zeros(())
    for _ in range(iterations):
        of_target = log_share.T - (kernel + of_sample).logsumexp(1, keepdim=True)
        of_sample = -(kernel + of_target).logsumexp(2, keepdim=True)
    return (kernel + of_target + of_sample).exp()


@torch.library.custom_op("ltviz::sinkhorn", mutates_args=())
def _assign_operator(scores: Tensor, shares: Tensor, temperature: float, iterations: int) -> Tensor:
    """`_assign` as an operator, which stands in a graph of `torch.compile` as it is and not as hundreds of rounds."""
    return _assign(scores, shares, temperature, iterations)


@_assign_operator.register_fake
def _(scores: Tensor, shares: Tensor, temperature: float, iterations: int) -> Tensor:
    return torch.empty_like(scores)
