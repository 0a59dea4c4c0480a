"""Waiting for what a page says: an address, a text or a camera is written a moment after what it follows from."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

SECONDS = 30.0
"""A deadline that only a fault reaches, however busy the machine is."""


def eventually(page: Any, true: Callable[[], Any], seconds: float = SECONDS) -> Any:
    """What `true` gives, asked again until it is so; in between the page's own events are heard.

    The last answer where it never is: `assert eventually(page, lambda: "step=3" in page.url)`.
    """
    limit = time.monotonic() + seconds
    while not (found := true()) and time.monotonic() < limit:
        page.wait_for_timeout(50)
    return found


def tip_over(page: Any, element: Any) -> str:
    """What the stage's tip says once the pointer rests on `element`, which may still move when it first comes."""

    def told() -> str:
        page.mouse.move(1, 1)
        element.hover()
        tip = page.get_by_role("tooltip")
        return tip.inner_text() if tip.is_visible() else ""

    return eventually(page, told)


def at_rest(page: Any) -> dict[str, float]:
    """The stage's camera once it stays: what a hand has turned is told with the next picture."""
    seen: list[dict[str, float]] = []

    def stays() -> bool:
        seen.append(page.evaluate("window.ltviz.stage.camera"))
        page.wait_for_timeout(300)
        return len(seen) > 1 and seen[-1] == seen[-2]

    assert eventually(page, stays), f"the camera never rests: {seen[-2:]}"
    return seen[-1]


def written(page: Any) -> None:
    """Waits until Streamlit has written the page: what is pressed before may be replaced, and the press lost."""
    page.locator("[data-test-script-state=notRunning]").wait_for(state="attached")
