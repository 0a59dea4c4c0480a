"""The app as a process and a headless browser to look at it: what the benchmarks and browser tests share.

The browser is the machine's own chromium (or LTVIZ_CHROMIUM), driven by playwright from the `dev` extra. It renders
WebGL in software, so that frame rates are pessimistic and the same everywhere.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from ltviz.errors import ConfigError
from ltviz.launch.chromium import browser as browser
from ltviz.launch.chromium import chromium_path as chromium_path

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# Counts contexts where they are made: a page could hide a second one from anybody who looks for canvases.
COUNT_CONTEXTS = """
const get = HTMLCanvasElement.prototype.getContext, seen = new Set();
window.contexts = () => seen.size;
HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
  const context = get.call(this, kind, ...rest);
  if (/webgl/.test(kind) && context) seen.add(context);
  return context;
};
"""


def open_page(chromium: Browser, address: str, *, width: int = 1440, height: int = 900) -> Page:
    """A fresh page at `address` that counts its WebGL contexts: `window.contexts()`."""
    page = chromium.new_page(viewport={"width": width, "height": height})
    page.add_init_script(COUNT_CONTEXTS)
    page.goto(address)
    return page


@dataclass(frozen=True)
class App:
    """A running `ltviz app`."""

    address: str
    process: psutil.Process
    started: float
    """`time.monotonic()` just before the process was made."""

    def cpu_seconds(self) -> float:
        used = self.process.cpu_times()
        return used.user + used.system

    def resident_mb(self) -> float:
        return self.process.memory_info().rss / 1e6

    def has_torch(self) -> bool:
        """Whether torch's library is mapped into the process."""
        return any("libtorch" in region.path for region in self.process.memory_maps())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def app(
    home: Path,
    command: Sequence[str] = (sys.executable, "-m", "ltviz", "app"),
    seconds: float = 60.0,
    port_option: str = "--port",
) -> Iterator[App]:
    """`ltviz app` on a free port over the run folders of `home`; the app and its workers end with the block."""
    port, started = free_port(), time.monotonic()
    log = (home / "app.log").open("wb")
    child = subprocess.Popen(
        [*command, port_option, str(port)],
        cwd=home,
        env={**os.environ, "LTVIZ_HOME": str(home)},
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    running = App(f"http://127.0.0.1:{port}", psutil.Process(child.pid), started)
    try:
        while not _answers(running.address):
            if child.poll() is not None or time.monotonic() > started + seconds:
                raise ConfigError(f"`ltviz app` did not answer within {seconds:.0f} s; its output is in {log.name}.")
            time.sleep(0.05)
        yield running
    finally:
        for member in [*running.process.children(recursive=True), running.process] if child.poll() is None else []:
            member.send_signal(signal.SIGTERM)
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            child.kill()
        log.close()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1) as answer:
            return answer.status == 200
    except OSError:
        return False
