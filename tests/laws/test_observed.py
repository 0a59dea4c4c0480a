"""A loss that somebody looks at is the same loss, and meets its vectors through similarities alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from ltviz import losses
from ltviz.methods.parts.similarities import CannotSplit, observed, observing
from ltviz.methods.supcon import supcon

Y = torch.zeros(6, dtype=torch.int64)
LOGITS = ("arb", "ldam", "logit_adjusted", "ltml_classification", "ltml_consistency")
"""Losses of logits, which meet no vectors."""
UP_TO_LENGTH = ("align_uniform", "proco")
"""Losses that meet their vectors through their lengths too."""


def gradients(any_loss: Any) -> tuple[torch.Tensor, tuple[torch.Tensor, ...], list[torch.Tensor]]:
    loss, given = any_loss
    leaves = [x.detach().clone().requires_grad_() for x in given[:-1]]
    value = loss(*leaves, given[-1])
    found = torch.autograd.grad(value, leaves, retain_graph=True, allow_unused=True, materialize_grads=True)
    return value, found, leaves


def test_looking_changes_neither_value_nor_gradient(any_loss):
    value, found, _ = gradients(any_loss)
    with observed(Y[: len(any_loss[1][0])]):
        seen, same, _ = gradients(any_loss)
    assert observing() is None
    torch.testing.assert_close(seen, value)
    torch.testing.assert_close(same, found)


def test_the_tables_hold_all_that_a_loss_does_to_its_vectors(any_loss, request):
    if request.node.callspec.params["any_loss"] in LOGITS:
        pytest.skip("a loss of logits")
    num = len(any_loss[1][0])
    with observed(torch.arange(num)) as seen:
        value, found, leaves = gradients(any_loss)
    weights, _ = seen.gradients(value, [])
    values = [table.values for table in seen.tables]
    through = torch.autograd.grad(values, leaves, [-w for w in weights], allow_unused=True, materialize_grads=True)
    for rows, have, want in zip(leaves, through, found, strict=True):
        if rows.shape[-1] == 4:  # not the logits of paco's centres
            if request.node.callspec.params["any_loss"].startswith(UP_TO_LENGTH):  # along which no point can move
                have, want = (x - (x * rows).sum(-1, keepdim=True) * rows for x in (have, want))
            torch.testing.assert_close(have, want)


@pytest.mark.parametrize("name", ["gml", "logit_adjusted", "paco"])
def test_the_share_of_the_counts_is_the_difference_to_equal_ones(name):
    generator = torch.Generator().manual_seed(0)
    rows = torch.nn.functional.normalize(torch.randn(16, 4, generator=generator), dim=1).requires_grad_()
    y, queue_y = torch.arange(6) % 3, torch.arange(10) % 3

    def value(counts: Any) -> torch.Tensor:
        if name == "gml":
            return losses.gml(rows[:6], y, rows[6:], queue_y, counts, temperature=0.2)
        logits = 3 * rows[:6, :3]
        if name == "logit_adjusted":
            return losses.logit_adjusted(logits, y, counts)
        return losses.paco(rows[:6], rows[:6].detach(), rows[6:], logits, y, queue_y, counts=counts, temperature=0.2)

    with observed(y) as seen:
        loss = value([90, 30, 3])
    assert seen.losses_of_counts == 1
    for counts, alike in (([90, 30, 3], False), ([7, 7, 7], True)):
        (found,) = seen.gradients(loss, [rows], counts_alike=alike)[1]
        torch.testing.assert_close(found, *torch.autograd.grad(value(counts), rows))


def test_tables_without_gradient_are_left_out():
    z = torch.nn.functional.normalize(torch.randn(6, 2, 3, generator=torch.Generator().manual_seed(0)), dim=2)
    with observed(Y) as seen:
        supcon(z, Y, temperature=0.1)
        assert not seen.tables
        supcon(z.requires_grad_(), Y, temperature=0.1)
    assert len(seen.tables) == 1 and seen.tables[0].positives.sum() == 12 * 11


def test_a_partner_of_no_known_class_may_pull_but_not_push():
    z = torch.nn.functional.normalize(torch.randn(6, 3, generator=torch.Generator().manual_seed(0)), dim=1)
    queue = z.roll(1, 0)
    with observed(Y) as seen:
        loss = losses.moco(z.requires_grad_(), z.detach(), queue, temperature=0.1)
    weights, _ = seen.gradients(loss, [])
    with pytest.raises(CannotSplit, match="6 of 6 partners that push are of no known class"):
        [list(table.split(w, torch.zeros(1, dtype=torch.int64))) for table, w in zip(seen.tables, weights, strict=True)]
