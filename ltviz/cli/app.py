"""`ltviz app`: the browser app."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from ltviz.cli.arguments import parse_one
from ltviz.cli.choice import HomeOptions
from ltviz.errors import ConfigError
from ltviz.launch.app import load_app
from ltviz.recording.names import typed_path


class AppOptions(HomeOptions):
    port: int = Field(8501, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    address: str = Field(
        "127.0.0.1",
        description="Address to listen on. The default reaches this machine alone; 0.0.0.0 lets every machine in the "
        "network start and stop training, and is refused without --share or --i-know.",
    )
    share: bool = Field(
        False,
        description="Let other machines in, with roles: viewers look, by a link that is printed; trainers train, with "
        "the password in LTVIZ_TRAINER_PASSWORD, which is asked for where that is empty.",
    )
    i_know: bool = Field(False, description="Listen on an address that is open to other machines.")
    allow_host: list[str] = Field(
        [],
        description="A name in the browser's address, without a port, that the app answers to besides this machine's "
        "own, also behind a proxy that changes the Host header; may be given more than once.",
    )
    lessons: str | None = Field(
        None, description="Folder of your own lessons, one Markdown file each, beside those of the app."
    )
    base_path: str = Field(
        "",
        description="Path under which a proxy serves the app, such as /proxy/8501, whether it takes that off or not. "
        "Mostly found without; it is needed where the path has a part that the app has too: static, media.",
    )


def run(argv: Sequence[str]) -> int:
    """Serves until it is interrupted.

    Raises ConfigError where there is no folder of lessons, the port is taken or may not be used, or an address, a name
    or a path cannot be.
    """
    options = parse_one("ltviz app", argv, AppOptions, about="Open the browser app.")
    home, lessons = options.open_home(waits=False), options.lessons and lessons_folder(options.lessons)
    address = "0.0.0.0" if options.share and options.address == "127.0.0.1" else options.address
    if address == "127.0.0.1":
        _check_port(options.port)
    load_app()
    from ltviz_app import server  # the name exists once `load_app` has found the app's folder
    from ltviz_app.service.sharing import trainers_password

    server.serve(
        port=options.port,
        home=home,
        address=address,
        i_know=options.i_know,
        allow_hosts=options.allow_host,
        base=options.base_path,
        follow_links=options.follow_links,
        lessons=lessons or None,
        password=trainers_password() if options.share else None,
    )
    return 0


def lessons_folder(text: str) -> Path:
    """The folder that --lessons names.

    Raises:
        ConfigError: it is none.
    """
    folder = typed_path(text)
    if not folder.is_dir():
        raise ConfigError(f"--lessons must be a folder of Markdown files; there is none at {folder}")
    return folder.absolute()


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
