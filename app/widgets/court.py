"""The court of measures: a sheet a measure, with what is declared of it and how it did before every charge."""

from __future__ import annotations

import html
from collections.abc import Sequence

import streamlit as st

from ltviz.metrics import MEASURES, Measure
from ltviz.metrics.court import Court, Trial, Tried, read_court

from .. import words

LEAST = 8
"""Height in percent that every bar has, so that each cloud can be seen."""


def draw_court() -> None:
    """Everything comes from the file that the bench wrote; nothing is computed."""
    court = read_court()
    st.html(
        f'<div class="ltviz-lead"><h2>{html.escape(words.evidence.COURT_TITLE)}</h2>'
        f"<p>{html.escape(words.evidence.COURT_LEAD)}</p></div>"
    )
    keys = dict.fromkeys(key for trial in court.trials for key in trial.measures)
    sheets = "".join(_sheet(MEASURES[key], court) for key in keys if key in MEASURES)
    st.html(f'<div class="ltviz-court">{sheets}</div>')
    st.caption(words.evidence.COURT_NOTE.format(room=court.room, date=court.date, version=court.version))


def _sheet(measure: Measure, court: Court) -> str:
    low, high = map(_bound, (measure.low, measure.high))
    facts = {
        "unit": measure.unit or words.evidence.NO_UNIT,
        "range": words.evidence.RANGE.format(low=low, high=high),
        "better": words.compare.BETTER.get(measure.better or "", words.evidence.NO_DIRECTION),
        "source": measure.source,
    }
    told = "".join(
        f"<div><dt>{words.evidence.FACTS[name]}</dt><dd>{html.escape(text)}</dd></div>" for name, text in facts.items()
    )
    trials = [(trial, trial.measures[measure.key]) for trial in court.trials if measure.key in trial.measures]
    rows = "".join(_row(trial, tried) for trial, tried in trials)
    score = words.evidence.SCORE.format(passed=sum(tried.passed for _, tried in trials), all=len(trials))
    caution = f"<p>{html.escape(measure.caution)}</p>" if measure.caution else ""
    return (
        f"<section><h3>{html.escape(measure.title)}<small>{score}</small></h3><p>{html.escape(measure.short)}</p>"
        f"<dl>{told}</dl><ul>{rows}</ul>{caution}</section>"
    )


def _bound(value: float | None) -> str:
    return words.evidence.NO_BOUND if value is None else f"{value:.4g}".replace("-", "−")


def _row(trial: Trial, tried: Tried) -> str:
    state = words.evidence.PASSED if tried.passed else words.evidence.FAILED
    told = ", ".join(f"{name}: {value:+.2f}" for name, value in zip(trial.along, tried.curve, strict=True))
    label = html.escape(words.evidence.CURVE.format(asks=trial.asks, curve=told))
    return (
        f'<li class="ltviz-{"kept" if tried.passed else "lost"}" title="{label}"><span>{html.escape(trial.name)}</span>'
        f"{_curve(tried.curve, label)}<b>{state}</b></li>"
    )


def _curve(values: Sequence[float], label: str) -> str:
    """A bar a cloud: nothing for what lies where the first does, full height for all points in one place. What lies
    below the first has its bar below the line."""
    bars = "".join(
        f'<i style="height:{max(LEAST, round(100 * min(1.0, abs(value))))}%"{_below(value)}></i>' for value in values
    )
    return f'<em role="img" aria-label="{label}">{bars}</em>'


def _below(value: float) -> str:
    return ' class="ltviz-below"' if value < 0 else ""
