"""A frame that holds some of the samples, from `ltviz.record` to the real page: the others are not drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ltviz
from ltviz.bench.served import app, open_page

pytestmark = pytest.mark.browser

STEP = "s => window.ltviz?.stage?.panels?.some((panel) => panel.step === s)"
POINTS = "n => window.ltviz.stage.points === n"


def test_samples_that_a_frame_does_not_hold_are_not_drawn(browser, tmp_path: Path) -> None:
    rng, y = np.random.default_rng(0), np.arange(300) % 5
    z = np.eye(5, 3)[y] + 0.4 * rng.normal(size=(300, 3)) + 0.2
    with ltviz.record(tmp_path / "some-here", labels=y) as run:
        run.frame(0, embeddings=z)
        run.frame(1, embeddings=z[::3], sample_ids=np.arange(0, 300, 3))
    with app(tmp_path) as running:
        page = open_page(browser, f"{running.address}/?runs=some-here&step=1")
        page.wait_for_function(STEP, arg=1, timeout=60_000)
        page.wait_for_function(POINTS, arg=100)
        page.get_by_label("Find a class or sample").fill("#1")
        page.keyboard.press("Enter")
        page.locator(".ltv-card", has_text="Not among the samples of this step").wait_for()
        page.get_by_label("Find a class or sample").fill("#3")
        page.keyboard.press("Enter")
        page.locator(".ltv-card", has_text="from the centre of its class").wait_for()
        page = open_page(browser, f"{running.address}/?runs=some-here&step=0")
        page.wait_for_function(STEP, arg=0, timeout=60_000)
        page.wait_for_function(POINTS, arg=300)
