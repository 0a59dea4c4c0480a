"""Training by ltviz beside a plain PyTorch loop of the same model, in the same run (`ltviz bench train`).

Ours is a whole run as `ltviz train` makes it: frames, forces, measures and recording among its time. The plain one is
`ltviz.bench.plain`. They take turns, a block of steps each, so that whatever else the machine does meets both alike,
and both must give one and the same loss before they are timed. With one CPU thread the clock is the process's, with
more threads or a GPU it is the wall's.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ltviz.bench.plain import LOSSES, PlainLoop, affine, crop_flip
from ltviz.bench.turns import HEADER, PARTS, Clock, Row, Turns
from ltviz.data import registry as data_registry
from ltviz.data.device_inputs import DeviceInputs
from ltviz.methods import registry
from ltviz.training import engine
from ltviz.training.learner import Learner
from ltviz.training.race import Race
from ltviz.training.settings import RunSettings
from ltviz.training.shared_start import SharedStart, prepare
from ltviz.training.start import Entrant, begin

RACE = ("ce", "logit_adjust", "supcon", "bcl")
NINE = ("supcon", "ce", "bcl", "logit_adjust", "simclr", "moco", "kcl", "paco", "gml")
"""Methods whose steps can be captured as CUDA graphs; races of the first ones."""
RACES = (1, 4, 9)
CIFAR = "cifar10-lt"
CIFAR_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
BLOCKS = 40
"""Turns of each side."""
FEWEST_STEPS, MOST_STEPS = 8, 20_000
_WARM = 3
_SHARE_STEPS = 60
_HOW = ("eager", "graphs")
_UNTIL_CAPTURED, _BETWEEN_LOOKS = 20, 10


def settings(case: argparse.Namespace, steps: int, *, graphs: bool = False) -> RunSettings:
    """Of a run of that many steps."""
    return RunSettings(
        **case.run,
        batch_size=case.batch,
        encoder=case.network,
        steps=steps,
        device=case.device,
        threads=case.threads,
        evaluate=False,
        cuda_graphs="on" if graphs else "off",
    )


def plain_loop(name: str, shared: SharedStart) -> PlainLoop:
    """The plain loop of a method from the same start."""
    kind, run, batches, inputs = registry.method(name), shared.run, shared.batches, shared.batches.inputs
    assert isinstance(inputs, DeviceInputs), "a plain loop takes whole images"
    moved = affine if inputs.shape[0] == 1 else crop_flip
    return PlainLoop(
        name,
        shared.build(kind, kind.Settings()),
        inputs.at(np.arange(len(inputs))),
        batches.labels,
        lambda images: inputs.normalise(moved(images)),
        batch_size=run.batch_size,
        steps=run.steps,
        learning_rate=run.learning_rate,
        weight_decay=run.weight_decay,
    )


def check_equal(name: str, shared: SharedStart) -> None:
    """Both sides compute the same loss of the same batch.

    Raises:
        AssertionError: they do not, and a comparison would say nothing.
    """
    kind, batch = registry.method(name), shared.batches.at(1)
    loss, num_views = LOSSES[name]
    counts = torch.bincount(batch.y.new_tensor(shared.data.train_labels)).to(batch.y.device)
    with shared.engine.autocast(), torch.no_grad():
        one, other = (shared.build(kind, kind.Settings()) for _ in range(2))
        ours = one.weigh(one.losses(batch))
        theirs = loss(other, [batch.view(i) for i in range(num_views)], batch.y, (counts / counts.sum()).log())
    torch.testing.assert_close(ours.float(), theirs.float(), rtol=1e-3, atol=1e-4)


def measure(case: argparse.Namespace, name: str, folder: Path, *, graphs: bool = False) -> Row:
    """One method alone beside the plain loop, for about `case.seconds`; its steps as CUDA graphs, or one operation at a
    time and with the shares of what they are made of."""
    shared = prepare(settings(case, MOST_STEPS, graphs=graphs))
    clock = Clock(shared.engine.device, case.threads)
    check_equal(name, shared)
    steps = _steps_within(case.seconds / 2, plain_loop(name, shared).step, clock)
    block = max(1, steps // BLOCKS)
    steps = steps // block * block
    shared = prepare(settings(case, steps, graphs=graphs))
    plain = plain_loop(name, shared)
    for _ in range(_WARM):
        plain.step()
    turns = Turns(clock, plain.step, block)
    how = f"{name}, {_HOW[graphs]}" if case.graphs else name
    race = begin([Entrant(folder / f"{case.network}-{how}", name)], shared.run, progress=turns.progress)
    (outcome,) = turns.run(race)
    shares = {} if graphs else parts_of_a_step(name, shared, clock)
    return _row(
        case,
        how,
        shared,
        clock,
        steps_per_second=steps / turns.ours,
        images_per_second=outcome.metrics["images_seen"] / turns.ours,
        plain_steps_per_second=steps / turns.plain,
        ratio=turns.plain / turns.ours,
        shares={part: share * (1 - outcome.watch_share) for part, share in shares.items()}
        | ({"frames": outcome.watch_share} if shares else {}),
    )


def measure_race(case: argparse.Namespace, alone: Sequence[Row], folder: Path) -> Row:
    """All methods of `alone` in one race."""
    names, per_step = [row.method for row in alone], sum(1 / row.steps_per_second for row in alone)
    steps = max(FEWEST_STEPS, min(MOST_STEPS, round(case.seconds / per_step)))
    shared = prepare(settings(case, steps))
    clock = Clock(shared.engine.device, case.threads)
    race = begin([Entrant(folder / f"{case.network}-race-{name}", name) for name in names], shared.run)
    turns = Turns(clock, None, 1)
    outcomes = turns.run(race)
    return _row(
        case,
        f"race of {len(names)}",
        shared,
        clock,
        steps_per_second=steps / turns.ours,
        images_per_second=sum(outcome.metrics["images_seen"] for outcome in outcomes) / turns.ours,
        plain_steps_per_second=None,
        ratio=turns.ours / steps / (per_step / len(names)),
        shares={},
    )


def measure_graphs(case: argparse.Namespace, folder: Path) -> Iterator[Row]:
    """Steps of races, without frames, one operation at a time and as CUDA graphs; a race of one, one operation at a
    time, is the measure of all."""
    one = 0.0
    for count, captured in itertools.product(RACES, (False, True)):
        run, how = settings(case, MOST_STEPS, graphs=captured), _HOW[captured]
        names = [(name, {"teacher": "none"} if name == "gml" else {}) for name in NINE[:count]]
        home = folder / f"{case.network}-{count}-{how}"
        race = begin([Entrant(home / name, name, values) for name, values in names], run)
        shared, steps = prepare(run), itertools.count(1)
        clock = Clock(shared.engine.device, case.threads)
        _advance(race, itertools.islice(steps, _UNTIL_CAPTURED))
        begun, taken = clock(), 0
        while clock() - begun < case.seconds / (2 * len(RACES)):
            taken += _advance(race, itertools.islice(steps, _BETWEEN_LOOKS))
        each = (clock() - begun) / taken
        one = one or each
        images = 0.0
        for lane in race.lanes:
            lane.record(0.0, race.batches.at(lane.step + 1))  # the frame knows how many images there were
            images += lane.progress.metrics["images_seen"] / lane.step
            lane.end("finished", None)
        yield _row(
            case,
            f"{count}, {how}",
            shared,
            clock,
            steps_per_second=1 / each,
            images_per_second=images / each,
            plain_steps_per_second=None,
            ratio=each / one,
            shares={},
        )


def _advance(race: Race, steps: Iterable[int]) -> int:
    """Takes these steps in every lane, and gives how many they are."""
    taken = 0
    for step in steps:
        batch, taken = race.batches.at(step), taken + 1
        for lane in race.lanes:
            lane.train(batch)
    return taken


def _row(case: argparse.Namespace, method: str, shared: SharedStart, clock: Clock, **numbers: Any) -> Row:
    return Row(
        network=case.network,
        data=shared.run.data,
        batch=case.batch,
        method=method,
        device=shared.engine.describe()["name"],
        torch=torch.__version__,
        threads=case.threads,
        clock=clock.name,
        steps=shared.run.steps,
        **numbers,
    )


def _steps_within(seconds: float, step: Callable[[], None], clock: Clock) -> int:
    for _ in range(_WARM):
        step()
    begin = clock()
    for _ in range(_WARM):
        step()
    return max(FEWEST_STEPS, min(MOST_STEPS, round(seconds * _WARM / (clock() - begin))))


# ---------------------------------------------------------------------- where the time goes


def parts_of_a_step(name: str, shared: SharedStart, clock: Clock) -> dict[str, float]:
    """Shares of our step without frames: data, encoder (forward and backward), loss and the rest, and the optimiser."""
    kind = registry.method(name)
    method = shared.build(kind, kind.Settings())
    learner = Learner(method, shared.run, shared.engine, shared.share_of(method))
    spent = dict.fromkeys(PARTS[:-1], 0.0)
    marks: dict[str, float] = {}

    def begin_encoder(*_: Any) -> None:
        marks["encoder"] = clock()

    def end_encoder(module: nn.Module, given: Any, features: Tensor) -> None:
        spent["encoder"] += clock() - marks["encoder"]
        if features.requires_grad:
            features.register_hook(lambda _: marks.__setitem__("backward", clock()))

    move = learner.optimizer.step

    def step_of_optimizer() -> None:
        begin = clock()
        spent["encoder"] += begin - marks.pop("backward", begin)  # the encoder is the last that a gradient comes to
        move()
        spent["optimizer"] += clock() - begin

    method.encoder.register_forward_pre_hook(begin_encoder)
    method.encoder.register_forward_hook(end_encoder)
    learner.optimizer.step = step_of_optimizer  # pyright: ignore[reportAttributeAccessIssue]
    steps = min(_SHARE_STEPS, shared.run.steps)
    learner.step(shared.batches.at(1))
    spent, whole = dict.fromkeys(spent, 0.0), 0.0
    for step in range(2, steps + 2):
        begin = clock()
        batch = shared.batches.at(step)
        for view in range(LOSSES[name][1]):
            batch.view(view)
        made = clock()
        learner.step(batch)
        whole += clock() - begin
        spent["data"] += made - begin
    spent["loss"] = whole - sum(spent.values())
    return {part: seconds / whole for part, seconds in spent.items()}


# ---------------------------------------------------------------------- command line


def cases(options: argparse.Namespace, folder: Path) -> list[argparse.Namespace]:
    """Networks, and the methods that are measured on each; what a network has not the data for is left out."""
    on_gpu = engine.start(RunSettings.model_validate({"device": options.device})).device.type == "cuda"
    common = {"device": options.device, "threads": options.threads, "graphs": on_gpu}
    run: dict[str, Any] = {"data": "digits-lt"}
    small = argparse.Namespace(
        network="mlp", batch=64, methods=RACE, race=not on_gpu, run=run, seconds=options.seconds, **common
    )
    if CIFAR not in data_registry.sources():
        print(f"resnet32 is left out, since there is no data set {CIFAR}")
        return [small]
    write_cifar(folder)
    # few samples are shown, so that a frame costs no more beside the few steps of a CPU than in a long run
    run = {"data": CIFAR, "data_dir": str(folder), "imbalance_factor": 10.0, "probe_points": 100, "least_frames": 1}
    seconds = options.seconds * (1 if on_gpu else 3)
    large = argparse.Namespace(
        network="resnet32",
        batch=128,
        methods=RACE[::2] if on_gpu else RACE[:1],
        race=False,
        run=run,
        seconds=seconds,
        **common,
    )
    return [small, large]


def measure_all(case: argparse.Namespace, folder: Path) -> Iterator[Row]:
    """The rows of one network; on CUDA first what graphs are for, in case there is not time for all."""
    if case.graphs:
        yield from measure_graphs(case, folder)
        for name in case.methods:
            yield measure(case, name, folder, graphs=True)
    alone = []
    for name in case.methods:
        alone.append(measure(case, name, folder))
        yield alone[-1]
    if case.race:
        yield measure_race(case, alone, folder)


def write_cifar(folder: Path, images: int = 2000) -> None:
    """Files as those of CIFAR-10, in its binary version, with noise for images."""
    chance, home = np.random.default_rng(0), folder / "cifar-10-batches-bin"
    home.mkdir()
    for name in (*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"):
        rows = chance.integers(256, size=(images // 5, 1 + 3 * 32 * 32), dtype=np.uint8)
        rows[:, 0] = np.arange(len(rows)) % 10
        (home / name).write_bytes(rows.tobytes())
    (home / "batches.meta.txt").write_text("\n".join(CIFAR_NAMES) + "\n")


def run(argv: Sequence[str] | None = None) -> int:
    """Print the table; the command line of `ltviz bench train`."""
    parser = argparse.ArgumentParser(prog="ltviz bench train", description="Training beside a plain PyTorch loop.")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1 or mps")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of torch")
    parser.add_argument("--seconds", type=float, default=14.0, help="of each measurement, both sides together")
    parser.add_argument("--json", action="store_true", help="print one JSON object on the last line")
    options = parser.parse_args(argv)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as made:
        print(HEADER)
        for case in cases(options, Path(made)):
            for row in measure_all(case, Path(made)):
                rows.append(row)
                print(row, flush=True)
    if options.json:
        print(json.dumps({"rows": [asdict(row) for row in rows]}))
    return 0
