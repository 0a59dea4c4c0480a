"""The process that fits in the background: it does its jobs, it fails in a sentence, it ends."""

from __future__ import annotations

import io
import queue
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from ltviz.projection import REGISTRY
from ltviz.projection.background import FitJob, FitResult, read_result, serve, write_job
from ltviz.projection.fitter import BackgroundFitter

POINTS = np.random.default_rng(0).standard_normal((40, 6)).astype(np.float32)
CENTRES = POINTS[:3].astype(np.float64)


def job(name: str = "pca", before: dict[str, np.ndarray] | None = None) -> FitJob:
    return FitJob(name, POINTS, CENTRES, before)


@pytest.fixture
def fitters() -> Iterator[Callable[..., BackgroundFitter]]:
    made: list[BackgroundFitter] = []

    def make(script: str | None = None, **more: float) -> BackgroundFitter:
        command = {} if script is None else {"command": (sys.executable, "-c", textwrap.dedent(script))}
        made.append(BackgroundFitter(**command, **more))
        return made[-1]

    yield make
    for fitter in made:
        fitter.close()


def ask(fitter: BackgroundFitter, given: FitJob, seconds: float = 60.0) -> FitResult:
    results: queue.Queue[FitResult] = queue.Queue()
    fitter.ask(object(), lambda: given, results.put)
    return results.get(timeout=seconds)


def ended(pid: int, seconds: float = 20.0) -> bool:
    limit = time.monotonic() + seconds
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > limit:
            return False
        time.sleep(0.02)
    return True


def test_a_fit_in_the_background_is_the_one_made_here(fitters) -> None:
    fitter = fitters()
    here = REGISTRY["pca"]().follow(POINTS, CENTRES)
    result = ask(fitter, job())
    np.testing.assert_array_equal(result.arrays["matrix"], here.placement.arrays["matrix"])
    assert result.error is None and result.honesty == here.honesty
    turned = {"matrix": here.placement.arrays["matrix"][:, [2, 0, 1]]}
    locked = ask(fitter, job(before=turned))
    np.testing.assert_allclose(locked.arrays["matrix"], turned["matrix"], atol=1e-6)
    assert locked.honesty["jitter"] == pytest.approx(0, abs=1e-6)
    assert psutil.Process(fitter.pid).nice() == min(19, psutil.Process().nice() + 15)
    assert psutil.Process(fitter.pid).num_threads() < 8


def test_what_cannot_be_fitted_is_a_sentence_and_the_next_one_is_fitted(fitters) -> None:
    fitter = fitters()
    few = FitJob("umap", POINTS[:5], CENTRES, None)
    assert "at least 10 points" in (ask(fitter, few).error or "")
    assert "no projection called" in (ask(fitter, job("nonsense")).error or "")
    assert ask(fitter, job()).error is None


def test_an_unforeseen_failure_of_the_package_is_a_sentence(monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("numba\nis unwell")

    monkeypatch.setattr(REGISTRY["pca"], "fit", fail)
    jobs, results = io.BytesIO(), io.BytesIO()
    write_job(jobs, job())
    serve(io.BytesIO(jobs.getvalue() + b"cut"), results)
    result = read_result(io.BytesIO(results.getvalue()))
    assert result is not None and result.error == "The view pca of this frame failed (RuntimeError: numba is unwell)."


@pytest.mark.parametrize(
    "script",
    [
        "raise SystemExit('no such thing')",
        "import sys; sys.stdin.buffer.read(8); sys.stdout.write('x' * 30)",
        "import sys, os; sys.stdin.buffer.read(8); os._exit(9)",
    ],
)
def test_a_process_that_ends_or_talks_nonsense_is_a_sentence(fitters, script: str) -> None:
    fitter = fitters(script)
    for _ in range(2):
        assert "ended" in (ask(fitter, job()).error or "")


def test_a_fit_that_does_not_end_is_given_up_and_its_process_killed(fitters) -> None:
    fitter = fitters("import time; time.sleep(600)", limit_seconds=1.0)
    pids: list[int] = []

    def watch() -> None:
        while (pid := fitter.pid) is None:
            time.sleep(0.01)
        pids.append(pid)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    assert "given up" in (ask(fitter, job()).error or "")
    watcher.join(20)
    assert pids and ended(pids[0])


def test_the_process_ends_when_idle_and_comes_back_when_asked(fitters) -> None:
    fitter, pids = fitters(idle_seconds=0.3), queue.Queue()
    fitter.ask("key", job, lambda result: pids.put(fitter.pid))
    first = pids.get(timeout=60)
    assert first is not None and ended(first)
    assert ask(fitter, job()).error is None


def test_closing_ends_a_fit_that_runs(fitters) -> None:
    fitter = fitters("import time; time.sleep(600)")
    fitter.ask("key", job, lambda result: None)
    while fitter.pid is None:
        time.sleep(0.01)
    pid = fitter.pid
    fitter.close()
    assert ended(pid)
    fitter.ask("key", job, lambda result: pytest.fail("it is closed"))


def test_the_process_ends_with_its_parent(tmp_path: Path) -> None:
    script = f"""
    import os, threading, numpy as np
    from ltviz.projection.background import FitJob
    from ltviz.projection.fitter import BackgroundFitter
    fitter, done = BackgroundFitter(), threading.Event()
    points = np.random.default_rng(0).standard_normal((20, 5)).astype("float32")
    fitter.ask("key", lambda: FitJob("pca", points, points[:3], None), lambda result: done.set())
    done.wait(60)
    open({str(tmp_path / "pid")!r}, "w").write(str(fitter.pid))
    os.kill(os.getpid(), 9)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], timeout=300, check=False)
    assert ended(int((tmp_path / "pid").read_text()))


def test_the_newest_wish_is_served_first_and_what_nobody_wants_is_left_out(fitters) -> None:
    fitter = fitters()
    begun, gate, served, done = threading.Event(), threading.Event(), [], threading.Semaphore(0)

    def first() -> FitJob:
        begun.set()
        gate.wait(60)
        return job()

    def wish(name: str, wanted: bool = True) -> None:
        def prepare() -> FitJob | None:
            served.append(name)
            return job() if wanted else None

        fitter.ask(name, prepare, lambda result: done.release())

    fitter.ask("gate", first, lambda result: done.release())
    assert begun.wait(60)
    for name in ("old", "middle", "new", "old"):
        wish(name)
    wish("unwanted", wanted=False)
    gate.set()
    for _ in range(4):
        assert done.acquire(timeout=60)
    assert served == ["unwanted", "old", "new", "middle"]
