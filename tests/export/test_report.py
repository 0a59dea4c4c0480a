"""Reports: everything in one file, nothing that could run or be fetched, and words that match the numbers."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ltviz.errors import ConfigError, RecordingError
from ltviz.export.report import write_report
from ltviz.figures.layout import FONT
from ltviz.recording import Recording

NASTY = "</script><script>alert(1)</script>"


class Outline(HTMLParser):
    """What a browser would see: tags with their addresses, scripts, and text outside of them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.scripts: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action", "data")]
        assert not [name for name, _ in attrs if name.startswith("on")], "no handler in a tag"

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] == "script" and data.strip():
            self.scripts.append(data)
            self.tags.append("")
        elif self.tags[-1:] != ["style"]:
            self.text += data


@pytest.fixture
def page(six: list[Recording], make_run, tmp_path: Path) -> str:
    nasty = make_run("ce", title=f"CE {NASTY}", settings={"note": "<b>x</b>"})
    write_report(tmp_path / "report.html", [*six, nasty], title=f"Tails {NASTY}", made=1e9)
    return (tmp_path / "report.html").read_text(encoding="utf-8")


def test_it_stands_alone(page: str) -> None:
    outline = Outline(page)
    assert outline.addresses == [] and not {"link", "iframe", "img", "form", "object"} & {*outline.tags}
    assert "default-src 'none'" in page
    assert max(map(len, outline.scripts)) > 1_000_000, "plotly.js is inside"
    assert page.count("Plotly.newPlot(") > 10


def test_names_stay_text(page: str) -> None:
    outline = Outline(page)
    assert not [script for script in outline.scripts if script.startswith("alert")]
    own = page.replace(max(Outline(page).scripts, key=len), "")
    assert "<script>alert" not in own and "<b>x</b>" not in own
    assert f"Tails {NASTY}" in outline.text and f"CE {NASTY}" in outline.text and "<b>x</b>" in outline.text


def test_numbers_words_seeds_and_fingerprints_are_there(page: str, six: list[Recording]) -> None:
    text = Outline(page).text
    assert "7 runs, made on 2001-09-09" in text and "digits-lt, imbalance factor 50, dim 3" in text
    assert "0.297 ± 0.015" in text and "70.0 ± 0.0" in text
    assert "No regular simplex of 5 classes fits into 3 dimensions (that takes 4)" in text
    assert all(run.run_id in text for run in six) and "torch 2.13.0" in text
    assert "abababababab" in text and "method.note" in text


def test_findings_hold_every_method_against_the_baseline(six: list[Recording], tmp_path: Path) -> None:
    write_report(tmp_path / "r.html", six)
    text = Outline((tmp_path / "r.html").read_text()).text
    assert (
        "BCL's centre sum (all samples) is lower than SUPCON's by 0.12 [0.05, 0.19], p = 0.04 over only 3 seeds."
        in text
    )
    assert "BCL's accuracy (rare classes) cannot be told from SUPCON's over only 3 seeds." in text
    assert "corrected (Holm) for the 2 comparisons shown together" in text
    assert "3 seeds are few" in text and "bootstrap" not in text and "clear" not in text.lower()
    assert "Test images behind an accuracy of one run" in text and "few 6 (± " in text
    write_report(tmp_path / "two.html", [run for run in six if run.info.seed != 2])
    two = Outline((tmp_path / "two.html").read_text()).text
    assert two.count("Too few seeds to tell") == 1 and "+20.0 points" in two


def test_charts_and_text_share_a_font_and_mark_the_better_direction(page: str) -> None:
    own = page.replace(max(Outline(page).scripts, key=len), "")
    assert f"font: 15px/1.5 {FONT};" in own and f'"family":"{FONT}"' in own.replace("\\u0027", "'")
    assert {*re.findall(r'"family":"([^"]*)"', own.replace("\\u0027", "'"))} == {FONT}
    assert "Centre sum, all samples \\u2193" in own or "Centre sum, all samples ↓" in own
    assert "is better)" not in own


def test_it_is_the_same_each_time(six: list[Recording], tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_report(tmp_path / name, six[:2], made=1e9)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_alarms_of_the_runs_are_told(make_run, tmp_path: Path) -> None:
    run = make_run("ce")
    (run.path / "metrics.jsonl").write_text('{"step": 7, "contrast": null}\n')
    write_report(tmp_path / "r.html", [run])
    text = Outline((tmp_path / "r.html").read_text()).text
    assert "NaN refused: the loss term 'contrast' was not finite." in text and f"{run.run_id} (step 7)" in text


def test_high_dimensions_and_runs_without_frames(make_run, tmp_path: Path) -> None:
    write_report(tmp_path / "r.html", [make_run("ce", dim=16), make_run("bcl", frames=0)], theme="dark")
    page = (tmp_path / "r.html").read_text()
    assert "Left out: bcl-001: it has no frame" in Outline(page).text and "#0f1216" in page
    assert "No regular simplex" not in page


@pytest.mark.parametrize("theme, frames, said", [("blue", 3, "theme must be one of"), ("light", 0, "at least one run")])
def test_what_cannot_be_reported(make_run, tmp_path: Path, theme: str, frames: int, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        write_report(tmp_path / "r.html", [make_run("ce", frames=frames)], theme=theme)
    assert not (tmp_path / "r.html").exists()


def test_a_place_that_cannot_be_written(make_run, tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"r\.html cannot be written"):
        write_report(tmp_path / "missing" / "r.html", [make_run("ce")])


@pytest.mark.browser
def test_it_draws_in_a_browser_without_a_network(page: str, tmp_path: Path, browser) -> None:
    view = browser.new_page()
    view.context.set_offline(True)
    problems: list[str] = []
    asked: list[str] = []
    view.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    view.on("pageerror", lambda error: problems.append(str(error)))
    view.on("dialog", lambda dialog: (problems.append("dialog"), dialog.dismiss()))
    view.on("request", lambda request: asked.append(request.url))
    view.goto((tmp_path / "report.html").as_uri())
    drawn = len(re.findall(r"Plotly\.newPlot\(", page))
    count = "document.querySelectorAll('.js-plotly-plot').length"
    view.wait_for_function(f"{count} >= document.querySelectorAll('.plotly-graph-div').length", timeout=60_000)
    assert view.evaluate(count) >= 10 and drawn >= view.evaluate(count)
    assert view.evaluate("document.querySelectorAll('canvas').length") >= 1, "the spheres are drawn"
    view.close()
    assert problems == []
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
