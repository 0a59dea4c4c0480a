"""What a person does with the stage: keeps moments, frees cameras, finds, selects, walks marks, chooses a view."""

from __future__ import annotations

import pytest
from patience import at_rest, eventually
from stage_harness import centre, stage

pytestmark = pytest.mark.browser

HELD = "s => window.ltviz.stage.panels.every((p) => p.frozen || p.step === s)"
NAME = "(e) => e.getAttribute('aria-label') ?? e.textContent.trim()"
SLIDER = "Number(document.querySelector('[data-testid=ltviz-slider]').max) === 300"


def drag(page, start: tuple[float, float], by: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(start[0] + by[0], start[1] + by[1], steps=4)
    page.mouse.up()


def frozen(page) -> list[tuple[str, int]]:
    return [(p["run"], p["step"]) for p in stage(page)["panels"] if p.get("frozen")]


def test_a_kept_moment_stays_beside_the_live_panels_and_in_the_link(visit, harness) -> None:
    page = visit(runs="ce-1,tsc-1", step=60, live=0, n=400)
    page.wait_for_function(HELD, arg=60)
    page.get_by_role("button", name="Keep this moment").click()
    page.wait_for_function("window.ltviz.stage.panels.length === 4")
    page.wait_for_function(SLIDER)
    page.get_by_test_id("ltviz-slider").fill("300")
    page.wait_for_function(HELD, arg=300)
    assert frozen(page) == [("ce-1", 60), ("tsc-1", 60)]
    assert eventually(page, lambda: "beside=60" in page.url and "step=300" in page.url)
    kept = page.locator(".ltv-panel", has=page.get_by_role("button", name="Take this moment away"))
    assert eventually(page, lambda: kept.count() == 2 and "step 60" in kept.first.inner_text())
    kept.first.get_by_role("button", name="Take this moment away").click()
    page.wait_for_function("window.ltviz.stage.panels.length === 3")
    assert eventually(page, lambda: "beside=tsc-1@60" in page.url)

    linked = visit(runs="ce-1,tsc-1", step=300, live=0, n=400, beside="tsc-1@60,120")
    linked.wait_for_function("window.ltviz.stage.panels.length === 5 && window.ltviz.stage.panels.every((p) => p.step)")
    assert frozen(linked) == [("tsc-1", 60), ("ce-1", 120), ("tsc-1", 120)]
    assert eventually(linked, lambda: [p["step"] for p in stage(linked)["panels"][:2]] == [300, 300])
    assert linked.evaluate("window.contexts()") == 1


def test_more_than_twelve_panels_are_refused_with_a_sentence(visit) -> None:
    runs = ",".join(f"ce-{i}" for i in range(1, 8))
    page = visit(runs=runs, step=60, live=0, n=60)
    page.wait_for_function("window.ltviz.stage.panels.length === 7 && window.ltviz.stage.panels.every((p) => p.step)")
    page.get_by_test_id("ltviz-stage").focus()
    page.keyboard.press("k")
    page.get_by_text("The stage has room for 12 panels").wait_for()
    assert len(stage(page)["panels"]) == 7


def test_free_cameras_turn_alone_and_a_reload_brings_them_back(visit) -> None:
    page = visit(runs="ce-1,tsc-1", step=60, live=0, n=300)
    home = stage(page)["camera"]
    page.locator("summary", has_text="Camera").click()
    page.get_by_label("One camera for all").uncheck()
    page.keyboard.press("Escape")
    drag(page, centre(page, 1), (60, 0))
    page.wait_for_function("y => window.ltviz.stage.camera.yaw > y + 0.2", arg=home["yaw"])
    turned = at_rest(page)
    page.locator(".ltv-panel[data-focus]", has_text="TSC").wait_for()
    page.get_by_test_id("ltviz-stage").focus()
    page.keyboard.press("1")
    page.keyboard.press("+")
    page.wait_for_function("d => window.ltviz.stage.camera.distance < d", arg=home["distance"])
    assert stage(page)["camera"]["yaw"] == pytest.approx(home["yaw"])
    page.reload()
    page.wait_for_function("window.ltviz?.stage?.panels?.length === 2")
    page.get_by_test_id("ltviz-stage").focus()
    page.keyboard.press("2")
    page.keyboard.press("-")
    page.wait_for_function("y => Math.abs(window.ltviz.stage.camera.yaw - y) < 1e-6", arg=turned["yaw"])


def test_one_box_finds_a_class_and_a_sample(visit) -> None:
    page = visit(runs="bcl-1,tsc-1", step=300, live=0, n=600)
    page.wait_for_function(HELD, arg=300)
    box = page.get_by_label("Find a class or sample")
    box.fill("#1042")
    box.press("Enter")
    card = page.get_by_test_id("ltviz-hover")
    card.get_by_text("sample 1042").wait_for()
    near = card.locator(".ltv-nearrow")
    assert eventually(page, lambda: near.count() == 2 and near.first.locator(".ltv-neighbour").count() == 8)
    assert "Nearest in each panel" in card.inner_text()
    page.locator("[aria-live=polite]", has_text="sample 1042").wait_for(state="attached")
    yaw = at_rest(page)["yaw"]
    box.fill("no such thing")
    box.press("Enter")
    page.get_by_text("There is no class called “no such thing”.").wait_for()
    box.fill("99999")
    box.press("Enter")
    page.get_by_text("Sample 99999 is not among the 600 samples").wait_for()
    box.fill("7")
    box.press("Enter")
    page.wait_for_function("y => window.ltviz.stage.camera.yaw !== y", arg=yaw)


def test_a_box_selects_and_the_table_then_speaks_of_the_selection(visit) -> None:
    page = visit(runs="bcl-1,tsc-1", step=300, live=0, n=800)
    page.wait_for_function(HELD, arg=300)
    camera = stage(page)["camera"]
    x, y = centre(page)
    page.get_by_role("button", name="Box").click()
    drag(page, (x - 150, y - 150), (300, 300))
    bar = page.get_by_test_id("ltviz-selection")
    bar.wait_for()
    count = int(bar.inner_text().split()[0])
    assert 20 < count < 800
    assert stage(page)["camera"] == camera
    rows = page.get_by_test_id("ltviz-selected-table").locator("tbody tr")
    rows.nth(1).wait_for()
    for i in range(2):
        assert eventually(page, lambda i=i: rows.nth(i).locator("td").nth(1).inner_text() == str(count))
    page.get_by_test_id("ltviz-table").wait_for(state="hidden")
    page.get_by_test_id("ltviz-slider").fill("100")
    page.wait_for_function(HELD, arg=100)
    assert bar.inner_text().split()[0] == str(count), "a selection survives time"
    page.get_by_test_id("ltviz-stage").focus()
    page.keyboard.press("Escape")
    page.get_by_test_id("ltviz-table").wait_for()


def test_fingers_turn_pinch_and_draw(visit) -> None:
    page = visit(runs="bcl-1,tsc-1", step=300, live=0, n=600)
    page.wait_for_function(HELD, arg=300)
    x, y = centre(page)
    before = stage(page)["camera"]
    touch = page.context.new_cdp_session(page)

    def fingers(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": px, "y": py, "id": i} for i, (px, py) in enumerate(places)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", (x - 30, y), (x + 30, y))
    for reach in (45, 60, 75, 90):
        fingers("touchMove", (x - reach, y), (x + reach, y))
    fingers("touchEnd")
    page.wait_for_function("d => window.ltviz.stage.camera.distance < 0.6 * d", arg=before["distance"])
    page.get_by_test_id("ltviz-stage").focus()
    page.keyboard.press("Home")
    page.wait_for_function("d => Math.abs(window.ltviz.stage.camera.distance - d) < 1e-6", arg=before["distance"])
    page.get_by_role("button", name="Lasso").click()
    home = at_rest(page)
    fingers("touchStart", (x - 150, y - 150))
    for dx, dy in [(150, -150), (150, 150), (-150, 150)]:
        fingers("touchMove", (x + dx, y + dy))
    fingers("touchEnd")
    page.get_by_test_id("ltviz-selection").wait_for()
    assert stage(page)["camera"] == home


def test_marks_are_told_apart_and_walked(visit) -> None:
    page = visit(runs="ce-1,tsc-1", step=60, live=0, n=200)
    page.wait_for_function(HELD, arg=60)
    page.wait_for_function("document.querySelectorAll('.ltv-mark').length === 3")
    kinds = page.eval_on_selector_all(".ltv-mark", "marks => marks.map((m) => [m.dataset.kind, m.innerHTML])")
    assert [kind for kind, _ in kinds] == ["alarm", "setting", "swap"]
    assert len({shape for _, shape in kinds}) == 3
    setting = page.locator(".ltv-mark[data-kind=setting]")
    hint = eventually(page, lambda: len(told := setting.get_attribute("title").splitlines()) == 3 and told)
    assert hint and hint[1:] == [f"{name}: temperature set from 0.1 to 0.2" for name in ("Cross-entropy", "TSC")]
    legend = page.get_by_label("Marks on the timeline")
    for name in ("alarm", "setting changed", "matching swapped"):
        legend.get_by_text(name).first.wait_for()
    page.get_by_test_id("ltviz-stage").focus()
    for key, step in [("]", 120), ("]", 200), ("]", 200), ("[", 120), ("[", 45)]:
        page.keyboard.press(key)
        page.wait_for_function(HELD, arg=step)


def test_a_view_is_chosen_and_says_how_far_it_can_be_trusted(visit, harness) -> None:
    page = visit(runs="projected-1", step=60, live=0, n=200)
    page.locator("summary", has_text="View").click()
    page.get_by_label("Neighbours (UMAP)").check()
    page.get_by_text("Neighbours (UMAP) is being computed; class centres are shown meanwhile.").wait_for()
    page.get_by_text("Neighbours (UMAP) is being computed").wait_for(state="hidden")
    assert eventually(page, lambda: "projection=umap" in page.url)
    page.get_by_label("Four classes").first.check()
    chips = page.get_by_role("group", name="Four classes").get_by_role("button")
    page.wait_for_function("document.querySelectorAll('.ltv-chip[aria-pressed=true]').length === 4")
    chips.nth(8).click()
    chips.nth(3).click()
    page.wait_for_function("location.search.includes('projection=simplex:0-1-3-9')")
    chosen = {"projection": "simplex:0-1-3-9"}
    assert chosen in harness.heard(lambda log: chosen in log)
    page.keyboard.press("Escape")
    page.locator(".ltv-gauge", has_text="trust").focus()
    assert "no false neighbours" in page.get_by_role("tooltip").inner_text()

    flat = visit(runs="bcl-1", step=60, live=0, n=200)
    flat.locator("summary", has_text="View").click()
    flat.get_by_text("These embeddings have 3 dimensions: the sphere is the embedding itself").wait_for()
    assert flat.get_by_label("Neighbours (UMAP)").is_disabled()


def test_one_panel_fills_the_screen_and_gives_it_back(visit) -> None:
    page = visit(runs="bcl-1,tsc-1", step=60, live=0, n=200)
    page.get_by_role("button", name="Show this panel alone").last.click()
    page.wait_for_function("document.querySelectorAll('.ltv-panel').length === 1")
    page.get_by_test_id("ltviz-stage").focus()
    page.keyboard.press("f")
    page.wait_for_function("document.fullscreenElement !== null")
    # Time stays in reach: the spheres leave room for it.
    page.wait_for_function(
        "document.querySelector('.ltv-foot').getBoundingClientRect().bottom <= innerHeight"
        " && document.querySelector('.ltv-stage').clientHeight > 0.7 * innerHeight"
    )
    page.get_by_role("button", name="Leave full screen").click()
    page.wait_for_function("document.fullscreenElement === null")
    page.get_by_test_id("ltviz-stage").focus()
    page.keyboard.press("Escape")
    page.wait_for_function("document.querySelectorAll('.ltv-panel').length === 2")


def test_every_control_has_a_name_and_the_tab_key_reaches_it(visit) -> None:
    page = visit(runs="projected-1,bcl-1", step=60, live=0, n=100)
    page.wait_for_function(HELD, arg=60)
    page.get_by_role("button", name="Keep this moment").click()
    page.wait_for_function("window.ltviz.stage.panels.length === 4")
    nameless = page.eval_on_selector_all(
        ".ltv-root :is(button, input, select, summary, canvas)",
        f"all => all.filter((e) => !e.labels?.length && !({NAME})(e)).map((e) => e.outerHTML)",
    )
    assert nameless == []
    page.locator("body").click(position={"x": 2, "y": 2})
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate(f"({NAME})(document.activeElement)"))
    for name in ["Find a class or sample", "Layers", "View", "Camera", "Turn", "Lasso", "Box", "Save", "Full screen"]:
        assert name in reached
    for name in ["Show this panel alone", "Take this moment away", "Step", "Speed", "Keep this moment", "projection"]:
        assert any(r.lower() == name.lower() for r in reached), name


def test_less_motion_means_none(visit) -> None:
    page = visit(runs="bcl-1", step=60, live=0, n=200)
    page.emulate_media(reduced_motion="reduce")
    page.locator("summary", has_text="Camera").click()
    page.evaluate(
        "window.poses = new Set(); setInterval(() => window.poses.add(window.ltviz.stage.camera.yaw), 8); undefined"
    )
    page.get_by_role("button", name="From the front").click()
    page.wait_for_function("Math.abs(window.ltviz.stage.camera.yaw) < 1e-6")
    assert page.evaluate("window.poses.size") <= 2, "the camera is there at once"
