"""Where published code gives NaN: lone samples, empty classes, equal points, low temperature, 16-bit numbers."""

from __future__ import annotations

import math

import pytest
import torch

from ltviz import losses

LOWEST = 0.01


def value_and_gradients(p, temperature=0.1, **options):
    p = p.with_gradients()
    value = p(temperature, **options)
    return [value.detach(), *torch.autograd.grad(value, p.leaves)]


def assert_finite(found):
    for tensor in found:
        assert torch.isfinite(tensor).all()


@pytest.mark.parametrize("temperature", [LOWEST, 0.1, 5.0])
@pytest.mark.parametrize(("batch", "views"), [(1, 1), (1, 2), (3, 1), (6, 2)])
def test_finite_for_singletons_and_absent_classes(problem, variant, path, batch, views, temperature):
    p = problem(variant, batch=batch, views=views, classes=6)
    if "y" in p.labels:
        p.labels["y"][:] = torch.arange(batch) % 6
    assert_finite(value_and_gradients(p, temperature))
    assert_finite(value_and_gradients(p, temperature)[1:])
    assert torch.isfinite(p(temperature, reduction="none")).all()


def test_finite_with_one_class_in_the_batch(problem, variant, path):
    p = problem(variant)
    if "y" in p.labels:
        p.labels["y"][:] = 2
    assert_finite(value_and_gradients(p))


@pytest.mark.parametrize("variant", ["moco", "kcl", "tsc", "gml"])
def test_finite_with_an_empty_queue(problem, variant, path):
    for p in (problem(variant, num_keys=0), problem(variant, num_keys=3)):
        for name in ("queue_y", "keys_y"):
            if name in p.labels:
                p.labels[name][:] = -1
        assert_finite(value_and_gradients(p))


def test_an_anchor_without_positives_counts_as_nothing_but_stays_in_the_mean():
    z = torch.nn.functional.normalize(torch.randn(3, 1, 4, generator=torch.Generator().manual_seed(0)), dim=2)
    values = losses.supcon(z, torch.tensor([0, 0, 1]), temperature=0.1, reduction="none")
    assert values[2] == 0 and (values[:2] > 0).all()
    torch.testing.assert_close(losses.supcon(z, torch.tensor([0, 0, 1]), temperature=0.1), values.sum() / 3)


@pytest.mark.parametrize("form", ["out", "in"])
def test_equal_points_give_the_log_of_their_number(path, form):
    z = torch.zeros(5, 2, 3, dtype=torch.float64)
    z[..., 0] = 1
    y = torch.zeros(5, dtype=torch.int64)
    value = float(losses.supcon(z, y, temperature=0.1, form=form))
    # "in" has the positives' mean inside: all ten rows alike leave log(9) as well
    assert value == pytest.approx(math.log(9), rel=1e-12)


def test_duplicated_points_are_finite_and_equal(problem, variant, path):
    p = problem(variant)
    twin = p.turned(lambda rows: rows[:1].expand_as(rows) if rows.ndim == 2 else rows[:1, :1].expand_as(rows))
    assert_finite(value_and_gradients(twin, LOWEST))
    values = twin(LOWEST, reduction="none")
    if variant == "info_nce":
        torch.testing.assert_close(values, torch.full_like(values, math.log(values.numel() - 1)))


@pytest.mark.parametrize("opposite", [False, True])
def test_float32_at_the_lowest_temperature_agrees_with_float64(problem, variant, path, opposite):
    p = problem(variant, dim=3)
    if opposite:
        # every positive on the far side of its anchor: the own class's sum is exp(-200) of the others'
        pole = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
        for name, rows in p.rows.items():
            rows[:] = pole + 1e-3 * rows
            if name in ("key", "keys", "queue"):
                rows.neg_()
            if name == "z":
                rows[::2].neg_()
        p = p.turned(lambda rows: torch.nn.functional.normalize(rows, dim=-1))
    exact = value_and_gradients(p, LOWEST)
    single = value_and_gradients(p.turned(lambda rows: rows.float()), LOWEST)
    assert_finite(single)
    assert float(single[0]) == pytest.approx(float(exact[0]), rel=1e-3, abs=1e-4)
    for have, want in zip(single[1:], exact[1:], strict=True):
        assert float((have - want).norm()) <= 1e-2 * float(want.norm()) + 1e-4


def test_gml_sees_an_own_class_far_below_the_others():
    """The own keys are opposite the query and the other class's beside it: exp underflows under a common maximum."""
    query = torch.tensor([[0.0, 0.0, 1.0]], requires_grad=True)
    keys = torch.tensor([[0.0, 0.0, -1.0], [0.0, 0.0, 1.0]])
    arguments = (query, torch.tensor([0]), keys, torch.tensor([0, 1]), torch.ones(2))
    value = losses.gml(*arguments, temperature=LOWEST)
    assert float(value.detach()) == pytest.approx(200.0, rel=1e-6)
    (gradient,) = torch.autograd.grad(value, query)
    torch.testing.assert_close(gradient, torch.tensor([[0.0, 0.0, 200.0]]))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_sixteen_bit_features_are_summed_in_float32(problem, variant, path, dtype):
    rounded = problem(variant).turned(lambda rows: rows.to(dtype))
    exact = value_and_gradients(rounded.turned(lambda rows: rows.double()), 0.05)
    found = value_and_gradients(rounded, 0.05)
    assert found[0].dtype == torch.float32
    assert float(found[0]) == pytest.approx(float(exact[0]), rel=1e-4)
    for have, want in zip(found[1:], exact[1:], strict=True):
        assert have.dtype == dtype
        torch.testing.assert_close(have.double(), want, rtol=2e-2, atol=2e-2)


def test_autocast_does_not_reach_into_a_loss(problem, variant, path):
    p = problem(variant).turned(lambda rows: rows.float())
    expected = value_and_gradients(p)
    q = p.with_gradients()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = q()
    found = [value.detach(), *torch.autograd.grad(value, q.leaves)]
    for have, want in zip(found, expected, strict=True):
        torch.testing.assert_close(have, want)


def test_gml_gives_no_weight_to_a_class_without_keys(problem):
    p = problem("gml")
    p.labels["keys_y"][p.labels["keys_y"] == 1] = -1
    values = p(reduction="none")
    judged = torch.isin(p.labels["y"], p.labels["keys_y"])
    assert not judged.all() and (values[~judged] == 0).all() and (values[judged] > 0).all()
    _, gradient, _ = value_and_gradients(p)
    assert (gradient[~judged] == 0).all() and (gradient[judged] != 0).any()


def test_gml_excluded_keys_leave_the_class_mean(problem):
    p = problem("gml", batch=1)
    exclude = torch.zeros(1, 20, dtype=torch.bool)
    exclude[0, 3:9] = True
    kept = ~exclude[0]
    expected = losses.gml(
        p.rows["query"],
        p.labels["y"],
        p.rows["keys"][kept],
        p.labels["keys_y"][kept],
        **p.class_numbers,
        temperature=0.1,
    )
    torch.testing.assert_close(p(exclude=exclude), expected)


@pytest.mark.parametrize("tau", [0.0, 1.0, 2.0])
def test_a_class_without_training_samples_has_a_finite_prior(tau):
    logits = torch.randn(4, 3, generator=torch.Generator().manual_seed(0), requires_grad=True)
    value = losses.logit_adjusted(logits, torch.tensor([0, 1, 2, 2]), torch.tensor([9, 1, 0]), tau=tau)
    assert_finite([value.detach(), *torch.autograd.grad(value, logits)])
    if tau == 0:
        torch.testing.assert_close(value, torch.nn.functional.cross_entropy(logits, torch.tensor([0, 1, 2, 2])))


def test_ltml_is_finite_at_huge_logits():
    u = torch.tensor([[300.0, -300.0]], requires_grad=True)
    one, none = torch.ones(2), torch.zeros(2)
    value = losses.ltml_classification(
        u, torch.tensor([[0, 1]]), one, 2, sigma_pos=one, mu_pos=none, sigma_neg=one, mu_neg=none
    )
    assert float(value.detach()) == pytest.approx(300 * math.exp(0.5), rel=1e-6)
    assert_finite(torch.autograd.grad(value, u))
