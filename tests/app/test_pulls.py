"""The ledger of pulls on the lab's page: closed it reads nothing; open it tells, or says why it cannot."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import ltviz_app
import numpy as np
import pytest
from ltviz_app import words
from ltviz_app.server import _answer_of
from ltviz_app.service import studio as studio_module
from ltviz_app.service.hub import Hub
from ltviz_app.service.pulls import serve_pulls
from ltviz_app.service.supervisor import Supervisor
from starlette.applications import Starlette
from starlette.routing import Route
from streamlit.testing.v1 import AppTest

from ltviz.recording import Frame, RunInfo, RunWriter

LABELS = np.repeat(np.arange(3, dtype=np.int32), 4)
NAMES = ["ant", "bee", "<b>cat</b>"]


@pytest.fixture(autouse=True)
def studio(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio_module, "_open", None)
    monkeypatch.setattr(studio_module, "demo_home", lambda: tmp_path / "demos")


def record(home: Path, run: str, *, forces: bool = True, told_apart: bool = True) -> None:
    """Class centres that turn about the third axis under a steady pull along with it, and a noisy push on the last."""
    of = {"num_classes": 3, "class_names": NAMES, "counts": [90, 9, 2], "title": run.title()}
    info = RunInfo(run_id=run, method="supcon", created=1.0e9, dim=3, **of)
    rng = np.random.default_rng(0)
    with RunWriter.create(home / run, info, labels=LABELS) as writer:
        for step in range(0, 90, 10):
            angle = 2 * LABELS + step / 100
            z = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1).astype(np.float32)
            tangent = np.stack([-np.sin(angle), np.cos(angle), 0 * angle], axis=1)[::4]
            push = np.array([[0], [0], [50]]) * rng.normal(size=(3, 3))
            parts = {"positives": tangent, "head": push, "total": tangent + push}
            own = {name: part.astype(np.float32) for name, part in parts.items()}
            # by class: each is moved by the next one of the three alone, but for the noise
            by_class = np.zeros((3, 3, 3), np.float32)
            by_class[[0, 1, 2], [1, 2, 0]] = (tangent + push).astype(np.float32)
            held = {"forces": {"supcon": own}, "pulls": by_class if told_apart else None} if forces else {}
            writer.write(Frame(step=step, embeddings=z, labels=LABELS, **held))


def opened(*runs: str) -> AppTest:
    app = AppTest.from_file(str(Path(ltviz_app.__file__).parent / "main.py"), default_timeout=20)
    app.query_params["runs"] = ",".join(runs)
    app.session_state["pulls"] = True
    return app.run()


def told(app: AppTest) -> str:
    assert not app.exception
    return "\n".join(text.value for text in app.text)


def test_it_tells_who_moved_a_class_and_where_nobody_knows(home: Path) -> None:
    record(home, "first")
    record(home, "second", forces=False)
    app = opened("first", "second")
    assert words.pulls.NONE.format(title="Second") in told(app)
    assert "First: <b>cat</b> is 46° from where it was at step 0." in told(app)
    assert words.pulls.UNTOLD.format(titles="First") in told(app), "noise on the rarest, which is asked for first"
    app.selectbox(key="pulls-class").select(0).run()
    assert "Along with the way: own class +0.8 ±" in told(app) and "pale" not in told(app)
    app.segmented_control(key="pulls-apart").set_value(words.pulls.BY_CLASS).run()
    assert "Along with the way: bee +0.8 ±" in told(app) and "Against it: nobody." in told(app)
    app.segmented_control(key="pulls-apart").set_value(words.pulls.BY_KIND).run()
    app.select_slider(key="pulls-since").set_value(40).run()
    assert "23° from where it was at step 40" in told(app)
    app.segmented_control(key="pulls-whom").set_value(words.pulls.A_SAMPLE).run()
    app.number_input(key="pulls-sample").set_value(500).run()
    assert "from 0 to 11" in told(app)


def test_frames_that_do_not_tell_by_class_say_so(home: Path) -> None:
    record(home, "first", told_apart=False)
    app = opened("first")
    app.segmented_control(key="pulls-apart").set_value(words.pulls.BY_CLASS).run()
    assert words.pulls.NOT_BY_CLASS.format(title="First") in told(app)
    app.segmented_control(key="pulls-whom").set_value(words.pulls.A_SAMPLE).run()
    assert words.pulls.NOT_BY_CLASS.format(title="First") in told(app)


def test_a_closed_ledger_reads_no_frame(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ltviz.recording.pulls import Pulls

    record(home, "first")
    monkeypatch.setattr(Pulls, "of_classes", lambda *_: pytest.fail("read"))
    app = AppTest.from_file(str(Path(ltviz_app.__file__).parent / "main.py"), default_timeout=20)
    app.query_params["runs"] = "first"
    assert not app.run().exception


def test_a_card_opens_it_for_its_class_or_sample(home: Path) -> None:
    record(home, "first")
    app = AppTest.from_file(str(Path(ltviz_app.__file__).parent / "main.py"), default_timeout=20)
    app.query_params["runs"] = "first"
    app.session_state["pulls-asked"] = {"run": "first", "rank": 1}
    assert "First: bee is 46° from where it was at step 0." in told(app.run())
    app.session_state["pulls-asked"] = {"run": "first", "row": 3}
    assert "Row of the probe 3 is 46°" in told(app.run())
    app.session_state["pulls-asked"] = {"run": "elsewhere", "rank": "1"}
    assert "Row of the probe 3 is 46°" in told(app.run()), "what makes no sense changes nothing"


def test_a_card_is_told_the_same_as_the_ledger_tells(home: Path, tmp_path: Path) -> None:
    record(home, "first")
    record(home, "second", forces=False)
    demos = tmp_path / "demos"
    demos.mkdir()
    studio = studio_module.Studio(home, Supervisor(home), Hub(home, demos), demos, "a-token")
    app = Starlette(routes=[Route("/ltviz/pulls", _answer_of(serve_pulls, studio))])

    def ask(**query: Any) -> httpx.Response:
        async def work() -> httpx.Response:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8501") as client:
                return await client.get("/ltviz/pulls", params={"token": "a-token", "run": "first"} | query)

        return asyncio.run(work())

    said = ask(**{"class": 0}).json()
    assert said["tells"] and "It is 46° from where it was at step 0, by step 80." in said["told"]
    assert "Along with the way: own class +0.8 ±" in said["told"]
    assert "By class, along with it: bee +0.8 ±" in said["told"]
    own = next(part for part in said["parts"] if part["part"] == "positives")
    assert said["steps"] == list(range(0, 90, 10)) and own["done"][0] == 0 and own["name"] == "own class"
    np.testing.assert_allclose(own["done"], np.arange(9) / 10, atol=1e-3)
    assert words.pulls.CARD_UNTOLD in ask(**{"class": 2}).json()["told"], "noise"
    sample = ask(row=0).json()
    assert sample["note"] == words.pulls.SAMPLE_NOTE and sample["told"] == said["told"]
    assert ask(run="second", row=0).json() == {"told": "", "parts": [], "steps": []}
    for query in ({"class": 3}, {"row": 12}, {"row": 0, "class": 0}, {"row": "x"}, {"row": 0, "token": "b"}):
        refused = ask(**query)
        assert refused.status_code == 403 and refused.text.endswith(".")
    assert ask(run="../x", row=0).status_code == 403
