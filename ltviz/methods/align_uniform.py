"""Alignment and a spread term: views together, everything else apart, by one of four measures of evenness."""

from __future__ import annotations

import math
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from ltviz.geometry.uniform_law import expected_kernel
from ltviz.marks import VIEWS, Segments, Shown
from ltviz.methods.base import Batch, Card, Settings, live
from ltviz.methods.parts.anchors import stack_views
from ltviz.methods.parts.inputs import check_choice, check_shape, check_vectors, check_views, full_precision, nothing
from ltviz.methods.parts.listing import Listing
from ltviz.methods.parts.loss import loss
from ltviz.methods.parts.matrix_root import root_trace
from ltviz.methods.parts.probe import Probed
from ltviz.methods.parts.scene import Scene
from ltviz.methods.parts.similarities import Partners, observing, own_similarities, similarities
from ltviz.methods.parts.snippets import PROBE, PROBE_TRAINS, TWO_VIEWS, probe_loss

SPREADS = ("gaussian", "wasserstein", "sigreg", "mmd")
DIRECTIONS = 256
"""Directions that sigreg draws where none are given."""
_LAST_NODE, _NODES = 3.0, 17


@loss("z")
def align_uniform(
    z: Tensor,
    *,
    spread: str = "gaussian",
    weight: float = 1.0,
    t: float = 2.0,
    eps: float = 1e-4,
    directions: Tensor | None = None,
) -> Tensor:
    r"""Squared distance between views of a sample, plus a term that is small where samples cover the sphere evenly.

    .. math:: L = \operatorname{mean}_{i, v < w} |z_{iv} - z_{iw}|^2 + \lambda \, S

    - gaussian: S = mean over views of :math:`\log \operatorname{mean}_{i<j} e^{-t |z_i - z_j|^2}`.
    - mmd: the same without the logarithm, minus what uniform points give: 0 there.
    - wasserstein: of all rows with mean m and covariance Sigma + eps I,
      :math:`S = \sqrt{|m|^2 + 1 + \operatorname{tr} \Sigma - \frac{2}{\sqrt D} \operatorname{tr} \Sigma^{1/2}}`.
    - sigreg: of the rows of a view times sqrt(D), projected on unit directions, N times the weighted squared difference
      of their characteristic function from that of a Gaussian (Epps-Pulley, 17 nodes from 0 to 3); mean over directions
      and views. **In 3 dimensions its minimum is not the uniform sphere**, whose marginals are no Gaussians: its bias a
      sample is 0.016 at D = 3, 0.0021 at 8, 1.2e-4 at 32.

    Args:
        z: (B, V, D) unit rows, any V; taken as given. With one view there is nothing to align, with one sample gaussian
            and mmd have no pair: 0.
        spread: one of the four.
        weight: lambda, 0 or more.
        t: of gaussian and mmd, above 0.
        eps: of wasserstein, 0 or more; 1e-4 with MoCo, 0 with BYOL (there the gradient is infinite in a direction that
            no row uses; here it is cut off).
        directions: (D, M) unit columns, as the official code holds them, or (M, D) rows where M is not D; of sigreg.
            Left out, 256 are drawn from the global generator.

    Returns:
        Scalar.

    Raises:
        ValueError: where shapes or values break these rules; the sentence names the sizes.

    Source: Wang and Isola 2020, code align_uniform e256d47; Fang et al. 2024, code WassersteinSSL a16a931, whose
    `torch.eig` torch no longer has; Balestriero and LeCun 2025, code lejepa eddffdd, which does not normalise its rows,
    and whose README names an argument that the code does not have (`num_points` for `n_points`). mmd is derived.

    >>> z = torch.eye(3)[:, None].repeat(1, 2, 1)
    >>> round(align_uniform(z, spread="mmd").item(), 4), round(align_uniform(z, spread="wasserstein").item(), 3)
    (-0.1066, 0.605)
    """
    check_views("align_uniform", z)
    check_choice("align_uniform", "spread", spread, SPREADS)
    for name, value, least in (("weight", weight, 0.0), ("t", t, 1e-9), ("eps", eps, 0.0)):
        if not least <= value < math.inf:
            kind = "positive" if least else "0 or more"
            raise ValueError(f"align_uniform: {name} must be finite and {kind}, but is {value:g}")
    return alignment_of(z) + weight * spread_of(z, spread, t, eps, directions)


@full_precision
def spread_of(z: Tensor, spread: str, t: float, eps: float, directions: Tensor | None) -> Tensor:
    """The spread term of `align_uniform`, which checks its arguments."""
    if spread == "sigreg":
        return _sigreg(z, _directions(z, directions))
    if spread == "wasserstein":
        return _wasserstein(z, eps)
    return _kernel(z, t, logarithm=spread == "gaussian")


def _squares(rows: Tensor) -> Tensor:
    return rows.square().sum(-1)


@full_precision
def alignment_of(z: Tensor) -> Tensor:
    """The alignment term of `align_uniform`."""
    views = list(z.unbind(1))
    pairs = [(a, b) for place, a in enumerate(views) for b in views[place + 1 :]]
    if not pairs:
        return nothing(z)
    return torch.stack([(_squares(a) + _squares(b) - 2 * own_similarities(a, b)).mean() for a, b in pairs]).mean()


def _kernel(z: Tensor, t: float, *, logarithm: bool) -> Tensor:
    num_samples, dim = len(z), z.shape[2]
    if num_samples < 2:
        return nothing(z)
    itself = torch.eye(num_samples, dtype=torch.bool, device=z.device)
    about = Partners(positives=lambda: torch.zeros_like(itself))
    found = []
    for rows in z.unbind(1):
        squares = _squares(rows)
        exponents = t * (2 * similarities(rows, rows, about) - squares[:, None] - squares)
        pairs = math.log(num_samples * (num_samples - 1))
        found.append(exponents.masked_fill(itself, -torch.inf).flatten().logsumexp(0) - pairs)
    logarithms = torch.stack(found)
    return logarithms.mean() if logarithm else (logarithms.exp() - _expected_kernel(dim, t)).mean()


@torch.compiler.assume_constant_result
def _expected_kernel(dim: int, t: float) -> float:
    return expected_kernel(max(dim, 2), t)


def _wasserstein(z: Tensor, eps: float) -> Tensor:
    rows = stack_views(z)
    num_rows, dim = rows.shape
    if observing() is None:
        mean = rows.mean(0)
        centred = rows - mean
        of_mean, root = _squares(mean), root_trace(centred.T @ centred / num_rows + eps * _identity(rows, dim))
        variance = _squares(centred).sum() / num_rows
    else:
        # the same of the similarities of all rows: their matrix has the eigenvalues of the covariance, and zeros
        products = similarities(rows, rows, Partners(positives=lambda: rows.new_zeros(num_rows, num_rows).bool()))
        of_mean, sums = products.mean(), products.mean(1)
        gram = (products - sums[:, None] - sums + of_mean) / num_rows
        root = root_trace((gram + gram.T) / 2 + eps * _identity(rows, num_rows)) + (dim - num_rows) * eps**0.5
        variance = _squares(rows).mean() - of_mean
    found = of_mean + 1 + variance + dim * eps - 2 / math.sqrt(dim) * root
    return found.clamp_min(torch.finfo(rows.dtype).eps ** 2).sqrt()


def _identity(like: Tensor, size: int) -> Tensor:
    return torch.eye(size, dtype=like.dtype, device=like.device)


def _sigreg(z: Tensor, directions: Tensor) -> Tensor:
    num_samples, _, dim = z.shape
    nodes = torch.linspace(0, _LAST_NODE, _NODES, dtype=z.dtype, device=z.device)
    widths = torch.full_like(nodes, 2 * _LAST_NODE / (_NODES - 1))
    widths[0] = widths[-1] = _LAST_NODE / (_NODES - 1)
    gaussian = (-nodes.square() / 2).exp()
    unknown = Partners(torch.full((directions.shape[1],), -1, device=z.device))
    found = []
    for rows in z.unbind(1):
        angles = math.sqrt(dim) * similarities(rows, directions.T, unknown)[..., None] * nodes
        real, imaginary = angles.cos().mean(0), angles.sin().mean(0)
        errors = (real - gaussian).square() + imaginary.square()
        found.append(num_samples * (errors @ (widths * gaussian)).mean())
    return torch.stack(found).mean()


def _directions(z: Tensor, given: Tensor | None) -> Tensor:
    """(D, M) unit columns."""
    dim = z.shape[2]
    if given is None:
        return torch.nn.functional.normalize(torch.randn(dim, DIRECTIONS, dtype=z.dtype, device=z.device), dim=0)
    check_vectors("align_uniform", "directions", given)
    if given.ndim == 2 and given.shape[0] != dim and given.shape[1] == dim:
        given = given.T
    check_shape("align_uniform", "directions", given, (dim, None), f"for z of {dim} dimensions")
    if not given.numel():
        raise ValueError(f"align_uniform: directions must hold at least one, but has shape {tuple(given.shape)}")
    return given.to(z)


class AlignUniformSettings(Settings):
    spread: Literal["gaussian", "wasserstein", "sigreg", "mmd"] = Field(
        "gaussian",
        description="What holds samples apart: a Gaussian kernel between all pairs, the Wasserstein distance of mean "
        "and covariance, Epps-Pulley tests along random directions (SIGReg), or the kernel's discrepancy from uniform.",
    )
    spread_weight: float = live(1.0, ge=0, le=100, description="Weight of the spread; 0.02 with SIGReg in LeJEPA.")
    alignment_weight: float = live(1.0, ge=0, le=100, description="Weight of the distance between two views.")
    t: float = live(2.0, ge=0.1, le=20, description="Sharpness of the Gaussian kernel.")
    eps: float = Field(1e-4, ge=0, le=0.1, description="What the Wasserstein spread adds to every variance.")


class AlignUniform(Probed):
    """Two views together, everything else apart, without labels: terms `alignment`, `spread` and `probe`."""

    card = Card(
        name="align_uniform",
        title="Align + spread",
        year=2020,
        idea="One pull between two views, and one of four measures of evenness in place of a contrast.",
        formula=r"L = \operatorname{mean}_i |z_i - z_i'|^2 + "
        r"\lambda \log \operatorname{mean}_{i<j} e^{-t |z_i - z_j|^2}",
        terms={r"|z_i - z_i'|^2": "pull", r"e^{-t |z_i - z_j|^2}": "push"},
        symbols={r"\lambda": "spread_weight", r"t": "t"},
        look_for="Swap the spread and hold the sphere against the uniform one. In 3-D the minimum of SIGReg is not the "
        "uniform sphere but a Gaussian off it: no unit rows come below 0.016 a sample, more than the noise from 69 on.",
        differs="Four spreads of three papers stand side by side; rows are of unit length for SIGReg too, where its "
        "code leaves them as they are.",
        sphere="The embeddings that are aligned and spread: this sphere is what training shapes.",
        paper="Wang and Isola, Understanding Contrastive Representation Learning through Alignment and Uniformity on "
        "the Hypersphere, ICML 2020, arXiv:2005.10242; Fang et al., ICLR 2024; Balestriero and LeCun, LeJEPA, 2025",
        code="https://github.com/SsnL/align_uniform",
    )
    Settings = AlignUniformSettings
    settings: AlignUniformSettings
    on_host = "the directions of SIGReg are drawn on the CPU, from the method's own generator"
    marks = (VIEWS,)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        features = self.encoder(batch.views(0, 1))
        z = self.project(features).view(2, len(batch.y), -1).transpose(0, 1)
        found = self.shape(z, self.settings, self.setup_.generator)
        return {**found, "probe": self.probe_loss(features, batch.y.repeat(2))}

    @staticmethod
    def shape(z: Tensor, s: AlignUniformSettings, generator: torch.Generator) -> dict[str, Tensor]:
        """Alignment and spread of two views z (B, 2, dim)."""
        directions = None
        if s.spread == "sigreg":
            drawn = torch.randn(z.shape[2], DIRECTIONS, generator=generator)
            directions = torch.nn.functional.normalize(drawn, dim=0).to(z)
        return {"alignment": alignment_of(z), "spread": spread_of(z, s.spread, s.t, s.eps, directions)}

    @classmethod
    def what_if(cls, scene: Scene, settings: AlignUniformSettings) -> dict[str, Tensor]:
        return cls.shape(scene.z, settings, scene.generator)

    def show(self, batch: Batch) -> dict[str, Shown]:
        """Under "views" both views of each image."""
        return {"views": Segments(self.embed(batch.view(0)), self.embed(batch.view(1)), batch.y)}

    @classmethod
    def listing(cls, settings: AlignUniformSettings) -> Listing:
        if settings.spread == "gaussian":
            spread = """\
even = sum(torch.pdist(view).square().mul(-t).exp().mean().log() for view in (one, two)) / 2
loss = alignment_weight * together + spread_weight * even"""
        else:
            drawn = f"F.normalize(torch.randn(dim, {DIRECTIONS}, generator=generator), dim=0)"
            lots = drawn if settings.spread == "sigreg" else "None"
            spread = f"""\
views = torch.stack([one, two], dim=1)
both = losses.align_uniform(
    views, spread=spread, weight=spread_weight, t=t, eps=eps, directions={lots}
)
loss = both + (alignment_weight - 1) * together"""
        return Listing(
            build=PROBE,
            trains=PROBE_TRAINS,
            step=f"""\
{TWO_VIEWS}
one, two = z.chunk(2)
together = (one - two).square().sum(1).mean()
{spread}
loss += {probe_loss("y")}
""",
        )
