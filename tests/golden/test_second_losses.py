"""Values and gradients of the second set of `ltviz.losses` against the official code, in float64; as `test_losses`.

`out__per_anchor` is one value an anchor, whose mean is `out__loss`; `grad_<name>__<input>` belongs to `out__<name>`.
"""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ltviz import losses

HERE = Path(__file__).parent
RTOL, ATOL = 1e-9, 1e-10


def cases(*folders: str):
    files = [file for folder in folders for file in sorted((HERE / folder).glob("*.npz"))]
    assert files, f"no golden files in {folders}"
    return pytest.mark.parametrize("case", files, ids=lambda file: file.stem, indirect=True)


def check(case, name: str, *given, wanted: Tensor | None = None, factor: float = 1.0, **options) -> None:
    """The loss, its gradients in all given `(input, gradient)` pairs, and its values by anchor."""
    rows = [value.clone().requires_grad_() if want is not None else value for value, want in given]
    loss = getattr(losses, name)
    value = factor * loss(*rows, **options)
    torch.testing.assert_close(value.detach(), case.out.loss if wanted is None else wanted, rtol=RTOL, atol=ATOL)
    leaves = [row for row, (_, want) in zip(rows, given, strict=True) if want is not None]
    found = torch.autograd.grad(value, leaves)
    for have, want in zip(found, [want for _, want in given if want is not None], strict=True):
        torch.testing.assert_close(have, want, rtol=RTOL, atol=ATOL)
    if "reduction" not in inspect.signature(loss).parameters:
        return
    values = factor * loss(*rows, reduction="none", **options).detach()
    torch.testing.assert_close(values.mean(), value.detach(), rtol=1e-12, atol=1e-12)
    if hasattr(case.out, "per_anchor"):
        torch.testing.assert_close(values, case.out.per_anchor, rtol=RTOL, atol=ATOL)


@cases("dot_regression")
def test_dot_regression(case):
    i, counts = case.input, None
    if case.meta["lengths"] == "batch":
        counts = torch.bincount(i.labels, minlength=len(i.classifier_CxD))
    elif case.meta["lengths"] == "counts":
        counts = i.class_counts
    given = (i.features, case.grad.features), (i.labels, None), (i.classifier_CxD, None)
    check(case, "dot_regression", *given, counts=counts)
    check(case, "dot_regression", *given, lengths=case.out.lengths)


@cases("dot_regression")
def test_official_lengths_are_a_mean_over_classes(case):
    if case.meta["lengths"] != "batch" or "any length" in case.meta["description"]:
        return
    i = case.input
    values = losses.dot_regression(i.features, i.labels, i.classifier_CxD, reduction="none")
    means = [values[i.labels == c].mean() for c in i.labels.unique()]
    torch.testing.assert_close(torch.stack(means).mean(), case.out.loss)


@cases("ldam")
def test_ldam(case):
    i, p = case.input, case.param
    given = (i.logits, case.grad.logits), (i.labels, None), (i.class_counts, None)
    weights = getattr(i, "class_weight", None)
    check(case, "ldam", *given, max_margin=float(p.max_margin), scale=float(p.scale), class_weights=weights)


@cases("ntce", "nonl")
def test_ntce_and_nonl(case):
    i, name = case.input, case.meta["method"]
    given = (i.features, case.grad.features), (i.labels, None), (i.weights_CxD, case.grad.weights_CxD)
    options = {"negatives": case.meta["negatives"]} if name == "nonl" else {}
    check(case, name, *given, temperature=float(case.param.temperature), **options)


@cases("nonl_edge")
def test_nonl_is_finite_where_the_official_code_is_not(case):
    assert not torch.isfinite(case.out.loss)
    features, weights = case.input.features.requires_grad_(), case.input.weights_CxD.requires_grad_()
    for negatives in ("class", "instance", "both"):
        options = {"temperature": float(case.param.temperature), "negatives": negatives}
        value = losses.nonl(features, case.input.labels, weights, **options)
        assert all(t.isfinite().all() for t in (value, *torch.autograd.grad(value, [features, weights])))
        if negatives == "class" and len(case.input.labels.unique()) == 1:
            assert value == 0, "an anchor without negatives counts as nothing"


@cases("arb")
def test_arb(case):
    i = case.input
    counts = getattr(i, "class_counts", None)
    check(case, "arb", (i.logits, case.grad.logits), (i.labels, None), counts=counts)
    if counts is not None:
        torch.testing.assert_close(losses.logit_adjusted(i.logits, i.labels, counts), case.out.loss)


@cases("arb_edge")
def test_arb_does_not_clamp(case):
    found = losses.arb(case.input.logits, case.input.labels, counts=case.input.class_counts)
    torch.testing.assert_close(found, case.ref.unclamped_loss, rtol=RTOL, atol=ATOL)


@cases("vmf")
def test_vmf(case):
    i, grad = case.input, case.grad
    rows, means = (i.features, grad.features), (i.means_CxD, grad.means_CxD)
    check(case, "vmf", rows, (i.labels, None), means, (i.kappa, grad.kappa), (i.class_counts, None))


@cases("vmf")
def test_vmf_overlap_and_consistency(case):
    i, share = case.input, 1 - 1 / len(case.input.kappa)
    overlap, consistency = case.grad_overlap, case.grad_consistency
    given = (i.means_CxD, overlap.means_CxD), (i.kappa, overlap.kappa)
    check(case, "vmf_overlap", *given, wanted=case.out.overlap, factor=share)
    torch.testing.assert_close(losses.vmf_overlap(i.means_CxD, i.kappa), case.out.overlap_textbook)
    given = (i.features, consistency.features), (i.labels, None), (i.means_CxD, consistency.means_CxD)
    check(case, "vmf_consistency", *given, (i.kappa, consistency.kappa), wanted=case.out.consistency)


@cases("mixed_supcon")
def test_mixed_supcon(case):
    i, p = case.input, case.param
    options = {"temperature": float(p.temperature)}
    check(case, "mixed_supcon", (i.features, case.grad.features), (i.labels, None), alpha=float(p.alpha), **options)
    supcon, info_nce = losses.supcon(i.features, i.labels, **options), losses.info_nce(i.features, **options)
    torch.testing.assert_close(losses.mixed_supcon(i.features, i.labels, alpha=1.0, **options), supcon)
    torch.testing.assert_close(losses.mixed_supcon(i.features, i.labels, alpha=0.0, **options), info_nce)


@cases("sbcl")
def test_sbcl(case):
    i, p = case.input, case.param
    tau, base = float(p.temperature), float(p.base_temperature)
    options = {"temperature": tau, "class_temperatures": i.class_temperatures, "weight": float(p.gamma) * base / tau}
    given = (i.features, case.grad.features), (i.labels, None), (i.clusters, None)
    check(case, "sbcl", *given, factor=tau / base, **options)


@cases("geometric_harmonization")
def test_geometric_harmonization(case):
    i, p = case.input, case.param
    options = {"temperature": float(p.temperature), "sinkhorn_temperature": float(p.sinkhorn_temperature)}
    options |= {"prior": getattr(i, "prior", None), "iterations": int(p.iterations)}
    check(case, "geometric_harmonization", (i.features, case.grad.features), (i.targets_KxD, None), **options)


@cases("align_uniform_loss")
def test_align_uniform(case):
    i, p = case.input, case.param
    options = {name: float(getattr(p, name)) for name in ("weight", "t", "eps") if hasattr(p, name)}
    options |= {"spread": case.meta["spread"], "directions": getattr(i, "directions_DxM", None)}
    check(case, "align_uniform", (i.features, case.grad.features), **options)
    torch.testing.assert_close(losses.align_uniform(i.features, **options | {"weight": 0.0}), case.out.alignment)


@cases("cosine_temperature")
def test_cosine_temperature(case):
    p = case.param
    options = {"low": float(p.low), "high": float(p.high), "period": int(p.period)}
    found = [losses.cosine_temperature(int(epoch), **options) for epoch in case.input.epoch]
    torch.testing.assert_close(torch.tensor(found, dtype=torch.float64), case.ref.exact, rtol=1e-12, atol=0)
    torch.testing.assert_close(
        torch.tensor(found, dtype=torch.float64), case.out.temperature.double(), rtol=0, atol=1e-6
    )
