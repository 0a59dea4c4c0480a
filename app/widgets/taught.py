"""What a class is told of a lesson: where it is, the question that stands there, and what was answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ltviz.errors import LtvizError
from ltviz.lessons import Lesson, answer

from .course import Course


@dataclass(frozen=True)
class Taught:
    """As `classroom.draw_class` takes it."""

    place: dict[str, str]
    ask: dict[str, Any] | None = None
    answer: dict[str, Any] | None = None


def taught(lesson: Lesson, course: Course, at: int) -> Taught:
    """Of a step. A curve that is drawn has no options to be counted, and is no question to a class."""
    place, ask, said = {"lesson": lesson.name, "step": str(at + 1)}, lesson.steps[at].ask, course.said.get(at)
    if ask is None or ask.kind == "curve":
        return Taught(place)
    told: dict[str, Any] = {"key": f"{lesson.name}/{at + 1}", "title": ask.question}
    if ask.kind == "value":
        told |= {"low": ask.low, "high": ask.high}
    else:
        try:
            told["options"] = ask.options or list(answer(ask, course.book).options)
        except LtvizError:  # said where the question stands
            return Taught(place)
        said = told["options"].index(said) if said in told["options"] else None
    return Taught(place, told, None if said is None else {"question": told["key"], "said": said})
