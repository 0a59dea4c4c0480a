"""AutoAugment's policy for CIFAR: one of 25 pairs of operations an image."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ltviz.data.views import operations as op
from ltviz.data.views.policy import Policy, Randoms

_PAIRS = (
    ((op.invert, 0.1, 7), (op.contrast, 0.2, 6)),
    ((op.rotate, 0.7, 2), (op.translate_x, 0.3, 9)),
    ((op.sharpness, 0.8, 1), (op.sharpness, 0.9, 3)),
    ((op.shear_y, 0.5, 8), (op.translate_y, 0.7, 9)),
    ((op.autocontrast, 0.5, 8), (op.equalize, 0.9, 2)),
    ((op.shear_y, 0.2, 7), (op.posterize, 0.3, 7)),
    ((op.saturation, 0.4, 3), (op.brightness, 0.6, 7)),
    ((op.sharpness, 0.3, 9), (op.brightness, 0.7, 9)),
    ((op.equalize, 0.6, 5), (op.equalize, 0.5, 1)),
    ((op.contrast, 0.6, 7), (op.sharpness, 0.6, 5)),
    ((op.saturation, 0.7, 7), (op.translate_x, 0.5, 8)),
    ((op.equalize, 0.3, 7), (op.autocontrast, 0.4, 8)),
    ((op.translate_y, 0.4, 3), (op.sharpness, 0.2, 6)),
    ((op.brightness, 0.9, 6), (op.saturation, 0.2, 8)),
    ((op.solarize, 0.5, 2), (op.invert, 0.0, 3)),
    ((op.equalize, 0.2, 0), (op.autocontrast, 0.6, 0)),
    ((op.equalize, 0.2, 8), (op.equalize, 0.6, 4)),
    ((op.saturation, 0.9, 9), (op.equalize, 0.6, 6)),
    ((op.autocontrast, 0.8, 4), (op.solarize, 0.2, 8)),
    ((op.brightness, 0.1, 3), (op.saturation, 0.7, 0)),
    ((op.solarize, 0.4, 5), (op.autocontrast, 0.9, 3)),
    ((op.translate_y, 0.9, 9), (op.translate_y, 0.7, 9)),
    ((op.autocontrast, 0.9, 2), (op.solarize, 0.8, 3)),
    ((op.equalize, 0.8, 8), (op.invert, 0.1, 3)),
    ((op.translate_y, 0.7, 9), (op.autocontrast, 0.9, 1)),
)
"""(operation, probability, strength of 0 to 9) twice: Cubuk et al. 2019, Table 7."""
_SIGNED = {op.shear_x: 0.3, op.shear_y: 0.3, op.translate_x: 150 / 331, op.translate_y: 150 / 331, op.rotate: 30.0}
_FACTORS = {op.saturation, op.contrast, op.brightness, op.sharpness}


def autoaugment(images: Tensor, randoms: Randoms) -> Tensor:
    """Images (B, C, H, W) after one of 25 pairs of operations each, every operation with a probability of its own.

    Source: Cubuk et al. 2019 (AutoAugment), Table 7; code: `CIFAR10Policy` of PaCo fe56535, GML 1ff816c and ProCo
    af9e78e. There, a sheared image is read bicubically, and a turned or shifted one from the nearest pixel: here all
    bilinearly.
    """
    kinds, probabilities, strengths, ways = _table()
    num = len(images)
    pair = randoms.chosen(lambda of, size: of.integers(len(_PAIRS), size=size), num)
    for which in range(2):
        sign = randoms.chosen(lambda of, size: of.choice((-1, 1), size), num)
        applied = randoms.chosen(lambda of, size: of.random(size), num) < probabilities[pair, which]
        strength = strengths[pair, which] + sign * ways[pair, which]
        images = op.operate(images, np.where(applied, kinds[pair, which], op.NOTHING), strength)
    return images


@cache
def _table() -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """(25, 2) each: places in OPERATIONS, probabilities, and strengths: a middle, and what is added or taken away."""
    kinds = np.array([[op.NUMBER[operation] for operation, _, _ in pair] for pair in _PAIRS])
    probabilities = np.array([[probability for _, probability, _ in pair] for pair in _PAIRS])
    both = np.array([[_strength(operation, level / 9) for operation, _, level in pair] for pair in _PAIRS])
    return kinds, probabilities, both[..., 0], both[..., 1]


def _strength(operation: object, level: float) -> tuple[float, float]:
    """Middle and width of an operation's strength at a level of 0 to 1."""
    if operation in _SIGNED:
        return 0.0, _SIGNED[operation] * level
    if operation in _FACTORS:
        return 1.0, 0.9 * level
    return {op.posterize: float(round(8 - 4 * level)), op.solarize: 256 * (1 - level)}.get(operation, 0.0), 0.0


AUTOAUGMENT = Policy(
    "autoaugment",
    "AutoAugment (CIFAR)",
    "One of 25 pairs of operations on colours and places that were found on CIFAR-10.",
    "Cubuk et al. 2019 (AutoAugment), Table 7; code: `CIFAR10Policy` of PaCo fe56535 and GML 1ff816c. All bilinear",
    autoaugment,
    by_rows=True,
)
