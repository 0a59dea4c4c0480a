"""`ltviz publish`: a folder of pages that need nobody."""

from __future__ import annotations

import base64
import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ltviz.cli import main
from ltviz.export.gallery import _names
from ltviz.export.places import GREY
from ltviz.recording import Recording, mark_failed, record

LABELS = np.repeat([0, 1, 2, -1], [20, 10, 5, 4])


@pytest.fixture
def runs(home: Path) -> Path:
    """Runs of 2, 3 and 5 dimensions, one with a hostile title, and one that failed at start."""
    for dim, title in ((2, "Flat"), (3, "<script>alert(1)</script>"), (5, "Five")):
        with record(home / f"run-{dim}", labels=LABELS, title=title, class_names=["a", "b", "c"]) as run:
            for step in (0, 7):
                z = np.random.default_rng(step + dim).normal(size=(39, dim))
                run.frame(step, embeddings=z)
    mark_failed(home / "dead-run", "it died")
    return home


@pytest.fixture
def gallery(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    out = tmp_path / "gallery"
    assert main(["publish", "--out", str(out), "--title", "All <of> them", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["used"] == 3 and told["index"] == str(out / "index.html") and "dead-run" in told["left_out"][0]
    return out


def test_the_page_has_a_picture_and_a_frame_of_each_run_and_nothing_from_elsewhere(gallery: Path) -> None:
    page = (gallery / "index.html").read_text()
    assert "<title>All &lt;of&gt; them</title>" in page and "<script" not in page
    assert "default-src 'none'" in page and "unsafe" not in page
    assert re.findall(r'href="([^"]+)"', page) == ["data:,", *(f"run-{d}.html" for d in (2, 2, 3, 3, 5, 5))]
    assert not re.search(r'(src|href)="(https?:)?//', page)
    assert page.count("&lt;iframe src=&quot;run-") == 3 and page.count("?embed=1") == 3
    pictures = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', page)
    for picture in pictures:
        drawn = ElementTree.fromstring(base64.b64decode(picture))
        dots = [circle.get("fill") for circle in drawn if circle.get("fill-opacity")]
        assert len(dots) == 39 and dots.count(GREY) == 4 and len({*dots}) == 4
    assert len(pictures) == 3 and {path.name for path in gallery.glob("run-*")} == {f"run-{d}.html" for d in (2, 3, 5)}


def test_runs_of_one_name_are_told_apart_and_none_takes_the_index(tmp_path: Path) -> None:
    runs = [Recording(tmp_path / place / "same") for place in "abc"] + [Recording(tmp_path / "index")]
    assert len(_names(runs)) == 4 and "index.html" not in _names(runs)


def test_a_folder_that_is_there_is_kept(gallery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["publish", "run-3", "--out", str(gallery)]) == 2 and "try --overwrite" in capsys.readouterr().err
    assert main(["publish", "run-3", "--out", str(gallery), "--overwrite"]) == 0
    assert not (gallery / "run-5.html").exists() and (gallery / "run-3.html").is_file()
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("mine")
    assert main(["publish", "run-3", "--out", str(mine), "--overwrite"]) == 2
    assert [path.name for path in mine.iterdir()] == ["thesis.txt"]


def test_without_frames_nothing_is_written(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["publish", "dead-run", "--out", str(tmp_path / "out")]) == 2
    assert "at least one run with frames" in capsys.readouterr().err and list(tmp_path.glob("*out*")) == []


@pytest.mark.browser
def test_it_opens_from_a_disk_and_a_frame_shows_the_stage_alone(gallery: Path, browser: Any) -> None:
    page, troubles = browser.new_page(), []
    page.on("console", lambda message: troubles.append(message.text) if message.type != "log" else None)
    page.on("request", lambda asked: troubles.append(asked.url) if asked.url.startswith("http") else None)
    page.goto((gallery / "index.html").as_uri())
    assert page.evaluate("[...document.images].every((image) => image.complete && image.naturalWidth === 320)")
    page.get_by_role("link", name="<script>alert(1)</script>", exact=True).click()
    page.get_by_role("heading", level=1).wait_for()
    page.goto(f"{(gallery / 'run-3.html').as_uri()}?embed=1&theme=dark&step=7")
    for _ in range(600):
        if page.evaluate("Boolean(window.ltviz?.stage?.panels?.every((panel) => panel.step === 7))"):
            break
        page.wait_for_timeout(50)
    assert page.evaluate("window.ltviz.stage.panels[0].step") == 7
    assert not page.get_by_role("heading", level=1).is_visible()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(15, 18, 22)"
    page.close()
    assert troubles == []
