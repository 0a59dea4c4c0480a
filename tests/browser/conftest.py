"""The stage's made-up page, opened in a browser that may talk to nobody else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from stage_harness import Harness

from ltviz.bench.served import COUNT_CONTEXTS


@pytest.fixture(scope="session")
def harness() -> Iterator[Harness]:
    with Harness().serve() as served:
        yield served


@pytest.fixture
def visit(browser, harness) -> Iterator[Callable]:
    """Opens the harness page; fails the test when the page complains or asks another host."""
    troubles: list[str] = []
    context = browser.new_context(viewport={"width": 1200, "height": 820}, has_touch=True)
    context.add_init_script(COUNT_CONTEXTS)

    def look(request) -> None:
        if not request.url.startswith((f"http://127.0.0.1:{harness.port}/", "data:", "blob:")):
            troubles.append(f"asked {request.url}")

    def open_page(frames: int = 1, **query: object):
        page = context.new_page()
        page.on("request", look)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda m: troubles.append(m.text) if m.type in {"error", "warning"} else None)
        page.goto(harness.address(**query))
        page.wait_for_function("n => window.ltviz?.stage?.frames >= n && window.ltviz.stage.draws > 1", arg=frames)
        return page

    yield open_page
    context.close()
    assert troubles == []
