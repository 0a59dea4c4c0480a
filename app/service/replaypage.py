"""One page by itself, a replay, a lesson or the geometry lab: modules, styles and data in one file, under a policy that
lets nothing else in."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from string import Template
from typing import Any

from .. import words
from .stagefiles import needed, stage_style

_ROOT = "ltviz/"


@dataclass(frozen=True)
class Kind:
    """What a page by itself is."""

    entry: str
    """The module that starts it."""
    place: str
    """Id of the element that it fills."""
    styles: tuple[str, ...] = ("stage.css",)
    worker: bool = False
    """It starts one, out of a blob: then the policy lets blobs be workers, and one named policy make their address."""
    fetches: bool = False
    """It reads files that lie beside it, and nothing from elsewhere."""


LESSON = Kind(
    "lessonpage.js",
    "lesson",
    ("stage.css", "lab/lab.css", "common/curve.css", "lesson/lesson.css", "lesson/player.css"),
    worker=True,
)
REPLAY = Kind("replaypage.js", "stage")
SITE = replace(REPLAY, fetches=True)
GEOMETRY = Kind("geometry.js", "lab", ("stage.css", "lab/lab.css"), worker=True)
ENTRY = REPLAY.entry

# A page of its own has nothing around it that could give paper, ink and margins. The stage looks for Streamlit's names.
_PAGE_STYLE = """
:root { color-scheme: light; --st-background-color: #fbfbf9; --st-text-color: #1c1f24; }
:root[data-theme="dark"] { color-scheme: dark; --st-background-color: #0f1216; --st-text-color: #e8eaed; }
@media (prefers-color-scheme: dark) {
  :root:not([data-theme]) { color-scheme: dark; --st-background-color: #0f1216; --st-text-color: #e8eaed; }
}
:root { background: var(--st-background-color); color: var(--st-text-color); }
body { margin: 0 auto; padding: 20px 24px 40px; max-width: 1680px; font: 15px/1.45 system-ui, sans-serif; }
h1 { margin: 0; font-size: 20px; font-weight: 650; overflow-wrap: anywhere; }
#note { margin: 2px 0 14px; font-size: 13px; opacity: 0.75; }
@media (max-width: 560px) { body { padding: 12px 12px 32px; } }
:root[data-embed] body { padding: 8px; max-width: none; }
:root[data-embed] :is(h1, #note) { display: none; }
"""

# Scripts: the two in the page, by their fingerprints, and the modules of the import map. Nothing can be fetched, where
# the kind does not say so, and no text can become markup or code.
_POLICY = Template(
    "default-src 'none'; script-src $scripts data:; style-src $styles; img-src data: blob:; base-uri 'none'; "
    "form-action 'none'; ${fetches}require-trusted-types-for 'script'; trusted-types $types"
)
_PAGE = Template("""<!DOCTYPE html>
<html lang="en"$theme>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="$policy">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>$title</title>
<style>$style</style>
<script type="importmap">$modules</script>
</head>
<body>
<h1>$title</h1>
<p id="note">$note</p>
<div id="$place"><p>$waiting</p></div>
<script type="application/json" id="contents">$contents</script>
<script type="module">$start</script>
</body>
</html>
""")


def write_page(*, title: str, note: str, contents: Mapping[str, Any], theme: str | None, kind: Kind = REPLAY) -> bytes:
    """The file, UTF-8.

    Args:
        title, note: plain text.
        contents: JSON; it may hold any text, none of which the browser takes for markup.
        theme: "light", "dark", or None for what the reader's system prefers.
    """
    start = f'import "{_ROOT}{kind.entry}";'
    modules, styles = code(kind.entry), style(kind.styles)
    scripts = f"{_fingerprint(modules)} {_fingerprint(start)}"
    types = "ltviz-worker; worker-src blob:" if kind.worker else "'none'"
    fetches = "connect-src 'self'; " if kind.fetches else ""
    page = _PAGE.substitute(
        theme="" if theme is None else f' data-theme="{html.escape(theme)}"',
        policy=_POLICY.substitute(scripts=scripts, styles=_fingerprint(styles), types=types, fetches=fetches),
        title=html.escape(title),
        note=html.escape(note),
        style=styles,
        modules=modules,
        place=kind.place,
        waiting=html.escape(words.served.REPLAY_WAITING),
        contents=as_data(contents),
        start=start,
    )
    return page.encode()


def as_data(value: Any) -> str:
    """JSON that can stand in a script element: nothing in it ends the element or begins a comment."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@cache
def code(entry: str = ENTRY) -> str:
    """The import map: every module that the page needs, under a name that does not depend on where the file lies."""
    modules = {_ROOT + name: _as_address(text) for name, text in sorted(needed(entry, _ROOT).items())}
    return as_data({"imports": modules})


@cache
def style(names: tuple[str, ...] = REPLAY.styles) -> str:
    """The page's styles and the stage's."""
    return _PAGE_STYLE + "".join(map(stage_style, names))


def _as_address(source: str) -> str:
    return f"data:text/javascript;charset=utf-8;base64,{base64.b64encode(source.encode()).decode()}"


def _fingerprint(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
