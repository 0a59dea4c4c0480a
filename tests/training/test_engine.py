"""Devices: what is chosen, and the sentence that says why."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ltviz.errors import ConfigError
from ltviz.recording import Recording
from ltviz.training import engine
from ltviz.training.settings import RunSettings
from ltviz.training.shared_start import prepare
from ltviz.training.start import Entrant, begin


@pytest.fixture
def no_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


def test_auto_falls_to_the_cpu_and_says_so(no_cuda: None) -> None:
    chosen = engine.start(RunSettings())
    assert chosen.device.type == "cpu"
    assert chosen.describe()["why"].startswith("cpu: auto found that")


def test_cpu_is_taken_because_it_was_asked_for() -> None:
    assert engine.start(RunSettings(device="cpu")).why == "cpu: asked for"


@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_absent_cuda_is_refused_with_the_remedy(no_cuda: None, device: str) -> None:
    with pytest.raises(ConfigError, match=rf"0 CUDA devices here\), got '{device}'; try --device auto"):
        engine.start(RunSettings(device=device))


def test_threads_are_set() -> None:
    engine.start(RunSettings(threads=2))
    assert torch.get_num_threads() == 2
    engine.start(RunSettings())
    assert torch.get_num_threads() == 1


def test_the_number_of_threads_changes_rounding_alone(tmp_path: Path) -> None:
    """Of GML, which is trained on the features of a teacher that is trained before, in evaluation mode."""
    found = []
    for threads in (1, 2):
        home = tmp_path / str(threads)
        begin([Entrant(home / "gml", "gml")], RunSettings(steps=3, threads=threads, batch_size=64)).run()
        recording: Any = Recording(home / "gml")
        found.append((recording.metrics()[0]["contrast"], recording.last().embeddings))
    engine.start(RunSettings())
    (one, z), (two, other) = found
    assert one == pytest.approx(two, rel=1e-5)
    np.testing.assert_allclose(z, other, atol=1e-4)


def _start_with_two_threads(answers) -> None:
    try:
        engine.start(RunSettings(threads=2))
    except ConfigError as error:
        answers.put(str(error))
    engine.start(RunSettings(threads=1))
    answers.put("one thread")


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system cannot fork")
def test_a_forked_process_gets_a_sentence_instead_of_waiting_for_ever() -> None:
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    child = context.Process(target=_start_with_two_threads, args=(answers,))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert answers.get().startswith("threads must be 1 in a process that was forked") and answers.get() == "one thread"


def test_bf16_is_used_inside_autocast_only() -> None:
    chosen, layer = engine.start(RunSettings(device="cpu", precision="bf16")), torch.nn.Linear(3, 3)
    with chosen.autocast():
        assert layer(torch.ones(2, 3)).dtype == torch.bfloat16
    assert layer(torch.ones(2, 3)).dtype == torch.float32


@pytest.mark.parametrize(
    "error, says",
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.50 GiB."), "2.50 GiB were needed"),
        (
            torch.OutOfMemoryError("Tried to allocate 20.00 MiB. GPU 0 has 9 GiB of which 5.25 MiB is free."),
            "20.00 MiB were needed, 5.25 MiB were free",
        ),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 4000000 bytes."),
            "4000000 bytes were needed",
        ),
        (MemoryError(), "the amount is not known"),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), None),
        (ValueError("tried to allocate 4 MiB"), None),
    ],
)
def test_exhausted_memory_is_told_from_other_faults(error: Exception, says: str | None) -> None:
    assert engine.out_of_memory(error) == says


def test_a_batch_size_that_fits_is_found_by_measuring_smaller_ones() -> None:
    """A step takes 100 bytes and 10 a sample; there are 500."""
    tried: list[int] = []

    def measure(rows: int) -> int:
        tried.append(rows)
        if rows > 40:
            raise MemoryError
        return 100 + 10 * rows

    fits, each = engine.fitting_batch(measure, 256, 500)
    assert (fits, each) == (32, (100 + 10 * 32) / 32)
    assert tried == [128, 64, 32]
    assert engine.fitting_batch(lambda rows: 0, 256, 500) == (128, None)
    assert engine.fitting_batch(lambda rows: rows, 64, 10**9) == (32, 1.0), "there is room now, but there was none"


def test_a_proposed_batch_size_was_itself_measured_to_fit() -> None:
    """A contrast takes the square of its rows: a line through 4 and 8 would promise 24 of 32."""
    fits, each = engine.fitting_batch(lambda rows: rows**2, 32, 200)
    assert (fits, each) == (8, 8.0)


def test_what_a_process_is_allowed_is_told() -> None:
    error = torch.OutOfMemoryError(
        "CUDA out of memory. Tried to allocate 64.00 MiB. GPU 0 has a total capacity of 79.18 GiB of which 72.88 GiB "
        "is free. 2.00 GiB allowed; Of the allocated memory 1.80 GiB is allocated by PyTorch"
    )
    assert engine.out_of_memory(error) == (
        "64.00 MiB were needed, 72.88 GiB were free, 2.00 GiB are allowed to this process"
    )


def test_memory_of_a_step_grows_with_its_rows() -> None:
    weight = torch.randn(8, 8, requires_grad=True)
    found = []
    for rows in (4, 8):
        with engine.growth(torch.device("cpu")) as grown:
            (torch.ones(rows, 8) @ weight).exp().sum().backward()
        found.append(grown.bytes)
    assert found[1] > found[0] >= 4 * 8 * 4


def test_sixteen_bits_are_for_cuda(no_cuda: None) -> None:
    with pytest.raises(ConfigError, match=r"precision 16 is for CUDA.*try --precision bf16"):
        engine.start(RunSettings(precision="16"))


def test_an_absent_apple_gpu_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ConfigError, match=r"no Apple GPU here\), got 'mps'; try --device auto"):
        engine.start(RunSettings(device="mps"))


def test_compiling_needs_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine.shutil, "which", lambda name: None)
    with pytest.raises(ConfigError, match=r"compile needs a C\+\+ compiler"):
        engine.start(RunSettings(device="cpu", compile=True))


def test_repeatable_operations_are_asked_of_torch_and_not_of_the_next_run() -> None:
    assert "deterministic" in engine.start(RunSettings(device="cpu", deterministic=True)).describe()["notes"][0]
    assert torch.are_deterministic_algorithms_enabled()
    engine.start(RunSettings(device="cpu"))
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_batch_that_holds_the_same_few_samples_over_and_over_is_refused() -> None:
    settings = {"data": "digits-lt", "imbalance_factor": 50.0, "probe_points": 20}
    rule = r"batch_size must be at most 2,\d+ with 3\d\d training samples, .* times, got 65,536; try 8\d"
    with pytest.raises(ConfigError, match=rule):
        prepare(RunSettings(batch_size=65536, **settings))
    assert prepare(RunSettings(batch_size=1024, **settings)).batches.at(1).size == 1024
