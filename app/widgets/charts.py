"""The curves under the stage: one figure a measure, one line a run, drawn again only while a run is live."""

from __future__ import annotations

import html
import os
from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

import streamlit as st

from ltviz import figures
from ltviz.export import basis
from ltviz.export.results import BASELINE, Arm, Group, Result
from ltviz.export.told import accuracy_key, are_evaluated
from ltviz.figures import palette
from ltviz.figures.lines import DASHES
from ltviz.metrics import ceiling_of, fits, known_of, shown_in
from ltviz.metrics.judged import COMMON, OWN
from ltviz.recording import Recording, RunInfo

from .. import words
from ..service.studio import Studio
from ..service.tail import LIVE
from . import forms
from .plots import draw_grid
from .runlist import read_info
from .viewer import let_the_stage_begin, may_draw_charts, theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

LIVE_SECONDS = max(2.0, 12.0 / len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2.0)
"""Between two drawings of a live run's curves: they take a quarter of a second of this process and as much of a browser
on the same machine, which on two cores is time that the trainer and the spheres want."""
MARGIN = {"l": 44, "r": 10, "t": 34, "b": 40}
"""Around curves, in pixels."""
FEW = "accuracy_few"
MOST_READ = 20_000
"""Lines of loss terms that a curve is made of, before it is thinned."""
MOST_POINTS = 400
"""Points a curve: more than a screen can show only make the page heavy."""
STROKES = {
    "solid": (1,),
    "dash": (7, 5),
    "dot": (2, 3),
    "dashdot": (7, 3, 2, 3),
    "longdash": (11, 5),
    "longdashdot": (11, 3, 2, 3),
}
"""Plotly's dashes in pixels, line and gap in turn."""

Curve = tuple[list[int], list[float]]


def draw_charts(studio: Studio, runs: Sequence[str], *, key: str) -> None:
    """The metric curves of these runs; follows while one of them is live."""
    if not may_draw_charts(studio):
        let_the_stage_begin()
        return
    live = any(studio.hub.recording(run).status().state in LIVE for run in runs)
    st.fragment(_draw_charts, run_every=LIVE_SECONDS if live else None)(studio, tuple(runs), key)


def _draw_charts(studio: Studio, runs: Sequence[str], key: str) -> None:
    known = {run: info for run in runs if (info := read_info(studio.hub.recording(run))) is not None}
    recordings = {run: studio.hub.recording(run) for run in known}
    titles = name_runs(known)
    measured = {run: recording.frame_metrics() for run, recording in recordings.items()}
    if not any(measured.values()):
        live = any(studio.hub.recording(run).status().state in LIVE for run in runs)
        st.caption(words.shared.CHARTS_EMPTY if live else words.shared.CHARTS_NONE)
        return
    _draw_verdict({titles[run]: Result(recordings[run], known[run], measured[run]) for run in known if measured[run]})
    colours = colours_of(known, titles)
    st.html(legend(colours))
    given = [names for frames in measured.values() for names in frames.kinds()]
    drawn: dict[str, Mapping[str, Curve]] = {
        one.key: {titles[run]: thin(frames.curve(one.key)) for run, frames in measured.items()}
        for one in known_of(shown_in("curves"), given)
    }
    drawn["loss"] = {titles[run]: thin(loss_curve(recording)) for run, recording in recordings.items()}
    ceilings = {
        measure: [thin(frames.curve(ceiling)) for frames in measured.values()]
        for measure in drawn
        if (ceiling := ceiling_of(measure))
    }
    draw_grid(
        [
            (f"{key}-{measure}", _figure(curves, measure, colours, ceilings.get(measure, ())))
            for measure, curves in drawn.items()
        ]
    )
    said = [words.shared.BOUND_NOTE] if any(drawn[measure] for measure in ceilings) else []
    for note in [words.shared.LOSS_NOTE, *said, *notes(known, given), *skipped_notes(recordings, titles)]:
        st.caption(note)


def _figure(
    curves: Mapping[str, Curve], measure: str, colours: Mapping[str, str], ceilings: Sequence[Curve]
) -> go.Figure | None:
    drawn = {title: curve for title, curve in curves.items() if curve[0]}
    if not drawn:
        return None
    figure = figures.curves(drawn, measure, colours, theme() or "light", ceilings=ceilings)
    return figure.update_layout(margin=MARGIN)


def _draw_verdict(race: Mapping[str, Result]) -> None:
    """What the rare classes got, by the common judge and by each method's own classifier, and whether all saw as many
    images. Title -> run."""
    infos = [result.info for result in race.values()]
    if len(race) < 2 or len({(info.data, info.imbalance_factor, info.seed, info.dim) for info in infos}) > 1:
        return  # accuracies on other samples are no race
    arms = tuple(Arm({}, title, result.info.method, (result,)) for title, result in race.items())
    group = Group({}, arms)
    baseline = next((arm.label for arm in arms if arm.method == BASELINE), "")
    asked = [(judge, key) for judge in (COMMON, OWN) if (key := accuracy_key([group], judge, "few"))]
    spoken = {COMMON: COMMON, OWN: OWN} if are_evaluated([group]) else {COMMON: words.lab.COMMON_IN_FRAMES, OWN: ""}
    pixels = any(result.evaluation and result.evaluation.judged for result in race.values())
    verdicts = []
    for judge, measure in [(spoken[judge], key) for judge, key in asked] or [("", FEW)]:
        scores = {arm.label: mean for arm in arms if (mean := arm.mean(measure)) is not None}
        images = [found for title in scores if (found := race[title].images(measure))]
        sizes = [[len(ids) for ids in found] for found in images] if len(images) == len(scores) else []
        least = min(sizes, key=sum, default=[])
        verdicts.append(words.lab.few_shot_verdict(scores, baseline, least, judge, pixels=pixels))
    *first, last = [said for said in verdicts if said] or [""]
    for said in [*first, f"{last} {words.lab.ONE_SEED}"] if last else []:
        st.text(said)
    if note := basis.images_seen_note(basis.images_a_step(group)):
        st.text(f"{note} {words.lab.EQUAL_IMAGES_NEXT}")


def colours_of(known: Mapping[str, RunInfo], titles: Mapping[str, str]) -> dict[str, str]:
    """Title -> "#rrggbb", the method's own colour."""
    return {titles[run]: palette.method_colour(info.method or info.title) for run, info in known.items()}


def legend(colours: Mapping[str, str]) -> str:
    """HTML of one legend for all charts: line and title of each run, drawn as the charts draw them."""
    entries = (
        f'<span><i style="background:{stroke(colour, DASHES[index % len(DASHES)])}"></i>{html.escape(title)}</span>'
        for index, (title, colour) in enumerate(colours.items())
    )
    return f'<div class="ltviz-legend">{"".join(entries)}</div>'


def stroke(colour: str, dash: str) -> str:
    """A CSS background that looks like a line of this colour with one of plotly's dashes."""
    ends = list(accumulate(STROKES[dash]))
    stops = (
        f"{colour if number % 2 == 0 else 'transparent'} {end - length}px {end}px"
        for number, (length, end) in enumerate(zip(STROKES[dash], ends, strict=True))
    )
    return f"repeating-linear-gradient(90deg,{','.join(stops)})"


def notes(known: Mapping[str, RunInfo], given: Sequence[Collection[str]]) -> list[str]:
    """What one must know to read these spheres: where no simplex fits, and that no frame of all those given tells how
    far it is from theory."""
    said = []
    for classes, dim in sorted({(info.num_classes, info.dim) for info in known.values() if info.dim}):
        if not fits(classes, dim):
            said.append(words.shared.NO_SIMPLEX.format(classes=classes, need=classes - 1, dim=dim))
    if said and not any("theory_error_mean" in names for names in given):
        said.append(words.shared.NO_THEORY)
    return said


def draw_methods(studio: Studio, runs: Sequence[str]) -> None:
    """The cards of the methods on the stage: idea, formula, what to look for, and what their spheres show."""
    methods = [info.method for run in runs if (info := read_info(studio.hub.recording(run))) is not None]
    cards = [card for name in dict.fromkeys(methods) if (card := studio.method(name).get("card"))]
    if not cards:
        return
    box = st.expander(words.shared.ABOUT_METHODS, key="about-methods", on_change="rerun")
    if not box.open:
        return
    with box:
        for card in cards:
            st.markdown(f"**{forms.escape(card['title'])}** · {forms.escape(card['idea'])}")
            st.latex(card["formula"])
            st.caption(forms.escape(words.shared.LOOK_FOR.format(text=card["look_for"])))
            st.caption(forms.escape(words.shared.SPHERE.format(text=card["sphere"])))
            st.caption(forms.escape(words.shared.PAPER.format(paper=card["paper"], year=card["year"])))


def skipped_notes(recordings: Mapping[str, Recording], titles: Mapping[str, str]) -> list[str]:
    """How many frames of each run cannot be read, where there are any."""
    missing = {run: len(found.frame_files()) - len(found.steps()) for run, found in recordings.items()}
    said = [(count, forms.escape(titles[run])) for run, count in missing.items() if count > 0]
    return [words.shared.SKIPPED_FRAMES.format(count=count, title=title) for count, title in said]


def loss_curve(recording: Recording) -> Curve:
    """Steps and values of what the run minimises; of very many an even choice, with the last."""
    terms = recording.metrics()
    stride = -(-len(terms) // MOST_READ) or 1
    lines = [line for line in terms[(len(terms) - 1) % stride :: stride] if isinstance(line.get("total"), int | float)]
    return [line["step"] for line in lines], [line["total"] for line in lines]


def thin(given: Curve, most: int = MOST_POINTS) -> Curve:
    """At most about `most` points, evenly chosen, the last among them."""
    steps, values = given
    stride = -(-len(steps) // most) or 1
    kept = list(range(len(steps) - 1, -1, -stride))[::-1]
    return [steps[i] for i in kept], [values[i] for i in kept]


def name_runs(known: Mapping[str, RunInfo]) -> dict[str, str]:
    """Run -> title, told apart by seed, else by id, where two runs have the same one."""
    titles = {run: info.title or run for run, info in known.items()}
    named = {}
    for run, title in titles.items():
        twins = [other for other in titles if titles[other] == title]
        seeds = {known[other].seed for other in twins}
        apart = words.shared.SEED.format(seed=known[run].seed) if len(seeds) == len(twins) else run
        named[run] = title if len(twins) == 1 else f"{title} ({apart})"
    return named
