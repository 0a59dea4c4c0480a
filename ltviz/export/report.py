"""A comparison of runs as one HTML file: text, tables and charts that open anywhere, without a network."""

from __future__ import annotations

import html
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ltviz
from ltviz import figures
from ltviz.errors import ConfigError, LtvizError
from ltviz.export import basis, charts, findings, repeats
from ltviz.export.page import PAGE, STYLE
from ltviz.export.results import (
    Arm,
    Group,
    Result,
    best_of,
    cell_name,
    group_results,
    head,
    number,
    read_results,
)
from ltviz.export.told import told_in, told_over_training
from ltviz.figures.layout import FONT
from ltviz.figures.palette import THEMES, method_colour
from ltviz.metrics import described, fits
from ltviz.metrics.alarms import Alarm
from ltviz.metrics.judged import COMMON
from ltviz.recording import Recording
from ltviz.recording.files import write_whole
from ltviz.recording.measured import find_alarms_of

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_SPHERES = 12
_HEIGHT = 300


def write_report(
    path: Path,
    recordings: Sequence[Recording],
    *,
    title: str = "Comparison of runs",
    theme: str = "light",
    judge: str = COMMON,
    made: float | None = None,
) -> int:
    """Writes the report of these runs at their last recorded steps; gives the number of runs in it.

    Args:
        path: of the HTML file.
        title: heading, plain text.
        theme: "light" or "dark".
        judge: of the accuracies, where it has judged all runs of a table; a key of `ltviz.metrics.judged.JUDGES`.
        made: Unix seconds that the report names as its date; now where None.

    Raises:
        ConfigError: no run has a frame, or the theme is unknown.
        RecordingError, DiskFull: the file cannot be written; nothing half-written is left.
    """
    if theme not in THEMES:
        raise ConfigError(f"theme must be one of {', '.join(THEMES)}, got {theme!r}; try light")
    results, left_out = read_results(recordings)
    if not results:
        why = f" ({left_out[0]})" if left_out else ""
        raise ConfigError(f"a report needs at least one run with frames, got {len(recordings)} runs without{why}")
    content = "\n".join(_Report(results, left_out, theme, judge).parts())
    from plotly.offline import get_plotlyjs

    date = time.strftime("%Y-%m-%d %H:%M", time.localtime(made))
    page = PAGE.substitute(
        title=html.escape(title),
        about=f"{_count(results)}, made on {date} by ltviz {html.escape(ltviz.__version__)}.",
        style=STYLE.substitute(THEMES[theme], scheme=theme, font=FONT),
        plotly=get_plotlyjs(),
        content=content,
    )
    write_whole(path, page.encode())
    return len(results)


class _Report:
    """Builds the parts of one page; figures are numbered as they come."""

    def __init__(self, results: Sequence[Result], left_out: Sequence[str], theme: str, judge: str) -> None:
        self.results, self.left_out, self.theme, self.judge = results, left_out, theme, judge
        self._figures = 0

    def parts(self) -> Iterator[str]:
        """HTML of the page below its heading."""
        groups = group_results(self.results)
        found = findings.against_baseline(groups, judge=self.judge)
        for group in groups:
            yield f"<section><h2>{_escape(cell_name(group))}</h2>"
            yield from self._group(group, groups, [one for one in found if one.group is group])
            yield "</section>"
        yield "<section><h2>Alarms</h2>" + self._alarms() + "</section>"
        yield "<section><h2>Runs</h2>" + self._runs() + "</section>"

    def _group(self, group: Group, groups: Sequence[Group], found: Sequence[findings.Finding]) -> Iterator[str]:
        yield _summary(group, groups, self.judge)
        yield _findings(found)
        info = group.arms[0].results[0].info
        if info.dim and not fits(info.num_classes, info.dim):
            yield (
                f"<p class=note>No regular simplex of {info.num_classes} classes fits into {info.dim} dimensions "
                f"(that takes {info.num_classes - 1}), so the deviation cannot reach 0 here.</p>"
            )
        yield "<h3>Over training</h3><div class=grid>"
        for measure in told_over_training("report_curves", [group], self.judge):
            yield self._try(lambda key=measure.key: charts.curves(group, key, self.theme))
        yield self._try(lambda: charts.spreads(group, self.theme))
        yield self._try(lambda: charts.counts(group, self.theme))
        yield "</div><h3>At the last step, first seed of each method</h3>"
        for arm in group.arms[:MOST_SPHERES]:
            yield '<div class="grid frames">'
            yield from self._last_frame(arm)
            yield "</div>"

    def _last_frame(self, arm: Arm) -> Iterator[str]:
        result = min(arm.results, key=lambda r: (r.info.seed is None, r.info.seed or 0))
        frame, info = charts.frame_of(result, labelled=False), result.info
        if frame is None:
            return
        name = arm.label + (f", seed {info.seed}" if info.seed is not None else "")
        if frame.embeddings.shape[1] <= 3:
            yield self._try(lambda: figures.sphere(frame, info, self.theme), name)
        for draw in (charts.cosines, charts.angles, charts.confusion) if info.num_classes else ():
            yield self._try(lambda draw=draw: draw(result, frame, self.theme), name)

    def _try(self, draw: Callable[[], go.Figure | None], caption: str = "") -> str:
        """A figure as HTML; what cannot be drawn of a run is said in its place."""
        try:
            figure = draw()
        except LtvizError as error:
            return f"<figure><figcaption>{_escape(caption)} {_escape(str(error))}</figcaption></figure>"
        if figure is None:
            return ""
        self._figures += 1
        # the picture's own height where it is a square one
        figure.update_layout(height=_HEIGHT if not caption else 1.25 * _HEIGHT, autosize=True)
        drawn = figure.to_html(
            full_html=False,
            include_plotlyjs=False,
            div_id=f"figure-{self._figures}",
            config={"displaylogo": False, "responsive": True},
        )
        return f"<figure>{drawn}<figcaption>{_escape(caption)}</figcaption></figure>"

    def _alarms(self) -> str:
        """One row for an alarm of a method, with all runs that raised it and the words of the first."""
        found: dict[tuple[str, str], list[tuple[Result, Alarm]]] = {}
        for result in self.results:
            for alarm in find_alarms_of(result.recording):
                found.setdefault((result.name, alarm.kind), []).append((result, alarm))
        rows = [
            (
                name,
                ", ".join(f"{result.recording.run_id} (step {alarm.step})" for result, alarm in raised),
                raised[0][1].reason,
                raised[0][1].advice,
            )
            for (name, _), raised in found.items()
        ]
        return _table(("method", "runs", "what, in the first", "what to try"), rows) if rows else "<p>None.</p>"

    def _runs(self) -> str:
        rows = []
        for result in self.results:
            info, status = result.info, result.recording.status()
            state = f"{status.state} ({status.reason})" if status.reason else status.state
            prints = [(text or "–")[:12] for text in (info.fingerprints.weights, info.fingerprints.batches)]
            versions = ", ".join(f"{name} {version}" for name, version in info.versions.items())
            steps = f"{result.step} / {info.total_steps or '–'}"
            rows.append((result.recording.run_id, result.name, info.seed, steps, state, *prints, versions))
        heads = ("run", "method", "seed", "step", "state", "first weights", "batches", "versions")
        parts = [_table(heads, rows)]
        parts += [f"<p class=note>Left out: {_escape(reason)}</p>" for reason in self.left_out]
        parts.append("<p class=note>Runs of one seed began alike where their fingerprints are equal.</p>")
        for result in self.results:
            pairs = list(_settings(result))
            parts.append(
                f"<details><summary>Settings of {_escape(result.recording.run_id)}</summary>"
                f"{_table(('setting', 'value'), pairs)}</details>"
            )
        return "".join(parts)


def _settings(result: Result) -> Iterator[tuple[str, Any]]:
    for part, values in result.info.config.items():
        if isinstance(values, dict):
            yield from ((f"{part}.{name}", value) for name, value in values.items())
        else:
            yield part, values


# ---------------------------------------------------------------------- words and tables


def _summary(group: Group, groups: Sequence[Group], judge: str) -> str:
    """Means over seeds; the best in bold, the others with their distance to it. `groups` are all of the report."""
    measures = [one.key for one in told_in("report", [group], judge)]
    best = {key: best_of(group.arms, key) for key in measures}
    heads = "".join(f'<th title="{_hint(key)}">{_escape(head(key))}</th>' for key in measures)
    rows = []
    for arm in group.arms:
        cells = []
        for key in measures:
            mean, top = arm.mean(key), best[key]
            text = _escape(repeats.shown_once(group, arm, key, groups))
            once = repeats.listed_at(group, arm, key, groups) is None
            if top is arm:
                text = f"<b>{text}</b>"
            elif top is not None and mean is not None and once:
                goal = top.mean(key)
                assert goal is not None
                away = number(key, abs(mean - goal))
                if away.strip("0."):
                    text += f"<small>{'+' if mean > goal else '−'}{away}</small>"
            cells.append(f"<td class=number>{text}</td>")
        dot = f'<i style="background:{method_colour(arm.method or arm.label)}"></i>'
        rows.append(
            f"<tr><th>{dot}{_escape(arm.label)}</th><td class=number>{len(arm.results)}</td>{''.join(cells)}</tr>"
        )
    table = f"<table><tr><th>method</th><th>seeds</th>{heads}</tr>{''.join(rows)}</table>"
    said = [
        "Mean ± standard deviation over seeds at the last step; the best mean in bold, the others with their "
        "distance to it.",
        basis.judge_note([group], judge),
        findings.images_note([group], measures),
        basis.images_seen_note(basis.images_a_step(group)),
        basis.readout_note([group]),
        repeats.repeats_note([group], measures, groups),
    ]
    return f"<div class=wide>{table}</div><p class=note>{_escape(' '.join(filter(None, said)))}</p>"


def _findings(found: Sequence[findings.Finding]) -> str:
    if not found:
        return ""
    items = "".join(f"<li>{_escape(sentence)}</li>" for sentence in findings.sentences(found))
    notes = " ".join(findings.notes([one.comparison for one in found]))
    table = _table(findings.HEADS, findings.cells(found))
    return f"<h3>What differs</h3><ul>{items}</ul>{table}<p class=note>{_escape(notes)}</p>"


def _table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    top = "".join(f"<th>{_escape(name)}</th>" for name in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{_escape('–' if cell is None else cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<div class=wide><table><tr>{top}</tr>{body}</table></div>"


def _hint(measure: str) -> str:
    entry = described(measure)
    return _escape(f"{entry.short} {entry.caution or ''}".strip()) if entry else ""


def _count(results: Sequence[Result]) -> str:
    return f"{len(results)} run{'s' if len(results) != 1 else ''}"


def _escape(value: Any) -> str:
    text = " ".join(str(value).split())
    return html.escape(text if len(text) <= 2000 else text[:1999] + "…")
