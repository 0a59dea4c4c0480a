"""The class densities of ProCo: exact normalisers, gradients, means that forget."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from ltviz import losses
from ltviz.methods.proco import ClassMeans, bessel, density_logits, log_bessel


@pytest.mark.parametrize("dim", [2, 3, 4, 7, 16, 64, 128, 256, 1024])
def test_log_bessel_is_exact_where_the_official_recurrence_is_not(dim):
    kappa = np.array([1e-3, 0.5, 10.0, 100.0, 499.0, 501.0, 1e3, 1e4, 1e5])
    v = mpmath.mpf(dim) / 2 - 1
    with mpmath.workdps(30):
        expected = [float(mpmath.log(mpmath.besseli(v, x)) - v * mpmath.log(x)) for x in kappa]
    np.testing.assert_allclose(log_bessel(kappa, dim), expected, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("dim", [2, 3, 5, 40])
def test_gradients_are_those_of_finite_differences(dim):
    generator = torch.Generator().manual_seed(dim)
    z = F.normalize(torch.randn(4, dim, generator=generator, dtype=torch.float64), dim=1).requires_grad_()
    means = 0.7 * F.normalize(torch.randn(3, dim, generator=generator, dtype=torch.float64), dim=1)
    tau = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    y, counts = torch.tensor([0, 2, 1, 1]), torch.tensor([9, 3, 1])
    value = lambda z, tau: losses.proco(z, y, means, counts, temperature=tau)  # noqa: E731
    torch.autograd.gradcheck(value, (z, tau))
    torch.autograd.gradgradcheck(value, (z, tau))


def test_logits_are_the_expected_contrast():
    """log E[exp(z . v / tau)] over v ~ vMF(mu, kappa), by sampling: what the closed form stands for."""
    from ltviz import geometry

    mean = torch.tensor([[0.0, 0.6, 0.0]], dtype=torch.float64)
    z = F.normalize(torch.tensor([[1.0, 1.0, 0.5]], dtype=torch.float64), dim=1)
    kappa = 3 * 0.6 / (1 - 0.36)
    samples = geometry.sample_von_mises_fisher(np.array([0.0, 1.0, 0.0]), kappa, 200_000, seed=0)
    expected = np.log(np.exp(samples @ z[0].numpy() / 0.5).mean())
    found = density_logits(z, mean, torch.tensor(0.5, dtype=torch.float64))
    assert float(found) == pytest.approx(expected, abs=5e-3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_finite_for_one_sample_at_the_lowest_temperature(dtype):
    z = torch.tensor([[1.0, 0.0], [-1.0, 0.0]], dtype=dtype, requires_grad=True)
    value = losses.proco(z, torch.tensor([0, 0]), z.detach(), torch.tensor([5, 1]), temperature=0.01)
    (gradient,) = torch.autograd.grad(value, z)
    assert torch.isfinite(value) and torch.isfinite(gradient).all()


def test_means_start_anew_with_each_epoch():
    torch.manual_seed(0)
    means = ClassMeans(3, 2)
    first, second = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[-1.0, 0.0], [0.0, -1.0]])
    start = means.means.clone()
    y = torch.tensor([0, 0])
    means.absorb(first, y)
    torch.testing.assert_close(means.means[0], torch.tensor([0.5, 0.5]))
    assert torch.equal(means.means[1:], start[1:])
    means.tick(steps_per_epoch=1)
    means.absorb(second, y)
    torch.testing.assert_close(means.means[0], torch.zeros(2), atol=1e-6, rtol=0)
    torch.testing.assert_close(means.next_means[0], torch.tensor([-0.5, -0.5]))
    means.tick(steps_per_epoch=2)
    means.tick(steps_per_epoch=3)
    torch.testing.assert_close(means.means[0], torch.tensor([-0.5, -0.5]))
    assert torch.equal(means.means[1:], start[1:])


@pytest.mark.parametrize("dim", [2, 3, 16, 512])
def test_slope_of_the_resultant_length_is_exact(dim):
    numbers = [0.0, 1e-12, 1e-3, 0.5, 10.0, 700.0, 1e5]
    kappa = torch.tensor(numbers, dtype=torch.float64, requires_grad=True)
    (length,) = torch.autograd.grad(bessel(kappa, dim).sum(), kappa, create_graph=True)
    (slope,) = torch.autograd.grad(length.sum(), kappa)
    with mpmath.workdps(40):
        v = mpmath.mpf(dim) / 2 - 1
        ratio = lambda x: mpmath.besseli(v + 1, x) / mpmath.besseli(v, x)  # noqa: E731
        expected = [
            1 / mpmath.mpf(dim) if x < 1e-6 else 1 - ratio(x) ** 2 - (dim - 1) * ratio(x) / mpmath.mpf(x)
            for x in numbers
        ]
    np.testing.assert_allclose(slope, [float(x) for x in expected], rtol=1e-4)
