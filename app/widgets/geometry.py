"""Mounts the geometry lab: one component, which needs nothing of the server once its modules are there."""

from __future__ import annotations

from streamlit.components.v2 import component

from ..service.lab import lab_data
from .viewer import loader, theme

ENTRY = "geometry.js"


def draw_lab() -> None:
    """The lab; what is set in it stands in the page's address."""
    component("ltviz_geometry", js=loader(ENTRY))(key="geometry", data=lab_data(theme()))
