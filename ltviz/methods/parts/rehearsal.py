"""The rehearsal: something does what a step would do, and the method has not."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

import torch
from torch import nn

from ltviz.methods.base import Method

M = TypeVar("M", bound=Method)


@contextmanager
def rehearsal(method: M) -> Iterator[M]:
    """A double of the method, to do whatever `losses` do; torch draws afterwards as if nothing had.

    The double has buffers, attributes and a generator of its own. Its weights are the method's: they carry no gradient
    there and are not for changing. It is in the same mode, and draws what the method would draw.
    """
    device = method.counts.device
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        yield _double(method)


def _double(method: M) -> M:
    known: dict[int, object] = {id(p): nn.Parameter(p.detach(), requires_grad=False) for p in method.parameters()}
    for part in method.modules():
        if isinstance(part, Method):
            known[id(part.setup_)] = replace(part.setup_, generator=part.setup_.generator.clone_state())
    return copy.deepcopy(method, known)
