"""The lab: choose a race, press Train, watch the spheres."""

from __future__ import annotations

import streamlit as st
from ltviz_app import words
from ltviz_app.service.studio import open_studio
from ltviz_app.widgets import card, charts, classroom, pulls, race, reduced, runlist, selection, viewer
from ltviz_app.widgets.style import draw_style

studio = open_studio()
draw_style()
shown = selection.read_selection(studio)
classroom.draw_class(studio, "lab", {"runs": ",".join(shown.runs)})
if not studio.serving:
    st.warning(words.shared.NO_STREAM)
runlist.draw_trouble(studio)
if shown.problem:
    st.error(shown.problem)
if shown.sentence:
    st.text(shown.sentence)
# The stage comes before the side bar and the charts: a browser is busy with those for seconds, and the spheres move.
asked = viewer.draw_stage(studio, shown.runs, view="lab", welcome=viewer.TRAIN_BUTTON)
with st.sidebar:
    if not studio.may_train:
        viewer.draw_sign_in()
    elif not reduced.is_hidden("train") and (started := race.draw_race(studio)):
        selection.choose(started)
        st.rerun()
    if not reduced.is_hidden("runs"):
        runlist.draw_runs(studio, shown.runs)
        classroom.draw_lead(studio)
if not reduced.is_hidden("charts"):
    charts.draw_charts(studio, shown.runs, key="lab")
    pulls.draw_pulls(studio, shown.runs)
if not reduced.is_hidden("methods"):
    charts.draw_methods(studio, shown.runs)
if asked:
    card.show_card(studio, asked)
