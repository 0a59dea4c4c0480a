"""What a loss takes but says a word about; and lists and arrays, which it takes as they are meant."""

from __future__ import annotations

import inspect
import re
import warnings

import numpy as np
import pytest
import torch

from ltviz import losses
from ltviz.methods.parts import partition, watch


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """A process that has said nothing yet."""
    monkeypatch.setattr(watch, "_calls", type(watch._calls)())
    monkeypatch.setattr(watch, "_said", set())


def test_rows_that_are_not_of_unit_length_are_named_once(problem, variant):
    p = problem(variant)
    for name, rows in (p.rows | p.class_rows).items():
        watch._calls.clear()
        with pytest.warns(RuntimeWarning, match=f"^{p.loss}: {name} should hold unit rows .* long") as said:
            p(**{name: 3 * rows})
        assert len(said) == 1 and said[0].filename == problem.__code__.co_filename, "where the loss was called"
        watch._calls.clear()
        p(**{name: 3 * rows})


@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_a_row_that_is_not_finite_is_named_at_any_step(problem, variant, reduction):
    p = problem(variant)
    for _ in range(5):
        p(reduction=reduction)
    name, rows = next(iter(p.rows.items()))
    rows[1] = torch.nan
    with pytest.warns(RuntimeWarning, match=f"^{p.loss}: {name} holds NaN or infinity in") as said:
        p(reduction=reduction)
        p(reduction=reduction)
    assert len(said) == 1


def test_lengths_are_looked_at_ever_more_rarely(problem, monkeypatch):
    looks = []
    monkeypatch.setattr(watch, "_look", lambda *_: looks.append(watch._calls["moco"]))
    p = problem("moco")
    for _ in range(20):
        p()
    assert looks == [1, 2, 4, 8, 16]


def test_what_is_meant_is_not_warned_of(problem):
    p = problem("kcl")
    empty = p.labels["queue_y"] < 0
    p(queue=p.rows["queue"].masked_fill(empty[:, None], 0.0))
    p(query=p.rows["query"].bfloat16(), key=p.rows["key"].bfloat16(), queue=p.rows["queue"].bfloat16())
    losses.logit_adjusted(100 * torch.eye(3), [0, 1, 2], [3, 2, 1])
    for z in (torch.zeros(2, 2, 3), torch.full((2, 2, 3), torch.nan)):
        torch.func.grad(lambda z: losses.info_nce(z, temperature=0.1))(z)


@pytest.mark.parametrize("variant", ["moco", "kcl", "tsc"])
@pytest.mark.parametrize("name", ["key", "queue"])
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_an_enqueue_before_the_backward_pass_has_a_sentence(problem, path, variant, name, reduction):
    p = problem(variant)
    p.rows["query"].requires_grad_()
    value = p(reduction=reduction).sum()
    (expected,) = torch.autograd.grad(value, p.rows["query"], retain_graph=True)
    value = p(reduction=reduction).sum()
    p.rows[name][2:4] = p.rows[name][:2]
    if variant == "tsc" and name == "queue":
        assert torch.equal(torch.autograd.grad(value, p.rows["query"])[0], expected), "it is copied"
    else:
        sentence = f"{p.loss}: {name} was changed in place between the loss and its backward pass"
        with pytest.raises(RuntimeError, match=sentence):
            value.backward()


def test_a_loss_that_is_kept_keeps_no_queue(problem):
    p = problem("moco")
    p.rows["query"].requires_grad_()
    value = p()
    value.backward()
    queue = p.rows["queue"]
    queue.zero_()
    import gc

    held = [found for found in gc.get_referrers(queue) if isinstance(found, tuple)]
    assert not held


def as_lists(values):
    return {name: value.tolist() for name, value in values.items()}


def as_arrays(values):
    return {name: value.numpy() for name, value in values.items()}


@pytest.mark.parametrize("form", [as_lists, as_arrays])
def test_labels_counts_and_masks_may_be_lists_or_arrays(problem, variant, path, form):
    p = problem(variant)
    masks = {name: value for name, value in p.options.items() if isinstance(value, torch.Tensor)}
    assert torch.equal(p(**form(p.labels | p.class_numbers | masks)), p())


def test_further_losses_take_lists_too():
    torch.manual_seed(0)
    logits, y, counts = torch.randn(4, 3), torch.tensor([0, 2, 1, 1]), torch.tensor([5, 3, 1])
    rows = torch.nn.functional.normalize(torch.randn(4, 3), dim=1)
    labels, ones, zeros = torch.eye(3)[y], torch.ones(3), torch.zeros(3)
    paco = lambda y, queue_y, counts: losses.paco(  # noqa: E731
        rows, rows, rows, logits, y, queue_y, counts, temperature=0.1
    )
    ltml = lambda labels, counts, one, zero: losses.ltml_classification(  # noqa: E731
        logits, labels, counts, 9, sigma_pos=one, mu_pos=zero, sigma_neg=one, mu_neg=zero
    )
    for given, meant in (
        (losses.logit_adjusted(logits, y.tolist(), counts.tolist()), losses.logit_adjusted(logits, y, counts)),
        (paco(y.tolist(), y.numpy(), (5, 3, 1)), paco(y, y, counts)),
        (losses.proco(rows, y.tolist(), rows[:3] / 2, [5, 3, 1], temperature=0.1),
         losses.proco(rows, y, rows[:3] / 2, counts, temperature=0.1)),
        (ltml(labels.tolist(), [5, 3, 1], [1] * 3, np.zeros(3)), ltml(labels, counts, ones, zeros)),
    ):  # fmt: skip
        assert torch.equal(given, meant)


def test_an_empty_queue_may_be_a_list(problem):
    p = problem("kcl")
    options = {"queue": p.rows["queue"][:0], "positives": None}
    assert torch.equal(p(**options, queue_y=[]), p(**options, queue_y=p.labels["queue_y"][:0]))


@pytest.mark.parametrize("wrong", [None, "cat", {0: 1}, [[1, 2], [3]], ["a", "b"], ...], ids=repr)
def test_what_cannot_be_meant_is_refused_with_the_argument_named(problem, variant, wrong):
    p = problem(variant)
    defaults = {name: one.default for name, one in inspect.signature(getattr(losses, p.loss)).parameters.items()}
    given = {name: value for name, value in {**p.labels, **p.class_numbers}.items() if defaults[name] is not wrong}
    given |= {name: value for name, value in p.options.items() if isinstance(value, torch.Tensor) and wrong is not None}
    for name in given:
        with pytest.raises(ValueError, match=f"^{p.loss}: {re.escape(name)} must hold ") as error:
            p(**{name: wrong})
        assert "\n" not in str(error.value)
    with pytest.raises(ValueError, match=f"^{p.loss}: temperature must be a number or a 0-d tensor"):
        p(wrong)


def test_vectors_must_be_tensors_since_gradients_are_asked_of_them(problem, variant):
    p = problem(variant)
    for name, rows in (p.rows | p.class_rows).items():
        for wrong in (rows.numpy(), rows.tolist(), None, torch.zeros_like(rows, dtype=torch.int64)):
            with pytest.raises(ValueError, match=f"^{p.loss}: {name} must (be a torch.Tensor|hold floating numbers)"):
                p(**{name: wrong})


def test_a_value_that_is_not_finite_is_said_after_lengths_were():
    y = torch.tensor([0, 0, 1, 1])
    z = 3 * torch.nn.functional.normalize(torch.arange(24.0).view(4, 2, 3) + 1, dim=-1)
    with pytest.warns(RuntimeWarning, match="z should hold unit rows"):
        losses.supcon(z, y, temperature=0.1)
    z[0, 0, 0] = torch.nan
    with pytest.warns(RuntimeWarning, match="z holds NaN or infinity in 1 of its rows"):
        losses.supcon(z, y, temperature=0.1)


def test_nothing_is_said_where_values_cannot_be_read(problem, monkeypatch):
    monkeypatch.setattr(partition, "SMALLEST_FUSED", 0)
    p = problem("supcon")
    torch._dynamo.reset()
    compiled = torch.compile(
        lambda z: losses.supcon(z, p.labels["y"], temperature=0.1), fullgraph=True, backend="eager"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        compiled(3 * p.rows["z"])
