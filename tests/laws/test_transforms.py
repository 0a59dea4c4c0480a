"""Losses differentiated twice, in forward mode, under torch.func and torch.compile: the same at every size."""

from __future__ import annotations

import pytest
import torch

from ltviz import losses
from ltviz.methods.parts import partition

HOLDS_STILL = ("dot_regression", "geometric_harmonization")
"""Losses that take a part of what they are made of for constant: a length, an assignment."""
EVERY, NONE = 0, 1 << 60
"""`SMALLEST_FUSED` by which all losses take the way of large batches, or that of small ones."""


class Noted(int):
    """A number that notes whether others were compared with it."""

    asked = False

    def __gt__(self, other: int) -> bool:
        self.asked = True
        return super().__gt__(other)


def leaves(given, asked):
    return [v.clone().requires_grad_(place in asked) for place, v in enumerate(given)]


def second_gradients(value, given, place, asked):
    """Gradients in all of `asked` of a weighted sum of the gradient in one argument, which alone is named first."""
    inputs = leaves(given, asked)
    (first,) = torch.autograd.grad(value(*inputs), [inputs[place]], create_graph=True)
    weights = torch.arange(1.0, 1.0 + first.numel(), dtype=first.dtype).sin().view_as(first)
    wanted = [inputs[i] for i in asked]
    return torch.autograd.grad((first * weights).sum(), wanted, materialize_grads=True)


def test_second_derivatives_with_named_inputs_are_those_of_finite_differences(any_loss, path, request):
    value, given = any_loss
    if request.node.callspec.params["any_loss"] in HOLDS_STILL:
        pytest.skip("a part of it is held still, which finite differences are not")
    for place in range(len(given)):
        for asked in (range(len(given)), [place]):
            found = second_gradients(value, given, place, asked)
            for i, gradient in zip(asked, found, strict=True):
                step = 1e-5 * torch.arange(2.0, 2.0 + given[i].numel(), dtype=torch.float64).cos().view_as(given[i])
                ends = []
                for sign in (1, -1):
                    moved = leaves([v + sign * step if j == i else v for j, v in enumerate(given)], [place])
                    (first,) = torch.autograd.grad(value(*moved), [moved[place]])
                    weights = torch.arange(1.0, 1.0 + first.numel(), dtype=first.dtype).sin().view_as(first)
                    ends.append((first * weights).sum())
                torch.testing.assert_close((gradient * step).sum(), (ends[0] - ends[1]) / 2, rtol=1e-5, atol=1e-12)


def test_functional_transforms_give_what_autograd_gives(any_loss, path):
    value, given = any_loss
    inputs = leaves(given, range(len(given)))
    expected = torch.autograd.grad(value(*inputs), inputs)
    places = tuple(range(len(given)))
    for one, other in zip(torch.func.grad(value, argnums=places)(*given), expected, strict=True):
        torch.testing.assert_close(one, other)
    _, slope = torch.func.jvp(value, tuple(given), tuple(expected))
    torch.testing.assert_close(slope, sum(g.square().sum() for g in expected))
    with torch.autograd.forward_ad.dual_level():
        duals = [torch.autograd.forward_ad.make_dual(v, g) for v, g in zip(given, expected, strict=True)]
        found = torch.autograd.forward_ad.unpack_dual(value(*duals)).tangent
    torch.testing.assert_close(found, slope)
    stacked = torch.stack([given[0], given[0].roll(1, 0)])
    both = torch.func.vmap(value, in_dims=(0, *[None] * (len(given) - 1)))(stacked, *given[1:])
    torch.testing.assert_close(both, torch.stack([value(rows, *given[1:]) for rows in stacked]))


def test_hessian_is_that_of_autograd(any_loss, path):
    value, given = any_loss
    of_first = lambda rows: value(rows, *given[1:])  # noqa: E731
    expected = torch.autograd.functional.hessian(of_first, given[0])
    torch.testing.assert_close(torch.func.hessian(of_first)(given[0]), expected)


def assert_compiles(value, given):
    torch._dynamo.reset()
    compiled = torch.compile(value, fullgraph=True, backend="aot_eager")
    inputs, others = (leaves(given, range(len(given))) for _ in range(2))
    found, expected = compiled(*inputs), value(*others)
    torch.testing.assert_close(found, expected)
    of_found, of_expected = torch.autograd.grad(found, inputs), torch.autograd.grad(expected, others)
    for one, other in zip(of_found, of_expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("smallest", [EVERY, NONE], ids=["fused", "dense"])
def test_compiled_without_a_graph_break(any_loss, monkeypatch, smallest):
    value, given = any_loss
    size = Noted(smallest)
    monkeypatch.setattr(partition, "SMALLEST_FUSED", size)
    value(*given)
    if smallest == NONE and not size.asked:
        pytest.skip("it goes one way at every size, which is compiled above")
    monkeypatch.setattr(partition, "SMALLEST_FUSED", smallest)
    assert_compiles(value, given)


@pytest.mark.parametrize("name", ["supcon", "bcl", "moco"])
def test_compiled_where_rows_have_to_be_shifted(problem, monkeypatch, name):
    monkeypatch.setattr(partition, "SMALLEST_FUSED", EVERY)
    p = problem(name)
    names = [*p.rows, *p.class_rows]
    tau = torch.tensor(0.001, dtype=torch.float64)
    assert_compiles(lambda *rows: p(rows[-1], **dict(zip(names, rows[:-1], strict=True))), [*p.leaves, tau])


@pytest.mark.parametrize("smallest", [EVERY, NONE], ids=["fused", "dense"])
def test_compiled_gradients_of_some_arguments_and_of_transforms(problem, monkeypatch, smallest):
    monkeypatch.setattr(partition, "SMALLEST_FUSED", smallest)
    p = problem("bcl")
    z, prototypes = p.leaves
    value = lambda z: losses.bcl(z, p.labels["y"], prototypes, temperature=0.4)  # noqa: E731
    expected = torch.func.grad(value)(z)
    torch._dynamo.reset()
    compiled = torch.compile(value, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(torch.autograd.grad(compiled(z.requires_grad_()), z)[0], expected)
    assert not compiled(z.detach()).requires_grad
    slope = torch.compile(torch.func.grad(value), fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(slope(z.detach()), expected)


def test_weights_that_are_learned_have_a_gradient_at_every_size(problem, path):
    """A prior that is a parameter; the fused kernels know no gradient of it, so the plain way is taken."""
    p = problem("gml")
    counts = p.class_numbers["counts"].clone().requires_grad_()
    torch.autograd.gradcheck(lambda counts: p(counts=counts), (counts,))


def test_per_anchor_values_compile_too(problem, variant):
    p = problem(variant)
    torch._dynamo.reset()
    compiled = torch.compile(lambda: p(reduction="none"), fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(), p(reduction="none"))


def test_compiled_gml_leaves_out_queries_without_evidence():
    query, keys = torch.eye(3).double().requires_grad_(), torch.eye(3)[:2].double().requires_grad_()
    call = lambda keys_y: losses.gml(query, [0, 1, 2], keys, keys_y, [5, 3, 2], temperature=0.5)  # noqa: E731
    for keys_y in ([0, 1], [-1, 1], [-1, -1]):
        keys_y = torch.tensor(keys_y)
        torch._dynamo.reset()
        found = torch.compile(call, fullgraph=True, backend="aot_eager")(keys_y)
        torch.testing.assert_close(found, call(keys_y))
        pairs = zip(*(torch.autograd.grad(v, (query, keys)) for v in (found, call(keys_y))), strict=True)
        for one, other in pairs:
            torch.testing.assert_close(one, other)
