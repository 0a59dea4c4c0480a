"""A link to what the stage shows, as a section of a lesson: how a teacher writes one without knowing the format."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qsl, urlencode, urlsplit

from ltviz.errors import DataError, shorten
from ltviz.lessons.lesson import LAB

NEW = "---\ntitle: {title}\n---\n"
SECTION = "\n## {title}\nSay in two or three sentences what is to be seen here.\n\n```stage\n{block}\n```\n"


def stage_block(link: str) -> str:
    """The lines of a block `stage` that shows what a link shows.

    Args:
        link: as the stage's menu "Save" copies it, or the address of the geometry lab.

    Raises:
        DataError: it names neither runs nor what the lab sets.

    Example:
        >>> print(stage_block("http://127.0.0.1:8501/?runs=demo-ce&step=50&layers=caps"))
        runs = ["demo-ce"]
        step = 50
        layers = ["caps"]
    """
    try:
        parts = urlsplit(link)
    except ValueError as error:
        raise DataError(f"--link must be an address, got {shorten(link)!r}") from error
    asked = dict(parse_qsl(parts.query))
    if parts.path.rstrip("/").endswith("/geometry"):
        lab = (
            urlencode({name: value for name, value in asked.items() if name in LAB}, safe=",") or "losses=ce,supcon,bcl"
        )
        lines = [f"geometry = {json.dumps(lab)}"]
    elif asked.get("runs"):
        lines = [f"runs = {_texts(asked['runs'])}"]
        lines += [f"step = {int(asked['step'])}"] if _whole(asked.get("step")) else []
    else:
        raise DataError(
            "--link must name runs, as the link that the stage's menu Save copies does, or be one of the geometry lab, "
            f"got {shorten(link)!r}"
        )
    lines += [f"layers = {_texts(asked['layers'])}"] if asked.get("layers") else []
    classes = [rank for rank in asked.get("class", "").split(",") if _whole(rank)]
    lines += [f"classes = [{', '.join(str(int(rank)) for rank in classes)}]"] if classes else []
    lines += [f"colour = {json.dumps(asked['colour'])}"] if asked.get("colour") else []
    camera = asked.get("camera", "").split(",")
    if len(camera) == 3 and all(re.fullmatch(r"-?\d{1,3}\.\d{1,6}", number) for number in camera):
        lines.append(f"camera = [{', '.join(camera)}]")
    return "\n".join(lines)


def _texts(given: str) -> str:
    return json.dumps([word for word in given.split(",") if word])


def _whole(given: str | None) -> bool:
    return re.fullmatch(r"[0-9]{1,9}", given or "") is not None
