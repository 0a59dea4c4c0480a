"""Golden files: what the official code of the papers computed, read for a test."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch


@pytest.fixture
def case(request) -> SimpleNamespace:
    """One golden file, `request.param`: its tensors by prefix, and its meta."""
    with np.load(request.param) as file:
        meta = json.loads(str(file["meta__json"]))
        arrays = {k: torch.from_numpy(np.array(file[k])) for k in file.files if k != "meta__json"}
    pick = lambda prefix: SimpleNamespace(  # noqa: E731
        **{k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
    )
    return SimpleNamespace(
        meta=meta,
        input=pick("input__"),
        param=pick("param__"),
        mask=pick("mask__"),
        out=pick("out__"),
        grad=pick("grad__"),
        grad_overlap=pick("grad_overlap__"),
        grad_consistency=pick("grad_consistency__"),
        ref=pick("ref__"),
        state_old_before=pick("state_old_before__"),
        state_old_after=pick("state_old_after__"),
        state_new_before=pick("state_new_before__"),
    )
