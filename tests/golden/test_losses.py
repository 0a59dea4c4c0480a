"""Values and gradients of `ltviz.losses` against the official code, run once on CPU in float64.

Each npz holds `input__*`, `param__*`, sometimes `mask__*`, and the official `out__*` and `grad__*`; see `source` in
its `meta__json`. Official losses multiply by temperature / base_temperature; ours do not, so the tests do it outside.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from ltviz import losses
from ltviz.methods import proco as proco_module

HERE = Path(__file__).parent
RTOL, ATOL = 1e-9, 1e-10


def cases(*folders: str):
    files = [file for folder in folders for file in sorted((HERE / folder).glob("*.npz"))]
    assert files, f"no golden files in {folders}"
    return pytest.mark.parametrize("case", files, ids=lambda file: file.stem, indirect=True)


def free(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.clone().requires_grad_()


def check(loss, expected, *pairs, rtol=RTOL, atol=ATOL):
    """`loss` equals `expected`; each (tensor, gradient) pair agrees."""
    torch.testing.assert_close(loss.detach(), expected, rtol=rtol, atol=atol)
    found = torch.autograd.grad(loss, [tensor for tensor, _ in pairs])
    for have, (_, want) in zip(found, pairs, strict=True):
        torch.testing.assert_close(have, want, rtol=rtol, atol=atol)


def both_ways(values: torch.Tensor, mean: torch.Tensor) -> None:
    """The mean of reduction="none" is reduction="mean"."""
    torch.testing.assert_close(values.mean(), mean, rtol=1e-12, atol=1e-12)


@cases("supcon_out")
def test_supcon_out(case):
    z, scale = free(case.input.features), case.param.temperature / case.param.base_temperature
    anchors = "all" if case.meta["contrast_mode"] == "all" else "first"
    options = {"temperature": float(case.param.temperature), "anchors": anchors}
    loss = losses.supcon(z, case.input.labels, **options)
    both_ways(losses.supcon(z, case.input.labels, reduction="none", **options), loss)
    check(loss * scale, case.out.loss, (z, case.grad.features))


@cases("supcon_in")
def test_supcon_in(case):
    z, scale = free(case.input.features), case.param.temperature / case.param.base_temperature
    options = {"temperature": float(case.param.temperature), "form": "in"}
    loss = losses.supcon(z, case.input.labels, **options)
    both_ways(losses.supcon(z, case.input.labels, reduction="none", **options), loss)
    check(loss * scale, case.out.loss, (z, case.grad.features))


@cases("simclr")
def test_info_nce(case):
    z, temperature = free(case.input.features), float(case.param.temperature)
    values = losses.info_nce(z, temperature=temperature, reduction="none")
    if case.meta["contrast_mode"] == "one":
        loss = values[:, 0].mean()
    else:
        loss = losses.info_nce(z, temperature=temperature)
        both_ways(values, loss)
    check(loss * temperature / case.param.base_temperature, case.out.loss, (z, case.grad.features))


@cases("bcl")
def test_bcl(case):
    z, prototypes = free(case.input.features), free(case.input.prototypes)
    options = {"temperature": float(case.param.temperature)}
    loss = losses.bcl(z, case.input.labels, prototypes, **options)
    both_ways(losses.bcl(z, case.input.labels, prototypes, reduction="none", **options), loss)
    check(loss, case.out.loss, (z, case.grad.features), (prototypes, case.grad.prototypes))


@cases("logit_adjust")
def test_logit_adjusted(case):
    logits, y, counts = free(case.input.logits), case.input.labels, case.input.class_counts
    values = losses.logit_adjusted(logits, y, counts, tau=float(case.param.tau), reduction="none")
    if case.meta["description"].split("class_weight=")[1].startswith("none"):
        loss = losses.logit_adjusted(logits, y, counts, tau=float(case.param.tau))
        both_ways(values, loss)
    else:
        weight = (1.0 / counts.double())[y]
        loss = (values * weight).sum() / weight.sum()
    check(loss, case.out.loss, (logits, case.grad.logits))


@cases("moco")
def test_moco(case):
    raw = free(case.input.query_raw)
    arguments = (F.normalize(raw, dim=1), case.input.key_unit, case.input.queue_KxD)
    loss = losses.moco(*arguments, temperature=float(case.param.temperature))
    both_ways(losses.moco(*arguments, temperature=float(case.param.temperature), reduction="none"), loss)
    check(loss, case.out.loss, (raw, case.grad.query_raw))


@cases("kcl")
def test_kcl(case):
    raw, i = free(case.input.query_raw), case.input
    arguments = (F.normalize(raw, dim=1), i.key_unit, i.queue_KxD, i.labels, i.queue_labels)
    options = {"temperature": float(case.param.temperature), "positives": case.out.soft_labels[:, 1:] > 0}
    loss = losses.kcl(*arguments, **options)
    both_ways(losses.kcl(*arguments, reduction="none", **options), loss)
    # the official soft labels are float32 numbers
    check(loss, case.out.loss, (raw, case.grad.query_raw), rtol=1e-7, atol=1e-6)
    num_available = (i.labels[:, None] == i.queue_labels).sum(1)
    k = int(case.param.k)
    expected = num_available if k < 0 else num_available.clamp_max(k)
    assert torch.equal((case.out.soft_labels[:, 1:] > 0).sum(1), expected), "k_i = min(k, available)"
    drawn = {"temperature": options["temperature"], "k": None if k < 0 else k, "order": "official"}
    raw = free(case.input.query_raw)
    loss = losses.kcl(F.normalize(raw, dim=1), *arguments[1:], **drawn)
    check(loss, case.out.loss, (raw, case.grad.query_raw), rtol=1e-7, atol=1e-6)


@cases("kcl_tscrepo")
def test_kcl_of_the_tsc_repository(case):
    raw, i = free(case.input.query_raw), case.input
    loss = losses.kcl(
        F.normalize(raw, dim=1),
        i.key_unit,
        i.queue_KxD,
        i.labels,
        i.queue_labels,
        temperature=float(case.param.temperature),
        positives=case.mask.positives_class[:, 1:] > 0,
    )
    check(loss, case.out.loss, (raw, case.grad.query_raw))


@cases("tsc")
def test_tsc(case):
    raw, i = free(case.input.query_raw), case.input
    targets = i.targets_CxD[case.out.match_target_index_of_class]
    query, temperature = F.normalize(raw, dim=1), float(case.param.temperature)
    arguments = (query, i.key_unit, i.queue_KxD, i.labels, i.queue_labels, targets)
    options = {
        "temperature": temperature,
        "target_weight": float(case.param.target_weight),
        "positives": case.mask.positives_class[:, 1 : 1 + len(i.queue_KxD)] > 0,
    }
    loss = losses.tsc(*arguments, **options)
    both_ways(losses.tsc(*arguments, reduction="none", **options), loss)
    check(loss, case.out.loss, (raw, case.grad.query_raw))


@cases("gml")
def test_gml(case):
    i, p = case.input, case.param
    query, keys, logits = free(i.query), free(i.keys), free(i.cosine_logits)
    log_temperature = p.temperature.log().reshape(1).requires_grad_()
    arguments = (i.query_labels, keys, i.key_labels, i.class_counts)
    contrast = losses.gml(query, *arguments, temperature=float(p.temperature))
    both_ways(losses.gml(query, *arguments, temperature=float(p.temperature), reduction="none"), contrast)
    same_image = i.query_image_index[:, None] == i.key_image_index
    of_temperature = losses.gml(
        query.detach(),
        i.query_labels,
        keys.detach(),
        i.key_labels,
        i.class_counts,
        temperature=log_temperature.exp()[0],
        exclude=same_image,
    )
    scaled = logits / p.T_s
    loss = p.gamma_ce * losses.logit_adjusted(scaled, i.query_labels, i.class_counts)
    loss = loss + p.beta_contrast * (contrast + of_temperature)
    if float(p.alpha_kd):
        teacher = F.softmax(i.teacher_cosine_logits / p.T_s / p.kd_T, dim=1)
        student = F.log_softmax(scaled / p.kd_T, dim=1)
        loss = loss + p.alpha_kd * F.kl_div(student, teacher, reduction="batchmean") * p.kd_T**2
    pairs = [(query, case.grad.query), (keys, case.grad.keys), (logits, case.grad.cosine_logits)]
    check(loss, case.out.loss, *pairs, (log_temperature, case.grad.log_temperature))


@cases("gml_edge")
def test_gml_is_finite_where_the_official_code_is_not(case):
    i = case.input
    assert torch.isnan(case.out.loss)
    query, keys = free(i.query), free(i.keys)
    arguments = (query, i.query_labels, keys, i.key_labels, i.class_counts)
    values = losses.gml(*arguments, temperature=float(case.param.temperature), reduction="none")
    loss = losses.gml(*arguments, temperature=float(case.param.temperature))
    assert set(range(len(i.class_counts))) - set(i.key_labels.tolist()) == {3}
    assert torch.isfinite(values).all() and (values > 0).all()
    both_ways(values, loss)
    without_the_empty_class = losses.gml(*arguments[:-1], i.class_counts[:3], temperature=float(case.param.temperature))
    torch.testing.assert_close(loss, without_the_empty_class)
    assert all(torch.isfinite(g).all() for g in torch.autograd.grad(loss, [query, keys]))


@cases("ltml")
def test_ltml(case):
    i, p = case.input, case.param
    u, u_hat, r, r_hat = (free(t) for t in (i.u, i.u_hat, i.r, i.r_hat))
    names = ("sigma_pos", "mu_pos", "sigma_neg", "mu_neg")
    compensation = {name: free(getattr(p, name)) for name in names}
    classify = lambda logits, labels: losses.ltml_classification(  # noqa: E731
        logits, labels, i.class_counts, float(p.num_train), **compensation
    )
    uniform, rebalanced = classify(u, i.labels_uniform), classify(r, i.labels_rebalanced)
    torch.testing.assert_close(uniform.detach(), case.out.cls_uniform, rtol=RTOL, atol=ATOL)
    torch.testing.assert_close(rebalanced.detach(), case.out.cls_rebalanced, rtol=RTOL, atol=ATOL)
    consistency = losses.ltml_consistency(u, u_hat) + losses.ltml_consistency(r, r_hat)
    loss = uniform + rebalanced + getattr(p, "lambda") * consistency
    pairs = [(u, case.grad.u), (u_hat, case.grad.u_hat), (r, case.grad.r), (r_hat, case.grad.r_hat)]
    check(loss, case.out.loss, *pairs, *((compensation[name], getattr(case.grad, name)) for name in names))


@cases("paco")
def test_paco(case):
    i, p = case.input, case.param
    features, logits = free(i.features), free(i.sup_logits)
    n = len(logits)
    loss = losses.paco(
        features[:n],
        features[n : 2 * n],
        features[2 * n :],
        logits,
        i.labels_all_rows[:n],
        i.labels_all_rows[2 * n :],
        i.class_counts,
        temperature=float(p.temperature),
        alpha=float(p.alpha),
        beta=float(p.beta),
        gamma=float(p.gamma),
        centre_temperature=float(p.supt),
    )
    # the official code adds 1e-9 and 1e-12 inside its logarithms and has float32 masks
    pairs = [(features, case.grad.features), (logits, case.grad.sup_logits)]
    check(loss, case.out.loss, *pairs, rtol=1e-5, atol=1e-6)


@cases("proco")
def test_proco(case):
    i, z = case.input, free(case.input.features)
    means = case.state_old_after.Ave
    tau = torch.tensor(float(case.param.temperature), dtype=torch.float64)
    kappa, _ = proco_module.fit_densities(means)
    torch.testing.assert_close(kappa, case.state_old_after.kappa, rtol=1e-9, atol=1e-9)
    logits = proco_module.density_logits(z, means, tau)
    # not against out__contrast_logits: the official recurrence for Bessel functions is off by up to 1e-2 there
    torch.testing.assert_close(logits.detach(), case.ref.exact_logits, rtol=1e-8, atol=1e-8)
    loss = losses.proco(z, i.labels, means, i.class_counts, temperature=float(tau))
    torch.testing.assert_close(loss, losses.logit_adjusted(logits, i.labels, i.class_counts))
    if z.shape[1] < 32:
        return
    assert float(loss.detach()) == pytest.approx(float(case.out.loss), rel=3e-3)
    (gradient,) = torch.autograd.grad(loss, z)
    assert float((gradient - case.grad.features).norm() / case.grad.features.norm()) < 1e-2


@cases("proco")
def test_proco_means_are_the_official_running_means(case):
    before, after = case.state_old_before, case.state_old_after
    means = proco_module.ClassMeans(*before.Ave.shape).double()
    means.means.copy_(before.Ave), means.amounts.copy_(before.Amount)
    means.next_means.copy_(case.state_new_before.Ave), means.next_amounts.copy_(case.state_new_before.Amount)
    means.absorb(case.input.features, case.input.labels)
    torch.testing.assert_close(means.means, after.Ave, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(means.amounts, after.Amount, rtol=1e-9, atol=1e-12)
