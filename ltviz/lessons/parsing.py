"""Reads a lesson's file: front matter, steps, and in them fenced blocks. Strict, with the line of what is wrong.

---
title: Pull and push
runs: demo-ce, demo-supcon
---
## A step
Two or three plain sentences, with $x^2$ where a formula helps.

```stage
play = [0, 300]
```

```ask
kind = "choose"
question = "Whose rare classes end wider?"
options = ["Cross-entropy", "SupCon"]
values = ["spread_tail(demo-ce)", "spread_tail(demo-supcon)"]
```

```claim
spread_tail(demo-ce) > spread_head(demo-ce)
```
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ltviz.errors import ConfigError, DataError, sentence, shorten
from ltviz.lessons.lesson import MOST_RUNS, Ask, Claim, Lesson, Scene, Section, Wait
from ltviz.lessons.quantities import Quantity
from ltviz.lessons.terms import check_terms
from ltviz.lessons.text import check_plain
from ltviz.recording.names import check_run_id

MOST_BYTES = 200_000
MOST_STEPS = 60
MOST_TEXT = 2_000
MOST_CLAIMS = 20
MOST_BLOCK = 4_000
MOST_LESSONS = 200
HEAD = ("title", "about", "language", "lang", "minutes", "run", "runs")
BLOCKS = ("stage", "ask", "wait", "claim")

_FENCE = re.compile(r"\s{0,3}(`{3,}+|~{3,}+)\s*+(\S*+)\s*")
_TOML_LINE = re.compile(r"\s*\(at line (\d+), column \d+\)|\s*\(at end of document\)")
_CLAIM = re.compile(r"\s*(\S.*?)\s*(<=|>=|<|>)\s*(\S.*?)\s*")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_Model = TypeVar("_Model", bound=BaseModel)


class _Wrong(Exception):
    """What is wrong, and the line where."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


@dataclass
class _Draft:
    """A step while its lines are read."""

    title: str
    line: int
    text: list[str] = field(default_factory=list)
    blocks: dict[str, tuple[int, list[str]]] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        return not self.blocks and not any(line.strip() for line in self.text)


def read_lesson(path: str | os.PathLike[str]) -> Lesson:
    """A lesson from its file.

    Raises:
        DataError: the file cannot be read, or is no lesson; one sentence with the line's number and the path.
    """
    path = Path(path)
    shown = os.fsencode(path).decode("utf-8", "replace")
    if "\ufffd" in shown:
        raise DataError(f"a lesson's name stands in addresses, so it must be UTF-8; rename the file {shown}")
    try:
        if not path.is_file():
            raise DataError(f"a lesson is one Markdown file, and there is none at {path}")
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise DataError(f"a lesson cannot be read ({error.strerror or error}): {path}") from error
    try:
        return parse_lesson(data, path.stem)
    except DataError as error:
        raise DataError(f"{error}: {path}") from error


def list_lessons(folder: Path) -> list[Path]:
    """The Markdown files of a folder, by the number that a name begins with, then by name, without a README; none
    where there is no folder."""
    try:
        found = [path for path in folder.iterdir() if path.suffix == ".md" and path.name.lower() != "readme.md"]
        found = [path for path in found if not path.name.startswith(".")]
    except OSError:
        return []
    found.sort(key=lambda path: (_number(path.name), path.name))
    return found[:MOST_LESSONS]


def _number(name: str) -> int:
    found = re.match(r"[0-9]{1,6}", name)
    return int(found[0]) if found else 0


def parse_lesson(data: bytes, name: str) -> Lesson:
    """A lesson from the bytes of its file.

    Args:
        name: what an address calls it.

    Raises:
        DataError: it is no lesson; "line 12: ...".
    """
    try:
        lines = _lines(data)
        head, body = _front_matter(lines)
        runs = _runs(head)
        drafts = _drafts(lines, body, head["title"][1])
        steps = tuple(_step(draft) for draft in drafts)
        if not steps:
            raise _Wrong(len(lines), "a lesson has one step at least; begin one with ## and a heading")
        for step in steps:
            if not (runs or step.scene.runs or step.scene.geometry):
                raise _Wrong(step.line, "this step shows nothing; name runs: in the front matter or in its stage block")
        return Lesson(
            name,
            head["title"][1],
            steps,
            about=head.get("about", (0, ""))[1],
            language=_language(head),
            minutes=int(head["minutes"][1]) if "minutes" in head else None,
            runs=runs,
        )
    except _Wrong as wrong:
        raise DataError(f"line {wrong.line}: {wrong}") from wrong


def _lines(data: bytes) -> list[str]:
    if len(data) > MOST_BYTES:
        raise _Wrong(1, f"a lesson has at most {MOST_BYTES:,} bytes, and this file has more")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _Wrong(line, f"a lesson is UTF-8, and byte {error.start} is none; save the file as UTF-8") from error
    return [line.removesuffix("\r") for line in text.split("\n")]


def _front_matter(lines: list[str]) -> tuple[dict[str, tuple[int, str]], int]:
    """Key -> (line, value), and the index of the first line behind it."""
    if lines[0].rstrip() != "---":
        raise _Wrong(1, f"a lesson begins with a line ---, got {shorten(lines[0])!r}")
    found: dict[str, tuple[int, str]] = {}
    for at, text in enumerate(lines[1:], 2):
        if text.rstrip() == "---":
            if "title" not in found:
                raise _Wrong(at, "the front matter needs a title, as in title: What lives on the sphere")
            return found, at
        if not text.strip():
            continue
        key, colon, value = (part.strip() for part in text.partition(":"))
        if not colon or key not in HEAD:
            raise _Wrong(at, f"the front matter knows {', '.join(HEAD)}, each with a colon, got {shorten(text)!r}")
        if key in found:
            raise _Wrong(at, f"{key} stands twice in the front matter")
        found[key] = at, _value(key, value, at)
    raise _Wrong(len(lines), "the front matter has no end; close it with a line ---")


def _value(key: str, given: str, line: int) -> str:
    quoted = len(given) > 1 and given[0] == given[-1] and given[0] in "\"'"
    value = given[1:-1] if quoted else given
    if not value or len(value) > 300:
        raise _Wrong(line, f"{key} must have 1 to 300 characters, got {len(value)}")
    if reason := check_plain(value):
        raise _Wrong(line, f"{key} {reason}")
    if key == "minutes" and not re.fullmatch(r"[1-9]\d{0,2}", value):
        raise _Wrong(line, f"minutes must be a whole number from 1 to 999, got {shorten(value)!r}")
    if key in ("language", "lang") and not _LANGUAGE.fullmatch(value):
        raise _Wrong(line, f"{key} must be a tag such as en, de or zh-Hant, got {shorten(value)!r}")
    return value


def _language(head: Mapping[str, tuple[int, str]]) -> str:
    if "language" in head and "lang" in head:
        raise _Wrong(max(head["language"][0], head["lang"][0]), "language and lang are one thing; give one of them")
    return (head.get("language") or head.get("lang") or (0, "en"))[1]


def _runs(head: Mapping[str, tuple[int, str]]) -> tuple[str, ...]:
    if "run" in head and "runs" in head:
        raise _Wrong(max(head["run"][0], head["runs"][0]), "run and runs exclude one another")
    line, given = head.get("runs") or head.get("run") or (0, "")
    names = [part.strip(" \"'") for part in given.strip("[] ").split(",")] if given else []
    if len(names) > (MOST_RUNS if "runs" in head else 1):
        raise _Wrong(line, f"run names one run and runs at most {MOST_RUNS}, got {len(names)}")
    try:
        return tuple(check_run_id(name) for name in names)
    except ConfigError as error:
        raise _Wrong(line, str(error).rstrip(".")) from error


def _drafts(lines: list[str], start: int, title: str) -> list[_Draft]:
    """Steps as they stand in the file; text before the first heading is a step under the lesson's title."""
    drafts = [_Draft(title, start + 1)]
    fence: tuple[int, str, str] | None = None
    for at, line in enumerate(lines[start:], start + 1):
        opening = _FENCE.fullmatch(line)
        if fence is not None:
            if opening and not opening.group(2) and opening.group(1).startswith(fence[1]):
                if fence[2] not in BLOCKS:
                    drafts[-1].text.append(line)
                fence = None
            elif fence[2] in BLOCKS:
                drafts[-1].blocks[fence[2]][1].append(line)
            else:
                drafts[-1].text.append(line)
            continue
        if opening:
            fence = at, opening.group(1), opening.group(2)
            if fence[2] not in BLOCKS:
                if meant := get_close_matches(fence[2].lower(), BLOCKS, 1, 0.75):
                    raise _Wrong(at, f"a step has no {shorten(fence[2])} block; {meant[0]} is meant?")
                drafts[-1].text.append(line)
            elif fence[2] in drafts[-1].blocks:
                raise _Wrong(at, f"a step has one {fence[2]} block, and this is its second")
            else:
                drafts[-1].blocks[fence[2]] = at, []
        elif line.startswith("## "):
            drafts.append(_Draft(_heading(line, at), at))
            if len(drafts) > MOST_STEPS + 1:
                raise _Wrong(at, f"a lesson has at most {MOST_STEPS} steps, and here begins the next")
        else:
            drafts[-1].text.append(line)
            if reason := check_plain(line):
                raise _Wrong(at, f"the text {reason}")
    if fence is not None:
        raise _Wrong(fence[0], f"this block has no end; close it with {fence[1]}")
    return drafts[1:] if drafts[0].empty else drafts


def _heading(line: str, at: int) -> str:
    title = line[3:].strip()
    if reason := check_plain(title):
        raise _Wrong(at, f"the heading {reason}")
    if not 0 < len(title) <= 120:
        raise _Wrong(at, f"a heading has 1 to 120 characters, got {len(title)}")
    return title


def _step(draft: _Draft) -> Section:
    text = "\n".join(draft.text).strip()
    if len(text) > MOST_TEXT:
        raise _Wrong(draft.line, f"a step's text has at most {MOST_TEXT:,} characters, got {len(text):,}")
    # Fenced text too: what is only shown must not be HTML either.
    if reason := check_plain(text):
        raise _Wrong(draft.line, f"the text {reason}")
    if reason := check_terms(text):
        raise _Wrong(draft.line, f"the text {reason}")
    scene_line, ask_line, wait_line = (draft.blocks.get(name, (draft.line, []))[0] for name in ("stage", "ask", "wait"))
    scene = _block(draft, "stage", Scene) if "stage" in draft.blocks else Scene.model_validate({})
    ask = _block(draft, "ask", Ask) if "ask" in draft.blocks else None
    wait = _block(draft, "wait", Wait) if "wait" in draft.blocks else None
    if wait and ask:
        raise _Wrong(wait_line, "a step asks or waits; put the wait block into a step of its own")
    if wait and wait.setting and not scene.geometry:
        raise _Wrong(wait_line, "a setting is one of the geometry lab, and this step's stage block has no geometry")
    if not text and ask is None:
        raise _Wrong(draft.line, "a step says or asks something; this one is empty")
    return Section(draft.title, text, scene, ask, _claims(draft), draft.line, scene_line, ask_line, wait, wait_line)


def _block(draft: _Draft, name: str, model: type[_Model]) -> _Model:
    start, lines = draft.blocks[name]
    source = "\n".join(lines)
    if len(source) > MOST_BLOCK:
        raise _Wrong(start, f"a {name} block has at most {MOST_BLOCK:,} characters, got {len(source):,}")
    try:
        given = tomllib.loads(source)
    except RecursionError as error:
        raise _Wrong(start, f"a {name} block is plain lines, key = value, and this one is nested too deep") from error
    except ValueError as error:
        told = _TOML_LINE.search(str(error))
        at = int(told.group(1)) if told and told.group(1) else max(1, len(lines))
        reason = shorten(_TOML_LINE.sub("", str(error)))
        raise _Wrong(start + at, f"a {name} block is TOML, key = value on each line ({reason})") from error
    try:
        return model.model_validate(given)
    except ValidationError as error:
        place = error.errors(include_url=False)[0]["loc"]
        line = _line_of(str(place[0]), lines) if place else 0
        raise _Wrong(start + line, sentence(error, model)) from error


def _line_of(key: str, lines: list[str]) -> int:
    """Where a key stands, counted from 1; 0 where it does not."""
    pattern = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]|\s*\[+\s*{re.escape(key)}\b")
    return next((at for at, line in enumerate(lines, 1) if pattern.match(line)), 0)


def _claims(draft: _Draft) -> tuple[Claim, ...]:
    start, lines = draft.blocks.get("claim", (0, []))
    claims = [_claim(line.strip(), start + at) for at, line in enumerate(lines, 1) if line.strip()]
    if len(claims) > MOST_CLAIMS:
        raise _Wrong(start, f"a step has at most {MOST_CLAIMS} claims, got {len(claims)}")
    return tuple(claims)


def _claim(text: str, line: int) -> Claim:
    found = _CLAIM.fullmatch(text)
    if found is None:
        raise _Wrong(line, f"a claim is written as centre_sum(run-a) < centre_sum(run-b), got {shorten(text)!r}")
    try:
        left, right = _side(found.group(1)), _side(found.group(3))
    except ValueError as error:
        raise _Wrong(line, str(error)) from error
    sign: Any = found.group(2)
    return Claim(text, left, sign, right, line)


def _side(text: str) -> Quantity | float:
    if re.fullmatch(r"-?\d{1,12}(\.\d{1,12})?", text):
        return float(text)
    found = Quantity.parse(text)
    if found.by_class:
        raise ValueError(f"a claim names one class, as in {found.name}({found.run}, last, 0), got {text[:60]!r}")
    return found
