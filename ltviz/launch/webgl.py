"""A page that tells whether a browser draws the spheres: served to this machine alone, for one answer."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_LONGEST = 4096
_PAGE = """<!doctype html><meta charset="utf-8"><title>ltviz doctor</title><p id="said">Looking for WebGL2.</p><script>
const gl = document.createElement("canvas").getContext("webgl2");
const more = gl && gl.getExtension("WEBGL_debug_renderer_info");
const name = gl ? gl.getParameter(more ? more.UNMASKED_RENDERER_WEBGL : gl.RENDERER) : "";
fetch(location.href, { method: "POST", body: JSON.stringify({ webgl2: Boolean(gl), renderer: String(name) }) })
  .then(() => { document.getElementById("said").textContent = "Told. This page may be closed."; });
</script>"""


def ask_browser(open_page: Callable[[str], object], seconds: float = 20.0) -> dict[str, Any] | None:
    """What a browser says of its WebGL: {"webgl2": bool, "renderer": text}; None where none has come in time.

    Args:
        open_page: opens the address that it is given in a browser.
    """
    found: list[dict[str, Any]] = []
    told, path = threading.Event(), f"/{secrets.token_urlsafe(12)}"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200 if self.path == path else 404, _PAGE.encode() if self.path == path else b"")

        def do_POST(self) -> None:
            size = int(self.headers.get("content-length") or 0)
            if self.path != path or size > _LONGEST:
                self._answer(404, b"")
                return
            try:
                said = json.loads(self.rfile.read(size))
                found.append({"webgl2": said["webgl2"] is True, "renderer": str(said["renderer"])[:200]})
            except (ValueError, KeyError, TypeError):
                self._answer(400, b"")
                return
            self._answer(200, b"")
            told.set()

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            open_page(f"http://127.0.0.1:{server.server_address[1]}{path}")
            told.wait(seconds)
        finally:
            server.shutdown()
    return found[0] if found else None
