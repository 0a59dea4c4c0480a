"""SBCL: head classes fall into subclasses as large as the tail (Hou et al., 2023)."""

from __future__ import annotations

import math
from textwrap import indent

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from ltviz.marks import Mark, Points, Reading, Shown
from ltviz.methods.base import MOST_POINTS, Batch, Card, Setup, Step, live
from ltviz.methods.parts.anchors import stack_views
from ltviz.methods.parts.host_count import add_to_count, read_count
from ltviz.methods.parts.inputs import (
    Labels,
    Numbers,
    check_choice,
    check_labels,
    check_numbers,
    check_temperature,
    check_views,
)
from ltviz.methods.parts.listing import Listing
from ltviz.methods.parts.loss import loss
from ltviz.methods.parts.similarities import Partners, similarities
from ltviz.methods.parts.snippets import PROBE, PROBE_TRAINS, TWO_VIEWS, probe_loss
from ltviz.methods.parts.tracing import checks_values
from ltviz.methods.supcon import SupCon, SupConSettings, contrast_of_labels

_ROUNDS = 20  # of k-means


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


class SbclSettings(SupConSettings):
    coupling: float = live(0.25, ge=0, le=10, description="Weight of the term that holds subclasses together.")
    warmup: float = Field(0.2, ge=0, le=1, description="Share of the steps trained as SupCon, before any clusters.")
    recluster: float = Field(
        0.1, gt=0, le=1, description="Share of the steps after which classes are parted into subclasses anew."
    )
    smallest: int = Field(10, ge=2, le=10_000, description="Samples of a subclass, at least; 10 in the official code.")


class SbclStep(Step):
    """A step and its embeddings, which the clusters need."""

    z: Tensor
    """(B, dim) of the first views, without gradient."""


class Sbcl(SupCon):
    """SupCon among subclasses of the head, as large as the tail, and among classes; terms `contrast` and `probe`.

    Each sample's last embedding is kept; after every `recluster` of the steps each class is parted by cosine k-means
    into n_c // max(smallest n, `smallest`) subclasses. The official code embeds the training set anew for that, every
    ten epochs. Class temperatures are those of its code. A what-if is SupCon's: nothing in another run stands in for
    subclasses.
    """

    card = Card(
        name="sbcl",
        title="SBCL",
        year=2023,
        idea="Head classes fall into subclasses as large as a rare class, and these are what contrasts.",
        formula=r"L_i = L^{out}_i(\text{subclasses}; \tau) + "
        r"\lambda L_i(\text{classes} \mid \text{subclasses}; \varphi)",
        terms={r"L^{out}_i(\text{subclasses}; \tau)": "pull"},
        symbols={r"\tau": "temperature", r"\lambda": "coupling"},
        look_for="Islands inside head classes, each around its plus sign; these signs are set anew while it trains. "
        "Rare classes are not divided.",
        differs="Clusters are made of each sample's last embedding; the official code embeds the training set anew "
        "for that.",
        sphere="The embeddings that are contrasted: this sphere is what training shapes.",
        paper="Hou et al., Subclass-balancing Contrastive Learning for Long-tailed Recognition, ICCV 2023",
        code="https://github.com/JackHck/SBCL",
    )
    Settings = SbclSettings
    settings: SbclSettings  # pyright: ignore[reportIncompatibleVariableOverride]
    on_host = "its subclasses are found by k-means between steps, on the CPU"
    readings = (
        *SupCon.readings,
        Reading(key="subclasses", title="Subclasses", short="Into how many subclasses the class is parted now."),
        Reading(
            key="class_temperature",
            title="Class temperature",
            short="At which temperature the subclasses of the class are held together.",
        ),
    )
    marks = (
        Mark(
            key="subcentres",
            title="Sub-centre",
            short="The middle of a subclass; they are set anew as training goes on.",
            primitive="points",
            sign="plus",
        ),
    )

    def __init__(self, settings: SbclSettings, setup: Setup):
        super().__init__(settings, setup)
        counts = setup.counts.round().long()
        rarest = max(int(counts[counts > 0].min()) if bool((counts > 0).any()) else 1, settings.smallest)
        self.parts = (counts // rarest).clamp_min(1).tolist()
        size, dim = round(setup.training_size), setup.dim  # a sample of dense data is a pixel, not an image
        self.register_buffer("bank", torch.zeros(size, dim))
        self.register_buffer("bank_y", torch.full((size,), -1))
        self.register_buffer("clusters", torch.zeros(size, dtype=torch.int64))
        self.register_buffer("subcentres", torch.zeros(sum(self.parts), dim))
        self.register_buffer(
            "subcentre_y", torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(self.parts))
        )
        self.register_buffer("warmth", torch.ones(len(counts)))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.register_buffer("clustered", torch.zeros((), dtype=torch.int64))
        self.bank: Tensor
        self.bank_y: Tensor
        self.clusters: Tensor
        self.subcentres: Tensor
        self.subcentre_y: Tensor
        self.warmth: Tensor
        self.steps: Tensor
        self.clustered: Tensor

    def losses(self, batch: Batch) -> SbclStep:  # pyright: ignore[reportIncompatibleMethodOverride]
        features = self.encoder(batch.views(0, 1))
        z = self.project(features).view(2, len(batch.y), -1).transpose(0, 1)
        if read_count(self, "clustered"):
            contrast = self.divide(z, batch.y, self.clusters[batch.index], self.warmth, self.settings)
        else:
            contrast = self.contrast(z, batch.y, self.settings)
        probe = self.probe_loss(features, torch.cat([batch.y, batch.y]))
        step = SbclStep({"contrast": contrast, "probe": probe}, batch)
        step.z = z[:, 0].detach()
        return step

    @staticmethod
    def divide(z: Tensor, y: Tensor, clusters: Tensor, warmth: Tensor, s: SbclSettings) -> Tensor:
        """The loss of two views z (B, 2, dim) with labels and subclasses (B,), temperatures tau warmth (C,)."""
        phi = s.temperature * warmth
        return sbcl(z, y, clusters, temperature=s.temperature, class_temperatures=phi, weight=s.coupling)

    def theory(self, counts: np.ndarray) -> None:
        """None: what is proven of SupCon is of classes, and not of their subclasses."""
        return None

    def after_step(self, step: SbclStep) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        super().after_step(step)
        index = step.batch.index
        self.bank[index] = step.z.to(self.bank.dtype)
        self.bank_y[index] = step.batch.y
        if self.happens(add_to_count(self, "steps", 1)):
            self.part()

    def happens(self, step: int) -> str:
        s, total = self.settings, self.setup_.total_steps
        since = step - max(1, round(s.warmup * total))
        if since < 0 or since % max(1, round(s.recluster * total)):
            return ""
        return "classes are parted into subclasses anew" if since else "classes are parted into subclasses"

    @torch.no_grad()
    def part(self) -> None:
        """Parts every class into its subclasses anew, and sets the class temperatures by how wide classes are."""
        bank, y = self.bank.double().cpu(), self.bank_y.cpu()
        clusters, centres = torch.zeros_like(y), self.subcentres.cpu().clone()
        widths, first = torch.full((len(self.parts),), torch.nan), 0
        for c, number in enumerate(self.parts):
            here = torch.nonzero(y == c).flatten()
            if len(here):
                rows = bank[here]
                found, middles = part_by_cosine(rows, number, self.setup_.generator)
                clusters[here], centres[first : first + len(middles)] = found, middles.to(centres)
                spread = (rows - rows.mean(0)).norm(dim=1).mean()
                widths[c] = spread / math.log(len(here) + 10)
            first += number
        self.clusters.copy_(clusters)
        self.subcentres.copy_(centres)
        self.warmth.copy_(class_warmth(widths, torch.tensor(self.parts)))
        self.clustered.copy_(self.steps)

    def read(self) -> dict[str, Tensor]:
        parts = torch.tensor(self.parts, dtype=torch.float32, device=self.warmth.device)
        known = self.clustered > 0
        return {
            **super().read(),
            "subclasses": torch.where(known, parts, torch.ones_like(parts)),
            "class_temperature": self.settings.temperature * self.warmth,
        }

    def show(self, batch: Batch) -> dict[str, Shown]:
        """Under "subcentres" the middle of each subclass; the older the clusters are, the fainter."""
        known = torch.nonzero(self.subcentres.norm(dim=1) > 0.5).flatten()[:MOST_POINTS]
        age = (self.steps - self.clustered).expand(len(known)).clone()
        return {"subcentres": Points(self.subcentres[known], self.subcentre_y[known], age)}

    @classmethod
    def listing(cls, settings: SbclSettings) -> Listing:  # pyright: ignore[reportIncompatibleMethodOverride]
        return Listing(
            imports="from ltviz.methods.sbcl import class_warmth, part_by_cosine  # k-means of directions",
            build=f"""\
{PROBE}
amounts = counts.round().long()
parts = (amounts // max(int(amounts[amounts > 0].min()), smallest)).clamp_min(1)  # subclasses of each class
bank, bank_y = torch.zeros(len(data.train_labels), dim), torch.full((len(data.train_labels),), -1)
clusters, warmth = torch.zeros_like(bank_y), torch.ones(num_classes)
begins, every = max(1, round(warmup * steps)), max(1, round(recluster * steps))
""",
            trains=PROBE_TRAINS,
            step=f"""\
{TWO_VIEWS}
if step <= begins:
{indent(cls.contrasted(settings), "    ")}
else:
    pairs = z.view(2, len(batch.y), -1).transpose(0, 1)
    phi, of = temperature * warmth, clusters[batch.index]
    loss = losses.sbcl(pairs, batch.y, of, temperature=temperature, class_temperatures=phi, weight=coupling)
loss += {probe_loss("y")}
""",
            after="""\
bank[batch.index], bank_y[batch.index] = z[: len(batch.y)].detach(), batch.y
if step >= begins and (step - begins) % every == 0:  # each class is parted anew
    widths = torch.full((num_classes,), torch.nan)
    for c in range(num_classes):
        rows = bank[bank_y == c].double()
        if len(rows):
            clusters[bank_y == c], _ = part_by_cosine(rows, int(parts[c]), generator)
            widths[c] = (rows - rows.mean(0)).norm(dim=1).mean() / math.log(len(rows) + 10)
    warmth = class_warmth(widths, parts)
""",
        )


def part_by_cosine(rows: Tensor, number: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Cosine k-means: the cluster (N,) of each row (N, D), and unit middles (K, D), at most as many as rows."""
    number = min(number, len(rows))
    units = F.normalize(rows, dim=1)
    middles = units[torch.randperm(len(units), generator=generator)[:number]]
    found = torch.zeros(len(units), dtype=torch.int64)
    for _ in range(_ROUNDS):
        before, found = found, (units @ middles.T).argmax(1)
        sums = torch.zeros_like(middles).index_add_(0, found, units)
        lengths = sums.norm(dim=1, keepdim=True)
        middles = torch.where(lengths > 1e-9, sums / lengths.clamp_min(1e-9), middles)  # an empty one stays
        if torch.equal(before, found):
            break
    return found, middles


def class_warmth(widths: Tensor, parts: Tensor) -> Tensor:
    """Class temperatures over tau, (C,): the widths of classes over their mean, between their fifths; 1 for a class of
    one subclass, or of no known width."""
    known = widths.isfinite() & (widths > 0)
    if not bool(known.any()):
        return torch.ones_like(widths)
    ends = torch.quantile(widths[known], torch.tensor([0.2, 0.8], dtype=widths.dtype))
    clipped = widths.clamp(ends[0], ends[1])
    return torch.where(known & (parts > 1), clipped / widths[known].mean(), 1.0)
