r"""Forces: where a loss sends the embeddings of a batch, and who pulls or pushes.

Every loss here meets an embedding z_i through dot products with partners u_k alone: other samples, keys, prototypes,
targets, directions of a classifier (of ProCo's densities only the mean directions are left on the tangent plane). So

    force on z_i = R (I - z_i z_i^T) \sum_k w_ik u_k,   w_ik = -dL / d(z_i . u_k)

where L is the mean loss of the batch and R the number of its rows. A positive weight pulls, a negative one pushes, and
the sum falls apart into parts by partner. `Tug` holds the weights; each loss has a function beside it that writes them
down, and the tests hold their sum against the gradient that autograd finds in the loss itself.

Sources: the weights (1[p in P(i)] / |P(i)| - p_ia) / tau of SupCon, and that hard partners weigh most, are derived in
Khosla et al. 2020, section 3.2 and supplement; that head classes push out of proportion there, and why class averages
balance it, in Zhu et al. 2022 (BCL), section 3.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ltviz.methods.base import Batch, Method, Settings
from ltviz.methods.parts.anchors import stack_views
from ltviz.methods.parts.rehearsal import rehearsal
from ltviz.methods.parts.scene import Scene
from ltviz.methods.parts.tug import GROUPS, TooManyWeights, Tug
from ltviz.metrics.shots import shot_groups

TOTAL = "total"
PARTS = ("positives", *GROUPS, "targets", "prior")
"""Where a force comes from; the parts of a method sum to its total.

positives: the net pull of all that the loss takes for positive. head, medium, tail: the push of all other partners, by
the shot group of the partner's class; where a loss knows no classes, or draws a few positives, partners of the
embedding's own class are among them. targets: what the fixed targets do, the own one and those of other classes. prior:
what it adds that the loss knows the training counts, that is, the difference to the same loss with all classes alike.
The last two are there where a method has such.
"""
_TOLERANCE = 0.01  # of the largest force, within which parts must add up


def forces(z: Tensor, y: Tensor, tugs: Iterable[Tug], counts: Tensor) -> dict[str, Tensor]:
    """The force on each class's embeddings, whole and in parts.

    The force on z_i is minus the gradient, along the sphere, of the batch's summed loss (its mean times the R = B V
    rows) by z_i: loss per radian, whatever the size of the batch. It says where the loss wants the embedding to go.
    Where it goes is up to the network, which moves all embeddings at once, and to the optimiser.

        z = torch.from_numpy(frame.embeddings)[:, None]
        forces(z, y, [supcon_tug(z, y, temperature=0.1)], counts)["tail"]

    Args:
        z: (B, V, D) unit rows.
        y: (B,) int64 labels from 0 to C - 1.
        tugs: of the loss terms that act on z, from the functions beside the losses.
        counts: (C,) training samples of each class, which make the shot groups (`ltviz.metrics.shot_groups`).

    Returns:
        "total" and those of `PARTS` that there are, each (C, D): the mean over the class's rows, zero for a class
        without any.
    """
    rows = stack_views(z)
    group_of = torch.from_numpy(shot_groups(counts.double().cpu().numpy()).of_classes()).to(y.device)
    found: dict[str, Tensor] = {}
    for tug in tugs:
        for name, part in tug.split(group_of).items():
            found[name] = found[name] + part if name in found else part
    parts = {name: found[name] for name in PARTS if name in found}
    parts = {TOTAL: torch.stack(list(parts.values())).sum(0), **parts}
    labels = y.repeat(z.shape[1])
    return {name: class_means(len(rows) * tangent(part, rows), labels, len(counts)) for name, part in parts.items()}


def act(method: Method, batch: Batch, *, check: bool = True) -> dict[str, Tensor]:
    """The force that a training step on this batch would exert: exactly that, and asking changes nothing.

    The method is taken through its losses in the mode it is in, with its own queues, draws and augmentations, and put
    back (`rehearsal`). "total" is the gradient that autograd finds, the parts are its tugs. A method that tells no tugs
    (`Method.tugs`) has a total alone, and so has one with too many of them (`TooManyWeights`) or, with a warning, one
    whose tugs do not add up to the gradient. A loss that does not go through `method.head`, or is not finite, gives
    nothing.

    Args:
        check: False takes the sum of the tugs for the total where there are any, without the gradient: half the time.

    Returns:
        As `forces`, without gradient.
    """
    with rehearsal(method):
        loss, given = _pass_through(method, batch, backward=check)
        if not given or sum(map(len, given)) % len(batch.y) or not bool(loss.isfinite()):
            return {}
        h = torch.cat([rows.detach() for rows in given])
        z = F.normalize(h, dim=1).view(-1, len(batch.y), h.shape[1]).transpose(0, 1)
        told = _split(method, z, batch)
    if not check:
        return act(method, batch) if told is None else told
    # z = h / |h|: the gradient by h is tangent to the sphere and 1 / |h| times the one by z
    gradient = torch.cat(torch.autograd.grad(loss, given, materialize_grads=True))
    total = -len(h) * h.norm(dim=1, keepdim=True) * gradient
    found = {TOTAL: class_means(total, batch.y.repeat(z.shape[1]), len(method.counts))}
    if told is None:
        return found
    error, size = (told[TOTAL] - found[TOTAL]).abs().max(), found[TOTAL].abs().max()
    if bool(error > _TOLERANCE * size + 1e-5):
        name = method.card.name
        warnings.warn(f"{name}.tugs add up to another force than its losses, off by {float(error):.2g}", stacklevel=2)
        return found
    return {**told, **found}


@torch.no_grad()
def imagine(kind: type[Method], scene: Scene, settings: Settings | None = None) -> dict[str, Tensor]:
    """The force that another method would exert on a run's embeddings, with stand-ins for what is not there.

    Args:
        kind: the method, one that `offers_what_if`.
        scene: the embeddings, and the stand-ins that `Scene` describes: not the state that `kind` would have had.
        settings: of `kind`; its defaults where left out.

    Returns:
        As `forces`; methods that contrast two views act on both, the others on the first.

    Raises:
        ValueError: the method cannot be imagined; the batch is too large (`TooManyWeights`).
    """
    settings = kind.Settings() if settings is None else settings
    tugs = kind.what_if(scene, settings)
    if tugs is None:
        raise ValueError(f"{kind.card.name} has no what-if, for nothing in another run can stand in for what it meets")
    held = _weighed(tugs, settings)
    num_views = len(held[0].weights) // len(scene.y)
    return forces(scene.z[:, :num_views], scene.y, held, scene.counts)


def offers_what_if(kind: type[Method]) -> bool:
    """Whether the method's force on another run's embeddings can be told."""
    return kind.what_if.__func__ is not Method.what_if.__func__


def tangent(vectors: Tensor, rows: Tensor) -> Tensor:
    """The parts of vectors (R, D) that are tangent to the sphere at unit rows (R, D)."""
    return vectors - (vectors * rows).sum(1, keepdim=True) * rows


def class_means(values: Tensor, labels: Tensor, num_classes: int) -> Tensor:
    """(C, D) mean over the rows (R, D) of each class; zero for a class without rows."""
    sums = values.new_zeros(num_classes, values.shape[1]).index_add_(0, labels, values)
    return sums / torch.bincount(labels, minlength=num_classes).clamp_min(1).to(values.dtype)[:, None]


def _weighed(tugs: Mapping[str, Tug], settings: Settings) -> list[Tug]:
    """The tugs times the weights of their terms, as `Method.weigh` does."""
    return [tug.scaled(getattr(settings, f"{term}_weight", 1.0)) for term, tug in tugs.items()]


def _pass_through(method: Method, batch: Batch, *, backward: bool) -> tuple[Tensor, list[Tensor]]:
    """The loss, and what the head gave on the way to it."""
    given: list[Tensor] = []

    def keep(head: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        given.append(output)

    hook = method.head.register_forward_hook(keep)
    try:
        with torch.set_grad_enabled(backward):
            return method.weigh(method.losses(batch)), given
    finally:
        hook.remove()


@torch.no_grad()
def _split(method: Method, z: Tensor, batch: Batch) -> dict[str, Tensor] | None:
    """The forces of the method's tugs right after its losses; None where it tells none or too many."""
    try:
        tugs = method.tugs(z, batch)
        return None if tugs is None else forces(z, batch.y, _weighed(tugs, method.settings), method.counts)
    except TooManyWeights:
        return None
