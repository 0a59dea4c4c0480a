"""What must not change a loss: rotations, class names, sample order, who computes it."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ltviz import losses


def gradients(p, **options):
    p = p.with_gradients()
    value = p(**options)
    return value.detach(), torch.autograd.grad(value, p.leaves)


@pytest.mark.parametrize("seed", range(3))
def test_a_rotation_changes_nothing(problem, variant, path, seed):
    p = problem(variant, seed=seed, dim=5)
    q = torch.linalg.qr(torch.randn(5, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64))[0]
    torch.testing.assert_close(p.turned(lambda rows: rows @ q)(), p())


@pytest.mark.parametrize("seed", range(3))
def test_names_of_classes_do_not_matter(problem, variant, path, seed):
    p = problem(variant, seed=seed)
    new_name = torch.randperm(6, generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(p.relabelled(new_name)(), p())


def test_supcon_takes_any_integers_as_labels(problem):
    p = problem("supcon")
    y = p.labels["y"]
    torch.testing.assert_close(losses.supcon(**p.rows, y=1000 * y - 7, temperature=0.1), p())
    torch.testing.assert_close(losses.supcon(**p.rows, y=y.int(), temperature=0.1), p())


@pytest.mark.parametrize("variant", ["supcon", "supcon in", "info_nce", "bcl"])
def test_order_of_samples_and_views_does_not_matter(problem, variant, path):
    p = problem(variant, views=3)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(0))
    labels = {name: y[order] for name, y in p.labels.items()}
    shuffled = type(p)(p.loss, {"z": p.rows["z"][order][:, [2, 0, 1]]}, p.class_rows, labels, options=p.options)
    torch.testing.assert_close(shuffled(), p())
    torch.testing.assert_close(shuffled(reduction="none"), p(reduction="none")[order][:, [2, 0, 1]])


def test_mean_of_values_is_the_value(problem, variant, path):
    p = problem(variant)
    if p.options.get("average") != "class":
        torch.testing.assert_close(p(reduction="none").mean(), p())


@pytest.mark.parametrize("variant", ["supcon by class", "bcl by class"])
def test_class_average_is_the_mean_of_class_means(problem, variant, path):
    p = problem(variant)
    values, y = p(reduction="none"), p.labels["y"]
    means = torch.stack([values[y == c].mean() for c in y.unique()])
    torch.testing.assert_close(p(), means.mean())


def test_shapes_of_values(problem, variant):
    values = problem(variant, views=3)(reduction="none")
    options = problem(variant).options
    by_view = problem(variant).rows.keys() == {"z"} and options.get("anchors") != "first"
    assert values.shape == ((12, 3) if by_view else (12,))


def test_fused_and_dense_give_the_same(problem, variant, monkeypatch):
    from ltviz.methods.parts import fused, partition

    p = problem(variant, batch=40, num_keys=50)
    found = {}
    for path, smallest in (("dense", 1 << 60), ("fused", 0), ("row by row", 0), ("as on a GPU", 0)):
        monkeypatch.setattr(partition, "SMALLEST_FUSED", smallest)
        monkeypatch.setattr(fused, "CPU_BLOCK_ROWS", 7)
        monkeypatch.setattr(fused, "KEPT_ELEMENTS", 600)
        if path == "row by row":
            monkeypatch.setattr(fused, "LARGEST_LOGIT", {torch.float64: 0.0})
        monkeypatch.setattr(partition, "reads_are_free", lambda x, free=path != "as on a GPU": free)
        tau = torch.tensor(0.2, dtype=torch.float64, requires_grad=True)
        q = p.with_gradients()
        value = 3 * q(tau)
        found[path] = [value.detach(), *torch.autograd.grad(value, [tau, *q.leaves])]
    for path in ("fused", "row by row", "as on a GPU"):
        for have, want in zip(found[path], found["dense"], strict=True):
            torch.testing.assert_close(have, want, rtol=1e-9, atol=1e-11)


@settings(deadline=None, max_examples=40)
@given(
    batch=st.integers(1, 9),
    views=st.integers(1, 4),
    dim=st.integers(2, 7),
    classes=st.integers(1, 5),
    temperature=st.floats(0.02, 3.0),
    seed=st.integers(0, 1000),
)
def test_in_form_is_never_above_out_form(batch, views, dim, classes, temperature, seed):
    generator = torch.Generator().manual_seed(seed)
    z = torch.nn.functional.normalize(torch.randn(batch, views, dim, generator=generator, dtype=torch.float64), dim=2)
    y = torch.randint(classes, (batch,), generator=generator)
    outside = losses.supcon(z, y, temperature=temperature, reduction="none")
    inside = losses.supcon(z, y, temperature=temperature, form="in", reduction="none")
    assert (inside <= outside + 1e-9).all() and (inside >= -1e-9).all()


@settings(deadline=None, max_examples=40)
@given(num_keys=st.integers(0, 30), k=st.integers(0, 12), seed=st.integers(0, 1000))
def test_drawn_positives_are_k_of_the_class_without_replacement(num_keys, k, seed):
    from ltviz.methods.kcl import draw_positives

    generator = torch.Generator().manual_seed(seed)
    y, queue_y = (torch.randint(-1, 4, (n,), generator=generator) for n in (9, num_keys))
    y = y.clamp_min(0)
    drawn = draw_positives(y, queue_y, k, generator)
    available = y[:, None] == queue_y
    assert not (drawn & ~available).any()
    assert torch.equal(drawn.sum(1), available.sum(1).clamp_max(k))


def test_drawing_is_uniform():
    from ltviz.methods.kcl import draw_positives

    generator = torch.Generator().manual_seed(0)
    queue_y = torch.tensor([0, 1, 0, 0, 1, 0, 0])
    drawn = draw_positives(torch.zeros(6000, dtype=torch.int64), queue_y, 2, generator).double().mean(0)
    torch.testing.assert_close(drawn, 0.4 * (queue_y == 0).double(), atol=0.025, rtol=0)


@pytest.mark.parametrize("variant", ["kcl", "tsc"])
def test_drawing_follows_the_generator(problem, variant):
    p = problem(variant, num_keys=60)
    del p.options["positives"]
    seeded = lambda seed: p(k=2, generator=torch.Generator().manual_seed(seed))  # noqa: E731
    assert torch.equal(seeded(1), seeded(1))
    assert not torch.equal(seeded(1), seeded(2))
    assert torch.equal(p(k=60), p(k=None)), "k that reaches everything takes everything"
