"""The page that a browser gets first: Streamlit's own, told where the app lies, and watched until it is drawn.

Streamlit's page looks for its server at the page's whole address first, so that `/compare` opened directly would cost
two requests that fail. And where a proxy keeps its files or its socket away, it stays empty without a word. The script
put in here ends both: it names the app's root, which the page's address and the path that the server was asked for
tell together, and it says what is missing where nothing has been drawn after some seconds.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import streamlit
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from .. import words

PATIENCE_SECONDS = 5.0
_NO_PAGES = {"_stcore", "ltviz", "static", "component", "media", "vendor", "app", "auth"}
"""First parts of paths that are never a page's."""

# Runs before any of Streamlit's modules. What it puts on the page is text, never markup.
SCRIPT = """
(() => {
  const { path, seconds, words } = %s;
  const here = location.pathname;
  const root = location.origin + (here.endsWith(path) ? here.slice(0, here.length - path.length) : "") + "/";
  window.__streamlit ??= { BACKEND_BASE_URL: root };
  const fill = (text, values) => text.replace(/{(\\w+)}/g, (all, name) => (name in values ? values[name] : all));
  const answerOf = async (address, kind) => {
    try {
      const answer = await fetch(address, { cache: "no-store" });
      const given = answer.headers.get("content-type") ?? "";
      if (!answer.ok) return fill(words.status, { status: answer.status });
      return given.includes(kind) ? "" : fill(words.other, { kind: given || "?" });
    } catch {
      return words.none;
    }
  };
  const socketOpens = (address) => new Promise((tell) => {
    const socket = new WebSocket(address.replace(/^http/, "ws"), ["streamlit"]);
    const end = (opened) => { socket.onopen = socket.onclose = null; socket.close(); tell(opened); };
    socket.onopen = () => end(true);
    socket.onclose = () => end(false);
    setTimeout(() => end(false), 1000 * seconds);
  });
  const troubleAt = async () => {
    const script = document.querySelector("script[type=module][src]")?.src ?? root;
    const health = root + "_stcore/health", socket = root + "_stcore/stream";
    for (const [address, kind] of [[script, "javascript"], [health, "text/plain"]]) {
      const answer = await answerOf(address, kind);
      if (answer) return { address, answer };
    }
    return (await socketOpens(socket)) ? null : { address: socket, answer: words.socket };
  };
  let told = null;
  // Until the script has run Streamlit draws a skeleton in the place of what is to come.
  const drawn = () => document.querySelector("[data-testid=stElementContainer] > :not([data-testid=stAppSkeleton])");
  const show = (trouble) => {
    told?.remove();
    told = document.createElement("div");
    told.setAttribute("role", "alert");
    told.dataset.testid = "ltviz-missing";
    told.style.cssText = "position:fixed;inset:0 0 auto;z-index:1000000;padding:14px 18px;overflow-wrap:anywhere;"
      + "background:#fff4d6;color:#222;font:15px/1.5 system-ui,sans-serif;border-bottom:2px solid #c98a00";
    told.textContent = fill(words.missing, trouble) + " " + fill(words.next, { root });
    document.body.append(told);
  };
  const look = async () => {
    if (drawn()) return told?.remove();
    const trouble = performance.now() > 1000 * seconds ? await troubleAt() : null;
    if (drawn()) return told?.remove();
    if (trouble) show(trouble);
    setTimeout(look, trouble ? 3000 : 500);
  };
  window.ltviz = { ...window.ltviz, root, answerOf, fill };
  setTimeout(look, 500);
})();
"""


class FrontPage:
    """Middleware that answers what a browser asks for as a page; everything else goes on to `app`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_page(scope["method"], scope["path"], Headers(scope=scope)):
            await self.app(scope, receive, send)
            return
        headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
        await HTMLResponse(page_of(scope["path"]), headers=headers)(scope, receive, send)


def is_page(method: str, path: str, headers: Headers) -> bool:
    """Whether a browser asks for a page of the app, and not for a file or for what a script reads."""
    parts = path.strip("/").split("/")
    is_file = "." in parts[-1] or any(part in _NO_PAGES for part in parts)
    return method in ("GET", "HEAD") and not is_file and "text/html" in headers.get("accept", "")


def page_of(path: str) -> str:
    """The page for a browser whose address ends in `path`, the path that the server was asked for."""
    known = {"path": path, "seconds": PATIENCE_SECONDS, "words": words.FRONT}
    # A path is a stranger's: nothing in it may end the script.
    told = json.dumps(known).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    head, tag, rest = _streamlits_page().partition("<head>")
    return f"{head}{tag}<script>{SCRIPT % told}</script>{rest}"


@cache
def _streamlits_page() -> str:
    page = Path(streamlit.__file__).parent / "static" / "index.html"
    return page.read_text(encoding="utf-8").replace("<title>Streamlit</title>", f"<title>{words.APP}</title>")
