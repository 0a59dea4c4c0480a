"""One table of all contrastive losses on random long-tailed batches; the laws run over every row of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ltviz import losses
from ltviz.methods.parts import fused, partition

torch.set_num_threads(1)


@dataclass(frozen=True)
class Problem:
    """Arguments of one loss, sorted by what a law does to them."""

    loss: str
    rows: dict[str, Tensor] = field(default_factory=dict)
    """Vectors on the sphere that belong to no class by position."""
    class_rows: dict[str, Tensor] = field(default_factory=dict)
    """Vectors on the sphere, row c is class c's."""
    labels: dict[str, Tensor] = field(default_factory=dict)
    class_numbers: dict[str, Tensor] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)

    def __call__(self, temperature: float | Tensor = 0.1, **options: Any) -> Tensor:
        return getattr(losses, self.loss)(**(self.arguments | {"temperature": temperature} | options))

    @property
    def arguments(self) -> dict[str, Any]:
        return self.rows | self.class_rows | self.labels | self.class_numbers | self.options

    def turned(self, change: Callable[[Tensor], Tensor]) -> Problem:
        """The problem with every vector changed."""
        each = lambda vectors: {name: change(rows) for name, rows in vectors.items()}  # noqa: E731
        return replace(self, rows=each(self.rows), class_rows=each(self.class_rows))

    def relabelled(self, new_name: Tensor) -> Problem:
        """The same problem with class c called new_name[c]; -1 keeps its meaning."""
        by_old_name = new_name.argsort()
        move = lambda values: {name: value[by_old_name] for name, value in values.items()}  # noqa: E731
        labels = {name: torch.where(y < 0, y, new_name[y]) for name, y in self.labels.items()}
        return replace(self, labels=labels, class_rows=move(self.class_rows), class_numbers=move(self.class_numbers))

    def with_gradients(self) -> Problem:
        return self.turned(lambda rows: rows.detach().clone().requires_grad_())

    @property
    def leaves(self) -> list[Tensor]:
        return [*self.rows.values(), *self.class_rows.values()]


VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "supcon": ("supcon", {}),
    "supcon first": ("supcon", {"anchors": "first"}),
    "supcon by class": ("supcon", {"average": "class"}),
    "supcon in": ("supcon", {"form": "in"}),
    "supcon in first": ("supcon", {"form": "in", "anchors": "first", "average": "class"}),
    "info_nce": ("info_nce", {}),
    "moco": ("moco", {}),
    "kcl": ("kcl", {}),
    "tsc": ("tsc", {"target_weight": 0.7}),
    "tsc paper": ("tsc", {"normalize": "paper"}),
    "bcl": ("bcl", {}),
    "bcl by class": ("bcl", {"average": "class"}),
    "gml": ("gml", {}),
    "gml exclude": ("gml", {}),
    "ntce": ("ntce", {}),
    "nonl": ("nonl", {}),
    "nonl instance": ("nonl", {"negatives": "instance"}),
    "nonl both": ("nonl", {"negatives": "both"}),
    "mixed_supcon": ("mixed_supcon", {"alpha": 0.3}),
    "sbcl": ("sbcl", {}),
    "sbcl by class": ("sbcl", {"weight": 0.7}),
}


def unit(*shape: int, generator: torch.Generator) -> Tensor:
    return F.normalize(torch.randn(*shape, generator=generator, dtype=torch.float64), dim=-1)


def build(
    variant: str, seed: int = 0, batch: int = 12, views: int = 2, dim: int = 4, classes: int = 6, num_keys: int = 20
) -> Problem:
    """A float64 problem; the batch lacks classes and has singletons, the queue has empty slots."""
    loss, options = VARIANTS[variant]
    generator = torch.Generator().manual_seed(seed)
    weights = 0.5 ** torch.arange(classes)
    draw = lambda n: torch.multinomial(weights, n + 1, replacement=True, generator=generator)[:n]  # noqa: E731
    y, keys_y = draw(batch), draw(num_keys)
    if loss in ("ntce", "nonl"):
        features, weights = unit(batch, dim, generator=generator), unit(classes, dim, generator=generator)
        return Problem(loss, {"features": features}, {"weights": weights}, {"y": y}, options=options)
    if loss == "sbcl":
        phi = {"class_temperatures": 0.05 + 0.02 * torch.arange(classes).double()} if "weight" in options else {}
        clusters = {"clusters": torch.randint(2, (batch,), generator=generator)}
        rows = {"z": unit(batch, views, dim, generator=generator)}
        return Problem(loss, rows, labels={"y": y}, class_numbers=phi, options=clusters | options)
    if loss in ("supcon", "info_nce", "bcl", "mixed_supcon"):
        return Problem(
            loss,
            rows={"z": unit(batch, views, dim, generator=generator)},
            class_rows={"prototypes": unit(classes, dim, generator=generator)} if loss == "bcl" else {},
            labels={} if loss == "info_nce" else {"y": y},
            options=options,
        )
    query, keys = unit(batch, dim, generator=generator), unit(num_keys, dim, generator=generator)
    counts = torch.arange(classes, 0, -1).double() ** 2
    if loss == "gml":
        if variant == "gml exclude":
            options = {"exclude": torch.rand(batch, num_keys, generator=generator) < 0.3}
        labels = {"y": y, "keys_y": keys_y}
        return Problem(
            loss, {"query": query, "keys": keys}, labels=labels, class_numbers={"counts": counts}, options=options
        )
    keys_y[::7] = -1
    rows = {"query": query, "key": unit(batch, dim, generator=generator), "queue": keys}
    if loss == "moco":
        return Problem(loss, rows)
    positives = (y[:, None] == keys_y) & (torch.rand(batch, num_keys, generator=generator) < 0.5)
    labels, options = {"y": y, "queue_y": keys_y}, {"positives": positives, **options}
    if loss == "kcl":
        return Problem(loss, rows, labels=labels, options=options)
    return Problem(loss, rows, {"targets": unit(classes, dim, generator=generator)}, labels, options=options)


@pytest.fixture
def problem() -> Callable[..., Problem]:
    return build


@pytest.fixture(params=list(VARIANTS))
def variant(request) -> str:
    return request.param


@pytest.fixture(params=["dense", "fused"])
def path(request, monkeypatch) -> str:
    """Run on the path of small batches, then on that of large ones, with blocks so small that there are several."""
    monkeypatch.setattr(partition, "SMALLEST_FUSED", 0 if request.param == "fused" else 1 << 60)
    monkeypatch.setattr(fused, "CPU_BLOCK_ROWS", 5)
    monkeypatch.setattr(fused, "KEPT_ELEMENTS", 150)
    return request.param


FURTHER = (
    "align_uniform",
    "align_uniform mmd",
    "align_uniform sigreg",
    "align_uniform wasserstein",
    "arb",
    "clip",
    "dot_regression",
    "geometric_harmonization",
    "ldam",
    "logit_adjusted",
    "ltml_classification",
    "ltml_consistency",
    "paco",
    "proco",
    "vmf",
    "vmf_consistency",
    "vmf_overlap",
)
"""Losses whose arguments are not those of a `Problem`."""


def build_further(variant: str) -> tuple[Callable[..., Tensor], list[Tensor]]:
    generator = torch.Generator().manual_seed(0)
    draw = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)  # noqa: E731
    y, queue_y, counts = torch.tensor([0, 2, 1, 1, 0]), torch.tensor([0, 1, -1, 2]), torch.tensor([9, 3, 1])
    rows = [unit(n, 4, generator=generator) for n in (5, 5, 4)]
    logits, labels, means = draw(5, 3), (draw(5, 3) > 0).long(), 0.7 * unit(3, 4, generator=generator)
    none = {"sigma_pos": [1.0] * 3, "mu_pos": [0.0] * 3, "sigma_neg": [1.0] * 3, "mu_neg": [0.0] * 3}
    directions = unit(3, 4, generator=generator)
    views, kappa = unit(5, 2, 4, generator=generator), torch.tensor([9.0, 20.0, 3.0], dtype=torch.float64)
    axes = unit(7, 4, generator=generator)
    found: dict[str, tuple[Callable[..., Tensor], list[Tensor]]] = {
        "arb": (lambda x, tau: losses.arb(x / tau, y), [logits]),
        "clip": (lambda a, b, tau: losses.clip(a, b, temperature=tau), rows[:2]),
        "dot_regression": (
            lambda x, tau: losses.dot_regression(x / tau, y, directions, counts=counts),
            rows[:1],
        ),
        "geometric_harmonization": (
            lambda z, tau: losses.geometric_harmonization(z, directions, temperature=tau, prior=[2, 1, 0]),
            [views],
        ),
        "ldam": (lambda x, tau: losses.ldam(x / tau, y, counts, scale=3.0, class_weights=[1, 2, 4]), [logits]),
        "logit_adjusted": (lambda x, tau: losses.logit_adjusted(x / tau, y, counts), [logits]),
        "ltml_classification": (
            lambda x, tau: losses.ltml_classification(x / tau, labels, counts, 13, **none),
            [logits],
        ),
        "ltml_consistency": (lambda a, b, tau: losses.ltml_consistency(a / tau, b), [logits, draw(5, 3)]),
        "paco": (
            lambda q, k, queue, x, tau: losses.paco(q, k, queue, x, y, queue_y, counts, temperature=tau),
            [*rows, logits],
        ),
        "proco": (lambda z, tau: losses.proco(z, y, means, counts, temperature=tau), rows[:1]),
        "vmf": (lambda z, mu, tau: losses.vmf(z, y, mu, kappa / tau, counts), [rows[0], directions]),
        "vmf_consistency": (lambda z, mu, tau: losses.vmf_consistency(z, y, mu, kappa / tau), [rows[0], directions]),
        "vmf_overlap": (lambda mu, tau: losses.vmf_overlap(mu, kappa / tau), [directions]),
    }
    if variant.startswith("align_uniform"):
        spread = variant.removeprefix("align_uniform").strip() or "gaussian"
        options = {"directions": axes} if spread == "sigreg" else {}
        return lambda z, tau: losses.align_uniform(z, spread=spread, t=0.5, **options) / tau, [views]
    return found[variant]


@pytest.fixture(params=[*VARIANTS, *FURTHER])
def any_loss(request) -> tuple[Callable[..., Tensor], list[Tensor]]:
    """Each loss as a function of its vectors and of the temperature, all float64; and small ones to give it."""
    tau = torch.tensor(0.4, dtype=torch.float64)
    if request.param in FURTHER:
        value, rows = build_further(request.param)
        return value, [*rows, tau]
    p = build(request.param, seed=3, batch=6, num_keys=9)
    names = [*p.rows, *p.class_rows]
    return lambda *given: p(given[-1], **dict(zip(names, given[:-1], strict=True))), [*p.leaves, tau]
