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
"""

from __future__ import annotations

from ltviz.methods.bcl import bcl
from ltviz.methods.clip import clip
from ltviz.methods.gml import gml
from ltviz.methods.kcl import kcl
from ltviz.methods.logit_adjust import logit_adjusted
from ltviz.methods.ltml import ltml_classification, ltml_consistency
from ltviz.methods.moco import moco
from ltviz.methods.paco import paco
from ltviz.methods.proco import proco
from ltviz.methods.simclr import info_nce
from ltviz.methods.supcon import supcon
from ltviz.methods.tsc import tsc

__all__ = [
    "bcl",
    "clip",
    "gml",
    "info_nce",
    "kcl",
    "logit_adjusted",
    "ltml_classification",
    "ltml_consistency",
    "moco",
    "paco",
    "proco",
    "supcon",
    "tsc",
]
