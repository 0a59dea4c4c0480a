"""BCE, focal loss and LTML against their formulas and their building blocks."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ltviz.methods.base import Batch, Setup
from ltviz.methods.bce import BinaryCrossEntropy, mixture_cross_entropy
from ltviz.methods.focal import Focal, focal_loss
from ltviz.methods.ltml import Ltml, batch_compensation, ltml_classification, ltml_consistency

COUNTS = torch.tensor([30.0, 12.0, 5.0])
NUM_SAMPLES = 34  # fewer than labels


def setup() -> Setup:
    torch.manual_seed(0)
    return Setup(
        encoder=nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.ReLU()),
        head=nn.Linear(8, 3),
        feature_dim=8,
        dim=3,
        counts=COUNTS,
        total_steps=10,
        generator=torch.Generator().manual_seed(0),
        num_samples=NUM_SAMPLES,
    )


def batch(seed: int, rebalanced: Batch | None = None) -> Batch:
    chance = torch.Generator().manual_seed(seed)
    labels = (torch.rand(6, 3, generator=chance) < 0.5).float()
    labels[:, 0] = 1
    image = torch.randn(6, 1, 4, 4, generator=chance)
    y = (labels * torch.arange(3)).argmax(1)
    second = None if rebalanced is None else lambda: rebalanced
    return Batch(1, torch.arange(6), y, lambda view: image, labels=labels, make_rebalanced=second)


def logits_and_labels() -> tuple[torch.Tensor, torch.Tensor]:
    chance = torch.Generator().manual_seed(5)
    return 3 * torch.randn(7, 4, generator=chance).double(), (torch.rand(7, 4, generator=chance) < 0.3).double()


def test_focal_loss_is_the_formula_entry_by_entry():
    u, y = logits_and_labels()
    total = 0.0
    for i in range(7):
        for k in range(4):
            p = torch.sigmoid(u[i, k])
            right, alpha = (p, 0.25) if y[i, k] else (1 - p, 0.75)
            total -= alpha * (1 - right) ** 2 * torch.log(right) / 28
    torch.testing.assert_close(focal_loss(u, y, gamma=2.0, alpha=0.25), total)


def test_focal_loss_without_focus_is_half_the_cross_entropy():
    u, y = logits_and_labels()
    expected = F.binary_cross_entropy_with_logits(u, y) / 2
    torch.testing.assert_close(focal_loss(u, y, gamma=0.0, alpha=0.5), expected)


def test_focal_loss_is_finite_with_its_gradient_at_sure_answers():
    u = torch.tensor([[200.0, -200.0, 0.0]], requires_grad=True)
    for y in (torch.tensor([[1.0, 0.0, 1.0]]), torch.tensor([[0.0, 1.0, 0.0]])):
        value = focal_loss(u, y, gamma=2.0, alpha=0.25)
        (gradient,) = torch.autograd.grad(value, u)
        assert torch.isfinite(value) and torch.isfinite(gradient).all()


def test_the_sphere_is_pulled_to_all_labels_alike():
    u, _ = logits_and_labels()
    y = torch.tensor([[1.0, 0, 1, 0]] * 6 + [[0.0, 0, 0, 0]]).double()
    expected = -F.log_softmax(u[:6], 1)[:, [0, 2]].mean(1).sum() / 7
    torch.testing.assert_close(mixture_cross_entropy(u, y), expected)


@pytest.mark.parametrize("kind", [BinaryCrossEntropy, Focal])
def test_the_display_does_not_steer_the_encoder(kind):
    method = kind(kind.Settings(), setup())
    method.losses(batch(1))["display"].backward()
    assert all(p.grad is None for p in (*method.encoder.parameters(), *method.classifier.parameters()))


def test_ltml_is_two_compensated_losses_and_their_agreement_on_both_batches():
    method = Ltml(Ltml.Settings(), setup())
    with torch.no_grad():  # branches that differ, and a compensation that counts
        for p in (*method.rebalanced.parameters(), method.sigma_pos, method.mu_neg):
            p += 0.3 * torch.randn(p.shape, generator=torch.Generator().manual_seed(p.numel()))
    balanced = batch(2)
    uniform = batch(1, balanced)
    f, g = (lambda x, b=b: b(method.encoder(x)) for b in (method.uniform, method.rebalanced))
    u, u_hat, r, r_hat = (branch(x.view(0)) for x, branch in ((uniform, f), (uniform, g), (balanced, g), (balanced, f)))
    own = {name: getattr(method, name) for name in ("sigma_pos", "mu_pos", "sigma_neg", "mu_neg")}
    terms = method.losses(uniform)
    torch.testing.assert_close(terms["uniform"], ltml_classification(u, uniform.labels, COUNTS, NUM_SAMPLES, **own))
    torch.testing.assert_close(terms["rebalanced"], ltml_classification(r, balanced.labels, COUNTS, NUM_SAMPLES, **own))
    torch.testing.assert_close(terms["consistency"], ltml_consistency(u, u_hat) + ltml_consistency(r, r_hat))
    weighed = method.weigh(terms) - terms["uniform"] - terms["rebalanced"] - terms["display"]
    torch.testing.assert_close(weighed, 0.1 * terms["consistency"])
    torch.testing.assert_close(method.predict(uniform.view(0)), (u + u_hat) / 2)


def test_ltml_starts_with_equal_branches_and_may_go_without_compensation():
    method = Ltml(Ltml.Settings(compensation="none"), setup())
    terms = method.losses(batch(1, batch(2)))
    assert terms["consistency"].item() == 0
    method.weigh(terms).backward()
    assert method.sigma_pos.grad is None and method.mu_neg.grad is None
    assert torch.equal(method.sigma_pos, torch.ones(3)) and torch.equal(method.mu_neg, torch.zeros(3))


def test_batch_compensation_is_the_spread_and_mean_of_each_classs_logits():
    u, y = logits_and_labels()
    y[:, 2] = 0  # a class without positives, one with a single positive, one without negatives
    y[:, 3] = 0
    y[4, 3] = 1
    y[:, 0] = 1
    found = batch_compensation(u, y)
    for k in range(4):
        for sign, sigma, mu in ((1, found.sigma_pos, found.mu_pos), (0, found.sigma_neg, found.mu_neg)):
            own = [float(u[i, k]) for i in range(7) if y[i, k] == sign]
            mean = sum(own) / max(len(own), 1)
            deviation = (sum((x - mean) ** 2 for x in own) / max(len(own), 1)) ** 0.5
            expected = (deviation, mean) if len(own) > 1 else (1.0, 0.0)
            assert (float(sigma[k]), float(mu[k])) == pytest.approx(expected)
    half = batch_compensation(u.bfloat16(), y)
    assert all(value.dtype == torch.float32 for value in half)
    torch.testing.assert_close(half.mu_neg.double(), found.mu_neg, rtol=1e-2, atol=1e-2)


def test_ltml_with_the_batchs_compensation_judges_each_branch_by_its_own_batch():
    method = Ltml(Ltml.Settings(compensation="batch"), setup())
    with torch.no_grad():
        method.rebalanced.classifier.weight += 0.3
    uniform = batch(1, batch(2))
    terms = method.losses(uniform)
    ours = method.uniform(method.encoder(uniform.view(0))).detach()
    own = batch_compensation(ours, uniform.labels)._asdict()
    torch.testing.assert_close(terms["uniform"], ltml_classification(ours, uniform.labels, COUNTS, NUM_SAMPLES, **own))
    theirs = method.rebalanced(method.encoder(uniform.rebalanced.view(0))).detach()
    labels = uniform.rebalanced.labels
    own = batch_compensation(theirs, labels)._asdict()
    torch.testing.assert_close(terms["rebalanced"], ltml_classification(theirs, labels, COUNTS, NUM_SAMPLES, **own))
    method.weigh(terms).backward()
    assert method.sigma_pos.grad is None and method.mu_neg.grad is None


def test_ltml_with_the_batchs_compensation_is_finite_without_positives():
    method = Ltml(Ltml.Settings(compensation="batch"), setup())
    bare = batch(1)
    for value in (0.0, 1.0):
        labels = torch.full((6, 3), value)
        lone = Batch(1, bare.index, bare.y, bare.view, labels=labels, make_rebalanced=lambda: batch(2))
        method.zero_grad()
        loss = method.weigh(method.losses(lone))
        loss.backward()
        assert torch.isfinite(loss) and all(p.grad.isfinite().all() for p in method.parameters() if p.grad is not None)
