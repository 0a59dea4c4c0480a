"""`ltviz lesson check FILE`: whether its recordings show what a lesson says; `record`: a link becomes its next step;
`preview`: a page that follows the file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from ltviz.cli.arguments import parse_one, positional
from ltviz.cli.choice import HomeOptions
from ltviz.errors import ConfigError, DataError
from ltviz.export.lesson import book_of
from ltviz.launch.app import load_app
from ltviz.lessons import Answer, Lesson, Played, parse_lesson, play, read_lesson, shape_of
from ltviz.lessons.linked import NEW, SECTION, stage_block
from ltviz.recording.files import write_whole
from ltviz.recording.names import typed_path

ABOUT = (
    "Check a lesson, one Markdown file: it is read strictly, the answer to every question is computed from the "
    "recordings that it names, and every claim must hold there. What is wrong is one sentence with the line, and exit "
    "code 2. Runs are looked for in the home, then among the recordings that came with ltviz. `record` appends what a "
    "link shows, such as the menu Save copies, as the next step; it begins the file where there is none. "
    "`preview` serves a page that follows the file while you write it, and says what is wrong where."
)
ACTIONS = ("check", "record", "preview")


class LessonOptions(HomeOptions):
    action: str = positional(description="check, record or preview")
    file: str = positional(description="the lesson's file")
    link: str | None = Field(None, description="With record: the link to what the stage shows.")
    title: str = Field("A step", min_length=1, max_length=120, description="With record: the heading of the step.")
    port: int | None = Field(
        None, ge=0, le=65535, description="With preview: port of the page; the first free one from 8501 on."
    )
    json_: bool = Field(False, alias="json", description="Print one JSON object.")


def run(argv: Sequence[str]) -> int:
    """Prints each question's answer, adds a step, or serves a page until it is interrupted.

    Raises:
        ConfigError: another action, or none of the link that it needs.
        DataError: no lesson, an answer that cannot be computed, a claim that does not hold.
    """
    options = parse_one("ltviz lesson", argv, LessonOptions, about=ABOUT)
    if options.action not in ACTIONS:
        raise ConfigError(
            f"`ltviz lesson` is followed by {', '.join(ACTIONS[:-1])} or {ACTIONS[-1]}, got {options.action!r:.80}; "
            "try `ltviz lesson check FILE`"
        )
    path = typed_path(options.file)
    if options.action == "record":
        if not options.link:
            raise ConfigError("`ltviz lesson record FILE` needs --link LINK, as the stage's menu Save copies it")
        _record(path, options.link, options.title)
        return 0
    if options.action == "preview":
        _preview(path, options)
        return 0
    lesson = read_lesson(path)
    played = play(lesson, book_of(options.own_home("ltviz lesson")), path)
    if options.json_:
        print(json.dumps(_plain(lesson, played)))
    else:
        _tell(lesson, played)
    return 0


def _preview(path: Path, options: LessonOptions) -> None:
    """Serves the page; a file that is no lesson yet is what it is for, one that is not there a slip."""
    if not path.is_file():
        raise DataError(
            f"a lesson is one Markdown file, and there is none at {path}; begin one with "
            "`ltviz lesson record FILE --link LINK`"
        )
    load_app()
    from ltviz_app import server  # the name exists once `load_app` has found the app's folder

    server.serve(
        options.port, options.own_home("ltviz lesson").root, follow_links=options.follow_links, draft=path.absolute()
    )


def _record(path: Path, link: str, title: str) -> None:
    """Appends a step, once what then stands in the file is known to be a lesson."""
    if path.exists():
        read_lesson(path)
        before = path.read_bytes().removeprefix(b"\xef\xbb\xbf").rstrip() + b"\n"
    else:
        before = NEW.format(title=path.stem.replace("-", " ").strip() or title).encode()
    after = before + SECTION.format(title=title, block=stage_block(link)).encode()
    try:
        lesson = parse_lesson(after, path.stem)
    except DataError as error:
        raise DataError(f"this link cannot be a step of {path}: {error}") from error
    write_whole(path, after)
    print(f"{path}: step {len(lesson.steps)}, {title}")


def _plain(lesson: Lesson, played: Sequence[Played]) -> dict[str, Any]:
    steps = [
        {
            "title": step.step.title,
            "line": step.step.line,
            "question": step.step.ask.question if step.step.ask else None,
            "answer": step.answer.right if step.answer else None,
            "numbers": [n if n == n else None for n in step.answer.numbers] if step.answer else [],
            "claims": [claim.text for claim in step.step.claims],
        }
        for step in played
    ]
    return {"title": lesson.title, "language": lesson.language, "minutes": lesson.minutes, "steps": steps}


def _tell(lesson: Lesson, played: Sequence[Played]) -> None:
    asked = sum(step.answer is not None for step in played)
    claims = sum(len(step.claims) for step in played)
    for number, step in enumerate(played, 1):
        print(f"{number:>3}  {step.step.title}")
        if step.step.ask and step.answer:
            print(f"     {step.step.ask.question} {_right(step.answer)}")
    print(f"{lesson.title}: {len(played)} steps, {asked} answers computed, {claims} claims hold")


def _right(found: Answer) -> str:
    """The right answer in a few letters: a curve by its shape and its ends."""
    if isinstance(found.right, tuple):
        shape = shape_of(found.numbers, found.span).replace("_", ", then ")
        return f"{shape}, from {found.right[0]:.4g} to {found.right[-1]:.4g}"
    return found.right if isinstance(found.right, str) else f"{found.right:.4g}"
