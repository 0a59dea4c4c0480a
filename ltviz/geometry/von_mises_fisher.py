"""The von Mises-Fisher distribution in any dimension: concentration from the mean resultant length, caps, samples."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.polynomial.polynomial import Polynomial, polyval

from ltviz.errors import ConfigError

# The Debye expansion with so many terms is good to 1e-9 from this order on; lower ones come by backward recurrence.
DEBYE_ORDER = 20.0
DEBYE_TERMS = 5
NEWTON_STEPS = 12
# The density of the angle is cut into panels so narrow beside its width that eight Gauss nodes give each to 1e-13.
PANELS = 96
WIDTHS = 20.0
NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(8)
BISECTIONS = 52


def resultant_length(kappa: np.ndarray | float, dim: int) -> np.ndarray:
    """Mean resultant length A_d(kappa) = I_{d/2}(kappa) / I_{d/2-1}(kappa) of a von Mises-Fisher distribution.

    The ratio of Bessel functions comes from the uniform (Debye) expansion of the logarithmic derivative (DLMF 10.41) at
    an order of at least 20, and from there by the backward recurrence r_v = 1 / (2 (v+1) / x + r_{v+1}), which damps
    errors. No Bessel function is evaluated, so nothing overflows: relative error below 1e-7 for d = 2 ... 100,000.

    Args:
        kappa: concentrations >= 0, any shape.
        dim: d >= 2.

    Returns:
        float64 of the same shape, in [0, 1).

    Raises:
        ConfigError: dim < 2, or a negative or NaN kappa.

    Example:
        >>> resultant_length([0.0, 1.0, 50.0], 3).round(4)
        array([0.   , 0.313, 0.98 ])
    """
    x = np.asarray(kappa, dtype=np.float64)
    if dim < 2:
        raise ConfigError(f"A von Mises-Fisher distribution needs dim >= 2, got {dim}.")
    if not (x >= 0).all():
        raise ConfigError("The concentration kappa must be >= 0; a negative number or NaN was given.")
    return _ratio(x, dim)


def kappa(resultant_length: np.ndarray | float, dim: int) -> np.ndarray:
    """Concentration whose mean resultant length is the given one: the maximum likelihood estimate.

    Solves A_d(kappa) = R by Newton's method from the approximation of Banerjee et al. (2005, eq. 4.4), which alone is
    4 % off at d = 3. A' = 1 - A^2 - (d-1)/kappa A.

    Args:
        resultant_length: R, lengths of the mean of unit vectors, in [0, 1], any shape. NaN stays NaN.
        dim: d >= 2.

    Returns:
        float64 of the same shape: 0 at R = 0, increasing in R, infinite at R = 1. Relative error below 1e-7 (near R = 1
        limited by the digits of 1 - R).

    Raises:
        ConfigError: dim < 2, or R outside [0, 1].

    Example:
        >>> kappa([0.5, 0.98], 3).round(2)
        array([ 1.8, 50. ])
    """
    length = np.asarray(resultant_length, dtype=np.float64)
    if dim < 2:
        raise ConfigError(f"A von Mises-Fisher distribution needs dim >= 2, got {dim}.")
    if (length < 0).any() or (length > 1).any():
        raise ConfigError(
            "A mean resultant length lies between 0 and 1; are the rows unit vectors?"
            f" Given: {float(np.nanmin(length)):.4g} to {float(np.nanmax(length)):.4g}."
        )
    inside = (length > 0) & (length < 1)
    r = np.where(inside, length, 0.5)
    estimate = r * (dim - r * r) / (1.0 - r * r)
    for _ in range(NEWTON_STEPS):
        ratio = _ratio(estimate, dim)
        slope = 1.0 - ratio * ratio - (dim - 1) / estimate * ratio
        # Near R = 1 the slope is a difference of nearly equal numbers; its limit (d-1) / (2 kappa^2) serves there.
        slope = np.where(estimate > 1e5 * dim, 0.5 * (dim - 1) / estimate**2, slope)
        step = (ratio - r) / slope
        estimate = np.maximum(estimate - step, 0.1 * estimate)
        if (np.abs(step) <= (1e-9 + 1e-15 / (1.0 - r)) * estimate).all():
            break
    return np.where(inside, estimate, np.where(length == 0, 0.0, np.where(length == 1, np.inf, np.nan)))


def cap(kappa: np.ndarray | float, dim: int, share: float = 0.95) -> np.ndarray:
    r"""Half-angle of the cap around the mean direction that holds a share of a von Mises-Fisher distribution.

    The angle t to the mean has a density proportional to :math:`e^{\kappa \cos t} \sin^{d-2} t`; its integral is taken
    by Gauss-Legendre quadrature around the mode and inverted by bisection: no Bessel function is evaluated.

    Args:
        kappa: concentrations >= 0, any shape; 0 is uniform on the sphere. NaN stays NaN.
        dim: d >= 2.
        share: of the probability, between 0 and 1, both excluded.

    Returns:
        float64 of the same shape, degrees in [0, 180]: decreasing in kappa, 0 for an infinite one. Relative error below
        1e-9 for d up to 100,000.

    Raises:
        ConfigError: dim < 2, a negative kappa, or a share outside its range.

    Example:
        >>> cap([0.0, 10.0, 100.0], 3).round(2)
        array([154.16,  45.54,  14.06])
    """
    x = np.asarray(kappa, dtype=np.float64)
    if dim < 2:
        raise ConfigError(f"A von Mises-Fisher distribution needs dim >= 2, got {dim}.")
    if (x < 0).any():
        raise ConfigError(f"The concentration kappa must be >= 0, got {float(np.nanmin(x)):.4g}.")
    if not 0 < share < 1:
        raise ConfigError(f"The share of a distribution in a cap lies between 0 and 1, got {share}; try 0.95.")
    known = np.isfinite(x)
    angles = np.rad2deg(_quantile_angle(np.where(known, x, 1.0).reshape(-1), dim, share)).reshape(x.shape)
    return np.where(known, angles, np.where(np.isposinf(x), 0.0, np.nan))


def _quantile_angle(x: np.ndarray, dim: int, share: float) -> np.ndarray:
    """(K,) radians from the mean within which the share lies, for finite x (K,)."""
    # the mode solves x sin^2 t = (d - 2) cos t; its sine and cosine are written without differences
    power = dim - 2
    both = power + np.hypot(power, 2 * x)
    cosine = 2 * x / both if power else np.ones_like(x)
    sine_square = 2 * power / both if power else np.zeros_like(x)
    mode = np.arctan2(np.sqrt(sine_square), cosine)
    curvature = x * cosine + (power / sine_square if power else 0.0)
    width = 1 / np.sqrt(np.maximum(curvature, 1e-300))
    low, high = np.maximum(mode - WIDTHS * width, 0.0), np.minimum(mode + WIDTHS * width, np.pi)
    top = _log_density(mode, x, power)

    def integral(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        half = (b - a) / 2
        angles = (a + half)[..., None] + half[..., None] * NODES
        shape = (-1,) + (1,) * (angles.ndim - 1)
        density = np.exp(_log_density(angles, x.reshape(shape), power) - top.reshape(shape))
        return half * (density @ NODE_WEIGHTS)

    edges = low[:, None] + (high - low)[:, None] * np.linspace(0.0, 1.0, PANELS + 1)
    cumulative = np.cumsum(integral(edges[:, :-1], edges[:, 1:]), axis=1)
    wanted = share * cumulative[:, -1]
    panel = np.minimum((cumulative < wanted[:, None]).sum(axis=1), PANELS - 1)
    rows = np.arange(len(x))
    rest = wanted - np.where(panel > 0, cumulative[rows, panel - 1], 0.0)
    start, left, right = edges[rows, panel], edges[rows, panel], edges[rows, panel + 1]
    for _ in range(BISECTIONS):
        middle = (left + right) / 2
        short = integral(start, middle) < rest
        left, right = np.where(short, middle, left), np.where(short, right, middle)
    return (left + right) / 2


def _log_density(t: np.ndarray, x: np.ndarray, power: int) -> np.ndarray:
    """log of e^{x (cos t - 1)} sin^power t."""
    # 1 - cos t written as a square: at x = 1e5 the density lives where the cosine has lost half of its digits
    along = -2 * x * np.square(np.sin(t / 2))
    if not power:
        return along
    with np.errstate(divide="ignore"):
        return along + power * np.log(np.sin(t))


def _ratio(x: np.ndarray, dim: int) -> np.ndarray:
    """I_{d/2}(x) / I_{d/2-1}(x) for x >= 0."""
    order = dim / 2 - 1
    steps = max(0, int(np.ceil(DEBYE_ORDER - order)))
    v = order + steps
    u, s = _debye_series(v)
    root = np.hypot(v, x)
    p = v / root
    # I_v ~ (...) u(p) and I_v' ~ (...) w(p) with w - u = p (p^2 - 1) s(p), and p^2 - 1 = -(x / root)^2: written out,
    # nothing cancels in I_{v+1} / I_v = I_v' / I_v - v / x, however small x is.
    ratio = x / (root + v) - x * p / root * polyval(p, s) / polyval(p, u)
    for lower in range(steps, 0, -1):
        ratio = x / (2.0 * (order + lower) + x * ratio)
    return ratio


@lru_cache(maxsize=64)
def _debye_series(v: float) -> tuple[np.ndarray, np.ndarray]:
    """Sum of u_k(p) / v^k and of s_k(p) / v^k as polynomials in p, ascending powers (DLMF 10.41.9-13).

    s_k = u_{k-1} / 2 + p u'_{k-1} is what v_k adds to u_k, up to its factor p (p^2 - 1).
    """
    p = Polynomial([0.0, 1.0])
    u = Polynomial([1.0])
    sum_u, sum_s = u, Polynomial([0.0])
    for k in range(1, DEBYE_TERMS + 1):
        sum_s = sum_s + (0.5 * u + p * u.deriv()) / v**k
        u = 0.5 * p**2 * (1 - p**2) * u.deriv() + ((1 - 5 * p**2) * u).integ() / 8
        sum_u = sum_u + u / v**k
    return sum_u.coef, sum_s.coef


def sample_von_mises_fisher(axis: np.ndarray, kappa: float, n: int, *, seed: int = 0) -> np.ndarray:
    """Samples of the von Mises-Fisher distribution, exact in any dimension (Wood 1994, algorithm VM*).

    Args:
        axis: (D,) mean direction, D >= 2, normalised here.
        kappa: concentration >= 0; 0 is uniform on the sphere.
        n: number of samples >= 0.
        seed: the same arguments give the same samples.

    Returns:
        (n, D) float64 unit rows.

    Raises:
        ConfigError: an axis without direction, or a kappa that is negative or not finite.

    Example:
        >>> import numpy as np
        >>> samples = sample_von_mises_fisher(np.array([0.0, 0.0, 1.0]), 50.0, 1000)
        >>> samples.shape, bool(samples[:, 2].mean() > 0.97)
        ((1000, 3), True)
    """
    mean = np.asarray(axis, dtype=np.float64)
    if mean.ndim != 1 or len(mean) < 2 or not np.linalg.norm(mean) > 0:
        raise ConfigError(f"The axis of a von Mises-Fisher distribution is a vector (D,), D >= 2, got {mean.shape}.")
    if not 0 <= kappa < np.inf:
        raise ConfigError(f"The concentration kappa must be a number >= 0, got {kappa}.")
    mean = mean / np.linalg.norm(mean)
    rng = np.random.default_rng(seed)
    along = _cosines_to_axis(len(mean), kappa, n, rng)[:, None]
    across = rng.standard_normal((n, len(mean)))
    across -= (across @ mean)[:, None] * mean
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    return along * mean + np.sqrt(1.0 - along**2) * across


def _cosines_to_axis(dim: int, kappa: float, n: int, rng: np.random.Generator) -> np.ndarray:
    """Rejection from a Beta envelope; at least two of three proposals are taken."""
    b = (dim - 1) / (2 * kappa + np.hypot(2 * kappa, dim - 1))
    x0 = (1 - b) / (1 + b)
    c = kappa * x0 + (dim - 1) * np.log1p(-x0 * x0)
    out = np.empty(0)
    while len(out) < n:
        beta = rng.beta((dim - 1) / 2, (dim - 1) / 2, size=2 * (n - len(out)) + 16)
        w = (1 - (1 + b) * beta) / (1 - (1 - b) * beta)
        kept = kappa * w + (dim - 1) * np.log1p(-x0 * w) - c >= np.log(rng.random(len(w)))
        out = np.append(out, w[kept])
    return out[:n]
