"""A rank whose device is lost, or that has no memory left, ends the race soon: with its reason and the last weights."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import torch

from ltviz.recording import Recording, load_weights
from ltviz.training.follower import _last_word
from ltviz.training.meeting import EXHAUSTED, LAST_WORDS, LOST
from ltviz.training.settings import RunSettings
from ltviz.training.start import Entrant, begin

WITHIN = 20.0
"""Seconds in which all have ended."""
QUICK = {"steps": 2000, "batch_size": 16, "max_per_class": 30, "imbalance_factor": 10, "probe_points": 20}
QUICK |= {"least_frames": 1, "watch_share": 0.01, "forces_every": 0, "device": "cpu", "evaluate": False, "devices": 2}
SAID = {
    "lost": "CUDA error: unspecified launch failure",
    "memory": "DefaultCPUAllocator: can't allocate memory: you tried to allocate 4096 bytes.",
}
BROKEN = """
import time
from dataclasses import replace
from pathlib import Path

import torch

from ltviz.methods.registry import method


class Broken(method("ce")):
    card = replace(method("ce").card, name="broken")

    def losses(self, batch):
        if batch.step == 6 and torch.distributed.is_initialized() and torch.distributed.get_rank() == {rank}:
            Path({told!r}).write_text(str(time.monotonic()))
            raise RuntimeError({said!r})
        return super().losses(batch)
"""


@pytest.mark.parametrize(
    "rank, fault, reasons",
    [
        (1, "lost", ["rank 1 has ended (its device was lost), and a step needs all 2 ranks"] * 2),
        (0, "memory", ["a step broke off (there was no memory for it)", "broken ran out of memory on cpu at step 6"]),
    ],
)
def test_it_ends_the_race_soon_and_the_last_weights_are_kept(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    install: Callable[..., Path],
    rank: int,
    fault: str,
    reasons: list[str],
) -> None:
    monkeypatch.setattr("ltviz.training.phase.SAVE_STEPS", 4)
    told = tmp_path / "told"
    source = BROKEN.format(rank=rank, told=str(told), said=SAID[fault])
    install("broken_rank", source, {"ltviz.methods": {"broken": "broken_rank:Broken"}})
    entrants = [Entrant(tmp_path / name, name) for name in ("ce", "broken")]
    outcomes = begin(entrants, RunSettings.model_validate(QUICK)).run()
    assert time.monotonic() - float(told.read_text()) < WITHIN
    assert not [one for one in psutil.Process().children() if "follower" in " ".join(one.cmdline())]
    for outcome, reason in zip(outcomes, reasons, strict=True):
        status = Recording(outcome.path).status()
        assert status.state == outcome.state == "failed" and status.reason == outcome.reason
        assert reason in (outcome.reason or ""), outcome.reason
        step = load_weights(outcome.path).step
        assert step in (4, 5, 6) and f"the weights of step {step} are kept" in (outcome.reason or "")
        assert Recording(outcome.path).bad_frames() == []


@pytest.mark.parametrize(
    "error, code",
    [
        (RuntimeError(SAID["lost"]), LOST),
        (RuntimeError(SAID["memory"]), EXHAUSTED),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB."), EXHAUSTED),
        (MemoryError(), EXHAUSTED),
        (RuntimeError("Connection closed by peer"), None),
        (ValueError("something else"), None),
    ],
)
def test_a_rank_tells_why_it_ends_by_its_exit_code(error: Exception, code: int | None) -> None:
    assert _last_word(error) == code
    assert code is None or LAST_WORDS[code]
