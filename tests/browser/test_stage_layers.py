"""What the stage draws beside points, in a real browser: each layer is seen, switched and explained."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from patience import eventually, tip_over
from stage_insight import QUEUE

from ltviz.metrics.agreement import LEAST, recorded_for

pytestmark = pytest.mark.browser

DRAWN = 20
"""Of six links a class: two of each, so that the sphere stays calm."""

WITHOUT_WEBGL = (
    "const get = HTMLCanvasElement.prototype.getContext;"
    "HTMLCanvasElement.prototype.getContext = function (kind, ...rest)"
    " { return /webgl/.test(kind) ? null : get.call(this, kind, ...rest); };"
)

COUNT_COLOURS = """async ([png, rgb]) => {
  const image = await createImageBitmap(await (await fetch("data:image/png;base64," + png)).blob());
  const pen = new OffscreenCanvas(image.width, image.height).getContext("2d");
  pen.drawImage(image, 0, 0);
  const { data } = pen.getImageData(0, 0, image.width, image.height);
  let count = 0;
  for (let i = 0; i < data.length; i += 4)
    if (rgb.every((v, c) => Math.abs(data[i + c] - v) < 14)) count++;
  return count;
}"""


@pytest.fixture
def held(visit) -> Callable:
    """Opens a stage that stands still at a step."""

    def open_page(runs: str, step: int = 200):
        page = visit(runs=runs, step=step, live=0, n=500)
        wait_for_step(page, step)
        return page

    return open_page


def wait_for_step(page, step: int) -> None:
    page.wait_for_function(
        "s => window.ltviz?.stage?.panels?.length && window.ltviz.stage.panels.every((p) => p.step === s)", arg=step
    )


def switch(page, name: str, on: bool = True) -> None:
    """One layer, as a person does it."""
    page.get_by_text("Layers", exact=True).click()
    page.get_by_role("checkbox", name=name, exact=True).set_checked(on)
    page.keyboard.press("Escape")


def wait_for_layer(page, run: str, layer: str, count: int) -> None:
    page.wait_for_function(
        "([run, layer, count]) => window.ltviz.stage.layers?.[run]?.[layer] === count", arg=[run, layer, count]
    )


def pixels(page, rgb: tuple[int, int, int]) -> int:
    """How many pixels of the first sphere have this colour, once nothing moves any more."""
    drawn = -1
    while drawn != (drawn := page.evaluate("window.ltviz.stage.draws")):
        page.wait_for_timeout(350)
    panel = page.locator(".ltv-panel").first.bounding_box()
    clip = {"x": panel["x"], "y": panel["y"] + 34, "width": panel["width"], "height": panel["height"] - 64}
    return page.evaluate(COUNT_COLOURS, [base64.b64encode(page.screenshot(clip=clip)).decode(), list(rgb)])


def test_links_and_a_memory_are_drawn_and_explained(held) -> None:
    page = held("moco-1,clip-1,logit-adjust-1")
    wait_for_layer(page, "moco-1", "views", DRAWN)
    wait_for_layer(page, "logit-adjust-1", "boundary", 10)
    legend = page.locator(".ltv-signs")
    legend.get_by_text("two views").wait_for()
    assert "which belong together" in tip_over(page, legend.get_by_text("image and caption"))
    wait_for_layer(page, "moco-1", "queue", 0)
    switch(page, "Memory")
    wait_for_layer(page, "moco-1", "queue", QUEUE)
    legend.get_by_text("memory").wait_for()
    switch(page, "Two views", False)
    wait_for_layer(page, "moco-1", "views", 0)


def test_forces_their_parts_and_another_methods(held) -> None:
    page = held("bcl-1,supcon-1")
    wait_for_layer(page, "bcl-1", "forces", 0)
    options = page.get_by_test_id("ltviz-forces")
    assert not options.is_visible()
    ink = pixels(page, (28, 31, 36))
    switch(page, "Forces")
    # The rarest class was not in the batch.
    wait_for_layer(page, "bcl-1", "forces", 9)
    assert eventually(page, lambda: pixels(page, (28, 31, 36)) > ink + 60), "the totals have the colour of ink"
    options.get_by_role("button", name="pull of positives").click()
    wait_for_layer(page, "bcl-1", "forces", 19)
    assert options.get_by_role("button", name="prior").is_disabled()
    page.get_by_label("Force under another method").select_option(label="and under BCL")
    wait_for_layer(page, "bcl-1", "forces", 19)
    wait_for_layer(page, "supcon-1", "forces", 28)
    options.get_by_text("Computed at step 200.").wait_for()
    trust, least = recorded_for("supcon"), f"{LEAST:.2f}"
    options.get_by_text(f"trust {trust['bcl']:.2f}", exact=True).wait_for()
    options.get_by_role("button", name="one scale").click()
    options.get_by_role("button", name="one scale", pressed=True).wait_for()
    force = page.get_by_label("Legend").get_by_text("force", exact=True)
    assert "lengths compare between panels" in tip_over(page, force)
    page.get_by_label("Force under another method").select_option(label="and under gml")
    options.get_by_text(f"trust {trust['gml']:.2f}. Not drawn where the cosine is below {least}.").wait_for()
    # Its own total and the part, and no what-if.
    wait_for_layer(page, "bcl-1", "forces", 19)
    page.get_by_test_id("ltviz-slider").fill("205")
    wait_for_step(page, 205)
    options.get_by_text("Last computed at step 200; drawn fainter since.").wait_for()


def test_points_are_coloured_by_loss_and_confidence(held) -> None:
    page = held("bcl-1,ce-1", step=100)
    choose = page.locator("select", has=page.locator("option[value=loss]"))
    by_class = pixels(page, (217, 180, 91))
    choose.evaluate("(s, v) => { s.value = v; s.dispatchEvent(new Event('change', { bubbles: true })); }", "loss")
    page.get_by_text("2.30 or more").wait_for()
    scale = page.locator(".ltv-scale")
    assert "ln 10 = 2.30" in tip_over(page, scale)
    # A loss is worn by many shades of gold, where a class wore one of its own.
    assert eventually(page, lambda: pixels(page, (217, 150, 60)) + pixels(page, (217, 180, 91)) > by_class)
    choose.evaluate("(s, v) => { s.value = v; s.dispatchEvent(new Event('change', { bubbles: true })); }", "confidence")
    page.get_by_text("confidence 0 %").wait_for()
    assert "this run recorded none" in tip_over(page, scale)


def test_a_strip_of_readings_keeps_its_choice_and_moves_no_data(held) -> None:
    page = held("moco-1,clip-1,ce-1")
    assert page.get_by_test_id("ltviz-strip").count() == 0
    box = page.get_by_test_id("ltviz-stage").bounding_box()
    switch(page, "Inside the method")
    strips = page.get_by_test_id("ltviz-strip")
    strips.nth(2).wait_for(state="attached")
    assert strips.count() == 3
    assert eventually(page, lambda: "Temperature\n0.12" in strips.nth(1).inner_text())
    assert not strips.nth(2).is_visible(), "cross-entropy declares nothing"
    queue = strips.first
    queue.get_by_text("up to 52 keys").wait_for()
    bars = queue.locator("canvas").bounding_box()
    page.mouse.move(bars["x"] + 0.05 * bars["width"], bars["y"] + 10)
    queue.get_by_text("0: 52 keys").wait_for()
    queue.get_by_label("Reading").select_option(label="Queue age")
    page.mouse.move(bars["x"] + 0.97 * bars["width"], bars["y"] + 10)
    queue.get_by_text("9: not known yet").wait_for()
    page.get_by_test_id("ltviz-slider").fill("105")
    wait_for_step(page, 105)
    assert queue.get_by_label("Reading").input_value() == "queue_age"
    assert page.get_by_test_id("ltviz-stage").bounding_box()["width"] == box["width"]


def test_samples_of_several_classes_wear_a_ring(held) -> None:
    page = held("several-1")
    legend = page.locator(".ltv-signs")
    legend.get_by_text("several labels").wait_for()
    legend.get_by_text("validation").wait_for()
    # Vermilion is the rarest class's, which has few points of its own.
    ringed = pixels(page, (227, 90, 44))
    switch(page, "Several labels", False)
    assert eventually(page, lambda: pixels(page, (227, 90, 44)) < ringed - 40)
    legend.get_by_text("several labels").wait_for(state="detached")


def test_density_caps_and_landmarks_of_a_kind_of_their_own(held) -> None:
    page = held("proco-1")
    switch(page, "Density")
    legend = page.locator(".ltv-signs")
    legend.get_by_text("means").wait_for()
    assert "how wide the method itself believes" in tip_over(page, legend.get_by_text("density", exact=True))


def test_the_flat_map_draws_the_same_layers(browser, harness) -> None:
    context = browser.new_context(viewport={"width": 1100, "height": 820})
    context.add_init_script(WITHOUT_WEBGL)
    page = context.new_page()
    page.goto(harness.address(runs="tsc-1,moco-1", step=200, live=0, n=500))
    wait_for_step(page, 200)
    page.get_by_text("flat map of the sphere").wait_for()
    wait_for_layer(page, "moco-1", "views", DRAWN)
    before = pixels(page, (28, 31, 36))
    switch(page, "Forces")
    switch(page, "Memory")
    wait_for_layer(page, "moco-1", "queue", QUEUE)
    wait_for_layer(page, "tsc-1", "forces", 9)
    assert eventually(page, lambda: pixels(page, (28, 31, 36)) > before + 30)
    context.close()
