"""Phase diagrams in the geometry lab, in a browser: computed beside the stage, played, kept and taken away."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from ltviz.cli.phase import Table
from ltviz.export.lab import lab_page
from ltviz.geometry.phase import Plane, border, tail_angle
from tests.browser.patience import eventually
from tests.browser.test_geometry import steps, until

pytestmark = pytest.mark.browser
SMALL = "?losses=bcl&phase=supcon,class,temperature,2,2,0.1,coarse"
"""Four classes, 35 cells."""
ALL = "() => document.querySelector('[data-testid=ltviz-phase-state]').textContent.startsWith('All')"
COLOURED = "() => new Set([...document.querySelectorAll('[role=gridcell]')].map((e) => e.getAttribute('fill'))).size"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("phase") / "lab.html"
    path.write_bytes(lab_page())
    return path.as_uri()


@pytest.fixture
def page(browser, address: str) -> Iterator:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    troubles: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda m: troubles.append(m.text) if m.type == "error" else None)
    page.goto(address + SMALL)
    until(page, "() => document.querySelectorAll('[role=gridcell]').length === 35")
    until(page, "() => window.ltviz.stage.panels.some(({ step }) => step > 0)")
    yield page
    context.close()
    assert troubles == []


def asked(page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.evaluate("location.href")).query).items()}


def cell(page, row: float, ratio: float):
    return page.locator(f"[role=gridcell][data-row='{row:g}'][data-ratio='{ratio:g}']")


def test_a_diagram_is_computed_played_kept_and_taken_away(page, address: str, tmp_path: Path):
    # The border stands there before any cell.
    until(page, "() => document.querySelector('.ltl-map [clip-path] path')")
    assert page.evaluate(COLOURED) == 1
    state = page.get_by_test_id("ltviz-phase-state")
    assert state.inner_text() == "No cell has been computed yet."
    before = steps(page)["bcl"]
    page.get_by_role("button", name="Compute 35 cells").click()
    page.get_by_role("button", name="Stop", exact=True).wait_for()
    until(page, ALL)
    until(page, f"() => ({COLOURED})() > 8")
    until(page, "n => window.ltviz.stage.panels[0].step > n", before)  # the stage goes on meanwhile

    # A cell plays, and stands in the address.
    plane = Plane(loss="supcon", against="temperature", average="class", num_head=2, num_tail=2)
    there = cell(page, 0.5, 10)
    assert "10" in (there.get_attribute("aria-label") or "") and "temperature 0.5" in there.get_attribute("aria-label")
    there.click()
    until(page, "() => window.ltviz.stage.panels.map(({ run }) => run).join() === 'supcon'")
    until(page, "() => window.ltviz.stage.panels[0].step > 60")
    until(page, "() => location.search.includes('counts=')")
    told = asked(page)
    assert (told["losses"], told["temperature"], told.get("dim", "3")) == ("supcon", "0.5", "3")
    assert told["counts"] == "1000,1000,100,100" and told["phase"].startswith("supcon,class,temperature,2,2")
    said = page.get_by_test_id("ltviz-phase-cell").inner_text()
    assert f"{tail_angle(plane, 0.5, 10.0):.1f}°" in said, said
    assert f"{border(plane, 0.5):.4g}" in said, said

    # Keys go from cell to cell, and play too.
    there.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    until(page, "() => location.search.includes('temperature=1&') || location.search.endsWith('temperature=1')")
    assert page.evaluate("document.activeElement.getAttribute('data-row')") == "1"

    # What is taken away is what Python computes, and reads.
    names = {}
    for kind in ("CSV", "SVG", "PNG"):
        with page.expect_download() as saved:
            page.get_by_role("button", name=kind, exact=True).click()
        names[kind] = tmp_path / saved.value.suggested_filename
        saved.value.save_as(names[kind])
    lines = Table(names["CSV"], plane)._others
    assert len(lines) == 35
    for line in lines[::6]:
        row, ratio, angle, predicted = map(float, line[7:11])
        assert angle == pytest.approx(tail_angle(plane, row, ratio), abs=1e-3)
        assert predicted == pytest.approx(border(plane, row), rel=1e-5)
    drawing = ET.parse(names["SVG"]).getroot()
    assert drawing.tag.endswith("svg") and len(drawing.findall(".//*[@fill]")) > 35
    assert names["PNG"].read_bytes().startswith(b"\x89PNG")

    # Nothing is computed twice: after other questions, and after a reload.
    page.get_by_role("button", name="BCL", exact=True).last.click()
    page.get_by_role("button", name="Compute 35 cells").wait_for()
    page.locator(".ltl-phase").get_by_role("button", name="SupCon", exact=True).click()
    until(page, ALL)
    page.goto(address + SMALL)
    until(page, ALL)


def test_a_diagram_can_be_stopped_and_gone_on_with(page):
    page.get_by_role("button", name="layer-peeled").click()
    page.get_by_role("button", name="many", exact=True).click()
    page.get_by_role("button", name="Compute 425 cells").click()
    until(page, "() => /^[1-9].* of/.test(document.querySelector('[data-testid=ltviz-phase-state]').textContent)")
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("button", name="more").wait_for()
    state = page.get_by_test_id("ltviz-phase-state")

    def stands_still() -> bool:
        before = state.inner_text()
        page.wait_for_timeout(600)
        return "the others wait" in before and state.inner_text() == before

    assert eventually(page, stands_still), "what was begun is finished, and no more"
    # A cell that waits is computed where somebody wants to see it: with the decay that leaves its energy.
    waits = page.locator("[role=gridcell][aria-label*='not computed yet']").first
    waits.click()
    until(page, "() => location.search.includes('decay=')")
    assert asked(page)["losses"] == "ce"
