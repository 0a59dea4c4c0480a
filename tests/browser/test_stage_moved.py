"""What moved, under the timeline: drawn of the frames, told in words, and lit by a click."""

from __future__ import annotations


def test_a_strip_tells_who_moved_and_a_click_lights_them(visit):
    page = visit(runs="ce-1", n=600, live=0, hz=10)
    strip, box = page.get_by_test_id("ltviz-moved"), page.get_by_test_id("ltviz-moved-text")
    text = box.locator(".ltv-term")
    said = "document.querySelector(`[data-testid=ltviz-moved-text] .ltv-term`).innerText"
    page.wait_for_function(f"() => /border crossings at ([6-9]|\\d\\d+) steps/.test({said})")
    assert page.evaluate("() => document.querySelectorAll('.ltv-moved path[d*=M]').length") == 3
    early = {"x": 0.05 * strip.bounding_box()["width"], "y": 5}
    strip.hover(position=early)
    page.wait_for_function(f"() => /^Step \\d+: \\d+ border cross.* into the own class/.test({said})")
    strip.click(position=early)
    page.wait_for_function("() => /^\\d/.test(document.querySelector(`[data-testid=ltviz-selection]`).innerText)")
    page.wait_for_function(f"() => {said}.startsWith(`S${{document.querySelector('.ltv-step').innerText.slice(1)}}:`)")
    step = int(text.inner_text().split()[1].rstrip(":"))
    # By the keys, and of flipped predictions.
    box.locator("select").select_option("prediction")
    strip.press("ArrowRight")
    page.wait_for_function(
        "step => Number(document.querySelector(`.ltv-step`).innerText.split(' ')[1]) > step", arg=step
    )
    box.locator("select").select_option("none")
    strip.wait_for(state="hidden")
