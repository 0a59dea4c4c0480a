"""`ltviz export --to lesson`: which lesson, what is in the file, how large it is, and what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ltviz.cli import main
from ltviz.lessons import list_lessons

LESSONS = list_lessons(Path(__file__).parents[2] / "app" / "lessons")
MINE = """---
title: Mine
run: demo-bcl
language: ar
---
## One
It holds at step 130, </script><script>alert(1) is text.

```stage
step = 130
```
"""


def contents(path: Path) -> dict[str, Any]:
    found = re.search(rb'<script type="application/json" id="contents">(.*?)</script>', path.read_bytes())
    assert found
    return json.loads(found[1])


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_each_lesson_is_one_small_file(home: Path, tmp_path: Path, path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "lesson.html"
    assert main(["export", path.stem, "--to", "lesson", "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert out.stat().st_size == told["bytes"] <= 4e6
    held = contents(out)
    assert len(held["lesson"]["steps"]) == told["steps"] and len(held["runs"]) == told["used"]
    for step in held["lesson"]["steps"]:
        for run in held["runs"] if step.get("play") else []:
            assert set(step["play"]) <= set(run["state"]["steps"]), "what a step plays begins and ends in the file"
        assert step["ask"] is None or step["ask"]["right"] is not None
        assert all(step["told"][0]) and all(step["told"][1])


def test_a_file_or_a_folder_of_ones_own(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "mine.md").write_text(MINE.replace("</script><script>", "<"))
    assert main(["export", str(tmp_path / "mine.md"), "--to", "lesson", "--out", str(tmp_path / "x.html")]) == 2
    assert "line 7: the text must be Markdown without HTML" in capsys.readouterr().err
    (tmp_path / "mine.md").write_text(MINE.replace("</script><script>", ""))
    out = tmp_path / "out.html"
    argv = ["export", "mine", "--to", "lesson", "--lessons", str(tmp_path), "--out", str(out), "--max-mb", "1.5"]
    assert main(argv) == 0
    held = contents(out)
    assert held["lesson"]["language"] == "ar" and held["lesson"]["rtl"]
    steps = held["runs"][0]["state"]["steps"]
    assert 130 in steps and len(steps) < 61, "thinned, but for what the lesson names"
    assert b"evenly chosen, so that it stays below 1.5 MB" in out.read_bytes()


@pytest.mark.parametrize(
    "argv, told",
    [
        (["no-such"], "LESSON must be a file *.md or one of 1-what-lives-on-the-sphere"),
        ([], "writes one lesson, got none"),
        (["a", "b"], "writes one lesson, got a, b"),
        (["2-pull-and-push", "--max-mb", "0.5"], "do not fit into 0.5 MB"),
        (["2-pull-and-push", "--lessons", "no-folder"], "--lessons must be a folder"),
        (["2-pull-and-push", "--tag", "x"], "leave --tag"),
        (["gone.md"], "there is none at gone.md"),
    ],
)
def test_what_cannot_be_written_is_said(home: Path, tmp_path: Path, argv: list[str], told: str, capsys):
    out = tmp_path / "x.html"
    assert main(["export", *argv, "--to", "lesson", "--out", str(out)]) == 2
    assert told in capsys.readouterr().err and not out.exists()
