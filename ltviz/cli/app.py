"""`ltviz app`: the browser app."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from pydantic import Field

from ltviz.cli.arguments import parse_one
from ltviz.cli.choice import HomeOptions
from ltviz.errors import ConfigError
from ltviz.launch.app import load_app


class AppOptions(HomeOptions):
    port: int = Field(8501, ge=0, le=65535, description="Port on 127.0.0.1; 0 takes a free one.")


def run(argv: Sequence[str]) -> int:
    """Serves until it is interrupted.

    Raises ConfigError where the port is taken or may not be used.
    """
    options = parse_one("ltviz app", argv, AppOptions, about="Open the browser app.")
    home = options.open_home()
    _check_port(options.port)
    load_app()
    from ltviz_app import server  # the name exists once `load_app` has found the app's folder

    server.serve(port=options.port, home=home.root, follow_links=options.follow_links)
    return 0


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        # As the server will: a port whose last connections are only winding down is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ConfigError(
                f"--port {port} on 127.0.0.1 cannot be used ({error.strerror}); try --port 0, which takes a free one"
            ) from error
