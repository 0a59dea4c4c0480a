"""The laws of a lesson's file, and what hostile ones end in."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from ltviz.errors import DataError
from ltviz.lessons import lesson as lessons
from ltviz.lessons import list_lessons, parse_lesson, read_lesson

HEAD = "---\ntitle: A lesson\nrun: demo-ce\n---\n"
ASK = 'kind = "choose"\nquestion = "Which?"\noptions = ["A", "B"]\nvalues = ["centre_sum(demo-ce)", "nc1(demo-ce)"]'
LAB = Path(__file__).parents[2] / "app/stage/lab"


def parse(text: str):
    return parse_lesson(text.encode(), "a-lesson")


def block(name: str, body: str) -> str:
    return f"{HEAD}## One\nText.\n```{name}\n{body}\n```\n"


def test_a_lesson_has_steps_with_text_a_scene_a_question_and_claims():
    text = (
        "---\ntitle: Pull and push\nabout: Two forces.\nlanguage: de\nminutes: 5\nruns: demo-ce, demo-supcon\n---\n"
        "## First\nA *sentence* with $x < y$.\n\n"
        '```stage\nruns = ["demo-bcl"]\nplay = [0, 300]\nlayers = ["labels", "-trails"]\nclasses = [0, 9]\n'
        'view = "front"\n```\n'
        f"```ask\n{ASK}\n```\n```claim\ncentre_sum(demo-ce) < 1\nnc1(demo-ce, 5) >= nc1(demo-ce, last)\n```\n"
        "```python\nprint(1)\n```\n\n## Second\nMore.\n"
    )
    lesson = parse(text)
    first, second = lesson.steps
    assert (lesson.name, lesson.title, lesson.about) == ("a-lesson", "Pull and push", "Two forces.")
    assert (lesson.language, lesson.minutes, lesson.runs) == ("de", 5, ("demo-ce", "demo-supcon"))
    assert first.text == "A *sentence* with $x < y$.\n\n```python\nprint(1)\n```", "code is text, and stays"
    assert lesson.runs_of(first) == ("demo-bcl",) and lesson.runs_of(second) == lesson.runs
    assert first.scene.look == "camera=0.000,0.000,4.000&layers=labels,-trails&class=0,9"
    assert first.scene.play == [0, 300] and second.scene.look == ""
    assert first.ask is not None and first.ask.options == ["A", "B"] and second.ask is None
    assert [claim.sign for claim in first.claims] == ["<", ">="] and first.claims[0].right == 1.0
    assert (first.line, first.scene_line, first.ask_line, first.claims[1].line) == (8, 11, 18, 26)


def test_text_before_the_first_heading_is_a_step_under_the_title():
    assert [step.title for step in parse(f"{HEAD}Hello.\n## Two\nMore.\n").steps] == ["A lesson", "Two"]


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_marks_of_other_systems_are_read(bom: bytes):
    lesson = parse_lesson(bom + f"{HEAD}## One\nText.\n".replace("\n", "\r\n").encode(), "a")
    assert lesson.title == "A lesson" and lesson.steps[0].text == "Text."


@pytest.mark.parametrize("tag, rtl", [("ar", True), ("he-IL", True), ("ja", False), ("zh-Hant", False)])
def test_the_language_says_the_direction(tag: str, rtl: bool):
    assert parse(HEAD.replace("run:", f"language: {tag}\nrun:") + "## One\nText.").right_to_left == rtl


def test_the_geometry_lab_stands_in_for_runs():
    lesson = parse('---\ntitle: T\n---\n## One\nText.\n```stage\ngeometry = "losses=ce,bcl&classes=4"\n```\n')
    assert lesson.runs_of(lesson.steps[0]) == ()


def test_the_lab_can_be_told_what_its_address_can_say():
    known: set[str] = set()
    for file, opening in (("settings.js", r"DEFAULTS = Object.freeze\(\{"), ("losses/list.js", r"OPTIONS = \{")):
        source = (LAB / file).read_text(encoding="utf-8")
        found = re.search(opening + r"(.*?)\}", source, re.DOTALL)
        assert found is not None, file
        known |= set(re.findall(r"^\s*(\w+):", found.group(1), re.MULTILINE))
    assert known == lessons.LAB


@pytest.mark.parametrize(
    "text, line, words",
    [
        ("", 1, "begins with a line ---"),
        ("# Title\n---\n", 1, "begins with a line ---"),
        ("\n---\ntitle: x\n---\n", 1, "begins with a line ---"),
        ("---\nrun: demo-ce\n---\n## One\nText.", 3, "needs a title"),
        ("---\ntitle: x\n", 3, "has no end"),
        ("---\ntitle: x\nauthor: me\n---\n", 3, "knows title"),
        ("---\ntitle: x\ntitle: y\n---\n", 3, "stands twice"),
        ("---\ntitle:\n---\n", 2, "1 to 300 characters"),
        (f"---\ntitle: {'x' * 301}\n---\n", 2, "1 to 300 characters"),
        ("---\ntitle: <script>alert(1)</script>\n---\n", 2, "without HTML"),
        ("---\ntitle: x\nminutes: soon\n---\n", 3, "minutes must be"),
        ("---\ntitle: x\nlanguage: ../../de\n---\n", 3, "language must be"),
        ("---\ntitle: x\nrun: ../../etc/passwd\n---\n", 3, "run id must be"),
        ("---\ntitle: x\nrun: /etc/passwd\n---\n", 3, "run id must be"),
        ("---\ntitle: x\nrun: a-run, b-run\n---\n", 3, "run names one run"),
        (f"---\ntitle: x\nruns: {', '.join(['a-run'] * 7)}\n---\n", 3, "at most 6"),
        ("---\ntitle: x\nrun: a-run\nruns: b-run\n---\n", 4, "exclude one another"),
        ("---\ntitle: x\n---\n## One\nText.", 4, "shows nothing"),
        (HEAD, 5, "one step at least"),
        (f"{HEAD}## One\n\n## Two\nText", 5, "this one is empty"),
        (f"{HEAD}## \nText", 5, "heading has 1 to 120"),
        (f"{HEAD}## <b>x</b>\nText", 5, "without HTML"),
        (f"{HEAD}## One\nText.\n<script>alert(1)</script>\n", 7, "without HTML"),
        (f"{HEAD}## One\n<img src=x onerror=alert(1)>\n", 6, "without HTML"),
        (f"{HEAD}## One\n<!-- x -->\n", 6, "without HTML"),
        (f"{HEAD}## One\n```html\n<script>alert(1)</script>\n```\n", 5, "without HTML"),
        (f"{HEAD}## One\n![x](https://example.org/x.png)\n", 6, "must not hold pictures"),
        (f"{HEAD}## One\n[x](javascript:alert(1))\n", 6, "must link to https"),
        (f"{HEAD}## One\n[x](//example.org)\n", 6, "must link to https"),
        (f"{HEAD}## One\n[x][y]\n\n[y]: data:text/html,x\n", 8, "must link to https"),
        (f"{HEAD}## One\nA\x1b[31m\n", 6, "control character U+001B"),
        (f"{HEAD}## One\nA\u202e\n", 6, "control character U+202E"),
        (f"{HEAD}## One\n$\\def\\a{{\\a\\a}}\\a$\n", 6, "must not hold \\def"),
        (f"{HEAD}## One\n$$\n\\rule{{9999em}}{{9999em}}\n$$\n", 7, "must not hold \\rule"),
        (block("ask", ASK.replace('"Which?"', "'$\\kern{9em}$'")), 9, "must not hold \\kern"),
        (f"{HEAD}## One\nText.\n```asks\n```\n", 7, "ask is meant?"),
        (f"{HEAD}## One\nText.\n```Stage\n```\n", 7, "stage is meant?"),
        (f"{HEAD}## One\n```ask\n", 6, "has no end"),
        (f"{HEAD}## One\n{'x' * 2001}\n", 5, "at most 2,000"),
        (HEAD + "## S\nx\n" * 61, 125, "at most 60 steps"),
        (f"{HEAD}## One\n```stage\n```\n```stage\n```\n", 8, "its second"),
        (block("stage", "step = 3\nstep = 4"), 9, "TOML"),
        (block("stage", "step = 3\nimport = 'os'"), 9, "import is not a setting"),
        (block("stage", "\nrun = 'x'"), 9, "run is not a setting"),
        (block("stage", "runs = ['../x']"), 8, "run id must be"),
        (block("stage", "runs = ['/etc/passwd']"), 8, "run id must be"),
        (block("stage", "step = -1"), 8, "step"),
        (block("stage", "step = 1\nplay = [0, 3]"), 7, "exclude one another"),
        (block("stage", "play = [3, 0]"), 7, "must go from a step to a later one"),
        (block("stage", "camera = [nan, 0, 1]"), 8, "finite"),
        (block("stage", "step = 1\ncamera = [0, 2.5, 4]"), 9, "a pitch from -1.58 to 1.58, got 2.5"),
        (block("stage", "path = [[0, 0, 4], [0, 0, 99]]"), 8, "a distance from 1.35 to 9, got 99"),
        (block("stage", "layers = ['<b>']"), 8, "layers"),
        (block("stage", "geometry = 'losses=ce&file=1'"), 8, "'file' is none of it"),
        (block("stage", "geometry = 'https://x.org'"), 8, "geometry"),
        (block("stage", "[os]\nsystem = 'ls'"), 8, "os is not a setting"),
        (block("stage", "a = " + "[" * 3900), 7, "nested too deep"),
        (block("stage", "x = 1\n" * 900), 7, "at most 4,000"),
        (block("stage", f"step = {'9' * 3900}"), 8, "step"),
        (block("ask", ASK.replace("Which?", "<b>?")), 9, "without HTML"),
        (block("ask", ASK.replace('"B"', '"<script>"')), 10, "without HTML"),
        (block("ask", ASK.replace('"B"', '"A"')), 7, "must differ"),
        (block("ask", ASK.replace(', "B"', "")), 7, "two options or more"),
        (block("ask", ASK + '\nanswer = "A"'), 12, "answer is not a setting"),
        (block("ask", ASK.replace("nc1(demo-ce)", "__import__('os')")), 11, "quantity is written as"),
        (block("ask", ASK.replace("nc1(demo-ce)", "nc9(demo-ce)")), 11, "is no measure"),
        (block("ask", ASK.replace("nc1(demo-ce)", "nc1(../../x)")), 11, "a run is"),
        (block("ask", ASK.replace("nc1(demo-ce)", "ideal_angle(1000, 3)")), 11, "classes must lie"),
        (block("ask", 'kind = "value"\nquestion = "?"\nof = "nc1(demo-ce)"'), 7, "has a tolerance"),
        (block("ask", 'kind = "class"\nquestion = "?"'), 7, "has the quantity in of"),
        (block("ask", 'kind = "code"\nquestion = "?"'), 8, "kind"),
        (block("claim", "all is well"), 8, "a claim is written as"),
        (block("claim", "\ncentre_sum(x) < 1"), 9, "a run is"),
        (block("claim", "spread_of(demo-ce) < 1"), 8, "names one class"),
        (block("claim", "nc1(demo-ce) < 1\n" * 21), 7, "at most 20 claims"),
    ],
)
def test_what_is_no_lesson_is_one_sentence_with_its_line(text: str, line: int, words: str):
    with pytest.raises(DataError) as caught:
        parse(text)
    said = str(caught.value)
    assert said.startswith(f"line {line}: "), said
    assert words in said and "\n" not in said and len(said) < 700


def test_a_deep_nest_ends_in_a_sentence():
    for body in ("a = " + "[" * 1900 + "]" * 1900, ".".join(["a"] * 1900) + " = 1", "a = " + "{b=" * 900):
        with pytest.raises(DataError, match=r"^line \d+: "):
            parse(block("stage", body))


def test_what_is_not_utf8_or_too_large_is_refused():
    with pytest.raises(DataError, match=r"line 5: a lesson is UTF-8, and byte \d+ is none"):
        parse_lesson(HEAD.encode() + b"\xff\xfe", "a")
    with pytest.raises(DataError, match="line 1: a lesson has at most 200,000 bytes"):
        parse_lesson(HEAD.encode() + b"x\n" * 100_000, "a")
    with pytest.raises(DataError, match=r"line 1: .*begins with"):
        parse_lesson(b"\x00" * 100, "a")


def test_a_name_that_no_address_can_hold_is_refused(tmp_path: Path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.md"))
    path.write_text(HEAD + "## One\nText.\n")
    assert list_lessons(tmp_path) == [path]
    with pytest.raises(DataError, match="must be UTF-8; rename") as caught:
        read_lesson(path)
    str(caught.value).encode()


def test_files_are_found_by_name_and_refused_with_their_path(tmp_path: Path):
    for name in ("b.md", "a.md", "10-x.md", "2-y.md", ".hidden.md", "notes.txt", "README.md"):
        (tmp_path / name).write_text(HEAD + "## One\nText.\n")
    assert [path.name for path in list_lessons(tmp_path)] == ["a.md", "b.md", "2-y.md", "10-x.md"]
    assert list_lessons(tmp_path / "nowhere") == []
    assert read_lesson(tmp_path / "a.md").name == "a"
    with pytest.raises(DataError, match="there is none at"):
        read_lesson(tmp_path)
    (tmp_path / "bad.md").write_text("x")
    with pytest.raises(DataError, match=r"^line 1: .*bad\.md$"):
        read_lesson(tmp_path / "bad.md")
