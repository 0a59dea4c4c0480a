r"""Forces: where a loss sends the embeddings of a batch, and who pulls or pushes.

    force on z_i = R (I - z_i z_i^T) \sum_k w_ik u_k,   w_ik = -dL / d(z_i . u_k)

where L is the mean loss of the batch and R the number of its rows. The losses are computed once, under observation
(`similarities`): one backward pass gives the pair weights w_ik of all that they have compared, and the gradient of the
whole. The weights are sorted by partner, and each part goes the rest of the way back to the embeddings. So the parts
are made of nothing but the loss itself, and add up where it meets the embeddings through similarities alone.

Sources: the weights (1[p in P(i)] / |P(i)| - p_ia) / tau of SupCon, and that hard partners weigh most, are derived in
Khosla et al. 2020, section 3.2 and supplement; that head classes push out of proportion there, and why class averages
balance it, in Zhu et al. 2022 (BCL), section 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from ltviz.marks import class_of
from ltviz.methods.base import Batch, Method, Settings, weigh
from ltviz.methods.parts.anchors import stack_views
from ltviz.methods.parts.rehearsal import rehearsal
from ltviz.methods.parts.scene import Scene
from ltviz.methods.parts.similarities import GROUPS, CannotSplit, Observation, observed
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


def act(method: Method, batch: Batch, *, by_class: bool = False) -> dict[str, Tensor]:
    """The force that a training step on this batch would exert: exactly that, and asking changes nothing.

    A double of the method (`rehearsal`) is taken through its losses in the mode it is in, with its own queues, draws
    and augmentations. "total" is the gradient that autograd finds. A method has a total alone where its losses meet the
    embeddings otherwise than through similarities, so that the parts do not add up to the gradient, and where they
    cannot be told apart (`CannotSplit`), as those of a large batch. Losses that do not go through `method.head`, or are
    not finite, give nothing.

    The force on z_i is minus the gradient, along the sphere, of the batch's summed loss (its mean times the R = B V
    rows) by z_i: loss per radian, whatever the size of the batch. It says where the loss wants the embedding to go.
    Where it goes is up to the network, which moves all embeddings at once, and to the optimiser.

    Args:
        by_class: whether partners are told apart by their class too.

    Returns:
        "total" and those of `PARTS` that there are, each (C, D) without gradient: the mean over the class's rows, zero
        for a class without any. With `by_class` also `of_class(c)` for every class, where there are parts: what the
        partners of that class do, pulls and pushes. These sum to what all but "targets" and "prior" do.
    """
    try:
        return _act(method, batch, split=True, by_class=by_class)
    except CannotSplit:
        return _act(method, batch, split=False)


def _act(method: Method, batch: Batch, *, split: bool, by_class: bool = False) -> dict[str, Tensor]:
    given: list[Tensor] = []

    def cut(head: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        given.append(output.detach().requires_grad_())
        return given[-1]

    with rehearsal(method) as double, torch.enable_grad():
        double.head.register_forward_hook(cut)
        labels = batch.labels if method.several_labels else None
        if split:
            with observed(batch.y, labels) as seen:
                loss = double.weigh(double.losses(batch))
        else:
            seen, loss = Observation(batch.y), double.weigh(double.losses(batch))
    if not given or sum(map(len, given)) % len(batch.y) or not bool(loss.isfinite()):
        return {}
    h = torch.cat([rows.detach() for rows in given])
    # z = h / |h|: the gradient by h is tangent to the sphere and 1 / |h| times the one by z
    split_up = _split(loss, given, seen, method.counts, by_class=by_class)
    found = _by_class(split_up, h.norm(dim=1, keepdim=True), batch.y, method.counts)
    if len(found) == 1:
        return found
    parts = torch.stack([part for name, part in found.items() if name in PARTS]).sum(0)
    error, size = (parts - found[TOTAL]).abs().max(), found[TOTAL].abs().max()
    return {TOTAL: found[TOTAL]} if bool(error > _TOLERANCE * size + 1e-5) else found


def imagine(kind: type[Method], scene: Scene, settings: Settings | None = None) -> dict[str, Tensor]:
    """The force that another method would exert on a run's embeddings, with stand-ins for what is not there.

    Args:
        kind: the method, one that `offers_what_if`.
        scene: the embeddings, and the stand-ins that `Scene` describes: not the state that `kind` would have had.
        settings: of `kind`; its defaults where left out.

    Returns:
        As `act`.

    Raises:
        ValueError: the method cannot be imagined; the batch is too large (`TooManyWeights`).
    """
    settings = kind.Settings() if settings is None else settings
    with observed(scene.y) as seen, torch.enable_grad():
        scene = scene.with_gradient()
        terms = kind.what_if(scene, settings)
        if terms is None:
            raise ValueError(
                f"{kind.card.name} has no what-if, for nothing in another run can stand in for what it meets"
            )
        loss = weigh(terms, settings)
    found, rows = _split(loss, [scene.z], seen, scene.counts), stack_views(scene.z.detach())
    return _by_class(
        {name: _tangent(stack_views(part), rows) for name, part in found.items()}, 1.0, scene.y, scene.counts
    )


def offers_what_if(kind: type[Method]) -> bool:
    """Whether the method's force on another run's embeddings can be told."""
    return kind.what_if.__func__ is not Method.what_if.__func__


@torch.no_grad()
def _split(
    loss: Tensor, given: Sequence[Tensor], seen: Observation, counts: Tensor, *, by_class: bool = False
) -> dict[str, Tensor]:
    """Minus the gradient of the loss by what is `given`, whole and in parts; these alone where no table was seen."""
    weights, whole = seen.gradients(loss, given)
    found = {TOTAL: -torch.cat(whole)}
    if not seen.tables:
        return found
    if seen.losses_of_counts:
        weights, alike = seen.gradients(loss, given, counts_alike=True)
        found["prior"] = found[TOTAL] + torch.cat(alike)
    group_of = torch.from_numpy(shot_groups(counts.double().cpu().numpy()).of_classes()).to(counts.device)
    ends: dict[int, Tensor] = {}
    pulls: dict[str, dict[int, Tensor]] = {name: {} for name in ("positives", *GROUPS)}
    for table, its_weights in zip(seen.tables, weights, strict=True):
        for end, parts in table.split(its_weights, group_of, by_class=by_class):
            ends[id(end)] = end
            for name, part in parts.items():
                of_ends = pulls.setdefault(name, {})
                of_ends[id(end)] = of_ends[id(end)] + part if id(end) in of_ends else part
    for name, of_ends in pulls.items():
        found[name] = _pull_back([(ends[end], part) for end, part in of_ends.items()], given)
    of_classes = [name for name in found if class_of(name) is not None]
    return {name: found[name] for name in (TOTAL, *PARTS, *of_classes) if name in found}


def _pull_back(pulls: Sequence[tuple[Tensor, Tensor]], given: Sequence[Tensor]) -> Tensor:
    """What pulls at tensors made of the given ones do to these, one after another."""
    if not pulls:
        return torch.zeros_like(torch.cat(list(given)))
    ends, parts = zip(*pulls, strict=True)
    reached = torch.autograd.grad(ends, given, parts, retain_graph=True, allow_unused=True, materialize_grads=True)
    return torch.cat(reached)


def _tangent(vectors: Tensor, rows: Tensor) -> Tensor:
    """The parts of vectors (R, D) that are tangent to the sphere at unit rows (R, D)."""
    return vectors - (vectors * rows).sum(1, keepdim=True) * rows


def _by_class(parts: Mapping[str, Tensor], lengths: Tensor | float, y: Tensor, counts: Tensor) -> dict[str, Tensor]:
    """(C, D) mean of R times the rows (R, D) of each part, views after one another; zero for a class without rows."""
    values = lengths * torch.stack(list(parts.values()))
    num_rows = values.shape[1]
    labels = y.repeat(num_rows // len(y))
    share = num_rows / torch.bincount(labels, minlength=len(counts)).clamp_min(1).to(values.dtype)
    sums = values.new_zeros(len(parts), len(counts), values.shape[2]).index_add_(1, labels, values)
    return dict(zip(parts, share[:, None] * sums, strict=True))
