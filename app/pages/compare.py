"""Compare: any runs side by side on one stage, with the numbers of their last frames and their curves."""

from __future__ import annotations

import streamlit as st

from ltviz.launch.app import load_app

load_app()
from ltviz_app import charts, comparison, selection, viewer, words  # noqa: E402
from ltviz_app.studio import open_studio  # noqa: E402
from ltviz_app.style import draw_style  # noqa: E402

studio = open_studio()
draw_style()
with st.sidebar:
    runs = comparison.pick_runs(studio, selection.read_selection(studio))
if not runs:
    st.caption(words.COMPARE_EMPTY)
    st.stop()
viewer.draw_stage(studio, runs, view="compare")
comparison.draw_table(studio, runs)
charts.draw_charts(studio, runs, key="compare")
charts.draw_methods(studio, runs)
