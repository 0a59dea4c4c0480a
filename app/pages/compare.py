"""Compare: which method, how much, since when, and is it noise."""

from __future__ import annotations

import streamlit as st
from ltviz_app import words
from ltviz_app.service.studio import open_studio
from ltviz_app.widgets import card, charts, classroom, comparison, evidence, selection, spaces, sweeps, viewer
from ltviz_app.widgets.chooser import draw_chooser
from ltviz_app.widgets.curation import draw_curation, draw_notes
from ltviz_app.widgets.style import draw_style

studio = open_studio()
draw_style()
above = st.container()
shown = selection.read_selection(studio)
listing = studio.listing(shown.runs)
with st.sidebar:
    sweeps.draw_sweeps(studio)
    runs = draw_chooser(studio, shown, listing)
    draw_curation(studio, runs, listing)
titles = {run: listing.titles[run] for run in runs if run in listing.titles}
with above:
    classroom.draw_class(studio, "compare", {"runs": ",".join(runs)})
if not runs:
    st.caption(words.compare.COMPARE_EMPTY)
    st.stop()
stage = st.container()
step = comparison.pick_step(studio, runs)
with stage:
    held, lit = step if isinstance(step, int) else None, spaces.lit_samples()
    asked = viewer.draw_stage(studio, runs, view="compare", step=held, titles=titles, lit=lit)
if viewer.may_draw_charts(studio):
    evidence.draw_evidence(studio, runs, step, titles)
    draw_notes(runs, listing)
    charts.draw_methods(studio, runs)
else:
    viewer.let_the_stage_begin()
if asked:
    card.show_card(studio, asked)
