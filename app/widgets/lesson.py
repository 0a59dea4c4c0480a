"""One lesson on one screen: the stage beside the text, a question, and what the recording answers."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import streamlit as st
from streamlit.components.v2 import component

from ltviz.errors import LtvizError
from ltviz.lessons import Answer, Ask, Book, Lesson, Section, answer, judge, moved
from ltviz.recording import Recording

from .. import words
from ..service.studio import Studio
from .forms import escape
from .geometry import draw_lab
from .reduced import control, is_hidden
from .viewer import draw_stage, loader

VIEW = "learn"
USUAL_MINUTES = 5
"""Of a lesson that does not say how long it takes."""
INLINE = 28
"""So many letters of all options together stand in one line."""
SHORT, LONGEST_BAR = 18, 55
"""Letters of a name that stands in one line with its bar; the longest bar, in percent of the room for it."""


@dataclass
class Course:
    """How far a person has come with a lesson, and what they have said. Steps are counted from 0."""

    book: Book
    said: dict[int, str | float] = field(default_factory=dict)
    turns: dict[int, int] = field(default_factory=dict)
    """How often Play was pressed."""


@dataclass(frozen=True)
class Taught:
    """What a class is told of the page: where it is, the question that stands there, and what was answered."""

    place: dict[str, str]
    ask: dict[str, Any] | None = None
    answer: dict[str, Any] | None = None


def open_lesson(name: str, step: int = 0) -> None:
    """Puts a step of a lesson into the address; "" is the list of lessons."""
    for key in ("lesson", "step"):
        st.query_params.pop(key, None)
    if name:
        st.query_params["lesson"] = name
        st.query_params["step"] = str(step + 1)


def draw_lesson(studio: Studio, lesson: Lesson) -> Taught:
    """The step that the address names; what a class must know of it."""
    course = _course(studio, lesson)
    at = _asked_step(len(lesson.steps))
    step = lesson.steps[at]
    _draw_head(lesson, at)
    if _slides():
        told = {"lesson": lesson.name, "minutes": lesson.minutes or USUAL_MINUTES, "words": words.learn.CLOCK}
        component("ltviz_presenter", js=loader("together/presenter.js"))(key="presenter", data=told)
    with st.container(key="slides" if _slides() else "page"), st.container(key="lesson"):
        picture, text = st.columns([3, 2], gap="large")
        with picture:
            _draw_picture(studio, lesson, step, course, at)
        with text, st.container(key="lesson-rtl" if lesson.right_to_left else "lesson-ltr"):
            _draw_text(lesson, step, course, at)
    return _taught(lesson, course, at)


def _taught(lesson: Lesson, course: Course, at: int) -> Taught:
    place, ask, said = {"lesson": lesson.name, "step": str(at + 1)}, lesson.steps[at].ask, course.said.get(at)
    if ask is None:
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


def _course(studio: Studio, lesson: Lesson) -> Course:
    key = f"course-{lesson.name}"
    if key not in st.session_state:
        st.session_state[key] = Course(Book(lambda run: _found(studio, run)))
    return st.session_state[key]


def _found(studio: Studio, run: str) -> Recording | None:
    recording = studio.hub.recording(run)
    return recording if recording.exists else None


def _asked_step(count: int) -> int:
    asked = st.query_params.get("step", "1")
    return min(max(int(asked), 1), count) - 1 if asked.isascii() and asked.isdigit() and len(asked) < 6 else 0


def _slides() -> bool:
    return st.query_params.get("slides") == "1"


def _toggle_slides() -> None:
    if _slides():
        del st.query_params["slides"]
    else:
        st.query_params["slides"] = "1"


def _draw_head(lesson: Lesson, at: int) -> None:
    count = len(lesson.steps)
    progress = words.learn.PROGRESS.format(number=at + 1, count=count)
    ticks = "".join(f"<i{' class=done' if number <= at else ''}></i>" for number in range(count))
    st.html(
        f'<header class="ltviz-lesson"><h2>{html.escape(lesson.title)}</h2>'
        f'<p>{html.escape(progress)}</p><div aria-hidden="true">{ticks}</div></header>'
    )


def _draw_picture(studio: Studio, lesson: Lesson, step: Section, course: Course, at: int) -> None:
    turn = course.turns.get(at, 0)
    if step.scene.geometry:
        scene = {"look": step.scene.look, "step": None if turn else 0, "play": None, "turn": turn}
        draw_lab({"search": step.scene.geometry, "scene": scene, "words": words.learn.LAB_STAGE})
        _draw_words([words.learn.lab_picture(parse_qsl(step.scene.geometry))])
        return
    try:
        runs = lesson.runs_of(step)
        last = max(course.book.step(run, "last") for run in runs)
        held = last if step.scene.step is None else step.scene.step
        scene = {"look": step.scene.look, "step": held, "play": step.scene.play, "turn": turn}
        draw_stage(studio, runs, view=VIEW, scene=scene)
        first, end = step.scene.play or (held, held)
        _draw_words([_told(course.book, run, first, end if turn else first) for run in runs])
    except LtvizError as error:
        st.error(words.learn.NO_ANSWER.format(reason=escape(str(error))))


def _told(book: Book, run: str, first: int, last: int) -> str:
    """What the picture of one run shows, and how it got there, in numbers."""
    moves = moved(book, run, first, last)
    title = book.run(run).info.title or run
    still = book.step(run, first) == book.step(run, last)
    kinds = words.learn.STANDS if still else words.learn.MEASURED
    told = ", ".join(
        kinds[move.key].format(
            first=words.learn.number(move.first[1], move.unit), last=words.learn.number(move.last[1], move.unit)
        )
        for move in moves
    )
    frame = words.learn.PICTURE_STILL if still else words.learn.PICTURE_RUN
    return frame.format(title=title, first=book.step(run, first), last=book.step(run, last), told=told)


def _draw_words(lines: list[str]) -> None:
    if is_hidden("words"):
        return
    said = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
    st.html(f'<details class="ltviz-words"><summary>{html.escape(words.learn.PICTURE)}</summary>{said}</details>')


def _draw_text(lesson: Lesson, step: Section, course: Course, at: int) -> None:
    st.html(f'<h3 class="ltviz-step">{html.escape(step.title)}</h3>')
    # A lesson's text has been read strictly: Markdown and formulas, no HTML, no pictures.
    st.markdown(step.text)
    said = course.said.get(at)
    given = _draw_question(lesson, step.ask, course, at) if step.ask else None
    if step.ask or step.scene.play or step.scene.geometry:
        turn = course.turns.get(at, 0)
        st.button(
            words.learn.AGAIN if turn else words.learn.PLAY,
            key=f"play-{lesson.name}-{at}",
            type="secondary" if turn else "primary",
            disabled=step.ask is not None and given is None and said is None,
            help=words.learn.PREDICT if step.ask and given is None and said is None else None,
            on_click=_play,
            args=(course, at, given),
        )
    if step.ask and said is not None:
        _draw_verdict(step.ask, course, said)
        _draw_score(lesson, course)
    _draw_ways(lesson, at)


def _play(course: Course, at: int, given: str | float | None) -> None:
    if given is not None:
        course.said[at] = given
    course.turns[at] = course.turns.get(at, 0) + 1


def _draw_question(lesson: Lesson, ask: Ask, course: Course, at: int) -> str | float | None:
    """The question; what is answered, None before that. Once played, an answer stays as it is."""
    said, key, label = course.said.get(at), f"ask-{lesson.name}-{at}", ask.question
    if ask.kind == "value":
        unit = words.learn.UNITS.get(_unit(ask, course), "")
        number = st.number_input(
            label,
            ask.low,
            ask.high,
            said if isinstance(said, float) else ask.start,
            step=(ask.tolerance or 0.1) / 2,
            key=key,
            placeholder=words.learn.NUMBER.format(low=f"{ask.low:g}", high=f"{ask.high:g}", unit=unit),
            disabled=said is not None,
        )
        return None if number is None else float(number)
    options = _options(ask, course)
    chosen = st.radio(
        label,
        options,
        index=options.index(str(said)) if said in options else None,
        key=key,
        format_func=escape if ask.kind == "class" else str,
        horizontal=sum(map(len, options)) <= INLINE,
        disabled=said is not None,
    )
    return None if chosen is None else str(chosen)


def _options(ask: Ask, course: Course) -> list[str]:
    if ask.kind == "choose":
        return ask.options
    try:
        return list(answer(ask, course.book).options)
    except LtvizError as error:
        st.error(words.learn.NO_ANSWER.format(reason=escape(str(error))))
        return []


def _unit(ask: Ask, course: Course) -> str:
    try:
        return answer(ask, course.book).unit
    except LtvizError:
        return ""


def _draw_verdict(ask: Ask, course: Course, said: str | float) -> None:
    try:
        found = answer(ask, course.book)
        verdict = judge(found, said)
    except LtvizError as error:
        st.error(words.learn.NO_ANSWER.format(reason=escape(str(error))))
        return
    number = words.learn.number
    if isinstance(found.right, str):
        text = words.learn.verdict(verdict.right, str(said), found.right, found.what, recorded=found.recorded)
    else:
        text = words.learn.verdict_number(
            verdict.right,
            number(float(said), found.unit),
            number(found.right, found.unit),
            found.what,
            number(verdict.off, found.unit),
            recorded=found.recorded,
        )
    mark = "right" if verdict.right else "wrong"
    st.html(
        f'<div class="ltviz-verdict" data-verdict="{mark}" role="status"><p>{html.escape(text)}</p>'
        f"{_bars(found, said)}</div>"
    )


def _bars(found: Answer, said: str | float) -> str:
    """Every option with its number in the recording; the learner's own stays marked beside it."""
    known = words.learn.RECORDED if found.recorded else words.learn.COMPUTED
    rows: list[tuple[str, float, str]] = []
    if isinstance(found.right, str):
        for name, value in zip(found.options, found.numbers, strict=True):
            notes = [words.learn.YOU] * (name == said) + [known] * (name == found.right)
            rows.append((name, value, ", ".join(notes)))
    else:
        rows = [(words.learn.YOU, float(said), ""), (known, found.right, "")]
    most = max((abs(value) for _, value, _ in rows if value == value), default=0.0) or 1.0
    cells = "".join(
        f"<dt>{html.escape(name)}</dt>"
        f'<dd><i style="width:{LONGEST_BAR * abs(value) / most if value == value else 0:.1f}%"></i>'
        f"<span>{html.escape(words.learn.number(value, found.unit)) if value == value else '–'}</span>"
        f"{f'<em>{html.escape(note)}</em>' if note else ''}</dd>"
        for name, value, note in rows
    )
    short = all(len(name) <= SHORT for name, _, _ in rows)
    return f'<dl class="ltviz-answers{" ltviz-short" if short else ""}">{cells}</dl>'


def _draw_score(lesson: Lesson, course: Course) -> None:
    verdicts: list[Any] = []
    for at, said in course.said.items():
        ask = lesson.steps[at].ask
        if ask is None:
            continue
        try:
            verdicts.append(judge(answer(ask, course.book), said))
        except LtvizError:  # said where the question stands
            continue
    if verdicts:
        share = round(100 * sum(verdict.score for verdict in verdicts) / len(verdicts))
        right = sum(verdict.right for verdict in verdicts)
        st.caption(words.learn.SCORE.format(right=right, asked=len(verdicts), share=share))


def _draw_ways(lesson: Lesson, at: int) -> None:
    last = at + 1 == len(lesson.steps)
    with control("ways"), st.container(key="ways", horizontal=True):
        back = (lesson.name, at - 1) if at else ("", 0)
        st.button(
            words.learn.BACK if at else words.learn.ALL,
            key="lesson-back",
            on_click=open_lesson,
            args=back,
            shortcut="Left",
        )
        st.button(
            words.learn.DONE if last else words.learn.NEXT,
            key="lesson-next",
            on_click=open_lesson,
            args=("", 0) if last else (lesson.name, at + 1),
            shortcut="Right",
        )
        with control("slides"):
            st.button(
                words.learn.NO_SLIDES if _slides() else words.learn.SLIDES,
                key="lesson-slides",
                type="tertiary",
                help=words.learn.SLIDES_HELP,
                on_click=_toggle_slides,
            )
