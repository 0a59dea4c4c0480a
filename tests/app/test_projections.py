"""Projections as viewers meet them: switching, waiting for slow ones, what cannot be shown, one picture for all."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ltviz_app.service.picture import draw_frame
from ltviz_app.service.projections import Projections, check_projection
from ltviz_app.service.studio import Studio
from ltviz_app.widgets.viewer import stage_data

from ltviz.errors import ConfigError, DataError
from ltviz.marks import Caps, Points, Segments, Vectors
from ltviz.projection.background import FitJob, FitResult
from ltviz.projection.fitter import BackgroundFitter
from ltviz.recording import Frame, Recording

DIM = 8


class SlowFitter(BackgroundFitter):
    """A background that answers when the test says so, with points on a spiral; `broken` makes it fail."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: queue.Queue[tuple[Callable, Callable]] = queue.Queue()
        self.jobs: list[FitJob | None] = []
        self.broken: str | None = None
        self._known: set[Hashable] = set()

    def ask(self, key: Hashable, prepare: Callable, done: Callable) -> None:
        if key not in self._known:
            self._known.add(key)
            self.asked.put((prepare, done))

    def answer(self) -> None:
        """Serves the oldest wish, in a thread that is not the caller's."""
        prepare, done = self.asked.get(timeout=30)
        worker = threading.Thread(target=self._serve, args=(prepare, done))
        worker.start()
        worker.join(30)

    def _serve(self, prepare: Callable, done: Callable) -> None:
        job = prepare()
        self.jobs.append(job)
        if job is None:
            return
        if self.broken is not None:
            done(FitResult({}, {}, self.broken))
        else:
            done(FitResult({"shown": spiral(len(job.embeddings))}, {"trustworthiness": 0.75}))


def spiral(n: int) -> np.ndarray:
    t = np.linspace(0, 6, n, dtype=np.float32)
    return np.stack([0.5 * np.cos(t), 0.5 * np.sin(t), t / 10], 1)


@pytest.fixture
def fitter() -> SlowFitter:
    return SlowFitter()


@pytest.fixture
def studio(studio: Studio, home: Path, fitter: SlowFitter) -> Studio:
    from ltviz_app.service.hub import Hub

    studio.hub = Hub(home, studio.demos, fitter=fitter)
    return studio


def shown(viewer: Any, at: int = -1) -> np.ndarray:
    payload = [payload for header, payload in list(viewer.messages) if "seq" in header][at]
    return np.frombuffer(payload, "<i2", 90).reshape(30, 3) / 32767


def names(viewer: Any) -> list[str]:
    return [frame["projection"]["name"] for frame in viewer.frames()]


# ---------------------------------------------------------------------- switching


def test_a_viewer_switches_a_held_frame_at_once_and_the_other_viewer_keeps_its_own(talk, home: Path, runs) -> None:
    runs.finished(home, "run-one", dim=DIM)
    viewer, other = talk("run-one", step=5), talk("run-one", step=5)
    for each in (viewer, other):
        each.wait(lambda each=each: each.frames())
    assert names(viewer) == names(other) == ["centres"]
    viewer.say(projection="pca")
    viewer.wait(lambda: len(viewer.frames()) == 2)
    assert names(viewer) == ["centres", "pca"] and viewer.frames()[-1]["step"] == 5
    projection = viewer.frames()[-1]["projection"]
    assert projection["linear"] is True and projection["pending"] is None and "error" not in projection
    assert 0 < projection["trustworthiness"] <= 1 and 0 < projection["kept_variance"] <= 1
    assert np.abs(shown(viewer) - shown(viewer, 0)).max() > 0.01
    viewer.say(projection="simplex:2-1-0-9")
    time.sleep(0.3)
    assert names(other) == ["centres"] and len(other.frames()) == 1


@pytest.mark.parametrize("asked", ["nonsense", "simplex:0-1-2", "../pca", 7, None, ["pca"]])
def test_an_unknown_projection_gets_a_sentence_and_changes_nothing(talk, home: Path, runs, asked: Any) -> None:
    runs.finished(home, "run-one", dim=DIM)
    viewer = talk("run-one", step=5)
    viewer.wait(lambda: viewer.frames())
    viewer.say(projection=asked)
    message = viewer.wait(lambda: viewer.of("error"))[0]["message"]
    assert "no projection called" in message and "simplex:0-3-8-9" in message
    viewer.say(step=10)
    viewer.wait(lambda: viewer.frames()[-1]["step"] == 10)
    assert set(names(viewer)) == {"centres"}
    with pytest.raises(ConfigError):
        check_projection(asked)


def test_classes_that_the_run_has_not_are_said_once_and_the_default_is_shown(talk, home: Path, runs) -> None:
    runs.finished(home, "run-one", dim=DIM)
    viewer = talk("run-one", step=5, projection="simplex:0-1-2-3")
    viewer.wait(lambda: viewer.of("error"))
    viewer.say(step=10)
    viewer.wait(lambda: viewer.frames()[-1]["step"] == 10)
    time.sleep(0.2)
    assert len(viewer.of("error")) == 1 and "0 to 2" in viewer.of("error", "run-one")[0]["message"]
    for frame in viewer.frames():
        assert frame["projection"]["name"] == "centres" and "0 to 2" in frame["projection"]["error"]


@pytest.mark.parametrize("name", ["umap", "pca", "none"])
def test_up_to_three_dimensions_nothing_is_projected_whatever_is_asked(talk, home: Path, fitter, runs, name) -> None:
    runs.finished(home, "run-one", dim=3, steps=(4,))
    viewer = talk("run-one", projection=name)
    assert viewer.wait(lambda: viewer.frames())[0]["projection"] is None
    np.testing.assert_allclose(shown(viewer), runs.points(4, 30, 3), atol=2e-5)
    assert fitter.asked.empty() and not (home / "run-one" / "projections").exists()


# ---------------------------------------------------------------------- slow ones


def test_a_slow_projection_is_pending_and_then_sent_without_being_asked_for_again(talk, home, fitter, runs) -> None:
    folder = runs.finished(home, "run-one", dim=DIM)
    viewer = talk("run-one", step=5, projection="umap")
    first = viewer.wait(lambda: viewer.frames())[0]
    assert (first["projection"]["name"], first["projection"]["pending"]) == ("centres", "umap")
    time.sleep(0.2)
    assert len(viewer.frames()) == 1, "nothing is sent while nothing is new"
    fitter.answer()
    viewer.wait(lambda: len(viewer.frames()) == 2)
    ready = viewer.frames()[-1]
    assert ready["step"] == 5
    assert ready["projection"] == {"name": "umap", "linear": False, "pending": None, "trustworthiness": 0.75}
    np.testing.assert_allclose(shown(viewer), spiral(30), atol=1e-4)
    assert [path.name for path in (folder / "projections" / "umap").iterdir()] == ["000000005.safetensors"]
    # whoever comes later, to this server or after a restart, gets the same at once
    later = talk("run-one", step=5, projection="umap")
    later.wait(lambda: later.frames())
    assert names(later) == ["umap"] and fitter.asked.empty()


def test_a_map_starts_from_the_nearest_one_that_is_there(talk, home: Path, fitter, runs) -> None:
    runs.finished(home, "run-one", dim=DIM, steps=(0, 5, 10))
    viewer = talk("run-one", step=10, projection="umap")
    viewer.wait(lambda: viewer.frames())
    fitter.answer()
    viewer.wait(lambda: "umap" in names(viewer))
    viewer.say(step=5)
    viewer.wait(lambda: viewer.frames()[-1]["step"] == 5)
    fitter.answer()
    viewer.wait(lambda: names(viewer)[-1] == "umap" and viewer.frames()[-1]["step"] == 5)
    first, second = fitter.jobs
    assert first is not None and second is not None
    assert first.before is None and second.before is not None
    np.testing.assert_array_equal(second.before["shown"], spiral(30))
    np.testing.assert_allclose(second.embeddings, runs.points(5, 30, DIM), atol=1e-6)


def test_a_failure_in_the_background_is_a_sentence_and_no_waiting(talk, home: Path, fitter, runs) -> None:
    runs.finished(home, "run-one", dim=DIM)
    fitter.broken = "A map of neighbours needs at least 10 points, got 3."
    viewer = talk("run-one", step=5, projection="umap")
    viewer.wait(lambda: viewer.frames())
    fitter.answer()
    viewer.wait(lambda: len(viewer.frames()) == 2)
    projection = viewer.frames()[-1]["projection"]
    assert projection["error"] == fitter.broken
    assert projection["name"] == "centres" and projection["pending"] is None
    viewer.wait(lambda: viewer.of("error", "run-one"))
    assert viewer.of("error")[0]["message"] == fitter.broken
    viewer.say(step=10)
    viewer.wait(lambda: viewer.frames()[-1]["step"] == 10)
    fitter.answer()
    viewer.wait(lambda: len(viewer.frames()) == 4)
    assert len(viewer.of("error")) == 1, "the same sentence is said once"


def test_what_nobody_looks_at_any_more_is_not_fitted(talk, home: Path, fitter, studio, runs) -> None:
    runs.finished(home, "run-one", dim=DIM)
    viewer = talk("run-one", step=5, projection="umap")
    viewer.wait(lambda: viewer.frames())
    viewer.session.close()
    viewer.reader.join(20)
    limit = time.monotonic() + 20
    while studio.hub._tails and time.monotonic() < limit:
        time.sleep(0.01)
    fitter.answer()
    assert fitter.jobs == [None]


def test_a_frame_that_is_pending_for_one_viewer_never_holds_up_another(talk, home: Path, fitter, runs) -> None:
    runs.finished(home, "flat-run", steps=tuple(range(20)))
    runs.finished(home, "deep-run", dim=DIM, steps=tuple(range(20)))
    waiting = talk("deep-run", projection="umap", hz=20)
    waiting.wait(lambda: waiting.frames())
    flat, deep = talk("flat-run", hz=20), talk("deep-run", hz=20)
    for each in (flat, deep, waiting):
        each.wait(lambda each=each: each.frames())
    counts = [len(each.frames()) for each in (flat, deep, waiting)]
    for each, count in zip((flat, deep, waiting), counts, strict=True):  # no map is ever answered
        each.wait(lambda each=each, count=count: len(each.frames()) > count + 20)
    waiting.wait(lambda: fitter.asked.qsize() == 20)  # a busy viewer is not sent every step of every round
    assert set(names(deep)) == {"centres"}


def test_a_run_that_is_deleted_while_its_map_is_fitted_hurts_nothing(talk, home: Path, fitter, runs) -> None:
    import shutil

    folder = runs.finished(home, "run-one", dim=DIM)
    viewer = talk("run-one", step=5, projection="umap")
    viewer.wait(lambda: viewer.frames())
    shutil.rmtree(folder)
    fitter.answer()
    assert fitter.jobs == [None], "there is no frame to fit any more"
    viewer.wait(lambda: "deleted" in [told["state"] for told in viewer.of("state")])
    assert not folder.exists()


# ---------------------------------------------------------------------- what is drawn


def frame_with_marks() -> Frame:
    z = np.random.default_rng(0).standard_normal((30, DIM)).astype(np.float32)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    y = np.arange(4, dtype=np.int32) % 3
    marks = {
        "views": Segments(z[:4], z[4:8], y),
        "queue": Points(z[8:12], y, np.ones(4, np.float32)),
        "domes": Caps(z[:4], np.full(4, 20.0, np.float32), y),
        "winds": Vectors(z[:3]),
    }
    labels = (np.arange(30) % 3).astype(np.int32)
    given = {"landmarks": {"targets": z[:3]}, "marks": marks, "forces": {"ce": {"total": np.tile(z[:1], (3, 1))}}}
    return Frame(step=5, epoch=0.0, seconds=0.0, embeddings=z, labels=labels, **given)


@pytest.mark.parametrize("name", ["centres", "umap"])
def test_everything_on_a_picture_goes_through_one_placement(home: Path, fitter, runs, name: str) -> None:
    runs.finished(home, "run-one", dim=DIM)
    frame, order = frame_with_marks(), np.array([0, 1, 2])
    landed: list[tuple[str, int]] = []
    recording = Recording(home / "run-one")
    projections = Projections(recording, order, fitter, lambda: True, lambda *key: landed.append(key))
    projected = projections.project(frame, name)
    if name == "umap":
        assert projected.told.pending == "umap"
        # the same map as the background would have kept
        views = projections._of("umap")
        from ltviz.projection.base import draw

        placement = views.projection.restore({"shown": spiral(30)}, frame.embeddings)
        views.keep(frame, draw(placement, frame.embeddings, None))
        projected = projections.project(frame, name)
    drawn, place = draw_frame(frame, order, projected=projected), projected.fit.placement.place
    np.testing.assert_array_equal(drawn.points, projected.fit.shown)
    np.testing.assert_allclose(drawn.landmarks["targets"], drawn.points[:3], atol=1e-5)
    np.testing.assert_allclose(drawn.marks["views"].a, drawn.points[:4], atol=1e-5)
    np.testing.assert_allclose(drawn.marks["views"].b, drawn.points[4:8], atol=1e-5)
    np.testing.assert_allclose(drawn.marks["queue"].places, drawn.points[8:12], atol=1e-5)
    np.testing.assert_allclose(drawn.marks["domes"].places, drawn.points[:4], atol=1e-5)
    assert drawn.marks["domes"].angle is None, "an angle of the embedding is none of its picture"
    assert drawn.centres.shape == (3, 3)
    if name == "umap":
        assert drawn.forces == {} and "winds" not in drawn.marks, "a direction has no place in a map that is not linear"
    else:
        np.testing.assert_array_equal(drawn.forces["ce"]["total"], place(frame.forces["ce"]["total"]))
        np.testing.assert_array_equal(drawn.marks["winds"].rows, place(frame.marks["winds"].rows))


def test_beyond_three_dimensions_a_picture_needs_a_projection() -> None:
    with pytest.raises(DataError, match="projection"):
        draw_frame(frame_with_marks(), np.arange(3))


def test_the_page_is_told_what_projections_there_are(studio: Studio) -> None:
    given = stage_data(studio, ["run-one"], "lab")["projections"]
    assert [entry["name"] for entry in given] == ["centres", "pca", "spread", "simplex", "umap", "umap-sphere"]
    for entry in given:
        assert set(entry) == {"name", "title", "short", "classes"} and entry["short"].endswith(".")
    json.dumps(given)


def test_the_app_process_never_imports_what_slow_projections_need(home: Path, runs) -> None:
    """With a real map of 30 points, fitted in the background and sent."""
    runs.finished(home, "run-one", dim=DIM, steps=(5,))
    script = f"""
    import asyncio, sys
    from pathlib import Path
    from ltviz.launch.app import load_app
    load_app()
    from ltviz_app.service.hub import Hub

    async def story():
        hub, news = Hub(Path({str(home)!r})), asyncio.Event()
        with hub.watch(["run-one"], news.set) as tails:
            tail = tails["run-one"]
            while not tail.snapshot.steps:
                await asyncio.sleep(0.02)
            while (frame := await hub.frame(tail, 5, "umap")).pending:
                news.clear()
                await asyncio.wait_for(news.wait(), 240)
        await hub.close()
        print(frame.trouble, [name for name in ("torch", "sklearn", "umap", "numba") if name in sys.modules])

    asyncio.run(story())
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=300)
    assert done.stdout.strip() == "None []", done.stderr[-2000:]
    assert (home / "run-one" / "projections" / "umap" / "000000005.safetensors").is_file()
