"""Runs at an address, in the app: shown like any others, and nothing can be changed."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import ltviz_app
import pytest
from ltviz_app import words
from ltviz_app.service import studio as studio_module
from ltviz_app.service.hub import Hub
from ltviz_app.service.studio import Studio
from streamlit.testing.v1 import AppTest

from ltviz.errors import ConfigError
from ltviz.recording import Recording, RemoteHome
from ltviz.recording.mirror import Sender
from ltviz.recording.storage import Storage

PATIENCE = 30.0


@pytest.fixture
def far(tmp_path: Path, runs, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    """The studio of an app over an address that holds one run."""
    there = Storage(f"file://{tmp_path}/there")
    Sender(runs.finished(tmp_path / "elsewhere", "run-far"), "run-far", there).send(end=True)
    demos = tmp_path / "demos"
    demos.mkdir()
    monkeypatch.setattr(studio_module, "_open", None)
    monkeypatch.setattr(studio_module, "demo_home", lambda: demos)
    home = RemoteHome(there.url, cache=tmp_path / "cache", waits=False)
    yield studio_module.open_studio(home)
    home.close()


def test_a_run_at_an_address_stands_on_the_stage_and_nothing_can_be_changed(far: Studio):
    far.serving = True
    app = AppTest.from_file(str(Path(ltviz_app.__file__).parent / "main.py"), default_timeout=20)
    app.query_params["runs"] = "run-far"  # a link, before anything was listed
    app.run()
    assert not app.exception and not app.error
    (stage,) = app.get("bidi_component")
    assert json.loads(stage.proto.json)["runs"] == ["run-far"]
    assert any(caption.value == words.sharing.REMOTE for caption in app.sidebar.caption)
    assert not [button.label for button in app.button if "rain" in button.label]
    with pytest.raises(ConfigError, match="read from a storage"):
        far.supervisor.go_on("run-far")
    assert not far.may_train


def test_who_watches_a_run_has_its_frames_brought(far: Studio):
    async def watch(hub: Hub) -> None:
        with hub.watch(["run-far"], lambda: None) as tails:
            assert tails["run-far"].keepers == 0, "nothing is written into what is a copy"
            end = time.monotonic() + PATIENCE
            while list(tails["run-far"].snapshot.steps) != [0, 5, 10]:
                assert time.monotonic() < end, "it did not come in time"
                await asyncio.sleep(0.02)
        await hub.close()

    assert not Recording(far.hub.runs.folder("run-far")).exists
    asyncio.run(watch(far.hub))
