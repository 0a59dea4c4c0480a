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
from ltviz.export.replay import MAX_MB, Made, replay_of
from ltviz.launch.chromium import browser
from ltviz.recording import Recording
from ltviz.recording.files import write_whole

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Download, Page

READY = "Boolean(window.ltviz?.stage?.draws > 1 && window.ltviz.stage.panels.every((panel) => panel.step !== null))"
START_SECONDS, SAVE_SECONDS = 60.0, 300.0
REST_MS = 700
"""After the first picture: at rest the stage draws all that it has, in full size."""
WIDTH, HEIGHT = 1200, 800
ATTEMPTS = 3
"""A busy machine's encoder may take no picture of a short film; then the stage says so."""
NOT_SAVED = "could not be saved"
"""As the stage's words have it."""


def write_picture(wanted: Wanted, name: str, suffix: str, act: Callable[[Page, str], None] | None = None) -> Written:
    """Writes what the stage's menu "Save" gives under `name`.

    Args:
        suffix: of the file that is expected, with its dot.
        act: what is to be done on the page after the menu, with the caption that is asked for.

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
        wanted.runs,
        projection=wanted.projection,
        theme=wanted.theme or "light",
        step=step,
        max_mb=wanted.max_mb or MAX_MB,
    )
    if act is not None and made.moments < 2:
        raise ConfigError(f"a film needs two moments or more, but there is {made.moments}; try --to png")
    asked = None if act is None else lambda page: act(page, wanted.caption)
    with ThreadPoolExecutor(1) as aside:  # playwright wants a thread without a loop
        data = aside.submit(_saved, made, name, suffix, asked).result()
    write_whole(wanted.out, data)
    told = {} if act is None else {"moments": made.moments, "recorded": made.recorded}
    return Written(used=made.used, told=told, left_out=made.left_out)


def last_step(runs: Sequence[Recording]) -> int | None:
    """The last step of any of the runs."""
    return max((step for run in runs for step in run.steps()[-1:]), default=None)


def film(page: Page, caption: str) -> None:
    """Answers the film's dialog: as many frames as it takes, the camera at rest, and the caption."""
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Caption").fill(caption)
    frames = dialog.get_by_label("Frames")
    frames.fill(frames.get_attribute("max") or "60")
    dialog.get_by_text("Record").click()


def _saved(made: Made, name: str, suffix: str, act: Callable[[Page], None] | None) -> bytes:
    with browser() as chromium:
        from playwright.sync_api import Error  # it is there: a browser was opened with it

        try:
            return _save(chromium, made, name, suffix, act)
        except Error as error:
            said = error.message.splitlines()[0][:200]
            raise ConfigError(f"chromium did not save the picture ({said}); try again, or --to html") from error


def _save(chromium: Browser, made: Made, name: str, suffix: str, act: Callable[[Page], None] | None) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "replay.html"
        path.write_bytes(made.html)
        page = chromium.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        for _ in range(ATTEMPTS):
            _open(page, path)
            if found := _ask(page, name, act):
                break
        else:
            _give_up(page, f"nothing was saved in {ATTEMPTS} attempts")
        if not found.suggested_filename.endswith(suffix):
            _give_up(page, f"this browser writes {Path(found.suggested_filename).suffix} and no {suffix}")
        return Path(found.path()).read_bytes()


def _open(page: Page, path: Path) -> None:
    """Opens the replay, until the stage is drawn and at rest."""
    page.goto(path.as_uri())
    began = time.monotonic()
    while not page.evaluate(READY):  # `wait_for_function` needs `eval`, which the page's policy forbids
        if time.monotonic() > began + START_SECONDS:
            _give_up(page, f"the stage was not drawn within {START_SECONDS:.0f} s")
        page.wait_for_timeout(50)
    page.wait_for_timeout(REST_MS)


def _ask(page: Page, name: str, act: Callable[[Page], None] | None) -> Download | None:
    """One attempt: what the menu gives; None where the stage says that it could not be saved."""
    found: list[Download] = []
    page.once("download", lambda download: found.append(download))
    page.locator("summary", has_text="Save").click()
    page.get_by_role("button", name=name, exact=True).click()
    if act is not None:
        act(page)
    end = time.monotonic() + SAVE_SECONDS
    while not found and time.monotonic() < end:
        page.wait_for_timeout(100)
        if NOT_SAVED in " ".join(page.locator(".ltv-notice").all_inner_texts()):
            break
    return found[0] if found else None


def _give_up(page: Page, reason: str) -> NoReturn:
    said = page.locator(".ltv-message, .ltv-notice").all_inner_texts()
    raise ConfigError(f"{reason}{': ' if said else ''}{' '.join(said)[:300]}; try --to html, or another browser")
