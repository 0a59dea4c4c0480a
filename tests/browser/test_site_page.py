"""A page that follows a run through files alone: nobody but a host of files answers it, and that may be gone."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from stage_runs import LAST_STEP, STRIDE, Run

from ltviz.export.formats import Wanted, site
from ltviz.launch.app import load_app
from ltviz.recording import Recording

pytestmark = pytest.mark.browser
LATER = 60


def wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + LATER
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


class Host:
    """A host of files, of the standard library, that can be gone for a while."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, 0
        self.asked: list[tuple[str, int]] = []
        self.server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        asked = self.asked

        class Files(SimpleHTTPRequestHandler):
            def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
                asked.append((self.path, int(code)))

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), partial(Files, directory=str(self.folder)))
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """Serves the folder `tmp_path / "site"`."""
    served = Host(tmp_path / "site")
    yield served
    served.stop()


def test_a_page_follows_a_run_through_files_alone(
    home: Path, host: Host, browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_app()
    monkeypatch.setattr("ltviz_app.service.site.EVERY_SECONDS", 0.3)
    made = Run("one-run", 0, 60, "hostile")
    writer = made.begin(home / "one-run", live=True)
    wanted = Wanted(runs=[Recording(home / "one-run")], out=host.folder, watch=True)
    publishing = threading.Thread(target=site.write, args=(wanted,), daemon=True)
    publishing.start()
    wait_until(lambda: (host.folder / "list.json").exists())
    host.start()
    context, troubles = browser.new_context(viewport={"width": 800, "height": 600}), []
    try:
        page = context.new_page()
        page.set_default_timeout(1000 * LATER)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(f"http://127.0.0.1:{host.port}/")
        shows = "step => window.ltviz?.stage?.drawn?.['one-run'] && window.ltviz.stage.step >= step"
        page.wait_for_function(shows, arg=LAST_STEP)
        made.write(writer, LAST_STEP + STRIDE)
        page.wait_for_function(shows, arg=LAST_STEP + STRIDE)
        assert page.locator("[onerror]").count() == 0, "a title that is markup is text"
        host.stop()
        page.get_by_text("host gave no answer").wait_for()
        made.write(writer, LAST_STEP + 2 * STRIDE)
        host.start()
        page.wait_for_function(shows, arg=LAST_STEP + 2 * STRIDE)
        page.get_by_text("host gave no answer").wait_for(state="hidden")
        wait_until(lambda: ("/list.json", 304) in host.asked)  # a list that is the one of before costs a few bytes
        writer.close()
        publishing.join(LATER)
        assert not publishing.is_alive() and json.loads((host.folder / "list.json").read_text())["over"]
        read = [path for path, _ in host.asked if path.startswith("/files/")]
        assert len(read) == len(set(read)) < 30 and not troubles, "what never changes is read once, if it is shown"
    finally:
        context.close()
        writer.close()
