"""Your embeddings: drop files, see what was understood, correct it, and look at it as at any run."""

from __future__ import annotations

import streamlit as st
from ltviz_app import words
from ltviz_app.service.studio import open_studio
from ltviz_app.widgets import classroom, opened, selection, understood, uploads, viewer
from ltviz_app.widgets.style import draw_style

studio = open_studio()
draw_style()
classroom.draw_class(studio, "embeddings", {"runs": st.query_params.get("runs", "")})
if not studio.serving:
    st.warning(words.shared.NO_STREAM)
if not studio.may_train:
    st.info(studio.refusal)
    viewer.draw_sign_in(studio)
files = uploads.draw_uploader() if studio.may_train else []
uploads.draw_trouble()
if files:
    asked = uploads.draw_corrections(files)
    if (found := uploads.read(files, asked)) is not None:
        understood.draw_preview(found)
        if started := uploads.draw_open(studio, found, asked):
            selection.choose(started)
            st.rerun()
runs = opened.read_runs(studio)
if runs:
    viewer.draw_stage(studio, runs, view="embeddings")
    if not uploads.are_written():
        uploads.wait_for_frames()
    elif viewer.may_draw_charts(studio):
        opened.draw_opened(studio, runs)
    else:
        viewer.let_the_stage_begin()
elif not files and studio.may_train:
    uploads.draw_help()
