"""`ltviz app`: the browser app."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from ltviz.cli.arguments import parse_one
from ltviz.cli.choice import HomeOptions
from ltviz.launch.app import load_app


class AppOptions(HomeOptions):
    port: int = Field(8501, ge=0, le=65535, description="Port on 127.0.0.1; 0 takes a free one.")


def run(argv: Sequence[str]) -> int:
    """Serves until it is interrupted."""
    options = parse_one("ltviz app", argv, AppOptions, about="Open the browser app.")
    home = options.open_home()
    load_app()
    from ltviz_app import server  # the name exists once `load_app` has found the app's folder

    server.serve(port=options.port, home=home.root, follow_links=options.follow_links)
    return 0
