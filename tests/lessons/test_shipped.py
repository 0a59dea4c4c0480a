"""The lessons that travel with the app: every step is there, every answer is computed, every claim holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from ltviz.lessons import Book, judge, list_lessons, parse_lesson, play, read_lesson
from ltviz.recording import Home

ROOT = Path(__file__).parents[2]
LESSONS = list_lessons(ROOT / "app" / "lessons")
TITLES = [
    "What lives on the sphere",
    "From SimCLR to SupCon: pull and push",
    "Why a simplex is ideal, and when none fits",
    "What a long tail does",
    "Fixed targets: TSC",
    "Balanced forces: BCL",
    "Likelihoods and priors",
    "Several labels: LTML's two branches",
    "What theory predicts, and whether your run obeys",
]


def test_there_are_nine_in_their_order():
    assert [read_lesson(path).title for path in LESSONS] == TITLES


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_is_what_its_recordings_show(path: Path):
    lesson = read_lesson(path)
    played = play(lesson, Book(Home.at(ROOT / "checkpoints").find), path)
    assert 4 <= len(lesson.steps) <= 7 and lesson.about and lesson.minutes
    asked = [step for step in played if step.answer is not None]
    assert len(asked) >= 3, "the learner commits to a prediction, mostly"
    for step in asked:
        assert step.answer is not None
        verdict = judge(step.answer, step.answer.right)
        assert verdict.right and verdict.score == 1
    assert any(step.claims for step in played)


def test_the_recordings_of_lessons_are_small():
    files = [file for run in (ROOT / "checkpoints").glob("lesson-*") for file in run.rglob("*") if file.is_file()]
    assert 0 < sum(file.stat().st_size for file in files) < 6e6


def test_the_example_of_the_format_is_a_lesson():
    text = (ROOT / "app" / "lessons" / "README.md").read_text(encoding="utf-8")
    example = text.split("````text\n")[1].split("````")[0]
    lesson = parse_lesson(example.encode(), "example")
    (played,) = play(lesson, Book(Home.at(ROOT / "checkpoints").find))
    assert played.answer is not None and len(played.claims) == 1
