"""`ltviz app`: the browser app."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, Field

from ltviz.cli.arguments import parse_one
from ltviz.launch.app import load_app
from ltviz.recording import checkpoints_home
from ltviz.recording.names import typed_path


class AppOptions(BaseModel):
    port: int = Field(8501, ge=0, le=65535, description="Port on 127.0.0.1; 0 takes a free one.")
    home: str | None = Field(None, description="Folder of run folders; the variable LTVIZ_HOME where empty.")


def run(argv: Sequence[str]) -> int:
    """Serves until it is interrupted."""
    options = parse_one("ltviz app", argv, AppOptions, about="Open the browser app.")
    home = typed_path(options.home) if options.home else checkpoints_home()
    load_app()
    from ltviz_app import server  # the name exists once `load_app` has found the app's folder

    server.serve(port=options.port, home=home)
    return 0
