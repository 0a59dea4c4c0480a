"""What a browser gets first, who is answered at all, and what a stream that does not open says for itself."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from ltviz_app import words
from ltviz_app.server import _answer_of
from ltviz_app.service.frontpage import is_page, page_of
from ltviz_app.service.hosts import KnownHosts
from ltviz_app.service.stream import explain_stream
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route


def ask(app: Starlette, method: str, url: str, **headers: str) -> httpx.Response:
    async def work() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
            return await client.request(method, url, headers=headers)

    return asyncio.run(work())


BROWSER = Headers({"accept": "text/html,*/*;q=0.8"})


@pytest.mark.parametrize("path", ["/", "/compare", "/no-such", "/a/b"])
def test_pages_are_given_the_script_before_any_other(path: str):
    assert is_page("GET", path, BROWSER)
    page = page_of(path)
    assert page.index("BACKEND_BASE_URL") < page.index('type="module"') and f'"path": "{path}"' in page


@pytest.mark.parametrize("path", ["/_stcore/health", "/compare/_stcore/host-config", "/static/js/a", "/favicon.png"])
def test_files_and_what_scripts_read_stay_streamlits(path: str):
    assert not is_page("GET", path, BROWSER)
    assert not is_page("POST", "/", BROWSER) and not is_page("GET", "/", Headers({"accept": "*/*"}))


def test_a_path_cannot_end_the_script():
    hostile = "/</script><script>alert(1)</script>"
    assert page_of(hostile).count("</script>") == page_of("/").count("</script>")


def test_a_host_that_is_not_ours_is_told_in_a_sentence():
    async def fine(request):
        return PlainTextResponse("fine")

    app = Starlette(routes=[Route("/", fine)], middleware=[Middleware(KnownHosts, hosts=("localhost", "127.0.0.1"))])
    assert ask(app, "GET", "http://localhost:9/").text == "fine"
    refused = ask(app, "GET", "http://proxy.example/")
    assert refused.status_code == 400 and refused.headers["content-type"].startswith("text/plain")
    assert refused.text == words.UNKNOWN_HOST.format(host="proxy.example", hosts="localhost and 127.0.0.1")


@pytest.mark.parametrize(
    "query, origin, status, said",
    [
        ("runs=one-run&token=a-token", "http://testserver", 426, "no WebSocket to it opens"),
        ("runs=one-run&token=a-token", "https://hub.example", 403, "A proxy must pass on the Host header"),
        ("runs=one-run&token=old", "http://testserver", 403, "ltviz was started anew; reload"),
        ("runs=../x&token=a-token", "http://testserver", 403, "A run id must be"),
        ("runs=&token=a-token", "http://testserver", 403, "1 to 24 runs"),
        ("runs=one-run&token=a-token&step=x", "http://testserver", 403, "step of the stream must be a number"),
    ],
)
def test_a_stream_that_does_not_open_gives_its_reason_in_plain_http(studio, query, origin, status, said):
    routes = [Route("/ltviz/stream", _answer_of(explain_stream, studio), methods=["POST"])]
    answer = ask(Starlette(routes=routes), "POST", f"http://testserver/ltviz/stream?{query}", Origin=origin)
    assert answer.status_code == status and said in answer.text and answer.headers["x-ltviz"] == "stream"
