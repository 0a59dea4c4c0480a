"""A small reverse proxy: puts the app under a path, and can be as clumsy as real ones."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

HEAD_END = b"\r\n\r\n"


class _Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        data = b""
        while HEAD_END not in data:
            more = self.request.recv(65536)
            if not more:
                return
            data += more
        head, _, body = data.partition(HEAD_END)
        line, *headers = head.decode("latin-1").split("\r\n")
        method, path, version = line.split(" ")
        server: Proxy = self.server  # type: ignore[assignment]
        upgrade = any(header.lower().startswith("upgrade:") for header in headers)
        below = path.removeprefix(server.prefix)
        if below == path or server.blocks(below.partition("?")[0], upgrade):
            self.request.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        kept = [h for h in headers if upgrade or not h.lower().startswith("connection:")]
        if server.own_host:
            kept = [f"Host: 127.0.0.1:{server.port}" if h.lower().startswith("host:") else h for h in kept]
        kept += [] if upgrade else ["Connection: close"]
        asked = f"{method} {below if server.strips else path} {version}"
        with socket.create_connection(("127.0.0.1", server.port)) as inner:
            inner.sendall("\r\n".join([asked, *kept]).encode("latin-1") + HEAD_END + body)
            back = threading.Thread(target=_pump, args=(inner, self.request), daemon=True)
            back.start()
            _pump(self.request, inner)
            back.join(30)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # one side has gone


class Proxy(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, prefix: str, *, strips: bool, own_host: bool, blocks: Callable[[str, bool], bool]):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.port, self.prefix, self.strips, self.own_host, self.blocks = port, prefix, strips, own_host, blocks


@contextmanager
def proxy(
    port: int,
    *,
    prefix: str = "/user/ada/proxy/8501",
    strips: bool = True,
    own_host: bool = False,
    blocks: Callable[[str, bool], bool] = lambda path, upgrade: False,
) -> Iterator[str]:
    """Address of the app on `port` behind a proxy, without a slash at its end.

    Args:
        strips: whether the prefix is taken off before a request is passed on.
        own_host: whether the Host header is replaced by the inner address, as nginx does by itself.
        blocks: what the proxy answers 404 to: (path below the prefix, whether it asks for a WebSocket).
    """
    with Proxy(port, prefix, strips=strips, own_host=own_host, blocks=blocks) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}{prefix}"
        server.shutdown()
