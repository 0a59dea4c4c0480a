"""The geometry lab as a person has it: one file in a browser, and the page of the app."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from ltviz.export.lab import lab_page
from tests.browser.patience import eventually

pytestmark = pytest.mark.browser
SECONDS = 60


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lab") / "lab.html"
    path.write_bytes(lab_page())
    return path


@pytest.fixture
def visit(browser, file: Path) -> Iterator[Callable]:
    """Opens the file; fails the test where the page complains or asks anybody for anything."""
    troubles: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 900})

    def open_page(query: str = ""):
        page = context.new_page()
        address = file.as_uri() + query
        page.on(
            "request", lambda r: None if r.url.startswith((file.as_uri(), "data:", "blob:")) else troubles.append(r.url)
        )
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda m: troubles.append(m.text) if m.type == "error" else None)
        page.goto(address)
        until(page, "window.ltviz?.stage?.panels.some(({ step }) => step > 0)")
        return page

    yield open_page
    context.close()
    assert troubles == []


def until(page, expression: str, arg: object = None) -> None:
    """Waits for it to be true. Playwright's own way evaluates text in the page, which its policy forbids."""
    end = time.monotonic() + SECONDS
    while not page.evaluate(expression, arg):
        assert time.monotonic() < end, f"never became true: {expression}"
        page.wait_for_timeout(80)


DEVIATION = """name => { const cells = [...document.querySelectorAll('[data-testid=ltviz-table] tr')]
  .find((row) => row.textContent.includes(name))?.cells;
  return Boolean(cells) && parseFloat(cells[2].textContent.replace(/[^0-9.]/g, '')) < 0.005; }"""


SMALLEST = """([name, angle]) => [...document.querySelectorAll('[data-testid=ltviz-table] tr')]
  .some((row) => row.textContent.includes(name) && row.cells[4].textContent.includes(angle))"""


def steps(page) -> dict[str, int]:
    return {panel["run"]: panel["step"] for panel in page.evaluate("window.ltviz.stage.panels")}


def at_rest(page, run: str) -> int:
    """The step of a panel once it stays."""
    before = -1
    while (now := steps(page)[run]) != before:
        before = now
        page.wait_for_timeout(700)
    return now


def row(page, title: str) -> list[str]:
    """What the table says of a loss: step, deviation, centre sum, smallest angle, of head, of tail, loss."""
    cells = page.locator("[data-testid=ltviz-table] tr", has_text=title).first.locator("th, td").all_inner_texts()
    return [cell.strip("• †\n") for cell in cells]


def set_slider(page, name: str, share: float) -> None:
    slider = page.get_by_role("slider", name=name, exact=True)
    slider.evaluate(
        """(e, share) => { e.value = String(Math.round(share * Number(e.max)));
          e.dispatchEvent(new Event('input', { bubbles: true })); }""",
        share,
    )


def test_a_file_of_its_own_computes_by_itself(visit, file: Path):
    page = visit()
    before = steps(page)
    assert set(before) == {"ce", "supcon", "bcl"}
    assert page.evaluate("window.ltviz.stage.step") > 0, "the newest step of all panels"
    until(page, "n => window.ltviz.stage.panels.every(({ step }) => step > n)", arg=before["bcl"])
    policy = page.locator("meta[http-equiv=Content-Security-Policy]").get_attribute("content")
    assert policy.startswith("default-src 'none'") and "worker-src blob:" in policy and "unsafe" not in policy
    assert "connect-src" not in policy, "default-src forbids all connections"
    assert file.stat().st_size < 3e6


def test_what_is_set_acts_at_once_and_stands_in_the_address(visit):
    page = visit("?losses=supcon,bcl&dim=16&speed=0&average=class")
    # The simplex for BCL, and not for SupCon.
    until(page, DEVIATION, "BCL")
    assert eventually(page, lambda: float(row(page, "SupCon")[2]) > 0.15)
    set_slider(page, "Imbalance", 0)
    until(page, "() => location.search.includes('imbalance=1')")
    until(page, DEVIATION, "SupCon")
    for name in ("Temperature", "Classes", "Dimension", "Speed"):
        assert page.get_by_role("slider", name=name, exact=True).count() == 1
    set_slider(page, "Classes", 0.1)
    page.get_by_role("button", name="TSC", exact=True).click()
    until(page, "() => window.ltviz.stage.panels.length === 3")
    until(page, "() => location.search.includes('classes=') && location.search.includes('tsc')")
    asked = parse_qs(urlsplit(page.evaluate("location.href")).query)
    assert asked["losses"] == ["supcon,tsc,bcl"] and asked["classes"] == ["4"] and asked["dim"] == ["16"]


def test_what_an_address_asks_for_in_vain_is_said_and_the_address_says_what_is_shown(visit):
    page = visit("?losses=nobody,bcl&dim=9999&average=<b>&theme=dark")
    said = page.locator(".ltl-vain").inner_text()
    assert "losses=nobody, dim=9999 (2–128), average=<b>" in said and page.locator(".ltl-vain b").count() == 0
    asked = parse_qs(urlsplit(page.evaluate("location.href")).query)
    assert asked == {"losses": ["bcl"], "dim": ["128"], "theme": ["dark"]}
    plain = visit("?losses=bcl")
    assert plain.locator(".ltl-vain").count() == 0


def test_time_can_be_walked_back_and_gone_on_from(visit):
    page = visit("?losses=bcl&speed=120")
    until(page, "() => window.ltviz.stage.panels[0].step > 60")
    # A pause holds the step that stands beside the slider, which is written later than the picture is drawn.
    until(page, "() => /[1-9]/.test(document.querySelector('[data-testid=ltviz-step]').textContent)")
    page.locator("canvas[data-testid=ltviz-stage]").focus()
    page.keyboard.press(" ")
    there = at_rest(page, "bcl")
    for _ in range(5):
        page.keyboard.press(",")
    until(page, "n => window.ltviz.stage.panels[0].step < n", arg=there)
    held = at_rest(page, "bcl")
    assert held < there, "nothing is computed while the past is looked at"
    page.get_by_role("button", name="Perturb").click()
    until(page, "n => window.ltviz.stage.panels[0].step > n", arg=held)
    page.get_by_role("button", name="Single step").click()
    first = at_rest(page, "bcl")
    page.get_by_role("button", name="Single step").click()
    until(page, "n => window.ltviz.stage.panels[0].step === n + 1", arg=first)
    page.get_by_role("button", name="Same start").click()
    until(page, "n => window.ltviz.stage.panels[0].step < n", arg=first)


def test_a_class_can_be_taken_by_its_ring(visit):
    page = visit("?losses=supcon,bcl&classes=4&imbalance=1")
    until(page, "() => window.ltviz.stage.panels[0].step > 150")
    page.get_by_role("button", name="Single step").click()
    at_rest(page, "bcl")
    label = page.locator(".ltv-label").first
    box, canvas = label.bounding_box(), page.locator("canvas[data-testid=ltviz-stage]").bounding_box()
    camera = page.evaluate("window.ltviz.stage.camera")
    # The ring lies beside its label: looked for around it.
    found = None
    for dy in range(-24, 40, 4):
        for dx in range(-30, 40, 4):
            page.mouse.move(box["x"] + dx, box["y"] + dy)
            if page.locator("canvas[data-hand=near]").count():
                found = (box["x"] + dx, box["y"] + dy)
                break
        if found:
            break
    assert found, "the pointer says that a class can be taken"
    before = row(page, "SupCon")[4], row(page, "BCL")[4]
    page.mouse.move(*found)
    page.mouse.down()
    page.mouse.move(canvas["x"] + canvas["width"] / 4, canvas["y"] + canvas["height"] / 2, steps=5)
    assert eventually(page, lambda: row(page, "SupCon")[4] != before[0]), (
        "it stays in the hand, though the loss goes on"
    )
    page.wait_for_timeout(400)
    assert row(page, "BCL")[4] == before[1], "a class moves in its own panel alone"
    page.mouse.up()
    until(page, SMALLEST, ["SupCon", before[0]])
    assert page.evaluate("window.ltviz.stage.camera") == camera, "the camera stays"


def test_a_loss_may_stand_there_twice_with_options_of_its_own(visit):
    page = visit("?losses=tsc,bcl&dim=16&speed=120")
    whose = page.get_by_test_id("ltviz-whose")
    whose.get_by_role("button", name="TSC", exact=True).click()
    whose.get_by_role("button", name="Once more").click()
    until(page, "() => window.ltviz.stage.panels.map(({ run }) => run).join() === 'tsc,tsc-2,bcl'")
    until(page, "() => window.ltviz.stage.step > 5 && window.ltviz.stage.panels.every(({ step }) => step > 5)")
    before = page.evaluate("window.ltviz.stage.step")
    set_slider(page, "TSC: target weight", 0.5)
    until(page, "() => location.search.includes('losses=tsc,tsc@targetWeight:5,bcl')")
    until(page, "n => window.ltviz.stage.step > n", arg=before)
    assert eventually(page, lambda: page.locator("[data-loss=tsc]").inner_text() == "TSC × 2")
    for name in ("TSC · weight 1", "TSC · weight 5"):  # what is set for all is said beside it
        page.locator("[data-testid=ltviz-table] tr", has_text=name).first.wait_for(state="attached")
    whose.get_by_role("button", name="Remove").click()
    until(page, "() => window.ltviz.stage.panels.map(({ run }) => run).join() === 'tsc,bcl'")
    until(page, "() => location.search.includes('losses=tsc,bcl')")


def test_theory_is_computed_in_the_page_shown_and_comes_true(visit):
    page = visit("?losses=ce,supcon&dim=9&average=sample&imbalance=10&speed=0&layers=theory")
    says = page.get_by_test_id("ltviz-theory")
    # Both end where theory says, and that is not the simplex.
    there = "[...document.querySelectorAll('.ltl-says')].filter((p) => / 0\\.0° off it/.test(p.textContent))"
    until(page, f"() => {there}.length === 2")
    told = says.all_inner_texts()
    assert "layer-peeled" in told[0] and "Derived, population SupCon" in told[1], told
    squares = page.locator("figure[data-square]").evaluate_all("all => all.map((one) => one.dataset.square)")
    assert squares[:6] == [
        "ce-rows",
        "ce-rows-predicted",
        "ce-means",
        "ce-means-predicted",
        "supcon-means",
        "supcon-means-predicted",
    ]
    # Rows and means.
    until(page, "() => { const { ce, supcon } = window.ltviz.stage.layers; return ce.theory + supcon.theory === 30; }")
    for chart in ("theory", "rows"):
        page.locator(f"canvas[data-chart={chart}]").wait_for()
    set_slider(page, "Dimension", 0.2)
    until(page, "() => document.querySelector('.ltl-says').textContent.startsWith('Nothing is predicted')")
    assert eventually(page, lambda: page.locator("figure[data-square*=predicted]").count() == 0)
    until(page, "() => Object.values(window.ltviz.stage.layers).every(({ theory }) => !theory)")
    page.get_by_role("button", name="Let theory appear").click()
    until(page, "() => document.querySelector('.ltl-says').textContent.startsWith('SELI')")
    until(page, "() => location.search.includes('vanish=1')")


def test_targets_are_found_while_one_watches(visit):
    page = visit("?losses=tsc&classes=4")
    page.locator("summary", has_text="Targets").click()
    until(
        page, """() => document.querySelector('figure[data-recipe=annealed] p').textContent.includes('1500 of 1500')"""
    )
    said = {
        name: page.locator(f"figure[data-recipe={name}] p").inner_text() for name in ("closed", "annealed", "official")
    }
    assert all("−0.333" in said[name] for name in ("closed", "annealed")) and "−0.333" not in said["official"], said
    with page.expect_download() as saved:
        page.locator("figure[data-recipe=closed] button").click()
    rows = np.load(saved.value.path())
    assert rows.shape == (4, 3) and np.allclose(rows @ rows.T, np.eye(4) * 4 / 3 - 1 / 3)
    told = page.get_by_test_id("ltviz-matching").inner_text().partition(":")[2]
    matched, chance = map(float, re.findall(r"\d+(?:\.\d+)?", told))
    assert matched < 0.1 < chance


def test_the_app_has_the_lab(browser, tmp_path):
    from ltviz.bench.served import app

    with app(tmp_path) as running:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.goto(f"{running.address}/geometry?losses=gml&speed=0")
        until(page, "window.ltviz?.stage?.panels?.some(({ step }) => step > 100)")
        frames = page.evaluate("window.ltviz.stage.panels")
        assert [panel["run"] for panel in frames] == ["gml"]
        assert page.get_by_role("link", name="Geometry").count() == 1
        assert page.get_by_text("HTML replay").count() == 0, "the app's server has no run to make one of"
        context.close()
