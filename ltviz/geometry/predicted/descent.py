"""Minimising a smooth function of unit rows to the precision of float64: a trust region with conjugate gradients.

Descents by gradients alone stop far from the minimum here: what rare classes feel is smaller than what frequent ones
feel by their ratio, squared among themselves. Newton's steps do not care.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class Local(NamedTuple):
    """A function at a point (K, r), as one of free rows."""

    value: float
    gradient: np.ndarray
    """(K, r)."""
    hessian: Callable[[np.ndarray], np.ndarray]
    """Direction (K, r) -> the change of the gradient along it."""
    stiffness: np.ndarray
    """(K,) above 0: about how hard each row is to move."""


STEPS = 300
POLISH = 30
WIDEST = 1.0  # radians, weighed by stiffness
MOST_DENSE = 500  # numbers whose Hessian is formed
FLAT = 1e-12  # curvature, of the stiffest: what turns all rows together has none but rounding
EXACT = 1e-4  # residual of a step, of the gradient
ROUNDING = 1e-14  # of the value: below, a change of it may be rounding, and the length of the next step decides


def descend(
    start: np.ndarray,
    function: Callable[[np.ndarray], Local],
    *,
    free: np.ndarray | None = None,
    tolerance: float = 1e-11,
) -> np.ndarray:
    """(K, r) unit rows where the function is least near `start`: a Riemannian trust region (Absil et al. 2007), and
    then Newton's steps.

    Args:
        start: (K, r), normalised here.
        free: (K, r) bool: which numbers may move, all where None; the others are 0 at the start and stay so.
        tolerance: length of the last step, in radians, weighed by stiffness.
    """
    moves = np.ones(start.shape, bool) if free is None else free
    state = _State.at(start / np.linalg.norm(start, axis=1, keepdims=True), function, moves)
    radius = WIDEST
    for _ in range(STEPS):
        step, reach, gain = _steihaug(state, radius)
        if gain <= ROUNDING * abs(state.local.value) or reach < tolerance:
            break
        moved = _State.at(_retract(state.x, step), function, moves)
        ratio = (state.local.value - moved.local.value) / gain
        if ratio < 0.25:
            radius = 0.25 * min(radius, reach)
        elif ratio > 0.75 and reach > 0.9 * radius:
            radius = min(2 * radius, WIDEST)
        if ratio > 0.05:
            state = moved
    return _polished(state, function, moves, tolerance)


def _polished(
    state: _State, function: Callable[[np.ndarray], Local], moves: np.ndarray, tolerance: float
) -> np.ndarray:
    """Newton's steps as long as each is shorter than the one before (Deuflhard 2004). The gradient's length would not
    do: along a valley that hardly slopes a good step leaves a steeper gradient than it met."""
    step, reach = _newton(state)
    for _ in range(POLISH):
        if reach < tolerance:
            break
        moved = _State.at(_retract(state.x, step), function, moves)
        following, next_reach = _newton(moved)
        if next_reach < reach:
            state, step, reach = moved, following, next_reach
        else:
            step, reach = 0.5 * step, 0.5 * reach
    return state.x


@dataclass(frozen=True)
class _State:
    x: np.ndarray
    local: Local
    moves: np.ndarray
    """(K, r) bool: which numbers may move."""
    gradient: np.ndarray
    """Along the spheres."""
    pull: np.ndarray
    """(K, 1): the part of the gradient that leads off the sphere."""
    weight: np.ndarray
    """(K, 1): stiffness, as share of the total."""
    total: float

    @classmethod
    def at(cls, x: np.ndarray, function: Callable[[np.ndarray], Local], moves: np.ndarray) -> _State:
        local = function(x)
        pull = np.einsum("kr,kr->k", x, local.gradient)[:, None]
        total = float(local.stiffness.sum())
        weight = local.stiffness[:, None] / total
        gradient = (local.gradient - pull * x) / total * moves
        return cls(x, local, moves, gradient, pull / total, weight, total)

    def hessian(self, d: np.ndarray) -> np.ndarray:
        return _tangent(self.x, self.moves * (self.local.hessian(d) / self.total - self.pull * d))


def _tangent(x: np.ndarray, d: np.ndarray) -> np.ndarray:
    return d - np.einsum("kr,kr->k", x, d)[:, None] * x


def _retract(x: np.ndarray, step: np.ndarray) -> np.ndarray:
    moved = x + step
    return moved / np.linalg.norm(moved, axis=1, keepdims=True)


def _newton(state: _State) -> tuple[np.ndarray, float]:
    """Newton's step and its length, without what is flat; by all of the Hessian where that is small."""
    if state.x.size > MOST_DENSE:
        step, reach, _ = _steihaug(state, WIDEST, bends=False)
        return step, reach
    root = np.sqrt(np.broadcast_to(state.weight, state.x.shape)).ravel()
    identity = np.eye(state.x.size).reshape(-1, *state.x.shape)
    rows = np.stack([state.hessian(_tangent(state.x, state.moves * one)).ravel() for one in identity]) / np.outer(
        root, root
    )
    bends, directions = np.linalg.eigh((rows + rows.T) / 2)
    steep = np.abs(bends) > FLAT
    along = directions[:, steep].T @ (state.gradient.ravel() / root)
    scaled = -directions[:, steep] @ (along / np.abs(bends[steep]))
    reach = float(np.linalg.norm(scaled))
    short = min(1.0, 0.5 * WIDEST / reach) if reach > 0 else 1.0
    return state.moves * (short * scaled / root).reshape(state.x.shape), short * reach


def _steihaug(state: _State, radius: float, *, bends: bool = True) -> tuple[np.ndarray, float, float]:
    """A step, its length and the decrease that the quadratic model promises; lengths are weighed by stiffness.

    `bends`: follow a direction along which the function curves downwards to the radius, instead of stopping.
    """
    w = state.weight
    step, residual = np.zeros_like(state.x), state.gradient
    moved = np.zeros_like(state.x)  # hessian(step)
    z = residual / w
    direction = -z
    rz = float((residual * z).sum())
    goal = rz * EXACT**2
    for _ in range(2 * state.x.size + 10):
        bent = state.hessian(direction)
        curvature = float((direction * bent).sum())
        ss, sd, dd = (float((w * a * b).sum()) for a, b in ((step, step), (step, direction), (direction, direction)))
        if not abs(curvature) > FLAT * dd or (curvature < 0 and not bends):
            break
        alpha = rz / curvature if curvature > 0 else np.inf
        if not np.isfinite(alpha) or ss + 2 * alpha * sd + alpha * alpha * dd >= radius * radius:
            alpha = (-sd + np.sqrt(max(sd * sd + dd * (radius * radius - ss), 0.0))) / dd
            step, moved = step + alpha * direction, moved + alpha * bent
            break
        step, moved, residual = step + alpha * direction, moved + alpha * bent, residual + alpha * bent
        z = residual / w
        following = float((residual * z).sum())
        if following <= goal:
            break
        direction = -z + following / rz * direction
        direction = _tangent(state.x, direction)
        rz = following
    promised = -float((state.gradient * step).sum() + 0.5 * (step * moved).sum()) * state.total
    return step, float(np.sqrt((w * step * step).sum())), promised
