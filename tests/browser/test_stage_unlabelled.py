"""Samples without a label and pictures in colour, in a real browser: on the sphere, on the flat map, in the SVG."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from patience import tip_over
from test_stage_layers import WITHOUT_WEBGL, pixels, wait_for_step

pytestmark = pytest.mark.browser

GREYS = {"light": (154, 159, 166), "dark": (139, 144, 152)}
SHOWN = {"runs": "free-1", "step": 200, "live": 0, "n": 500}
FIND = """() => {
  const card = document.querySelector("[data-testid=ltviz-hover]");
  return card && !card.hidden ? card.innerText : "";
}"""
COLOUR_OF_CARD = """async () => {
  const image = await createImageBitmap(document.querySelector(".ltv-card > .ltv-thumb"));
  const pen = new OffscreenCanvas(image.width, image.height).getContext("2d");
  pen.drawImage(image, 0, 0);
  const { data } = pen.getImageData(0, 0, image.width, image.height), most = [0, 0, 0];
  for (let i = 0; i < data.length; i += 4) for (let c = 0; c < 3; c++) most[c] = Math.max(most[c], data[i + c]);
  return [image.width, image.height, ...most];
}"""


def colour_by(page: Any, mode: str) -> None:
    choose = page.locator("select", has=page.locator("option[value=loss]"))
    choose.evaluate("(s, v) => { s.value = v; s.dispatchEvent(new Event('change', { bubbles: true })); }", mode)


def search_sample(page: Any, number: int) -> None:
    page.get_by_label("Find a class or sample").fill(f"#{number}")
    page.keyboard.press("Enter")
    page.wait_for_function("n => document.querySelector('.ltv-card')?.innerText.includes(`sample ${n}`)", arg=number)


def wait_for_pixels(page: Any, grey: tuple[int, int, int], true: Callable[[int], bool]) -> int:
    """Software WebGL may need seconds for a picture, and counts before it are those of an empty sphere."""
    for _ in range(100):
        if true(count := pixels(page, grey)):
            return count
        page.wait_for_timeout(250)
    pytest.fail(f"{count} pixels of the grey {grey}")


def check_grey(page: Any, grey: tuple[int, int, int]) -> None:
    """Grey wherever colours are those of classes, and said in the legend then."""
    legend = page.locator(".ltv-legend").get_by_text("unlabelled (167)")
    for mode in ("ramp", "categorical", "groups", "correct"):
        colour_by(page, mode)
        legend.wait_for()
        seen = wait_for_pixels(page, grey, lambda count: count > 600)
        colour_by(page, "split")
        legend.wait_for(state="hidden")
        wait_for_pixels(page, grey, lambda count, seen=seen: count < seen - 500)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_samples_without_a_label_are_grey_in_every_choice_of_classes(visit: Callable, theme: str) -> None:
    page = visit(**SHOWN, theme=theme)
    wait_for_step(page, 200)
    check_grey(page, GREYS[theme])
    colour_by(page, "ramp")
    assert "never measured, ranked or counted" in tip_over(page, page.locator(".ltv-free"))


def test_the_flat_map_draws_them_grey_too(browser: Any, harness: Any) -> None:
    context = browser.new_context(viewport={"width": 1100, "height": 820})
    context.add_init_script(WITHOUT_WEBGL)
    page = context.new_page()
    page.goto(harness.address(**SHOWN))
    wait_for_step(page, 200)
    check_grey(page, GREYS["light"])
    context.close()


def test_their_card_says_so_beside_a_picture_in_colour(visit: Callable) -> None:
    page = visit(**SHOWN)
    wait_for_step(page, 200)
    search_sample(page, 1003)
    lines = page.evaluate(FIND).split("\n")
    assert lines[0] == "unlabelled" and lines[1].endswith("sample 1003") and lines[2].startswith("Answered ")
    assert not any("rank" in line or "of its class" in line for line in lines)
    assert page.locator(".ltv-nearrow b").count() == 0, "there is no class that neighbours could be of"
    assert page.evaluate(COLOUR_OF_CARD) == [14, 14, 255, 0, 0]
    search_sample(page, 1004)
    own, known = map(int, page.locator(".ltv-nearrow b").inner_text().split("/"))  # waits for it
    free = page.locator(".ltv-neighbour[title^=unlabelled]")
    assert own <= known == 8 - free.count() and free.count() > 0
    assert set(free.evaluate_all("all => all.map((chip) => chip.dataset.own)")) == {"false"}
    assert "rank" in page.evaluate(FIND)


def test_grey_pictures_stay_grey(visit: Callable) -> None:
    page = visit(**{**SHOWN, "runs": "ce-1"})
    wait_for_step(page, 200)
    search_sample(page, 1003)
    assert page.evaluate(COLOUR_OF_CARD) == [14, 14, 255, 255, 255]
    assert not page.locator(".ltv-free").is_visible()


def test_an_svg_draws_and_lists_them(visit: Callable, tmp_path: Path) -> None:
    page = visit(**SHOWN)
    wait_for_step(page, 200)
    page.get_by_text("Save", exact=True).click()
    with page.expect_download() as saved:
        page.get_by_text("SVG", exact=False).first.click()
    saved.value.save_as(tmp_path / "stage.svg")
    file = (tmp_path / "stage.svg").read_text(encoding="utf-8")
    assert file.count("<title>unlabelled (167)</title>") >= 2, "in front and behind"
    assert ">unlabelled (167)</text>" in file and 'fill="#9a9fa6"' in file
    assert "undefined" not in file and "NaN" not in file
