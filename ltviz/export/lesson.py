"""A lesson in one page, made by the app's own code."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ltviz.errors import ConfigError
from ltviz.export.replay import Made
from ltviz.launch.app import app_folder, demo_home, load_app
from ltviz.lessons import Book, Lesson, list_lessons, play, read_lesson
from ltviz.recording import Home


def find_lesson(name: str, folders: Sequence[Path] = ()) -> tuple[Lesson, Path]:
    """A lesson and its file, by the file's path, or by its name in folders or in the app's own.

    Raises:
        ConfigError: no lesson has that name.
        DataError: the file is no lesson; with the line.
    """
    if name.endswith(".md") or Path(name).is_file():
        path = Path(name)
    else:
        known = {path.stem: path for folder in (app_folder() / "lessons", *folders) for path in list_lessons(folder)}
        if name not in known:
            raise ConfigError(
                f"LESSON must be a file *.md or one of {', '.join(known)[:600] or 'none'}, got {name!r:.80}; "
                "--lessons DIR adds your own"
            )
        path = known[name]
    return read_lesson(path), path


def book_of(home: Home) -> Book:
    """Quantities of the runs of a home, and of those that came with ltviz."""
    homes = [home] + ([Home.at(demos)] if (demos := demo_home()) else [])
    return Book(lambda name: next((found for place in homes if (found := place.find(name)) is not None), None))


def lesson_page(lesson: Lesson, path: Path, home: Home, *, theme: str | None = None, max_mb: float = 4.0) -> Made:
    """The page.

    Args:
        path: the lesson's file, for messages.
        home: where its runs are looked for, before those that came with ltviz.
        theme: "light", "dark", or None for what the reader's system prefers.
        max_mb: size that the recordings are thinned to.

    Raises:
        DataError: a run that is not there, an answer that cannot be computed, a claim that does not hold; with the
            line.
        ConfigError: it would be larger.
    """
    book = book_of(home)
    played = play(lesson, book, path)
    load_app()
    from ltviz_app.service.hub import Hub  # the name exists once `load_app` has found the app's folder
    from ltviz_app.service.lessonpage import LessonFile, build_lesson

    runs = dict.fromkeys(run for step in lesson.steps for run in lesson.runs_of(step))
    folders = {run: book.run(run).path for run in runs}

    async def build() -> LessonFile:
        hub = Hub(home.root, folders=folders)
        try:
            return await build_lesson(hub, lesson, played, book, theme=theme, limit=int(max_mb * 1e6))
        finally:
            await hub.close()

    with ThreadPoolExecutor(1) as aside:  # whoever calls this may have a loop of their own running, as notebooks do
        made = aside.submit(asyncio.run, build()).result()
    return Made(made.html, len(made.runs), made.moments, made.recorded, ())
