"""A temperature that breathes (Kukleva et al., 2023)."""

from __future__ import annotations

import math

from ltviz.methods.parts.loss import offered


@offered
def cosine_temperature(step: float, *, low: float = 0.1, high: float = 1.0, period: float = 400) -> float:
    r"""The temperature at a step, or an epoch, of a cosine schedule: high at 0, low at half a period.

    .. math:: \tau = l + \frac{h - l}{2} \Big( 1 + \cos \frac{2 \pi s}{p} \Big)

    Large temperatures hold groups of samples together, small ones tell samples apart; the schedule does both by turns.

    Args:
        step: s; in the paper epochs from 1, constant within each.
        low, high: l and h, above 0.
        period: p, steps of one breath, above 0. The official `t_max` is half of it: 200 there is 400 here.

    Returns:
        Between low and high.

    Raises:
        ValueError: numbers that are not finite, or break these rules.

    Source: Kukleva et al. 2023, Eq. 7; code: temperature_schedules 3ac1db6, `train_simCLR.py`, in float32 (5e-8).

    >>> [round(cosine_temperature(step), 3) for step in (0, 100, 200, 400)]
    [1.0, 0.55, 0.1, 1.0]
    """
    for name, value in (("low", low), ("high", high), ("period", period)):
        if not 0 < value < math.inf:
            raise ValueError(f"cosine_temperature: {name} must be positive and finite, but is {value:g}")
    if not math.isfinite(step):
        raise ValueError(f"cosine_temperature: step must be finite, but is {step:g}")
    return low + (high - low) / 2 * (1 + math.cos(2 * math.pi * step / period))
