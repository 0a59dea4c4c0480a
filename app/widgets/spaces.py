"""Space against space: how alike the chosen runs are, or two steps of one, in where they put the same samples, and
which samples moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from ltviz import figures
from ltviz.errors import LtvizError
from ltviz.export.results import Result
from ltviz.export.similarity import Film, Pair, Placed, check_one_probe, film, movers, moving_classes, pair_of, place
from ltviz.recording import Recording

from .. import words
from . import forms
from .comparison import Compared
from .plots import SQUARE, draw_grid
from .style import draw_heading
from .viewer import theme

_SHARES = ("knn", "knn_head", "knn_medium", "knn_tail")
_NUMBERS = ("cka", "procrustes", *_SHARES)
MOST_CLASSES = 5
MOST_LIT = 2_000
"""Samples of a class that are lit."""
SHOWN, MOVED, CLASSES, OFFERED = "compare-spaces", "compare-moved", "compare-moved-classes", "compare-moved-offered"


@dataclass(frozen=True)
class _Offered:
    """What can be clicked: ids of the samples by row of the table, and of those of each class."""

    samples: list[int]
    classes: dict[int, list[int]]


def draw_spaces(compared: Compared) -> None:
    """Numbers of every pair, a map of them, and for one pair its way through training. Nothing before it is asked for:
    neighbours of thousands of samples take a while."""
    results = [result for group in compared.groups for arm in group.arms for result in arm.results]
    trained = [i for i, result in enumerate(results) if len(result.recording.steps()) > 1]
    if len(results) < 2 and not trained:
        return
    draw_heading(words.compare.SPACES)
    if not st.toggle(words.compare.SPACES_SHOW, key=SHOWN, help=words.compare.SPACES_HELP):
        return
    try:
        check_one_probe([result.recording for result in results])
        spaces = [_placed(result.recording, result.step) for result in results]
    except LtvizError as error:
        st.text(words.compare.SPACES_REFUSED.format(reason=error))
        return
    names = _names(results)
    pairs = {(i, j): _pair(spaces[i], spaces[j]) for i, j in combinations(range(len(spaces)), 2)}
    if pairs:
        _draw_pairs({_versus(key, names): pair for key, pair in pairs.items()}, "compare-spaces-table")
    chosen, *others = [*pairs, *((i, i) for i in trained)]
    if others:
        chosen = st.selectbox(
            words.compare.SPACES_PAIR,
            [chosen, *others],
            format_func=lambda key: _versus(key, names),
            key="compare-spaces-pair",
        )
    pair = pairs.get(chosen) or _two_steps(results[chosen[0]].recording, names[chosen[0]])
    st.caption(words.compare.SPACES_NOTE.format(chance=pair.chance))
    first, second = (names[i] for i in chosen)
    strip = _film(pair.first.recording, pair.second.recording, pair.first.step, pair.second.step)
    title = words.compare.SPACES_FILM.format(first=first, second=second)
    steps = [[str(step) for step in of_one] for of_one in (strip.first_steps, strip.second_steps)]
    cells = [("compare-film", figures.likeness(strip.cka, *steps, theme=theme() or "light", title=title))]
    if len(names) > 2:
        everyone = figures.likeness(
            _square(pairs, len(names)), names, names, theme=theme() or "light", title=words.compare.SPACES_RUNS
        )
        cells.insert(0, ("compare-likeness", everyone))
    draw_grid(cells, columns=2, height=SQUARE)
    _draw_movers(pair)


def _versus(pair: tuple[int, int], names: Sequence[str]) -> str:
    i, j = pair
    return f"{names[i]} – {names[j]}" if i != j else words.compare.SPACES_ITSELF.format(run=names[i])


def _two_steps(recording: Recording, name: str) -> Pair:
    """A run against itself, at two steps that are chosen: its first and its last to begin with."""
    steps, key = recording.steps(), f"compare-spaces-steps-{recording.run_id}"
    if not {*st.session_state.get(key, ())} <= {*steps}:  # frames may be thinned while a run trains
        del st.session_state[key]
    first, last = st.select_slider(words.compare.SPACES_STEPS, steps, value=(steps[0], steps[-1]), key=key)
    pair = _pair(_placed(recording, first), _placed(recording, last))
    called = words.compare.SPACES_BETWEEN.format(run=name, first=first, last=last)
    _draw_pairs({called: pair}, "compare-spaces-table-steps")
    return pair


def _names(results: Sequence[Result]) -> list[str]:
    """What tells the runs apart: method and seed, and the id where that is not enough."""
    seeds = ["" if r.info.seed is None else f" · {words.shared.SEED.format(seed=r.info.seed)}" for r in results]
    names = [f"{result.name}{seed}" for result, seed in zip(results, seeds, strict=True)]
    return [
        name if names.count(name) == 1 else f"{name} · {result.info.run_id}"
        for name, result in zip(names, results, strict=True)
    ]


@lru_cache(maxsize=64)
def _placed(recording: Recording, step: int | None) -> Placed:
    return place(recording, None if step is None else recording.frame(step))


@lru_cache(maxsize=256)
def _pair(first: Placed, second: Placed) -> Pair:
    return pair_of(first, second)


@lru_cache(maxsize=16)
def _film(first: Recording, second: Recording, *until: int) -> Film:
    """Asked anew where a run has gone on."""
    return film(first, second)


def _square(pairs: dict[tuple[int, int], Pair], size: int) -> np.ndarray:
    found = np.eye(size)
    for (i, j), pair in pairs.items():
        found[i, j] = found[j, i] = pair.values.get("cka", np.nan)
    return found


def _draw_pairs(pairs: Mapping[str, Pair], key: str) -> None:
    """A row for each pair, by what it is called."""
    rows = [{"pair": name, **_shown(pair.values)} for name, pair in pairs.items()]
    _draw_rows(rows, words.compare.SPACES_HEADS, key)


def _shown(values: Mapping[str, float]) -> dict[str, float]:
    """Numbers of a pair as tables have them: shares in per cent."""
    return {key: values[key] * (100 if key in _SHARES else 1) for key in words.compare.SPACES_HEADS if key in values}


def _draw_rows(rows: Sequence[Mapping[str, Any]], heads: Mapping[str, str], key: str) -> None:
    config = {
        name: st.column_config.NumberColumn(head, format="%.1f" if name in _SHARES else "%.3f")
        if name in _NUMBERS
        else st.column_config.TextColumn(head)
        for name, head in heads.items()
    }
    st.dataframe(pd.DataFrame(rows), column_config=config, hide_index=True, placeholder="", key=key)


def lit_samples() -> list[int]:
    """Ids of the samples that were clicked among those that moved, and of the classes; none before any was.

    The stage stands above the table, so what was clicked there is read before the table is drawn again.
    """
    offered: _Offered | None = st.session_state.get(OFFERED)
    if offered is None or not st.session_state.get(SHOWN):
        return []
    rows = st.session_state.get(MOVED, {}).get("selection", {}).get("rows", [])
    clicked = [offered.samples[row] for row in rows if row < len(offered.samples)]
    of_classes = [offered.classes[c] for c in st.session_state.get(CLASSES) or [] if c in offered.classes]
    return sorted({*clicked, *(sample for samples in of_classes for sample in samples)})


def _draw_movers(pair: Pair) -> None:
    info, probe = pair.first.recording.info, pair.first.recording.probe
    draw_heading(words.compare.MOVED)
    found, most = movers(pair), moving_classes(pair)[:MOST_CLASSES]
    by_class = {c: probe.sample_ids[probe.labels == c][:MOST_LIT].tolist() for c in most}
    st.session_state[OFFERED] = _Offered([one.sample for one in found], by_class)
    rows = [
        {
            "sample": one.sample,
            "class": info.class_names[one.label] if one.label >= 0 else "",
            "shared": 100 * one.shared,
        }
        for one in found
    ]
    heads = words.compare.MOVED_HEADS
    config = {
        "sample": st.column_config.NumberColumn(heads["sample"], format="%d"),
        "class": st.column_config.TextColumn(heads["class"]),
        "shared": st.column_config.NumberColumn(heads["shared"], format="%.0f"),
    }
    st.dataframe(
        pd.DataFrame(rows),
        column_config=config,
        hide_index=True,
        key=MOVED,
        on_select="rerun",
        selection_mode="multi-row",
    )
    if most:
        by_name = [{"class": info.class_names[c], **_shown(pair.by_class[c])} for c in moving_classes(pair)]
        _draw_rows(by_name, words.compare.MOVED_CLASS_HEADS, "compare-moved-by-class")
        st.pills(
            words.compare.MOVED_CLASSES,
            most,
            selection_mode="multi",
            format_func=lambda c: forms.escape(info.class_names[c]),
            key=CLASSES,
        )
    st.caption(words.compare.MOVED_NOTE)
