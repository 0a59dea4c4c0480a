"""Geometric Harmonization: room by category without labels (Zhou et al., 2023)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from ltviz import geometry
from ltviz.marks import VIEWS, Mark, Reading, Segments, Shown
from ltviz.methods.base import Batch, Card, Settings, Setup, Step, live
from ltviz.methods.parts.anchors import class_sizes, stack_views
from ltviz.methods.parts.inputs import Numbers, check_numbers, check_rows, check_temperature, check_views, reduce
from ltviz.methods.parts.listing import Listing
from ltviz.methods.parts.loss import loss
from ltviz.methods.parts.probe import Probed
from ltviz.methods.parts.scene import Scene
from ltviz.methods.parts.similarities import Partners, similarities
from ltviz.methods.parts.snippets import PROBE, PROBE_TRAINS, TWO_VIEWS, probe_loss
from ltviz.methods.parts.tracing import checks_values
from ltviz.methods.simclr import info_nce

_LOWEST_PLAIN = 0.01
"""Temperature of Sinkhorn's iteration from which exp takes no logarithms: scores within 1 of 0 give e^(+-200)."""

_SHARE_MOVES = 0.05
"""How fast the running shares of the targets follow a batch."""


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


class GeometricHarmonizationSettings(Settings):
    temperature: float = live(0.2, ge=0.01, le=2, description="Temperature of the contrast; low is sharp.")
    targets: int = Field(0, ge=0, le=1000, description="Surrogate targets; as many as there are classes at 0.")
    harmonization_weight: float = live(1.0, ge=0, le=10, description="Weight of the harmonization once it is in full.")
    target_temperature: float = live(0.1, ge=0.01, le=2, description="Temperature of the predictions of targets.")
    warmup: float = Field(0.2, ge=0, le=1, description="Share of the steps trained as SimCLR alone.")
    ramp: float = Field(0.1, ge=0, le=1, description="Share of the steps in which the harmonization then comes in.")
    iterations: int = Field(50, ge=1, le=1000, description="Rounds of the assignment; 300 in the official code.")


class GeometricHarmonization(Probed):
    """SimCLR and the harmonization of Zhou et al., without labels; terms `contrast`, `harmonization` and `probe`.

    The prior of the targets is a running share of the samples that are nearest to each, from uniform on; the official
    code counts them every twenty epochs by a momentum of each sample, which begins in uninitialised memory.
    """

    card = Card(
        name="geometric_harmonization",
        title="Geometric Harmonization",
        year=2023,
        idea="Without labels, the room on the sphere is shared out by guessed categories instead of by samples.",
        formula=r"L = L^{SimCLR} - w \sum_k Q_{1ik} \log p_{2ik} + Q_{2ik} \log p_{1ik}",
        terms={r"L^{SimCLR}": "pull", r"\sum_k Q_{1ik} \log p_{2ik} + Q_{2ik} \log p_{1ik}": "targets"},
        symbols={r"w": "harmonization_weight"},
        look_for="Diamonds stand evenly from the start. Whether, after the warm-up, head classes give up some of the "
        "room that SimCLR leaves them.",
        differs="The shares of the targets are a running mean over steps; the official code counts them every twenty "
        "epochs.",
        sphere="The embeddings that are contrasted and harmonized: this sphere is what training shapes.",
        paper="Zhou et al., Combating Representation Learning Disparity with Geometric Harmonization, NeurIPS 2023, "
        "arXiv:2310.17622",
        code="https://github.com/MediaBrain-SJTU/Geometric-Harmonization",
    )
    Settings = GeometricHarmonizationSettings
    settings: GeometricHarmonizationSettings
    on_host = "the harmonization comes in by a weight that follows the step, which is known on the CPU"
    readings = (
        Reading(
            key="room",
            title="Largest over smallest target",
            short="How many times more samples lie nearest to the largest surrogate target than to the smallest, by a "
            "running share; classes are not known here.",
        ),
    )
    marks = (
        Mark(
            key="surrogates",
            title="Surrogate target",
            short="A place given in advance that stands for no class: samples are shared out among these.",
            primitive="points",
            sign="diamond",
        ),
        VIEWS,
    )

    def __init__(self, settings: GeometricHarmonizationSettings, setup: Setup):
        super().__init__(settings, setup)
        number = settings.targets or setup.num_classes
        places = geometry.optimal_targets(max(number, 2), setup.dim, seed=0)[:number]
        self.register_buffer("surrogates", torch.from_numpy(places).float())
        self.register_buffer("shares", torch.full((number,), 1 / number))
        self.surrogates: Tensor
        self.shares: Tensor

    def losses(self, batch: Batch) -> Mapping[str, Tensor]:
        features = self.encoder(batch.views(0, 1))
        z = self.project(features).view(2, len(batch.y), -1).transpose(0, 1)
        s, total = self.settings, self.setup_.total_steps
        terms = {
            "contrast": info_nce(z, temperature=s.temperature),
            "probe": self.probe_loss(features, batch.y.repeat(2)),
        }
        begun = batch.step / total - s.warmup
        if begun <= 0:
            return terms
        come = min(1.0, begun / s.ramp) if s.ramp else 1.0
        step = HarmonizedStep(
            {**terms, "harmonization": come * self.harmonize(z, self.shares, self.surrogates, s)}, batch
        )
        step.nearest = (z.detach() @ self.surrogates.T.to(z.dtype)).argmax(2).flatten()
        return step

    @staticmethod
    def harmonize(z: Tensor, shares: Tensor, surrogates: Tensor, s: GeometricHarmonizationSettings) -> Tensor:
        """The harmonization of two views z (B, 2, dim) by targets (K, dim) with shares (K,)."""
        options = {"temperature": s.target_temperature, "iterations": s.iterations}
        return geometric_harmonization(z, surrogates.to(z.dtype), prior=shares, **options)

    @classmethod
    def what_if(cls, scene: Scene, settings: GeometricHarmonizationSettings) -> dict[str, Tensor]:
        """As after the warm-up, with uniform shares."""
        shares = scene.z.new_full((len(scene.targets),), 1 / len(scene.targets))
        return {
            "contrast": info_nce(scene.z, temperature=settings.temperature),
            "harmonization": cls.harmonize(scene.z, shares, scene.targets, settings),
        }

    def after_step(self, step: Step) -> None:
        if isinstance(step, HarmonizedStep):
            found = class_sizes(step.nearest, len(self.shares)).to(self.shares) / len(step.nearest)
            self.shares.lerp_(found, _SHARE_MOVES)

    def landmarks(self) -> dict[str, Tensor]:
        return {"surrogates": self.surrogates}

    def read(self) -> dict[str, Tensor]:
        return {"room": self.shares.max() / self.shares.min().clamp_min(1e-3)}

    def show(self, batch: Batch) -> dict[str, Shown]:
        """Under "views" both views of each image."""
        return {"views": Segments(self.embed(batch.view(0)), self.embed(batch.view(1)), batch.y)}

    @classmethod
    def listing(cls, settings: GeometricHarmonizationSettings) -> Listing:
        return Listing(
            build=f"""\
{PROBE}
number = targets or num_classes
surrogates = torch.from_numpy(geometry.optimal_targets(max(number, 2), dim, seed=0)[:number]).float()
shares = torch.full((number,), 1 / number)
""",
            trains=PROBE_TRAINS,
            step=f"""\
{TWO_VIEWS}
pairs = z.view(2, len(batch.y), -1).transpose(0, 1)
loss = losses.info_nce(pairs, temperature=temperature) + {probe_loss("y")}
begun = step / steps - warmup
if begun > 0:
    harmonization = losses.geometric_harmonization(
        pairs, surrogates, prior=shares, temperature=target_temperature, iterations=iterations
    )
    loss += harmonization_weight * (min(1.0, begun / ramp) if ramp else 1.0) * harmonization
""",
            after=f"""\
if begun > 0:
    nearest = (z.detach() @ surrogates.T).argmax(1)
    shares.lerp_(torch.bincount(nearest, minlength=number) / len(nearest), {_SHARE_MOVES:g})
""",
        )


class HarmonizedStep(Step):
    """A step in which the harmonization acts, with what its shares need."""

    nearest: Tensor
    """(2 B,) int64: the target that each view is nearest to."""
