"""`ltviz mcp`: the runs as tools of an assistant."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from ltviz.cli.arguments import parse_one
from ltviz.cli.choice import HomeOptions

ABOUT = (
    "Serve the runs to an assistant by the Model Context Protocol, over stdin and stdout: list, measure, compare, "
    "alarms, pictures, what is selected in the app. Reading only."
)


class McpOptions(HomeOptions):
    allow_training: bool = Field(False, description="Also offer to train methods and to stop runs.")


def run(argv: Sequence[str]) -> int:
    """Serves until the input ends.

    Raises:
        ConfigError: the package mcp is missing.
    """
    options = parse_one("ltviz mcp", argv, McpOptions, about=ABOUT)
    from ltviz.integrations.mcp import make_server

    make_server(options.own_home("ltviz mcp"), allow_training=options.allow_training).run()
    return 0
