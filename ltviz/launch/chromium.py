"""The machine's own chromium without a window: what draws the stage where nobody looks."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ltviz.errors import ConfigError

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    "--enable-precise-memory-info",
]


def chromium_path() -> str | None:
    """Path of the browser, or None where there is none."""
    return os.environ.get("LTVIZ_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def browser() -> Iterator[Browser]:
    """A headless chromium, for the thread that asks.

    Raises:
        ConfigError: playwright or chromium is missing, or does not start.
    """
    path = chromium_path()
    if path is None:
        raise ConfigError("drawing the stage needs chromium, and none is on PATH; install it or set LTVIZ_CHROMIUM")
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as missing:
        raise ConfigError(
            "drawing the stage needs the package playwright, which is not installed; try `pip install playwright`"
        ) from missing
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        except Error as error:
            said = error.message.splitlines()[0][:200]
            raise ConfigError(
                f"chromium could not be started ({said}); set LTVIZ_CHROMIUM to another: {path}"
            ) from error
        try:
            yield chromium
        finally:
            chromium.close()
