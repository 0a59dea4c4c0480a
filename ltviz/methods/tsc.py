"""TSC: classes are pulled to targets spread evenly on the sphere (Li et al., 2022)."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from ltviz.geometry import Prediction
from ltviz.marks import TARGETS, Reading
from ltviz.methods.base import Batch, Card, Setup, live
from ltviz.methods.kcl import Kcl, KclSettings, choose_positives, positive_similarities
from ltviz.methods.moco import check_queries
from ltviz.methods.parts.contrast import Contrast
from ltviz.methods.parts.inputs import (
    Labels,
    Mask,
    check_choice,
    check_labels,
    check_rows,
    check_temperature,
    full_precision,
)
from ltviz.methods.parts.listing import Listing
from ltviz.methods.parts.loss import loss
from ltviz.methods.parts.matched_targets import follow, match, targets_file, targets_of
from ltviz.methods.parts.partition import weighted_sum
from ltviz.methods.parts.queue import QueuedStep
from ltviz.methods.parts.running_mean import allow_absent
from ltviz.methods.parts.scene import Queries, Scene
from ltviz.methods.parts.similarities import Partners, fixed_targets, own_similarities, pulled_similarities
from ltviz.methods.parts.snippets import ENQUEUE, PROBE, PROBE_TRAINS, QUERIES, QUEUE, probe_loss
from ltviz.methods.parts.theory import simplex_ends


@loss("query", "key", "queue", "targets", still=("key",))
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

    >>> query = key = torch.eye(3)[:2]
    >>> round(tsc(query, key, torch.eye(3)[[0, 2]], [0, 1], [0, 2], torch.eye(3), temperature=0.5, k=1).item(), 3)
    0.729
    """
    check_choice("tsc", "reduction", reduction, ("mean", "none"))
    check_choice("tsc", "normalize", normalize, ("code", "paper"))
    check_queries("tsc", query, key, queue)
    if not target_weight >= 0:
        raise ValueError(f"tsc: target_weight must be 0 or more, but is {target_weight:g}; try 0.2")
    tau = check_temperature("tsc", temperature, query)
    check_rows("tsc", "targets", targets, (None, query.shape[1]), f"for queries of {query.shape[1]} dimensions")
    y = check_labels("tsc", "y", y, len(query), f"for {len(query)} queries", query, len(targets))
    chosen, about = choose_positives("tsc", y, queue_y, query, queue, k, positives, generator)
    if reduction == "none":
        parts = _parts(query, key, queue, y, targets, chosen, about, tau, normalize)
        return parts[0] + target_weight * parts[1]
    own = own_similarities(query, key) / tau
    times, evidence = _shares(query, own, queue, y, targets, chosen, about, tau, normalize)
    weights = times[0] + target_weight * times[1]
    contrast = Contrast(about=_beside_targets(about, y, chosen, len(targets)))
    sums = weighted_sum(contrast, weights / len(query), query, torch.cat([queue, targets]), tau, own)
    return sums - (evidence[0] + target_weight * evidence[1]).mean()


@full_precision
def tsc_parts(
    query: Tensor,
    key: Tensor,
    queue: Tensor,
    y: Tensor,
    queue_y: Tensor,
    targets: Tensor,
    *,
    temperature: float | Tensor,
    positives: Tensor,
    normalize: str = "code",
) -> Tensor:
    """The class part and the target part (at lambda = 1) of each query's loss, (2, B); arguments as for `tsc`."""
    tau = check_temperature("tsc", temperature, query)
    about = Partners(queue_y, y, lambda: positives)
    return _parts(query, key, queue, y, targets, positives, about, tau, normalize)


def _parts(
    query: Tensor,
    key: Tensor,
    queue: Tensor,
    y: Tensor,
    targets: Tensor,
    chosen: Tensor,
    about: Partners,
    tau: Tensor,
    normalize: str,
) -> Tensor:
    own = own_similarities(query, key) / tau
    times, evidence = _shares(query, own, queue, y, targets, chosen, about, tau, normalize)
    contrast = Contrast(about=_beside_targets(about, y, chosen, len(targets)))
    return times * contrast.log_partition(query, torch.cat([queue, targets]), tau, own) - evidence


def _shares(
    query: Tensor,
    own: Tensor,
    queue: Tensor,
    y: Tensor,
    targets: Tensor,
    chosen: Tensor,
    about: Partners,
    tau: Tensor,
    normalize: str,
) -> tuple[Tensor, Tensor]:
    """How often log Z enters each query's class part and target part, and what their positives bring: (2, B) each."""
    num_positives, of_positives = positive_similarities(query, queue, chosen, about)
    share = 1 / (num_positives + (2 if normalize == "code" else 1))
    target_share = share if normalize == "code" else torch.ones_like(share)
    of_target = pulled_similarities(query, targets[y], lambda: targets, fixed_targets(y, len(targets)))
    times = torch.stack([share * (1 + num_positives), target_share])
    return times, torch.stack([share * (own + of_positives / tau), target_share * (of_target / tau)])


def _beside_targets(queue: Partners, y: Tensor, chosen: Tensor, num_classes: int) -> Partners:
    """The queue and, after it, the targets of all classes as partners."""
    assert queue.classes is not None
    classes = torch.cat([queue.classes, torch.arange(num_classes, device=y.device)])
    targets = torch.arange(len(classes), device=y.device) >= len(queue.classes)
    return Partners(classes, y, lambda: F.pad(chosen, (0, num_classes)), targets)


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
    targets: str = targets_file()


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
        terms={r"L^{KCL}_i": "pull", r"e^{q_i \cdot t_{y_i}/\tau}": "targets", r"\sum_a e^{q_i \cdot a/\tau}": "push"},
        symbols={r"\lambda": "target_weight", r"\tau": "temperature"},
        look_for="From half time on targets pull: the centres end more balanced than KCL's, and those of rare classes "
        "farther from their targets than those of head ones. Watch who swaps with whom.",
        differs="Targets are the closed simplex or an annealed optimum, where the official descent is swamped by a "
        "term of its own. Class centres run from the first step, so that the first matching is a real one. "
        "The target term is divided by the positives too, as in the code; the paper does not.",
        sphere="The embeddings that are contrasted: this sphere is what training shapes.",
        paper="Li et al., Targeted Supervised Contrastive Learning for Long-Tailed Recognition, CVPR 2022, "
        "arXiv:2111.13998",
        code="https://github.com/LTH14/targeted-supcon",
    )
    Settings = TscSettings
    on_host = "the targets are matched with the classes by the Hungarian method, which runs on the CPU"
    settings: TscSettings  # pyright: ignore[reportIncompatibleVariableOverride]
    readings = (
        *Kcl.readings,
        Reading(
            key="swaps",
            title="Swaps of target",
            short="How often the matching has sent this class to another target since the first step.",
        ),
    )
    marks = (*Kcl.marks, TARGETS)

    def __init__(self, settings: TscSettings, setup: Setup):
        super().__init__(settings, setup)
        self.register_buffer("targets", targets_of(settings.targets, setup))
        self.register_buffer("centres", torch.zeros(setup.num_classes, setup.dim))
        self.register_buffer("matched", torch.arange(setup.num_classes))
        self.register_buffer("swaps", torch.zeros(setup.num_classes, dtype=torch.int64))
        self.targets: Tensor
        self.centres: Tensor
        self.matched: Tensor
        self.swaps: Tensor
        allow_absent(self, "swaps")

    def theory(self, counts: np.ndarray) -> Prediction | None:
        """Its targets, where they are the regular simplex: the limit of a large `target_weight`."""
        if self.settings.targets:
            return None
        return simplex_ends(len(counts), self.setup_.dim, "Li et al. 2022: the targets, at a large target weight")

    def is_warming_up(self, batch: Batch) -> bool:
        """Whether the targets do not pull yet."""
        return batch.step <= self.settings.warmup * self.setup_.total_steps

    def contrast(self, queries: Queries, batch: Batch) -> QueuedStep:
        if self.is_warming_up(batch):
            return super().contrast(queries, batch)
        positives = self.draw(queries, self.settings, self.setup_.generator)
        terms = self.aim(queries, positives, self.targets[self.matched], self.settings)
        return QueuedStep(terms, batch, queries, positives=positives)

    @staticmethod
    def aim(queries: Queries, positives: Tensor, targets: Tensor, s: TscSettings) -> dict[str, Tensor]:
        """The contrastive terms where targets (C, dim) pull, row c class c."""
        parts = tsc_parts(*queries, targets, temperature=s.temperature, positives=positives, normalize=s.normalize)
        of_class, of_target = parts.mean(1)
        return {"contrast": of_class, "target": of_target}

    @classmethod
    def what_if(cls, scene: Scene, settings: TscSettings) -> dict[str, Tensor]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """As after the warm-up."""
        positives = cls.draw(scene.queries, settings, scene.generator)
        return cls.aim(scene.queries, positives, scene.targets, settings)

    def remember(self, step: QueuedStep) -> None:
        super().remember(step)
        first = not bool(self.centres.any())
        self.centres.copy_(follow(self.centres, step.queries.query.detach(), step.queries.y))
        matched = match(self.centres, self.targets).to(self.matched)
        if not first:  # before, no class had been matched with anything
            self.swaps += matched != self.matched
        self.matched.copy_(matched)

    def read(self) -> dict[str, Tensor]:
        return {**super().read(), "swaps": self.swaps.float()}

    def landmarks(self) -> dict[str, Tensor]:
        return {"targets": self.targets}

    def target_index(self) -> Tensor:
        return self.matched

    @classmethod
    def listing(cls, settings: TscSettings) -> Listing:  # pyright: ignore[reportIncompatibleMethodOverride]
        if settings.targets:
            made = "read_targets(Path(targets), num_classes=num_classes, dim=dim)"
            imports = "from pathlib import Path\nfrom ltviz.data.target_files import read_targets\n"
        else:
            made, imports = "geometry.optimal_targets(num_classes, dim, seed=0)", ""
        return Listing(
            imports=f"{imports}from ltviz.methods.kcl import draw_positives",
            build=f"""\
{QUEUE}{PROBE}
corners = torch.from_numpy({made}).float()
centres, matched = torch.zeros(num_classes, dim), torch.arange(num_classes)
""",
            trains=PROBE_TRAINS,
            step=f"""\
{QUERIES}
met = (query, key, keys, batch.y, keys_y)
positives = draw_positives(batch.y, keys_y, k, generator, order)
if step <= warmup * steps:
    loss = losses.kcl(*met, temperature=temperature, positives=positives)
else:
    weighed = {{"target_weight": target_weight, "normalize": normalize}}
    loss = losses.tsc(*met, corners[matched], temperature=temperature, positives=positives, **weighed)
loss += {probe_loss("batch.y")}
""",
            after=f"""\
{ENQUEUE}
sums = torch.zeros(num_classes, dim).index_add_(0, batch.y, query.detach())
seen = (sums != 0).any(1, keepdim=True)
centres = torch.where(seen, F.normalize(0.9 * centres + 0.1 * F.normalize(sums, dim=1), dim=1), centres)
matched = torch.from_numpy(geometry.match_targets(centres.numpy(), corners.numpy()))
""",
        )
