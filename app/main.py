"""What Streamlit runs at every interaction: the navigation, nothing else."""

from importlib import import_module

import streamlit as st

from ltviz.launch.app import load_app

words = import_module(f"{load_app().__name__}.words")

st.set_page_config(
    page_title=words.shared.APP, layout="wide", initial_sidebar_state="auto", menu_items={"About": words.shared.ABOUT}
)
st.navigation(
    [
        st.Page("pages/lab.py", title=words.shared.LAB, default=True),
        st.Page("pages/compare.py", title=words.shared.COMPARE),
        st.Page("pages/geometry.py", title=words.shared.GEOMETRY),
        st.Page("pages/learn.py", title=words.shared.LEARN),
        st.Page("pages/evidence.py", title=words.shared.EVIDENCE),
        st.Page("pages/embeddings.py", title=words.shared.EMBEDDINGS),
    ],
    position="top",
).run()
