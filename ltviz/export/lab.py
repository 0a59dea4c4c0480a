"""The geometry lab as a page by itself, made by the app's own code."""

from __future__ import annotations

from ltviz.launch.app import load_app


def lab_page(theme: str | None = None) -> bytes:
    """The page, UTF-8: it computes in the reader's browser, asks nobody for anything, and holds all that it needs.

    Args:
        theme: "light", "dark", or None for what the reader's system prefers.
    """
    load_app()
    from ltviz_app.service.labpage import build_lab  # the name exists once `load_app` has found the app's folder

    return build_lab(theme)
