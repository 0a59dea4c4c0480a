"""The losses of the papers as pure, differentiable functions: the functional face of `ltviz.methods`.

All of them take unit rows as given, return the textbook value (no temperature / base_temperature factor), give
per-anchor values with `reduction="none"`, work in any float dtype on any device, and stay finite for classes with one
sample or none.

What they take: vectors are torch tensors; labels, counts and masks may be lists or numpy arrays too. What cannot be
meant raises ValueError in one sentence that names the argument.

Transforms, alike at every size: all are differentiable as often as wanted, by `torch.autograd` with or without named
inputs, by `torch.func` (grad, vmap, jvp, hessian) and in forward mode; and `torch.compile` takes them without a graph
break. For large batches eager and compiled calls use fused kernels with memory of a few rows times columns. Inside
`torch.func` and in forward mode, and for the second derivative, memory is that of all rows times columns.
Shapes are checked there as well, values (labels, counts, a temperature that is a tensor) are not, since they cannot be
read.

Warnings: rows that are not of unit length (by more than 0.05), or not finite, give a number or NaN; one RuntimeWarning
a process names the loss and the argument. Lengths are looked at in the 1st, 2nd, 4th, 8th ... call of a loss, which on
CUDA waits for the device in these calls alone; on the CPU a value that is not finite is looked into at once. Nothing is
looked at inside `torch.compile`, `torch.func` or the capture of a CUDA graph.

Each is declared in its paper's file, `ltviz/methods/<paper>.py`, by the decorator `loss`, and found there.

    >>> import torch
    >>> from ltviz.losses import supcon
    >>> z = torch.nn.functional.normalize(torch.eye(4)[[0, 0, 1, 1]].view(2, 2, 4), dim=-1)
    >>> supcon(z, [0, 1], temperature=0.1).item() < 1e-3  # two views on one point, the two classes apart
    True
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ltviz import methods as _papers
from ltviz.methods.parts import loss as _loss

if TYPE_CHECKING:
    # Signatures for editors; a loss that is missing here is found all the same.
    from ltviz.methods.align_uniform import align_uniform as align_uniform
    from ltviz.methods.arb import arb as arb
    from ltviz.methods.bcl import bcl as bcl
    from ltviz.methods.clip import clip as clip
    from ltviz.methods.etf import dot_regression as dot_regression
    from ltviz.methods.geometric_harmonization import geometric_harmonization as geometric_harmonization
    from ltviz.methods.gml import gml as gml
    from ltviz.methods.kcl import kcl as kcl
    from ltviz.methods.ldam import ldam as ldam
    from ltviz.methods.logit_adjust import logit_adjusted as logit_adjusted
    from ltviz.methods.ltml import ltml_classification as ltml_classification
    from ltviz.methods.ltml import ltml_consistency as ltml_consistency
    from ltviz.methods.moco import moco as moco
    from ltviz.methods.nc_by_design import nonl as nonl
    from ltviz.methods.nc_by_design import ntce as ntce
    from ltviz.methods.paco import paco as paco
    from ltviz.methods.proco import proco as proco
    from ltviz.methods.sbcl import sbcl as sbcl
    from ltviz.methods.simclr import info_nce as info_nce
    from ltviz.methods.supcon import mixed_supcon as mixed_supcon
    from ltviz.methods.supcon import supcon as supcon
    from ltviz.methods.temperature_schedule import cosine_temperature as cosine_temperature
    from ltviz.methods.tsc import tsc as tsc
    from ltviz.methods.vmf import vmf as vmf
    from ltviz.methods.vmf import vmf_consistency as vmf_consistency
    from ltviz.methods.vmf import vmf_overlap as vmf_overlap

_found: dict[str, Callable[..., Any]] = {}
for _paper in pkgutil.iter_modules(_papers.__path__):
    if not _paper.ispkg:
        _found |= _loss.offered_by(importlib.import_module(f"{_papers.__name__}.{_paper.name}"))
globals().update(_found)

__all__ = sorted(_found)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Callable[..., Any]:
    raise AttributeError(f"ltviz.losses has no loss {name!r}; it has {', '.join(__all__)}")
