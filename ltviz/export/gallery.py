"""A static gallery of replays: a folder that any file host serves, and that opens from a disk as well."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from urllib.parse import quote

from ltviz.errors import ConfigError, DataError
from ltviz.export.formats import whole_folder
from ltviz.export.lab import lab_page
from ltviz.export.places import preview
from ltviz.export.replay import replay_of
from ltviz.projection import REGISTRY, RunProjections
from ltviz.recording import Recording
from ltviz.recording.names import slug

STYLE = """
:root { color-scheme: light dark; --paper: #fbfbf9; --ink: #1c1f24; --quiet: #5d636b; --line: #d9dad6; --card: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #0f1216; --ink: #e8eaed; --quiet: #a3a9b1; --line: #2d3239; --card: #171b20; }
}
body { margin: 0 auto; padding: 24px 20px 48px; max-width: 1280px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { margin: 0 0 4px; font-size: 24px; overflow-wrap: anywhere; }
h2 { margin: 0; font-size: 16px; overflow-wrap: anywhere; }
p { margin: 4px 0; color: var(--quiet); font-size: 13px; overflow-wrap: anywhere; }
ul { list-style: none; margin: 20px 0; padding: 0; display: grid; gap: 16px;
  grid-template-columns: repeat(auto-fill, minmax(min(260px, 100%), 1fr)); }
li { border: 1px solid var(--line); border-radius: 10px; padding: 14px; background: var(--card); min-width: 0; }
img { display: block; width: 100%; height: auto; margin-bottom: 10px; }
a { color: inherit; } a:focus-visible, summary:focus-visible { outline: 2px solid #2f6fd0; outline-offset: 2px; }
pre { margin: 6px 0 0; padding: 8px; overflow-x: auto; font-size: 12px; border: 1px solid var(--line);
  border-radius: 6px; user-select: all; }
summary { cursor: pointer; font-size: 13px; } dt { font-family: monospace; } dd { margin: 0 0 6px 20px; }
"""
# Nothing is run and nothing fetched: pictures stand in the page, and replays are pages of their own.
_POLICY = "default-src 'none'; style-src '$style_hash'; img-src data:; base-uri 'none'; form-action 'none'"
_PAGE = Template(f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>$title</title>
<style>$style</style>
</head>
<body>
<h1>$title</h1>
<p>Each picture opens a replay: drag the sphere, play the steps, point at a dot.</p>
$lab
<ul>
$cards
</ul>
<h2>In another page</h2>
<p>A replay takes these parameters behind a question mark, in a frame or in a link:</p>
<dl>
<dt>embed=1</dt><dd>the stage alone, without heading and margins</dd>
<dt>step=300</dt><dd>holds this step; without it the replay plays</dd>
<dt>theme=dark</dt><dd>or light; without it the reader's system decides</dd>
<dt>camera=0.48,0.3,3</dt><dd>turn, tilt and distance; "Copy link" in the menu "Save" writes it</dd>
<dt>layers=caps,-grid</dt><dd>layers that are on, and with - those that are off</dd>
<dt>colour=groups</dt><dd>what the points are coloured by</dd>
</dl>
</body>
</html>
""")
_CARD = Template("""<li>
<a href="$address">
<img src="data:image/svg+xml;base64,$picture" width="320" height="320" alt="$title at step $step">
</a>
<h2><a href="$address">$title</a></h2>
<p>$about</p>
<details><summary>Frame for another page</summary><pre>$frame</pre></details>
</li>""")
LAB = "geometry.html"
_LAB = f'<p><a href="{LAB}">The geometry lab</a> computes in your browser what each loss does to the classes.</p>'
_FRAME = Template('<iframe src="$address?embed=1" title="$title" width="800" height="640" loading="lazy"></iframe>')


@dataclass(frozen=True)
class Gallery:
    """What was published."""

    used: int
    left_out: Sequence[str]


def publish(
    out: Path,
    runs: Sequence[Recording],
    *,
    title: str,
    theme: str | None = None,
    projection: str | None = None,
    max_mb: float = 12.0,
    geometry: bool = False,
) -> Gallery:
    """Writes the folder `out`: `index.html` with a picture of each run, and a replay each, at most `max_mb` large.

    With `geometry` the geometry lab lies beside them, and the index leads there.

    Raises:
        ConfigError: no run has frames, or `out` holds something else.
        RecordingError, DiskFull: it cannot be written; nothing half-written is left.
    """
    cards, left_out = [], []
    with whole_folder(out, "`ltviz publish`", runs) as folder:
        for name, recording in _names(runs).items():
            frame = recording.last()
            if frame is None:
                left_out.append(f"{recording.run_id}: it has no frame that can be read")
                continue
            made = replay_of([recording], projection=projection, theme=theme, max_mb=max_mb)
            (folder / name).write_bytes(made.html)
            cards.append(_card(name, recording, projection, made.moments))
        if not cards:
            raise ConfigError(f"a gallery needs at least one run with frames, but {left_out[0]}")
        if geometry:
            (folder / LAB).write_bytes(lab_page(theme))
        (folder / "index.html").write_text(_page(title, cards, geometry), encoding="utf-8")
    return Gallery(len(cards), left_out)


def _names(runs: Sequence[Recording]) -> dict[str, Recording]:
    """File name -> run; two runs of one name are told apart by a number."""
    found: dict[str, Recording] = {}
    for run in runs:
        name = slug(run.run_id)
        tried = [name, *(f"{name}-{number}" for number in range(2, len(runs) + 1))]
        taken = {"index.html", LAB, *found}
        free = (one for one in tried if f"{one}.html" not in taken)
        found[f"{next(free, f'{name}-run')}.html"] = run
    return found


def _card(name: str, recording: Recording, projection: str | None, moments: int) -> str:
    info, frame = recording.info, recording.last()
    assert frame is not None
    try:
        views = RunProjections(projection or next(iter(REGISTRY)), recording, info.order)
        picture = preview(frame, info, views)
    except DataError:  # too few points for such a view
        picture = preview(frame, info, RunProjections(next(iter(REGISTRY)), recording, info.order))
    title, address = html.escape(info.title or recording.run_id), quote(name)
    words = [
        recording.run_id,
        *(word for word in (info.method, info.data) if word),
        f"{info.num_classes} classes" if info.num_classes else "no classes",
        f"{frame.embeddings.shape[1]} dimensions",
        f"{len(frame.embeddings):,} points",
        f"{moments} moments",
    ]
    return _CARD.substitute(
        address=address,
        picture=base64.b64encode(picture.encode()).decode(),
        title=title,
        step=frame.step,
        about=html.escape(", ".join(words)),
        frame=html.escape(_FRAME.substitute(address=address, title=title)),
    )


def _page(title: str, cards: Sequence[str], geometry: bool) -> str:
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    return _PAGE.substitute(
        title=html.escape(title),
        style=STYLE,
        style_hash=f"sha256-{digest}",
        lab=_LAB if geometry else "",
        cards="\n".join(cards),
    )
