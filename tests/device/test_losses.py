"""Every public loss on the device, in float32 and bf16, against itself in float64 on the CPU."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from ..laws.conftest import VARIANTS, build

TOLERANCE = {torch.float32: 2e-4, torch.bfloat16: 4e-2}


def moved(value: Any, device: str, dtype: torch.dtype) -> Any:
    if not isinstance(value, Tensor):
        return value
    return value.to(device, dtype) if value.is_floating_point() and value.ndim >= 2 else value.to(device)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["32", "bf16"])
@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_a_loss_is_what_float64_gives(variant: str, dtype: torch.dtype, device: str) -> None:
    exact = build(variant).turned(lambda rows: rows.to(dtype).double()).with_gradients()
    here = build(variant).turned(lambda rows: rows.to(device, dtype)).with_gradients()
    for group in (here.labels, here.class_numbers, here.options):
        group.update({name: moved(value, device, dtype) for name, value in group.items()})
    want, have = exact(), here()
    torch.testing.assert_close(have.double().cpu(), want, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])
    for mine, theirs in zip(
        torch.autograd.grad(have, here.leaves, allow_unused=True),
        torch.autograd.grad(want, exact.leaves, allow_unused=True),
        strict=True,
    ):
        if mine is not None and theirs is not None:
            size = float(theirs.norm())
            assert float((mine.double().cpu() - theirs).norm()) <= TOLERANCE[dtype] * size + 1e-6
