"""Lessons: one Markdown file each, whose questions are answered by what a recording measures. No torch, nothing drawn.

A file is text to its reader: nothing in it is imported, run or fetched, and the right answer to a question never stands
in it. It names quantities, such as `centre_sum(demo-bcl, last)`, and `Book` computes them from the runs.
"""

from __future__ import annotations

from ltviz.lessons.answers import Answer, Verdict, answer, judge, shape_of
from ltviz.lessons.lesson import KNOTS, Ask, Claim, Lesson, Scene, Section, Wait
from ltviz.lessons.moves import Move, Travel, moved, travelled
from ltviz.lessons.parsing import list_lessons, parse_lesson, read_lesson
from ltviz.lessons.playing import Played, play
from ltviz.lessons.quantities import Book, Quantity, unit_of
from ltviz.lessons.terms import TERMS, coloured, terms_in

__all__ = [
    "KNOTS",
    "TERMS",
    "Answer",
    "Ask",
    "Book",
    "Claim",
    "Lesson",
    "Move",
    "Played",
    "Quantity",
    "Scene",
    "Section",
    "Travel",
    "Verdict",
    "Wait",
    "answer",
    "coloured",
    "judge",
    "list_lessons",
    "moved",
    "parse_lesson",
    "play",
    "read_lesson",
    "shape_of",
    "terms_in",
    "travelled",
    "unit_of",
]
