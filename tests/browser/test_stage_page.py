"""The stage in a real browser: it draws, keeps its camera, answers the hand, and talks to nobody else."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import numpy as np
import pytest
from patience import at_rest, eventually, tip_over
from stage_harness import centre, stage

pytestmark = pytest.mark.browser


COUNT_SATURATED = """async (png) => {
  const image = await createImageBitmap(await (await fetch("data:image/png;base64," + png)).blob());
  const pen = new OffscreenCanvas(image.width, image.height).getContext("2d");
  pen.drawImage(image, 0, 0);
  const { data } = pen.getImageData(0, 0, image.width, image.height);
  let count = 0;
  for (let i = 0; i < data.length; i += 4) {
    const rgb = [data[i], data[i + 1], data[i + 2]];
    if (Math.max(...rgb) - Math.min(...rgb) > 60) count++;
  }
  return count;
}"""


def wait_for_points(page) -> None:
    """Until the first sphere shows colour: page, sphere and text have none. Software WebGL may take its time."""
    x, y = centre(page)
    for _ in range(100):
        png = page.screenshot(clip={"x": x - 130, "y": y - 80, "width": 260, "height": 160})
        coloured = page.evaluate(COUNT_SATURATED, base64.b64encode(png).decode())
        if coloured > 300:
            return
        page.wait_for_timeout(150)
    raise AssertionError(f"only {coloured} pixels of the first sphere have a colour")


def test_it_draws_with_one_context_and_the_camera_is_the_persons(visit) -> None:
    page = visit(frames=40, n=800)
    wait_for_points(page)
    assert page.evaluate("window.contexts()") == 1
    assert page.locator("canvas").count() == 1
    assert [p["run"] for p in stage(page)["panels"]] == ["ce-1", "supcon-1", "bcl-1", "tsc-1"]
    untouched = stage(page)["camera"]
    x, y = centre(page)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 80, y + 30, steps=4)
    begun = stage(page)["frames"]
    page.wait_for_function("n => window.ltviz.stage.frames >= n + 10", arg=begun)
    held = at_rest(page)
    assert held["yaw"] > untouched["yaw"] + 0.3
    page.mouse.move(x + 120, y + 30, steps=2)
    page.mouse.up()
    page.wait_for_function("y => window.ltviz.stage.camera.yaw > y + 0.1", arg=held["yaw"])
    turned, begun = at_rest(page), stage(page)["frames"]
    page.wait_for_function("n => window.ltviz.stage.frames >= n + 40", arg=begun)
    assert stage(page)["camera"] == turned
    page.keyboard.press("Home")
    page.wait_for_function("y => Math.abs(window.ltviz.stage.camera.yaw - y) < 1e-6", arg=untouched["yaw"])
    page.keyboard.press("+")
    page.wait_for_function("d => window.ltviz.stage.camera.distance < d", arg=untouched["distance"])


def test_nothing_is_drawn_while_nothing_changes(visit) -> None:
    page = visit(runs="bcl-1", step=200, live=0, n=500)
    for _ in range(8):
        before = stage(page)
        page.wait_for_timeout(800)
        if stage(page)["draws"] == before["draws"]:
            break
    else:
        pytest.fail("a held, untouched stage was drawn again and again")
    page.mouse.move(*centre(page))
    page.mouse.wheel(0, -300)
    page.wait_for_function("d => window.ltviz.stage.camera.distance < d", arg=before["camera"]["distance"])


def test_hover_names_the_sample_and_a_click_keeps_it(visit) -> None:
    page = visit(runs="bcl-1,tsc-1", step=300, live=0, n=1500)
    page.wait_for_function("window.ltviz.stage.panels.every((p) => p.step === 300)")
    page.wait_for_timeout(300)
    card = page.get_by_test_id("ltviz-hover")
    x, y = centre(page)

    def names_a_sample() -> bool:
        return card.is_visible() and "sample" in card.inner_text() and "Centre" not in card.inner_text()

    for turn in range(120):
        angle, radius = turn * 2.4, 8 + turn % 60 * 2.2
        at = x + radius * np.cos(angle), y + radius * np.sin(angle)
        page.mouse.move(*at)
        page.wait_for_timeout(70 if turn < 60 else 500)
        if names_a_sample():
            page.wait_for_timeout(250)
            if names_a_sample():  # of this place, and not of the one before
                break
    else:
        pytest.fail("no point of 1,500 was found under the pointer")
    text = card.inner_text()
    assert "training samples, rank" in text
    assert "from the centre of its class" in text
    assert card.locator("img").get_attribute("src").startswith("data:image/bmp")
    page.mouse.click(*at)
    page.mouse.move(5, 5)
    page.wait_for_timeout(150)
    assert card.is_visible()
    page.keyboard.press("Escape")
    page.wait_for_function("document.querySelector('[data-testid=ltviz-hover]').hidden")


def test_the_slider_holds_a_step_and_its_right_end_is_live(visit, harness) -> None:
    page = visit(frames=4, runs="ce-1,tsc-1", n=400)
    page.wait_for_function("Number(document.querySelector('[data-testid=ltviz-slider]').max) >= 300")
    slider = page.get_by_test_id("ltviz-slider")
    slider.fill("102")
    page.wait_for_function("window.ltviz.stage.panels.every((p) => p.step === 100)")
    assert eventually(page, lambda: "step=100" in page.url)
    assert eventually(page, lambda: page.get_by_test_id("ltviz-step").inner_text() == "step 100")
    slider.press("ArrowRight")
    page.wait_for_function("window.ltviz.stage.panels.every((p) => p.step === 105)")
    held = stage(page)["frames"]
    page.wait_for_timeout(300)
    assert stage(page)["frames"] == held
    # The right end moves on while the run trains.
    slider.evaluate("(s) => { s.value = s.max; s.dispatchEvent(new Event('input', { bubbles: true })); }")
    page.wait_for_function("n => window.ltviz.stage.frames > n + 8", arg=held)
    assert eventually(page, lambda: "step=" not in page.url)
    page.get_by_label("Pause").click()
    page.wait_for_function("location.search.includes('step=')")
    page.get_by_label("Play").click()
    page.get_by_label("Speed").select_option("2")
    page.wait_for_function("!location.search.includes('step=')")
    kinds = [key for message in harness.heard(lambda log: any("speed" in said for said in log)) for key in message]
    assert kinds == ["step", "step", "live", "step", "play", "from", "speed"]


def test_a_remount_keeps_camera_picture_and_context(visit, harness) -> None:
    page = visit(frames=4, runs="bcl-1,tsc-1", n=400)
    page.get_by_test_id("ltviz-stage").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("Math.abs(window.ltviz.stage.camera.yaw - 0.72) < 1e-6")
    before = stage(page)
    talks = len(harness.conversations)
    page.evaluate("window.remount()")
    page.wait_for_function("n => window.ltviz.stage.frames > n + 6", arg=before["frames"])
    after = stage(page)
    assert after["mounts"] == 2
    assert after["camera"] == pytest.approx(before["camera"], abs=1e-4), "but for the last of a turn that comes to rest"
    assert page.evaluate("window.contexts()") == 1
    assert len(harness.conversations) == talks, "a short remount needs no new socket"
    page.wait_for_timeout(1700)
    assert page.get_by_test_id("ltviz-stage").is_visible()
    page.evaluate("window.update({ runs: ['tsc-1', 'ce-1', 'bcl-2'] })")
    page.wait_for_function(
        "window.ltviz.stage.panels.length === 3 && window.ltviz.stage.panels.every((p) => p.step !== null)"
    )
    assert stage(page)["camera"] == pytest.approx(before["camera"], abs=1e-4)


def test_frames_are_answered_and_never_more_than_two_wait(visit, harness) -> None:
    page = visit(frames=30, runs="ce-1,bcl-1", n=300, hz=30)
    talk = harness.conversations[-1]
    for _ in range(10):
        page.evaluate("const end = performance.now() + 600; while (performance.now() < end);")
        seen = stage(page)["frames"]
        page.wait_for_function("n => window.ltviz.stage.frames > n + 10", arg=seen)
        if talk.most_waiting >= 2:  # a busy server may have had too little time for two
            break
    assert talk.most_waiting == 2
    assert stage(page)["seq"] <= talk.seq


def test_a_lasso_takes_the_same_samples_in_every_panel(visit) -> None:
    page = visit(runs="bcl-1,tsc-1", step=300, live=0, n=800)
    page.wait_for_function("window.ltviz.stage.panels.every((p) => p.step === 300)")
    camera = stage(page)["camera"]
    x, y = centre(page)
    page.keyboard.down("Shift")
    page.mouse.move(x - 150, y - 150)
    page.mouse.down()
    for dx, dy in [(150, -150), (150, 150), (-150, 150)]:
        page.mouse.move(x + dx, y + dy)
    page.mouse.up()
    page.keyboard.up("Shift")
    bar = page.get_by_test_id("ltviz-selection")
    bar.wait_for()
    count = int(bar.inner_text().split()[0])
    assert 20 < count < 800
    assert stage(page)["camera"] == camera
    with page.expect_download() as download:
        bar.get_by_text("Save CSV").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert lines[0].startswith("run,step,sample,split,class,prediction")
    assert sum(line.startswith('"bcl-1",300,') for line in lines) == count
    bar.get_by_text("Clear").click()
    bar.wait_for(state="hidden")
    page.evaluate("window.update({ lit: [1, 2, 3] })")  # as the page does that suggests who moved
    bar.get_by_text("3 samples").wait_for()
    page.evaluate("window.update({ lit: [] })")
    bar.wait_for(state="hidden")
    with page.expect_download() as download:
        page.locator("summary", has_text="Save").click()
        page.get_by_role("button", name="PNG").click()
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")


def test_states_are_told_in_place_and_names_are_text(visit) -> None:
    page = visit(runs="failed-1,waiting-1,hostile-1,projected-1", n=300)
    page.get_by_text("The loss became infinite at step 12").wait_for()
    waiting = page.locator(".ltv-panel", has_text="waiting-1")
    waiting.get_by_text("Waiting for the first frame…").wait_for()
    page.get_by_text("<img src=x onerror=alert(1)>").first.wait_for()
    for gauge in ("order", "centres"):
        page.locator(".ltv-gauge", has_text=gauge).get_by_text(re.compile(r"\d+ %")).wait_for(state="attached")
    page.locator(".ltv-label", has_text="<b>bold</b>").first.wait_for(state="attached")
    assert page.locator(".ltv-root img").count() == 1, "only the card's own image"
    page.get_by_test_id("ltviz-table").get_by_text("No simplex fits: 10 classes need 9 dimensions").first.wait_for()
    assert "0 is balanced" in tip_over(page, page.get_by_text("Centre sum, all samples"))


def test_a_read_out_is_shown_and_not_compared_and_accuracies_carry_their_error(visit) -> None:
    page = visit(runs="ce-1,bcl-1", step=250, live=0, n=300)
    rows = page.get_by_test_id("ltviz-table").locator("tbody tr")
    rows.filter(has_text=re.compile(r"± 2 %")).first.wait_for()
    ce, bcl = rows.nth(0), rows.nth(1)
    page.wait_for_function("window.ltviz.stage.panels.every((p) => p.step === 250)")
    assert eventually(page, lambda: "‡" in ce.inner_text()) and "‡" not in bcl.inner_text()
    table = page.get_by_test_id("ltviz-table")
    assert eventually(page, lambda: "A read-out beside the encoder" in table.inner_text())
    measured = table.locator("thead th[data-key]").evaluate_all("heads => heads.map((head) => head.dataset.key)")
    column = 2 + measured.index("centre_sum")
    assert ce.locator("th, td").nth(column).get_attribute("data-best") is None
    cell = ce.locator("th, td").nth(2 + measured.index("accuracy_few"))
    few = eventually(page, lambda: cell.get_attribute("title"))
    assert few is not None and re.fullmatch(r"\d+\.\d ± 2\.4 % of \d+ samples; ± is the standard error.*", few)


def test_a_lost_context_comes_back(visit) -> None:
    page = visit(runs="bcl-1", step=250, live=0, n=800)
    page.wait_for_timeout(400)
    lose = "window.loss = document.querySelector('canvas').getContext('webgl2').getExtension('WEBGL_lose_context')"
    page.evaluate(f"{lose}; window.loss.loseContext()")
    page.get_by_text("It comes back by itself").wait_for()
    page.evaluate("window.loss.restoreContext()")
    page.get_by_text("It comes back by itself").wait_for(state="hidden")
    page.wait_for_timeout(300)
    wait_for_points(page)


def test_without_webgl_a_flat_map_is_drawn(browser, harness) -> None:
    context = browser.new_context(viewport={"width": 900, "height": 800})
    context.add_init_script(
        "const get = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...rest)"
        " { return /webgl/.test(kind) ? null : get.call(this, kind, ...rest); };"
    )
    page = context.new_page()
    page.goto(harness.address(runs="bcl-1", step=250, live=0, n=800))
    page.wait_for_function("window.ltviz?.stage?.panels?.[0]?.step === 250")
    page.get_by_text("flat map of the sphere").wait_for()
    page.wait_for_timeout(300)
    wait_for_points(page)
    context.close()


def test_an_empty_sphere_is_no_drawn_frame(visit) -> None:
    page = visit(frames=0, runs="waiting-1")
    page.wait_for_timeout(1200)  # long enough for the badge to have written its rate
    facts = stage(page)
    assert facts["draws"] > 1 and facts["fps"] == 0 and facts["drawn"] == {}
    page.evaluate("window.update({ runs: ['waiting-1', 'ce-1'] })")
    page.wait_for_function("window.ltviz.stage.drawn['ce-1'] > 2")
    facts = stage(page)
    assert list(facts["drawn"]) == ["ce-1"] and facts["drawn"]["ce-1"] <= facts["frames"]


def test_it_says_what_it_does_now(visit) -> None:
    page = visit(runs="ce-1,bcl-1", live=0)
    now = page.get_by_test_id("ltviz-now")
    now.get_by_text("Playing from the first step to the last, over and over.").wait_for()
    page.get_by_role("button", name="Pause").click()
    now.get_by_text("Paused at step ").wait_for()
    page.wait_for_function("Number(document.querySelector('[data-testid=ltviz-slider]').max) >= 300")
    page.get_by_test_id("ltviz-slider").fill("300")
    now.get_by_text("Held at the end, step 300.").wait_for()
    page.get_by_role("button", name="Play").click()
    now.get_by_text("Playing").wait_for()
    page.close()
    live = visit(runs="ce-1,waiting-1")
    live.get_by_text("Training: each step is shown as it comes.").wait_for()
    live.wait_for_function("Number(document.querySelector('[data-testid=ltviz-slider]').max) >= 100")
    live.get_by_test_id("ltviz-slider").fill("100")
    live.get_by_text("Paused at step 100; training goes on.").wait_for()
