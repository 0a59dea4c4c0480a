"""The preview: what was understood of files before anything is made of them."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence

import numpy as np
import streamlit as st

from ltviz import figures
from ltviz.launch.opening import Series
from ltviz.metrics import shot_groups

from .. import words
from .plots import draw_figure
from .style import draw_heading
from .viewer import theme

COUNTS_HEIGHT = 130
MOST_BARS = 2_000
"""Classes that still have a bar each."""
MOST_NAMED = 6
UNIT = 1e-3


def draw_preview(found: Sequence[Series]) -> None:
    """What each file became: numbers, columns, what was guessed and left out, counts."""
    for index, series in enumerate(found):
        draw_heading(series.name if len(found) > 1 else words.embeddings.UNDERSTOOD)
        st.html(facts(numbers(series), "ltviz-facts"))
        st.html(facts(list(columns(series)), "ltviz-columns"))
        for note in series.notes:
            st.html(f'<p class="ltviz-note">{html.escape(note)}</p>')
        if 0 < series.num_classes <= MOST_BARS and series.counts.sum():
            _draw_counts(series, index)


def facts(pairs: Sequence[tuple[str, str]], kind: str) -> str:
    """HTML of names and what they are; both are text, whatever they look like."""
    inside = "".join(f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd></div>" for name, value in pairs)
    return f'<dl class="{kind}">{inside}</dl>'


def numbers(series: Series) -> list[tuple[str, str]]:
    """How much there is."""
    told = series.describe()
    rows = [
        (words.embeddings.ROWS, f"{told['points']:,}"),
        (words.embeddings.DIM, f"{told['dim']:,}"),
        (words.embeddings.CLASSES, f"{told['classes']:,}"),
        (words.embeddings.UNLABELLED, f"{told['unlabelled']:,}"),
    ]
    return [*rows, (words.embeddings.STEPS, f"{told['steps']:,}")] if told["steps"] > 1 else rows


def columns(series: Series) -> Iterator[tuple[str, str]]:
    """Which columns are what, and why others are nothing."""
    upload = series.upload
    yield words.embeddings.VECTORS, _listed(upload.vector_columns)
    yield words.embeddings.LABEL, upload.label_column or words.embeddings.NONE
    for role in ("name", "split", "id"):
        if role in upload.columns:
            yield words.embeddings.ROLES[role], upload.columns[role]
    if series.attributes:
        yield words.embeddings.ATTRIBUTES, _listed([attribute.name for attribute in series.attributes])
    if upload.left_out:
        yield words.embeddings.LEFT_OUT, _listed([f"{name} ({why})" for name, why in upload.left_out.items()])
    yield words.embeddings.LENGTHS, _lengths(series.embeddings[0])


def _lengths(embeddings: np.ndarray) -> str:
    lengths = np.sqrt(np.einsum("nd,nd->n", embeddings, embeddings, dtype=np.float64))
    low, high = float(lengths.min()), float(lengths.max())
    if max(abs(low - 1), abs(high - 1)) <= UNIT:
        return words.embeddings.UNIT
    return words.embeddings.NOT_UNIT.format(low=f"{low:.3g}", high=f"{high:.3g}")


def _draw_counts(series: Series, index: int) -> None:
    counts = series.counts
    names = series.class_names or tuple(map(str, range(len(counts))))
    st.caption(words.embeddings.COUNTS)
    chart = figures.class_counts(counts, names, shot_groups(counts), theme() or "light")
    draw_figure(st.container(key=f"emb-counts-{index}"), chart, f"emb-bars-{index}", COUNTS_HEIGHT)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(name[:60] for name in names[:MOST_NAMED])
    more = len(names) - MOST_NAMED
    return words.embeddings.AND_MORE.format(shown=shown, more=f"{more:,}") if more > 0 else shown
