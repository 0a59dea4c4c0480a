"""Pictures and films as the stage itself saves them: the replay page, opened in chromium."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from ltviz.errors import ConfigError
from ltviz.export.formats import Wanted, Written, frames_of
from ltviz.export.replay import Made, replay_of
from ltviz.launch.chromium import browser
from ltviz.recording import Recording
from ltviz.recording.files import write_whole

if TYPE_CHECKING:
    from playwright.sync_api import Page

READY = "Boolean(window.ltviz?.stage?.draws > 1 && window.ltviz.stage.panels.every((panel) => panel.step !== null))"
START_SECONDS, SAVE_SECONDS = 60.0, 600.0
REST_MS = 700
"""After the first picture: at rest the stage draws all that it has, in full size."""
WIDTH, HEIGHT = 1200, 800


def write_picture(wanted: Wanted, name: str, suffix: str, act: Callable[[Page], None] | None = None) -> Written:
    """Writes what the stage's menu "Save" gives under `name`.

    Args:
        suffix: of the file that is expected, with its dot.
        act: what is to be done on the page after the menu.

    Raises:
        ConfigError: chromium, playwright or frames are missing, or the browser writes another kind of film.
    """
    step = wanted.step
    if step is not None:
        for run in wanted.runs:
            next(frames_of(run, step, []))
    elif act is None:
        step = last_step(wanted.runs)
    made = replay_of(
        wanted.runs, projection=wanted.projection, theme=wanted.theme or "light", step=step, max_mb=wanted.max_mb
    )
    with ThreadPoolExecutor(1) as aside:  # playwright wants a thread without a loop
        data = aside.submit(_saved, made, name, suffix, act).result()
    write_whole(wanted.out, data)
    told = {} if act is None else {"moments": made.moments, "recorded": made.recorded}
    return Written(used=made.used, told=told, left_out=made.left_out)


def last_step(runs: Sequence[Recording]) -> int | None:
    """The last step of any of the runs."""
    return max((step for run in runs for step in run.steps()[-1:]), default=None)


def film(page: Page) -> None:
    """Answers the film's dialog: as many frames as it takes, and the camera at rest."""
    dialog = page.get_by_role("dialog")
    frames = dialog.get_by_label("Frames")
    frames.fill(frames.get_attribute("max") or "60")
    dialog.get_by_text("Record").click()


def _saved(made: Made, name: str, suffix: str, act: Callable[[Page], None] | None) -> bytes:
    with tempfile.TemporaryDirectory() as folder, browser() as chromium:
        path = Path(folder) / "replay.html"
        path.write_bytes(made.html)
        page = chromium.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(path.as_uri())
        began = time.monotonic()
        while not page.evaluate(READY):  # `wait_for_function` needs `eval`, which the page's policy forbids
            if time.monotonic() > began + START_SECONDS:
                _give_up(page, f"the stage was not drawn within {START_SECONDS:.0f} s")
            page.wait_for_timeout(50)
        page.wait_for_timeout(REST_MS)
        page.locator("summary", has_text="Save").click()
        with page.expect_download(timeout=1000 * SAVE_SECONDS) as started:
            page.get_by_role("button", name=name, exact=True).click()
            if act is not None:
                act(page)
        if not started.value.suggested_filename.endswith(suffix):
            _give_up(page, f"this browser writes {Path(started.value.suggested_filename).suffix} and no {suffix}")
        return Path(started.value.path()).read_bytes()


def _give_up(page: Page, reason: str) -> NoReturn:
    said = page.locator(".ltv-message").all_inner_texts()
    raise ConfigError(f"{reason}{': ' if said else ''}{' '.join(said)[:300]}; try --to html, or another browser")
