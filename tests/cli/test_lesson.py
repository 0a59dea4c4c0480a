"""`ltviz lesson check`: what it says of good lessons and of bad ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ltviz.cli import main
from ltviz.launch.app import load_app
from ltviz.lessons import read_lesson

GOOD = """---
title: Two runs
runs: demo-bcl, demo-supcon
---
## One
Text.

```ask
kind = "choose"
question = "Whose sum is smaller?"
options = ["BCL", "SupCon"]
values = ["centre_sum(demo-bcl)", "centre_sum(demo-supcon)"]
right = "smallest"
```

```claim
centre_sum(demo-bcl) < centre_sum(demo-supcon)
```
"""


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    def run(text: str, *flags: str) -> tuple[int, str, str]:
        file = tmp_path / "lesson.md"
        file.write_text(text, encoding="utf-8")
        code = main(["lesson", "check", str(file), "--home", str(tmp_path / "none"), *flags])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_a_good_lesson_is_told_with_its_answers(check):
    code, out, err = check(GOOD)
    assert (code, err) == (0, "")
    assert "Whose sum is smaller? BCL" in out and "1 steps, 1 answers computed, 1 claims hold" in out
    code, out, _ = check(GOOD, "--json")
    (step,) = json.loads(out)["steps"]
    assert code == 0 and step["answer"] == "BCL" and step["line"] == 5 and len(step["numbers"]) == 2


@pytest.mark.parametrize(
    "text, line",
    [
        (GOOD.replace("title: Two runs", "name: x"), 2),
        (GOOD.replace("Text.", "<script>alert(1)</script>"), 6),
        (GOOD.replace("demo-supcon\n---", "../demo-supcon\n---"), 3),
        (GOOD.replace("demo-supcon\n---", "no-such-run\n---"), 5),
        (GOOD.replace("centre_sum(demo-bcl) <", "centre_sum(demo-bcl) >"), 17),
        (GOOD.replace('values = ["centre_sum(demo-bcl)', 'values = ["map_few(demo-bcl)'), 8),
    ],
)
def test_a_bad_lesson_is_one_sentence_with_its_line_and_code_2(check, text: str, line: int):
    code, out, err = check(text)
    assert (code, out) == (2, "")
    assert err.startswith(f"ltviz: line {line}") and err.count("\n") == 1 and "lesson.md" in err


def test_another_action_or_no_file_is_one_sentence(capsys: pytest.CaptureFixture[str]):
    for words in (["lesson"], ["lesson", "check"], ["lesson", "play", "x.md"], ["lesson", "check", "nowhere.md"]):
        assert main(words) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert main(["app", "--lessons", "nowhere-at-all"]) == 2
    assert "--lessons must be a folder" in capsys.readouterr().err


def test_a_link_becomes_a_step_and_a_bad_one_leaves_the_file_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], check
):
    file = tmp_path / "my-lesson.md"
    link = "http://127.0.0.1:8501/?runs=demo-ce,demo-bcl&camera=0.100,-0.200,4.000&layers=caps,-test&class=0,9&step=50"
    lab = "https://x.example/lab/geometry?losses=ce&classes=4&projection=pca"
    for given in (link, lab):
        assert main(["lesson", "record", str(file), "--link", given, "--title", "Look"]) == 0
    lesson = read_lesson(file)
    first, second = lesson.steps
    assert lesson.title == "my lesson" and first.scene.runs == ["demo-ce", "demo-bcl"] and first.scene.step == 50
    assert first.scene.look == "camera=0.100,-0.200,4.000&layers=caps,-test&class=0,9"
    assert second.scene.geometry == "losses=ce&classes=4"
    before = file.read_bytes()
    hostile = [
        "http://x/?step=3",
        "nothing",
        "http://[",
        "/?runs=../../etc",
        '/?runs=demo-ce&colour="]%0Ax',
        "/?runs=a",
    ]
    for given in hostile:
        capsys.readouterr()
        assert main(["lesson", "record", str(file), "--link", given]) == 2, given
        assert capsys.readouterr().err.count("\n") == 1
        assert file.read_bytes() == before, given
    assert main(["lesson", "record", str(file), "--link", link, "--title", "<b>"]) == 2
    assert main(["lesson", "record", str(file)]) == 2
    assert file.read_bytes() == before
    (tmp_path / "other.md").write_text("no lesson")
    assert main(["lesson", "record", str(tmp_path / "other.md"), "--link", link]) == 2
    assert (tmp_path / "other.md").read_text() == "no lesson"


def test_a_preview_serves_the_file_and_one_that_is_not_there_is_a_slip(tmp_path: Path, monkeypatch, capsys):
    load_app()
    from ltviz_app import server

    asked = []
    monkeypatch.setattr(server, "serve", lambda *given, **named: asked.append(named["draft"]))
    file = tmp_path / "mine.md"
    assert main(["lesson", "preview", str(file)]) == 2
    assert "there is none at" in capsys.readouterr().err
    file.write_text("not yet a lesson")
    assert main(["lesson", "preview", str(file)]) == 0 and asked == [file]
