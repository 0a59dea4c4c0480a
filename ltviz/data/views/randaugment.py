"""RandAugment: two operations an image, drawn from fifteen, all of one strength."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ltviz.data.views import operations as op
from ltviz.data.views.policy import Policy, Randoms

_STEPS, _LEVEL, _SPREAD, _PROBABILITY = 2, 1.0, 0.05, 0.5
_SIGNED = ((op.rotate, 30.0), (op.shear_x, 0.3), (op.shear_y, 0.3), (op.translate_x, 0.45), (op.translate_y, 0.45))
_WHOLE = ((op.posterize, 4.0), (op.solarize, 256.0), (op.solarize_add, 110.0))


def randaugment(images: Tensor, randoms: Randoms) -> Tensor:
    """Images (B, C, H, W) after two of fifteen operations each, one after the other, each left out half of the time.

    Strength is normal about 10 of 10 with a standard deviation of 0.5, cut at 10.

    Source: Cubuk et al. 2020 (RandAugment); code: `rand-n2-m10-mstd0.5` of BCL f72d070, GML 1ff816c and ProCo af9e78e.
    There, moved images are read bilinearly or bicubically by chance and the set's mean colour comes in at the border:
    here bilinearly, and grey comes in.
    """
    num = len(images)
    for _ in range(_STEPS):
        kinds = randoms.chosen(lambda of, size: of.integers(len(op.OPERATIONS), size=size), num)
        level = np.clip(randoms.chosen(lambda of, size: of.normal(_LEVEL, _SPREAD, size), num), 0, 1)
        sign = randoms.chosen(lambda of, size: of.choice((-1, 1), size), num)
        applied = randoms.chosen(lambda of, size: of.random(size), num) < _PROBABILITY
        strengths = _strengths(level, sign)[kinds, np.arange(num)]
        images = op.operate(images, np.where(applied, kinds, op.NOTHING), strengths)
    return images


def _strengths(level: NDArray[np.float64], sign: NDArray[np.integer]) -> NDArray[np.float64]:
    """(operations, B) strength of each operation in its own unit, at levels (B,) of 0 to 1."""
    table = np.tile(0.1 + 1.8 * level, (len(op.OPERATIONS), 1))  # of saturation, contrast, brightness and sharpness
    for operation, most in _SIGNED:
        table[op.NUMBER[operation]] = sign * most * level
    for operation, most in _WHOLE:
        table[op.NUMBER[operation]] = np.floor(most * level)
    return table


RANDAUGMENT = Policy(
    "randaugment",
    "RandAugment",
    "Two of fifteen operations on colours and places, each left out half of the time.",
    "Cubuk et al. 2020 (RandAugment); code: `rand-n2-m10-mstd0.5` of BCL f72d070 and GML 1ff816c. Bilinear, and grey "
    "comes in at the border",
    randaugment,
    by_rows=True,
)
