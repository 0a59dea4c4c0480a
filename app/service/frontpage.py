"""The page that a browser gets first: Streamlit's own, told where the app lies, and watched until it is drawn.

Streamlit's page looks for its server at the page's whole address first, so that `/compare` opened directly would cost
two requests that fail. And where a proxy keeps its files or its socket away, it stays empty without a word. The script
put in here ends both: it names the app's root, which is the directory of the page's address, and it says what is
missing where nothing has been drawn after some seconds, or at once where the server was called by another name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import streamlit
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from .. import words
from .paths import is_ours
from .stagescript import script_name

PATIENCE_SECONDS = 5.0
STATIC = Path(streamlit.__file__).parent / "static"
_STATIC_IMPORT = re.compile(r'from"\./([\w.-]+\.js)"')

# Runs before any of Streamlit's modules. What it puts on the page is text, never markup.
SCRIPT = """
(() => {
  const { path, host, allowed, seconds, words, script } = %s;
  const here = location.pathname;
  // Everything lies below a directory: a proxy's path that does not end in one is opened again as one, once.
  if (path === "/" && !here.endsWith("/") && document.referrer !== location.href)
    location.replace(here + "/" + location.search + location.hash);
  const root = location.origin + here.slice(0, here.lastIndexOf("/") + 1);
  window.__streamlit ??= { BACKEND_BASE_URL: root };
  const known = ["localhost", "127.0.0.1", "[::1]", ...allowed].includes(location.hostname);
  const renamed = host !== "" && host !== location.host && !known;
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
    const of = { root, path: new URL(root).pathname, name: location.hostname, host };
    told.textContent = renamed ? fill(words.renamed, of) : fill(words.missing, trouble) + " " + fill(words.next, of);
    document.body.append(told);
  };
  const look = async () => {
    if (drawn()) return told?.remove();
    const trouble = renamed ? {} : performance.now() > 1000 * seconds ? await troubleAt() : null;
    if (drawn()) return told?.remove();
    if (trouble) show(trouble);
    setTimeout(look, trouble ? 3000 : 500);
  };
  window.ltviz = { ...window.ltviz, root, answerOf, fill };
  setTimeout(look, 500);
  // While Streamlit asks what the page holds, the stage's modules run. One that does not come is told in its place.
  const begin = () => import(root + "ltviz/stage/" + script).then((all) => all.use("stage.js"), () => {});
  if (["", "compare"].includes(here.slice(here.lastIndexOf("/") + 1))) addEventListener("DOMContentLoaded", begin);
})();
"""


class FrontPage:
    """Middleware that answers what a browser asks for as a page; everything else goes on to `app`.

    Args:
        allowed: names by which a browser may call the server although a proxy calls it otherwise.
    """

    def __init__(self, app: ASGIApp, allowed: Sequence[str] = ()) -> None:
        self.app, self._allowed = app, tuple(allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = Headers(scope=scope) if scope["type"] == "http" else None
        if asked is None or not is_page(scope["method"], scope["path"], asked):
            await self.app(scope, receive, send)
            return
        headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
        page = page_of(scope["path"], asked.get("host", ""), self._allowed)
        await HTMLResponse(page, headers=headers)(scope, receive, send)


def is_page(method: str, path: str, headers: Headers) -> bool:
    """Whether a browser asks for a page of the app, and not for a file or for what a script reads."""
    is_file = "." in path.rpartition("/")[2] or (is_ours(path) and not path.endswith("/"))
    return method in ("GET", "HEAD") and not is_file and "text/html" in headers.get("accept", "")


def page_of(path: str, host: str = "", allowed: Sequence[str] = ()) -> str:
    """The page for a browser whose address ends in `path`, the path that the server was asked for.

    Args:
        host: what the server was called, "" where that is not known.
        allowed: names that it may be called by in the browser's address though `host` is another.
    """
    known = {"path": path, "host": host, "allowed": allowed, "seconds": PATIENCE_SECONDS, "words": words.served.FRONT}
    known |= {"script": script_name()}
    # A path is a stranger's: nothing in it may end the script.
    told = json.dumps(known).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    head, tag, rest = _streamlits_page().partition("<head>")
    # Asked for while Streamlit still loads its own: by a page's address alone nobody knows yet which part it needs.
    files = [f"ltviz/stage/{script_name()}", *_component_files()]
    early = "".join(f'<link rel="modulepreload" crossorigin href="{file}">' for file in files)
    return f"{head}{tag}<script>{SCRIPT % told}</script>{early}{rest}"


@cache
def _component_files() -> tuple[str, ...]:
    """What Streamlit itself asks for only once a component is to be drawn; none where it is laid out otherwise."""
    page, folder, found = _streamlits_page(), STATIC / "static/js", []
    waiting = [path.name for path in folder.glob("BidiComponent.*.js")]
    while waiting:
        name = waiting.pop()
        if name in page or name in found or not (folder / name).is_file():
            continue
        found.append(name)
        waiting += _STATIC_IMPORT.findall((folder / name).read_text(encoding="utf-8"))
    return tuple(f"./static/js/{name}" for name in found)


@cache
def _streamlits_page() -> str:
    page = STATIC / "index.html"
    return page.read_text(encoding="utf-8").replace("<title>Streamlit</title>", f"<title>{words.shared.APP}</title>")
