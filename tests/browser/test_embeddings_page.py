"""The page of one's own embeddings in a browser: a file is dropped, looked at, opened, and coloured by what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from patience import eventually

from ltviz.bench import served

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=window.hurt=1>"


def test_a_dropped_file_is_shown_and_coloured_by_its_columns(browser: Any, tmp_path: Path) -> None:
    z = np.random.default_rng(0).normal(size=(60, 3)).round(3)
    rows = "".join(f"{','.join(map(str, row))},{'ab'[i % 2]},{HOSTILE},{2000 + i}\n" for i, row in enumerate(z))
    file = tmp_path / "pets.csv"
    file.write_text(f"f0,f1,f2,label,{HOSTILE},year\n{rows}")
    home = tmp_path / "home"
    home.mkdir()
    with served.app(home) as app:
        page = served.open_page(browser, f"{app.address}/embeddings")
        page.wait_for_selector("input[type=file]", state="attached", timeout=60_000)
        assert page.locator("input[type=file]").count() == 1
        page.set_input_files("input[type=file]", str(file))
        facts = page.locator(".ltviz-facts dd")
        facts.first.wait_for(timeout=60_000)
        assert eventually(page, lambda: facts.all_text_contents() == ["60", "3", "2", "0"]), facts.all_text_contents()
        page.get_by_role("button", name=re.compile("^Open")).click()
        page.wait_for_function("() => window.ltviz?.stage?.points === 60", timeout=90_000)
        page.locator("summary", has_text="Layers").click()
        colours = page.locator(".ltv-colour select")
        colours.locator("optgroup option").nth(1).wait_for(state="attached")
        assert colours.locator("optgroup option").all_text_contents() == [HOSTILE, "year"]
        colours.select_option("attribute:year")
        page.get_by_text("year: 2000").wait_for(timeout=60_000)
        assert page.locator("img[src=x]").count() == 0 and page.evaluate("window.hurt") is None
        page.close()
