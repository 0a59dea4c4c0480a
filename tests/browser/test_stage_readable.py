"""Points stay what is seen first, whichever layers are switched on: contrast measured on the picture itself."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable

import numpy as np
import pytest

pytestmark = pytest.mark.browser

CAPS, TERRITORY, GHOST = "Caps", "Territory", "Ideal configuration"
WORST = [
    ({CAPS}, 0.85),
    ({CAPS, TERRITORY, GHOST}, 0.85),
    ({CAPS, "Density", "Memory"}, 0.75),
]
"""Combinations that fill most of the sphere, and the share of the points' pixels that must keep their contrast."""
OTHERS = {"Points", CAPS, TERRITORY, GHOST, "Density", "Memory", "Class centres", "Means", "Two views"}
KEPT = 0.75
"""Of its contrast without layers, so much is enough to be as readable."""
CLEAR = 1.6
"""WCAG contrast from which a pixel shows a point, and not its faint rim."""
REACH = 4
"""Pixels around a point that make its surroundings."""

DECODE = """async (png) => {
  const image = await createImageBitmap(await (await fetch("data:image/png;base64," + png)).blob());
  const pen = new OffscreenCanvas(image.width, image.height).getContext("2d");
  pen.drawImage(image, 0, 0);
  const { data, width, height } = pen.getImageData(0, 0, image.width, image.height);
  let text = "";
  for (let i = 0; i < data.length; i += 8192) text += String.fromCharCode(...data.subarray(i, i + 8192));
  return [width, height, btoa(text)];
}"""


def picture(page, shown: Iterable[str]) -> np.ndarray:
    """(H, W) relative luminance of the canvas with these layers and no others, once nothing moves any more."""
    page.get_by_text("Layers", exact=True).click()
    for name in OTHERS:
        page.get_by_role("checkbox", name=name, exact=True).set_checked(name in set(shown))
    page.keyboard.press("Escape")
    page.mouse.move(2, 2)
    drawn = -1
    while drawn != (drawn := page.evaluate("window.ltviz.stage.draws")):
        page.wait_for_timeout(350)
    box = page.get_by_test_id("ltviz-stage").bounding_box()
    width, height, pixels = page.evaluate(DECODE, base64.b64encode(page.screenshot(clip=box)).decode())
    rgb = np.frombuffer(base64.b64decode(pixels), np.uint8).reshape(height, width, 4)[..., :3] / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])


def surroundings(luminance: np.ndarray) -> np.ndarray:
    """Median around each pixel: the fill that lies there, without the thin lines that cross it."""
    padded = np.pad(luminance, REACH, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (2 * REACH + 1, 2 * REACH + 1))
    return np.median(windows[..., ::2, ::2], axis=(2, 3))


def contrast(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (np.maximum(a, b) + 0.05) / (np.minimum(a, b) + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_points_stay_readable_over_every_fill(visit, theme: str) -> None:
    # At step 60 classes are wide and lie over one another; the second method also draws its own densities.
    page = visit(runs="moco-1,proco-1", step=60, live=0, n=900, theme=theme)
    page.wait_for_function("window.ltviz.stage.panels.every((p) => p.step === 60)")
    page.add_style_tag(content=".ltv-overlay { visibility: hidden }")  # text over the picture is no part of it
    page.wait_for_timeout(700)  # the first frame grows out of the middle
    for _ in range(4):
        # Pictures are compared that were drawn alike: on a busy machine the stage may give up something in between.
        before, shares = simplified(page), kept_shares(page)
        if simplified(page) == before:
            break
    for (layers, least), share in zip(WORST, shares, strict=True):
        assert share >= least, f"{', '.join(sorted(layers))} in the {theme} theme: {share:.2f} of the points' pixels"


def simplified(page) -> str:
    """What the stage has given up to stay fluid, in its words."""
    return "".join(re.findall("Drawing simplified[^\n]*", page.inner_text("body")))


def kept_shares(page) -> list[float]:
    """For each of `WORST`, the share of the points' pixels that are as readable as without layers."""
    plain = contrast(picture(page, ["Points"]), surroundings(picture(page, [])))
    points = plain > CLEAR
    assert points.sum() > 5_000
    shares = []
    for layers, _ in WORST:
        under = surroundings(picture(page, layers))
        kept = contrast(picture(page, {"Points", *layers}), under)[points] >= KEPT * plain[points]
        shares.append(float(kept.mean()))
    return shares
