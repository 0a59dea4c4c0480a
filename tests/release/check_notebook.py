"""`ltviz.show` in a real JupyterLab: the stage steps, follows a run of the same kernel, and its traits go both ways.

JupyterLab and the extra `notebook` come into an environment of their own, which borrows all else that ltviz needs from
the running one through a .pth file; `--python PATH` takes an environment that has them already.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
import tomllib
import urllib.request
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import ltviz
from ltviz.bench.served import browser, free_port

ROOT = Path(__file__).parents[2]
SECONDS = 120.0
STEPS = range(0, 50, 10)
LABELS = np.arange(60) % 3

FINISHED = """
import json, pathlib, ltviz
NAMES = ["step", "selection", "camera", "layers"]
stage = ltviz.show(["finished-run", "other-run"])
def tell(change):
    pathlib.Path("seen.new").write_text(json.dumps({name: getattr(stage, name) for name in NAMES}))
    pathlib.Path("seen.new").replace("seen.json")
stage.observe(tell, NAMES)
stage
"""
STEERED = """
stage.step = 10
stage.selection = [7, 3, 11]
stage.camera = {"yaw": 1.0, "pitch": 0.25, "distance": 4.0}
stage.layers = {"caps": True, "grid": False}
"""
LIVE = """
import time, numpy as np
from IPython.display import display
labels = np.arange(60) % 3
display(ltviz.show("live-run"))
with ltviz.record("live-run", labels=labels) as run:
    for step in range(40):
        run.frame(step, embeddings=np.random.default_rng(step).normal(size=(60, 3)))
        time.sleep(0.5)
pathlib.Path("written").touch()
"""
REPLAYED = """
ltviz.show("finished-run", widget=False)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", help="of an environment with JupyterLab and anywidget")
    parser.add_argument("--screenshots", type=Path, help="folder for pictures of what was seen")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = options.python or make_environment(folder / "venv")
        check_traits(python)
        work = folder / "work"
        work.mkdir()
        for run_id in ("finished-run", "other-run"):
            write_run(work / run_id)
        write_notebook(work / "notebook.ipynb", [FINISHED, STEERED, LIVE, REPLAYED])
        with jupyter(python, work) as address, browser() as chromium:
            page = chromium.new_page(viewport={"width": 1500, "height": 1200})
            troubles: list[str] = []
            page.on("pageerror", lambda error: troubles.append(str(error)))
            page.goto(f"{address}/lab/tree/notebook.ipynb")
            try:
                look(Notebook(page, work), options.screenshots)
            except BaseException:
                page.screenshot(path="/tmp/ltviz-notebook-failed.png")
                raise
            ours = [trouble for trouble in troubles if "ltv" in trouble]
            assert not ours, ours


def make_environment(folder: Path) -> str:
    began = time.monotonic()
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    about = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = subprocess.run([python, "-c", about], check=True, capture_output=True, text=True).stdout.strip()
    (Path(site) / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = ["jupyterlab", *project["optional-dependencies"]["notebook"]]
    subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True)
    print(f"{', '.join(wanted)} installed in {time.monotonic() - began:.0f} s")
    return str(python)


def check_traits(python: str) -> None:
    """What a widget does without a browser."""
    command = [python, "-m", "pytest", "tests/integrations/test_show.py", "-k", "widget"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)


def write_run(path: Path) -> None:
    with ltviz.record(path, labels=LABELS) as run:
        for step in STEPS:
            run.frame(step, embeddings=np.random.default_rng(step).normal(size=(60, 3)))


def write_notebook(path: Path, cells: list[str]) -> None:
    about = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    code = [
        {
            "cell_type": "code",
            "id": f"c{i}",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": cell.strip(),
        }
        for i, cell in enumerate(map(str.strip, cells))
    ]
    path.write_text(json.dumps({"cells": code, "metadata": about, "nbformat": 4, "nbformat_minor": 5}))


@contextmanager
def jupyter(python: str, work: Path) -> Iterator[str]:
    """The address of a JupyterLab that runs in `work`."""
    port = free_port()
    flags = ["--no-browser", "--allow-root", "--IdentityProvider.token=", f"--ServerApp.port={port}"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "LTVIZ_HOME": str(work), "HOME": str(work)}
    environment |= {"JUPYTER_PREFER_ENV_PATH": "1"}
    with (work / "jupyter.log").open("wb") as log:
        server = subprocess.Popen(
            [python, "-m", "jupyterlab", *flags], cwd=work, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            address = f"http://127.0.0.1:{port}"
            wait(lambda: answers(f"{address}/api"), "JupyterLab answers")
            yield address
        finally:
            server.terminate()
            server.wait(30)


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=1) as answer:
            return answer.status == 200
    except OSError:
        return False


def wait(true: Callable[[], object], what: str, seconds: float = SECONDS) -> None:
    limit = time.monotonic() + seconds
    while not true():
        if time.monotonic() > limit:
            raise AssertionError(f"not in {seconds:.0f} s: {what}")
        time.sleep(0.1)
    print(f"ok: {what}")


class Notebook:
    """The notebook on its page, and what its kernel has written down."""

    def __init__(self, page: Any, work: Path) -> None:
        self.page, self.work = page, work

    def run(self, cell: int) -> None:
        """Runs a cell, and does not wait for its end."""
        code = self.page.locator(".jp-CodeCell").nth(cell)
        prompt = code.locator(".jp-InputPrompt")
        # A page that is still being put together takes the focus from a cell, and with it the keys.
        for _ in range(30):
            code.locator(".cm-content").click()
            self.page.keyboard.press("Control+Enter")
            self.page.wait_for_timeout(1000)
            if prompt.inner_text() != "[ ]:":
                return
        raise AssertionError(f"cell {cell} does not run")

    def telemetry(self) -> dict[str, Any]:
        return self.page.evaluate("window.ltviz?.stage ?? {}")

    def seen(self) -> dict[str, Any]:
        """The widget's traits, as Python has them."""
        try:
            return json.loads((self.work / "seen.json").read_text())
        except (OSError, ValueError):
            return {}

    def stage(self, cell: int) -> Any:
        return self.page.locator(".jp-CodeCell").nth(cell).locator(".ltv-root")


def look(notebook: Notebook, pictures: Path | None) -> None:
    page = notebook.page
    idle = page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")
    idle.wait_for(timeout=1000 * SECONDS)
    notebook.run(0)
    drawn = "runs => runs.every(run => window.ltviz?.stage?.drawn?.[run] > 0)"
    page.wait_for_function(drawn, arg=["finished-run", "other-run"], timeout=1000 * SECONDS)
    wait(lambda: notebook.seen().get("step") in STEPS, "the kernel is told which step is on screen")
    browser_to_python(notebook)
    python_to_browser(notebook)
    if pictures:
        notebook.stage(0).scroll_into_view_if_needed()
        page.screenshot(path=str(pictures / "show-notebook.png"))
    live(notebook)
    if pictures:
        notebook.stage(2).scroll_into_view_if_needed()
        page.screenshot(path=str(pictures / "show-notebook-live.png"))
    replayed(notebook)
    if pictures:
        page.screenshot(path=str(pictures / "show-notebook-replay.png"))


def browser_to_python(notebook: Notebook) -> None:
    stage, page = notebook.stage(0), notebook.page
    stage.get_by_test_id("ltviz-slider").evaluate(
        "(slider) => { slider.value = '40'; slider.dispatchEvent(new Event('input', { bubbles: true })); }"
    )
    wait(lambda: notebook.seen().get("step") == 40, "a step held in the browser is the widget's")
    stage.get_by_role("button", name="One frame back").click()
    wait(lambda: notebook.seen().get("step") == 30, "and so is one frame back")
    canvas = stage.get_by_test_id("ltviz-stage")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.keyboard.down("Shift")
    page.keyboard.down("Alt")
    drag(page, (box["x"] + 5, box["y"] + 40), (box["x"] + box["width"] / 2 - 10, box["y"] + box["height"] - 30))
    page.keyboard.up("Alt")
    page.keyboard.up("Shift")
    wait(lambda: notebook.seen().get("selection"), "samples selected in the browser are the widget's")
    bar = stage.get_by_test_id("ltviz-selection")
    wait(lambda: bar.inner_text().startswith(f"{len(notebook.seen()['selection'])} "), "all of them")
    before = notebook.seen()["camera"]
    middle = (box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
    drag(page, middle, (middle[0] + 60, middle[1]))
    wait(lambda: notebook.seen()["camera"]["yaw"] != before["yaw"], "the camera is where it was turned to")
    cells = page.locator(".jp-CodeCell").count()
    canvas.press("a")
    canvas.press("d")
    canvas.press("d")
    assert page.locator(".jp-CodeCell").count() == cells, "keys of the stage are none of the notebook's"


def drag(page: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=6)
    page.mouse.up()


def python_to_browser(notebook: Notebook) -> None:
    notebook.run(1)
    stage = notebook.stage(0)
    panels = "step => window.ltviz.stage.panels.length === 2 && window.ltviz.stage.panels.every(p => p.step === step)"
    notebook.page.wait_for_function(panels, arg=10)
    print("ok: the widget's step is the one on screen")
    wait(lambda: stage.get_by_test_id("ltviz-selection").inner_text().startswith("3 "), "its selection is selected")
    wait(lambda: abs(notebook.telemetry()["camera"]["yaw"] - 1.0) < 1e-6, "its camera is the one one looks through")
    wait(lambda: notebook.seen()["layers"].get("points"), "all layers are told where one is switched")
    assert notebook.seen()["layers"] | {"caps": True, "grid": False} == notebook.seen()["layers"]
    assert "step=" not in notebook.page.url, "the notebook's address is its own"


def live(notebook: Notebook) -> None:
    notebook.run(2)
    drawn = lambda: notebook.telemetry().get("drawn", {}).get("live-run", 0)  # noqa: E731
    wait(lambda: drawn() >= 3, "a run is followed while its own kernel writes it")
    assert not (notebook.work / "written").exists(), "the kernel had finished before anything was seen"
    stage = notebook.stage(2)
    stage.get_by_role("button", name="Pause").click()
    stage.get_by_role("button", name="One frame back").click()
    held = stage.get_by_test_id("ltviz-step").inner_text()
    before = notebook.telemetry()["draws"]
    wait(lambda: (notebook.work / "written").exists(), "the run is written to its end")
    assert stage.get_by_test_id("ltviz-step").inner_text() == held, "a step that is held stays, whatever comes"
    assert notebook.telemetry()["draws"] >= before
    slider = stage.get_by_test_id("ltviz-slider")
    wait(lambda: slider.get_attribute("max") == "39", "all of it has come")


def replayed(notebook: Notebook) -> None:
    notebook.run(3)
    frame = notebook.page.frame_locator(".jp-CodeCell iframe").first
    frame.get_by_role("button", name="One frame back").click(timeout=1000 * SECONDS)
    step = frame.get_by_test_id("ltviz-step")
    wait(lambda: step.inner_text().startswith("step "), "a replay in plain HTML can be stepped through")


if __name__ == "__main__":
    sys.exit(main())
