"""TSC: classes are pulled to targets spread evenly on the sphere (Li et al., 2022)."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from ltviz import geometry
from ltviz.methods.base import Batch, Card, Reading, Setup, live
from ltviz.methods.kcl import Kcl, KclSettings, choose_positives, positive_logits
from ltviz.methods.moco import check_queries
from ltviz.methods.parts.inputs import (
    Labels,
    Mask,
    check_choice,
    check_labels,
    check_rows,
    check_temperature,
    full_precision,
)
from ltviz.methods.parts.partition import Contrast
from ltviz.methods.parts.scene import Scene
from ltviz.methods.parts.tally import allow_absent
from ltviz.methods.parts.tug import Tug, own_column, shares, similarities
from ltviz.methods.parts.watch import watched


@full_precision
@watched("query", "key", "queue", "targets", still=("key",))
def tsc(
    query: Tensor,
    key: Tensor,
    queue: Tensor,
    y: Labels,
    queue_y: Labels,
    targets: Tensor,
    *,
    temperature: float | Tensor,
    k: int | None = 6,
    target_weight: float = 0.2,
    positives: Mask | None = None,
    normalize: str = "code",
    generator: torch.Generator | None = None,
    reduction: str = "mean",
) -> Tensor:
    r"""Targeted supervised contrastive loss: KCL plus the pull of each class's target.

    With p the softmax of q_i . (own key, queue, all targets) / tau and k_i the positives taken from the queue,

    .. math:: L_i = -\frac{1}{n_i} \Big( \log p_{i,own} + \sum_{j \in P(i)} \log p_{ij} \Big)
              - \frac{\lambda}{m_i} \log p_{i,t(y_i)}

    "code": n_i = m_i = 2 + k_i. "paper": n_i = 1 + k_i and m_i = 1, so that at k = 6 the same lambda pulls eight times
    as hard relative to the class part, give or take the eighth in n_i.

    Args:
        query, key, queue, y, queue_y, temperature, k, positives, generator, reduction: as in `kcl`; y from 0 to C - 1.
            The queue is copied and may take in new keys before backward(); key is not.
        targets: (C, D) unit rows, row c is class c's target (already matched); all stand in every denominator.
        target_weight: lambda, 0 or more; 0.2 in the paper.
        normalize: "code" or "paper".

    Raises:
        ValueError: where shapes or values break these rules; the sentence names the sizes.
        RuntimeError: in the backward pass, where key was changed in place since.

    Source: Li et al. 2022, Eq. 4; code: targeted-supcon c4f15eb, `KCL.forward` with `--sep_t` and one copy of each
    target. The official code takes no maximum before exp and gives NaN in float32 at temperature 0.01; this does not.
    """
    check_choice("tsc", "reduction", reduction, ("mean", "none"))
    check_choice("tsc", "normalize", normalize, ("code", "paper"))
    check_queries("tsc", query, key, queue)
    if not target_weight >= 0:
        raise ValueError(f"tsc: target_weight must be 0 or more, but is {target_weight:g}; try 0.2")
    tau = check_temperature("tsc", temperature, query)
    check_rows("tsc", "targets", targets, (None, query.shape[1]), f"for queries of {query.shape[1]} dimensions")
    y = check_labels("tsc", "y", y, len(query), f"for {len(query)} queries", query, len(targets))
    chosen = choose_positives("tsc", y, queue_y, query, queue, k, positives, generator)
    if reduction == "none":
        parts = tsc_parts(query, key, queue, y, targets, chosen, temperature=tau, normalize=normalize)
        return parts[0] + target_weight * parts[1]
    own = (query * key).sum(1) / tau
    times, evidence = _shares(query, own, queue, y, targets, chosen, tau, normalize)
    weights = times[0] + target_weight * times[1]
    sums = Contrast().weighted_sum(weights / len(query), query, torch.cat([queue, targets]), tau, own)
    return sums - (evidence[0] + target_weight * evidence[1]).mean()


@full_precision
def tsc_parts(
    query: Tensor,
    key: Tensor,
    queue: Tensor,
    y: Tensor,
    targets: Tensor,
    positives: Tensor,
    *,
    temperature: float | Tensor,
    normalize: str = "code",
) -> Tensor:
    """The class part and the target part (at lambda = 1) of each query's loss, (2, B); arguments as for `tsc`."""
    tau = check_temperature("tsc", temperature, query)
    own = (query * key).sum(1) / tau
    times, evidence = _shares(query, own, queue, y, targets, positives, tau, normalize)
    return times * Contrast().log_partition(query, torch.cat([queue, targets]), tau, own) - evidence


def _shares(
    query: Tensor,
    own: Tensor,
    queue: Tensor,
    y: Tensor,
    targets: Tensor,
    chosen: Tensor,
    tau: Tensor,
    normalize: str,
) -> tuple[Tensor, Tensor]:
    """How often log Z enters each query's class part and target part, and what their positives bring: (2, B) each."""
    num_positives, of_positives = positive_logits(query, queue, chosen)
    share = 1 / (num_positives + (2 if normalize == "code" else 1))
    target_share = share if normalize == "code" else torch.ones_like(share)
    pulled = (query * targets[y]).sum(1) / tau
    times = torch.stack([share * (1 + num_positives), target_share])
    return times, torch.stack([share * (own + of_positives / tau), target_share * pulled])


def tsc_tugs(
    query: Tensor,
    key: Tensor,
    queue: Tensor,
    y: Tensor,
    queue_y: Tensor,
    targets: Tensor,
    positives: Tensor,
    *,
    temperature: float,
    normalize: str = "code",
) -> dict[str, Tug]:
    """Who pulls and pushes each query under both parts of `tsc_parts`, "contrast" and "target".

    With n_i and m_i as in `tsc` and p the softmax over own key, queue and targets, the class part gives a column
    (1[positive] - (1 + k_i) p) / (B n_i temperature), the target part (1[own target] - p) / (B m_i temperature).
    """
    itself = own_column(len(query), query)
    own = (query * key).sum(1, keepdim=True)
    p = shares(torch.cat([own, similarities(query, torch.cat([queue, targets]))], dim=1) / temperature)
    p = torch.cat([itself * p[:, :1], p[:, 1:]], dim=1)
    num_positives = positives.sum(1, keepdim=True).to(p.dtype)
    pulled = F.one_hot(y, len(targets)).bool()
    attracting = torch.cat([itself, positives, torch.zeros_like(pulled)], dim=1)
    aimed = torch.cat([torch.zeros_like(itself), torch.zeros_like(positives), pulled], dim=1)
    share = 1 / (num_positives + (2 if normalize == "code" else 1))
    target_share = share if normalize == "code" else 1.0
    scale = len(query) * temperature
    tug = Tug(
        partners=torch.cat([key, queue, targets]),
        classes=torch.cat([y, queue_y, torch.arange(len(targets), device=y.device)]),
        weights=share * (attracting.to(p.dtype) - (1 + num_positives) * p) / scale,
        positives=attracting,
        targets=torch.arange(attracting.shape[1], device=y.device) >= attracting.shape[1] - len(targets),
    )
    return {"contrast": tug, "target": replace(tug, weights=target_share * (aimed.to(p.dtype) - p) / scale)}


class TscSettings(KclSettings):
    target_weight: float = live(
        1.0,
        ge=0,
        le=10,
        description="Pull of the targets; 0.2 in the official code.",
    )
    warmup: float = Field(0.5, ge=0, le=1, description="Share of the steps trained as KCL before the targets pull.")
    normalize: Literal["code", "paper"] = Field(
        "code", description="Divide the target term by the number of positives too (official code), or not (paper)."
    )


class Tsc(Kcl):
    """KCL first, then each class is pulled to the target that the Hungarian method gives it.

    Terms `contrast`, `target` (after the warm-up) and `probe`. Differences from the official code, on purpose: targets
    are the closed simplex or an annealed optimum (the official descent is swamped by its self term); class centres run
    from the first step instead of standing at random vectors until the targets come, so the first matching is a real
    one; centres and matching follow the step, so a step that is refused leaves no trace in them. Left out are several
    copies of each target (`--tr`, which the official commands keep at 1) and the code's CIFAR branch, another loss: its
    targets are 25 more samples of each class and anchors too, with neither a weight nor a matching.
    """

    card = Card(
        name="tsc",
        title="TSC",
        year=2022,
        idea="Targets stand evenly on the sphere from the start; each class is sent to the one it is nearest to.",
        formula=r"L_i = L^{KCL}_i - \frac{\lambda}{n_i} \log \frac{e^{q_i \cdot t_{y_i}/\tau}}"
        r"{\sum_a e^{q_i \cdot a/\tau}}",
        look_for="From half time on targets pull: the centres end more balanced than KCL's, and those of rare classes "
        "farther from their targets than those of head ones. Watch who swaps with whom.",
        sphere="The embeddings that are contrasted: this sphere is what training shapes.",
        paper="Li et al., Targeted Supervised Contrastive Learning for Long-Tailed Recognition, CVPR 2022, "
        "arXiv:2111.13998",
        code="https://github.com/LTH14/targeted-supcon",
    )
    Settings = TscSettings
    settings: TscSettings  # pyright: ignore[reportIncompatibleVariableOverride]
    readings = (
        *Kcl.readings,
        Reading(
            key="swaps",
            title="Swaps of target",
            short="How often the matching has sent this class to another target since the first step.",
        ),
    )

    def __init__(self, settings: TscSettings, setup: Setup):
        super().__init__(settings, setup)
        targets = geometry.optimal_targets(setup.num_classes, setup.dim, seed=0)
        self.register_buffer("targets", torch.from_numpy(targets).float())
        self.register_buffer("centres", torch.zeros(setup.num_classes, setup.dim))
        self.register_buffer("matched", torch.arange(setup.num_classes))
        self.register_buffer("swaps", torch.zeros(setup.num_classes, dtype=torch.int64))
        self.targets: Tensor
        self.centres: Tensor
        self.matched: Tensor
        self.swaps: Tensor
        allow_absent(self, "swaps")

    def is_warming_up(self, batch: Batch) -> bool:
        """Whether the targets do not pull yet."""
        return batch.step <= self.settings.warmup * self.setup_.total_steps

    def tugs(self, z: Tensor, batch: Batch) -> dict[str, Tug]:
        if self.is_warming_up(batch) or self._drawn is None:
            return super().tugs(z, batch)
        targets, s = self.targets[self.matched], self.settings
        return tsc_tugs(*self.met(), targets, self._drawn, temperature=s.temperature, normalize=s.normalize)

    @classmethod
    def what_if(cls, scene: Scene, settings: TscSettings) -> dict[str, Tug]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """As after the warm-up."""
        positives, s = cls.imagine_positives(scene, settings), settings
        return tsc_tugs(*scene.met(), scene.targets, positives, temperature=s.temperature, normalize=s.normalize)

    def contrast(self, query: Tensor, key: Tensor, batch: Batch) -> dict[str, Tensor]:
        if self.is_warming_up(batch):
            return super().contrast(query, key, batch)
        s = self.settings
        of_class, of_target = tsc_parts(
            query,
            key,
            self.queue.keys,
            batch.y,
            self.targets[self.matched],
            self.choose(batch.y),
            temperature=s.temperature,
            normalize=s.normalize,
        ).mean(1)
        return {"contrast": of_class, "target": of_target}

    def remember(self, query: Tensor, key: Tensor, y: Tensor) -> None:
        super().remember(query, key, y)
        first = not bool(self.centres.any())
        sums = torch.zeros_like(self.centres).index_add_(0, y, query.to(self.centres.dtype))
        seen = torch.bincount(y, minlength=len(sums)) > 0
        moved = F.normalize(0.9 * self.centres + 0.1 * F.normalize(sums, dim=1), dim=1)
        self.centres.copy_(torch.where(seen[:, None], moved, self.centres))
        found = geometry.match_targets(self.centres.cpu().numpy(), self.targets.cpu().numpy())
        matched = torch.from_numpy(found).to(self.matched)
        if not first:  # before, no class had been matched with anything
            self.swaps += matched != self.matched
        self.matched.copy_(matched)

    def read(self) -> dict[str, Tensor]:
        return {**super().read(), "swaps": self.swaps.float()}

    def landmarks(self) -> dict[str, Tensor]:
        return {"targets": self.targets}

    def target_index(self) -> Tensor:
        return self.matched
