"""The losses of the papers as pure, differentiable functions: the functional face of `ltviz.methods`.

All of them take unit rows as given, return the textbook value (no temperature / base_temperature factor), give
per-anchor values with `reduction="none"`, work in any float dtype on any device, and stay finite for classes with one
sample or none.
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
