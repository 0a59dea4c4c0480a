"""Colours computed where eyes are even: OKLab and CIELAB to and from sRGB hex."""

from __future__ import annotations

import numpy as np

# Ottosson 2020, "A perceptual color space for image processing": linear sRGB to cones, and their cube root to OKLab.
RGB_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
LMS_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def to_linear(colour: str) -> np.ndarray:
    """(3,) linear sRGB, 0 to 1, of "#rrggbb"."""
    value = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def to_hex(linear: np.ndarray) -> str:
    """ "#rrggbb" of linear sRGB (3,), clipped to 0 ... 1."""
    value = np.clip(linear, 0.0, 1.0)
    encoded = np.where(value <= 0.0031308, 12.92 * value, 1.055 * value ** (1 / 2.4) - 0.055)
    return "#" + "".join(f"{round(255 * v):02x}" for v in encoded)


def to_oklab(colour: str) -> np.ndarray:
    """(3,) OKLab L, a, b; distances of 0.02 are just seen."""
    return LMS_TO_LAB @ np.cbrt(RGB_TO_LMS @ to_linear(colour))


def lightness(colour: str) -> float:
    """CIELAB L*, 0 black to 100 white."""
    return float(_lightness_of(LUMINANCE @ to_linear(colour)))


def contrast(first: str, second: str) -> float:
    """WCAG contrast ratio, 1 to 21."""
    a, b = (float(LUMINANCE @ to_linear(c)) + 0.05 for c in (first, second))
    return max(a, b) / min(a, b)


def mix(lightness: np.ndarray | float, chroma: np.ndarray | float, hue: np.ndarray | float) -> list[str]:
    """Colours of CIELAB L* `lightness` with OKLCH chroma and hue (degrees), each (K,) or a number for all.

    Chroma is cut to what sRGB holds at that lightness and hue, lightness never.

    Returns:
        K "#rrggbb".
    """
    target, chroma, angle = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(v, float)) for v in (lightness, chroma, hue))
    )
    direction = np.stack([np.cos(np.radians(angle)), np.sin(np.radians(angle))], axis=-1)
    low, high = np.zeros_like(chroma), chroma.copy()
    held = _in_gamut(_linear_at(target, chroma[:, None] * direction))
    low[held] = chroma[held]
    for _ in range(12):
        middle = 0.5 * (low + high)
        held = _in_gamut(_linear_at(target, middle[:, None] * direction))
        low, high = np.where(held, middle, low), np.where(held, high, middle)
    return [to_hex(linear) for linear in _linear_at(target, low[:, None] * direction)]


def _linear_at(target: np.ndarray, ab: np.ndarray) -> np.ndarray:
    """(K, 3) linear sRGB, perhaps out of gamut, of CIELAB L* `target` (K,) and OKLab a, b (K, 2).

    OKLab's own lightness that gives this L* is found by bisection.
    """
    low, high = np.zeros(len(target)), np.ones(len(target))
    for _ in range(24):
        middle = 0.5 * (low + high)
        dark = _lightness_of(_from_oklab(middle, ab) @ LUMINANCE) < target
        low, high = np.where(dark, middle, low), np.where(dark, high, middle)
    return _from_oklab(low, ab)


def _from_oklab(lightness: np.ndarray, ab: np.ndarray) -> np.ndarray:
    lms = np.column_stack([lightness, ab]) @ np.linalg.inv(LMS_TO_LAB).T
    return lms**3 @ np.linalg.inv(RGB_TO_LMS).T


def _lightness_of(luminance: np.ndarray) -> np.ndarray:
    y = np.maximum(luminance, 0.0)
    return np.where(y > 216 / 24389, 116 * np.cbrt(y) - 16, 24389 / 27 * y)


def _in_gamut(linear: np.ndarray) -> np.ndarray:
    return np.all((linear >= -1e-4) & (linear <= 1 + 1e-4), axis=-1)
