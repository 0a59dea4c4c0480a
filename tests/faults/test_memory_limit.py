"""A worker that may have no more memory: the run that asks for it ends with a sentence, all others go on."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ltviz import launch
from ltviz.launch.worker import Worker
from ltviz.recording import Recording, load_weights

RUN = {"steps": 12, "batch_size": 16, "max_per_class": 30, "probe_points": 60, "device": "cpu", "evaluate": False}
GREEDY = """
from dataclasses import replace

import torch

from ltviz.methods.registry import method


class Greedy(method("ce")):
    card = replace(method("ce").card, name="greedy")

    def losses(self, batch):
        if batch.step == 6:
            torch.empty(len(batch.y), 1 << 26)  # 256 MiB a sample
        return super().losses(batch)
"""
LIMITED = """
import resource, sys
from ltviz.launch import worker

run = worker.Worker.run

def limited(self):
    pages = int(open("/proc/self/statm").read().split()[0])
    most = pages * resource.getpagesize() + (2 << 30)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    run(self)

worker.Worker.run = limited
sys.exit(worker.main(sys.argv[1:]))
"""


def wait_for_end(path: Path) -> str:
    deadline = time.monotonic() + 120
    while (state := Recording(path).status().state) not in ("finished", "failed"):
        assert time.monotonic() < deadline, f"still {state}"
        time.sleep(0.05)
    return state


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="its limit follows from what Linux tells")
def test_a_run_that_meets_the_limit_ends_alone(home: Path, install: Callable[..., Path]) -> None:
    install("greedy", GREEDY, {"ltviz.methods": {"greedy": "greedy:Greedy"}})
    runs = tuple(launch.JobRun(run_id=f"first-{name}", method=name) for name in ("ce", "greedy"))
    with launch.hold_app_lock(home):
        launch.submit(home, launch.Job(job_id="first", runs=runs, run=RUN))
        last = (launch.JobRun(run_id="second-ce", method="ce"),)
        launch.submit(home, launch.Job(job_id="second", runs=last, run=RUN))
        child = subprocess.Popen([sys.executable, "-c", LIMITED, "--home", str(home), "--id", "limited"])
        try:
            assert wait_for_end(home / "first-greedy") == "failed"
            reason = Recording(home / "first-greedy").status().reason or ""
            assert reason.startswith("greedy ran out of memory on cpu at step 6 (4294967296 bytes were needed); try"), (
                reason
            )
            assert "instead of 16" in reason and reason.endswith("the weights of step 5 are kept")
            assert load_weights(home / "first-greedy").step == 5
            assert wait_for_end(home / "first-ce") == "finished", "the race goes on"
            assert wait_for_end(home / "second-ce") == "finished", "so does the worker"
        finally:
            child.kill()
            child.wait()


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("can't allocate memory: you tried to allocate 4096 bytes.")]
)
def test_a_run_that_cannot_even_begin_says_so(home: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def begin(job: launch.Job, entrants: object) -> None:
        raise error

    worker = Worker(home, "worker-one", lock=-1)
    monkeypatch.setattr(worker, "_begin", begin)
    worker.train(launch.Job(job_id="job", runs=(launch.JobRun(run_id="some-run", method="ce"),), run={}))
    status = Recording(home / "some-run").status()
    assert status.state == "failed" and not worker.stop.asked
    assert "ran out of memory before its first step" in (status.reason or "") and "try a" in (status.reason or "")
