"""Which device a job goes to, on machines that are made up: what fits shares, what does not waits, nobody for ever."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from ltviz import launch
from ltviz.launch import needs
from ltviz.launch.places import Device, Place, Room, Wish
from ltviz.launch.worker import device_of
from ltviz.recording import Recording
from ltviz.training.settings import RunSettings

GB = 10**9
SMALL, LARGE = Device(uuid="s", title="Small", bytes=8 * GB), Device(uuid="l", title="Large", bytes=24 * GB)
BOTH = (SMALL, LARGE)


def on(device: Device, gigabytes: float) -> Place:
    return Place(devices=(device.uuid,), first=BOTH.index(device), bytes=round(gigabytes * GB))


def of(gigabytes: float, count: int = 1, only: int | None = None) -> Wish:
    return Wish(round(gigabytes * GB), count, only)


def begins(wishes: dict[str, Wish], *taken: Place, devices: tuple[Device, ...] = BOTH) -> tuple[str, int | None] | None:
    """The job that begins, and the number of its device."""
    found = Room(devices, taken).first_that_fits(wishes)
    return None if found is None else (found[0], None if found[1] is None else found[1].first)


def test_a_device_takes_several_while_their_sum_fits() -> None:
    assert begins({"a": of(3)}) == ("a", 0), "the tighter of two that are empty"
    assert begins({"a": of(3)}, on(SMALL, 3)) == ("a", 1), "the emptier one"
    assert begins({"a": of(3)}, on(SMALL, 3), on(LARGE, 3)) == ("a", 0)
    assert begins({"a": of(3)}, on(SMALL, 6), on(LARGE, 3)) == ("a", 1)
    assert begins({"a": of(3)}, on(SMALL, 6), on(LARGE, 22)) is None


def test_a_smaller_one_overtakes_but_not_where_the_first_waits_for_room() -> None:
    wishes = {"big": of(20), "small": of(4)}
    assert begins(wishes, on(LARGE, 10)) == ("small", 0), "the 8 GB are of no use to the first"
    assert begins(wishes, on(LARGE, 10), on(SMALL, 6)) is None, "14 GB are free, which the first waits to become 20"
    assert begins({"small": of(4), "big": of(20)}, on(LARGE, 10), on(SMALL, 6)) == ("small", 1), "unless it comes first"


def test_what_is_larger_than_any_device_begins_on_an_empty_one() -> None:
    """An estimate refuses nothing."""
    assert begins({"huge": of(100)}, on(SMALL, 1)) == ("huge", 1)
    assert begins({"huge": of(100)}, on(LARGE, 1)) is None


def test_what_nobody_can_estimate_takes_a_whole_device() -> None:
    assert begins({"a": Wish()}) == ("a", 1)
    assert begins({"a": Wish()}, on(LARGE, 1)) == ("a", 0)
    assert begins({"a": Wish()}, on(LARGE, 1), on(SMALL, 1)) is None
    assert begins({"a": of(1)}, Place(devices=("l",), first=1, bytes=LARGE.bytes), on(SMALL, 8)) is None


def test_several_devices_are_neighbours_and_one_that_is_named_is_that_one() -> None:
    four = tuple(Device(uuid=str(i), title="T", bytes=8 * GB) for i in range(4))
    full = Place(devices=("1",), first=1, bytes=8 * GB)
    assert begins({"a": of(5, count=2)}, full, devices=four) == ("a", 2)
    assert begins({"a": of(5, count=3)}, full, devices=four) is None
    assert begins({"a": of(5, count=5)}, full, devices=four) == ("a", None), "its trainer says that they are not there"
    assert begins({"a": of(5, only=1)}, full, devices=four) is None
    assert begins({"a": of(5, only=7)}, full, devices=four) == ("a", None)
    assert begins({"a": Wish(anywhere=True)}, *(on(SMALL, 8), on(LARGE, 24))) == ("a", None)


def job(number: int, **run: object) -> launch.Job:
    runs = (launch.JobRun(run_id=f"run-{number}", method="supcon"),)
    return launch.Job(job_id=f"job-{number}", runs=runs, run={"steps": 5, **run})


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Gigabytes by job, instead of estimates."""
    told: dict[str, float] = {}
    monkeypatch.setattr(needs, "wish_of", lambda home, one: of(told[one.job_id]))
    return told


def test_workers_share_devices_and_give_them_back(home: Path, sizes: dict[str, float]) -> None:
    sizes |= {"job-1": 20, "job-2": 5, "job-3": 4, "job-4": 4}
    for number in (1, 2, 3, 4):
        launch.submit(home, job(number))
    choose = needs.chooser(home, BOTH)
    taken = [launch.claim(home, f"worker-{i}", choose) for i in range(4)]
    placed = [one and (one.job_id, one.place and one.place.first) for one in taken]
    assert placed == [("job-1", 1), ("job-2", 0), ("job-3", 1), None], "4 more GB are on neither"
    books = {found.job_id: found.place for found, place, _ in launch.jobs(home) if place == "claimed"}
    assert books["job-3"] == on(LARGE, 4), "it stands in the file that others read"
    launch.release(home, "job-2", "worker-1")
    assert (found := launch.claim(home, "worker-3", choose)) is not None and found.place == on(SMALL, 4)
    assert needs.chooser(home, ()) is None, "without devices the oldest is taken"


def test_workers_that_look_at_once_do_not_give_the_same_room_twice(home: Path, sizes: dict[str, float]) -> None:
    sizes |= {f"job-{number}": 3 for number in range(20)}
    for number in range(20):
        launch.submit(home, job(number))
    choose, taken = needs.chooser(home, BOTH), []

    def take(worker: str) -> None:
        while (found := launch.claim(home, worker, choose)) is not None:
            taken.append(found)

    threads = [threading.Thread(target=take, args=(f"worker-{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.place.first for one in taken) == [0] * 2 + [1] * 8


def test_the_order_is_what_one_makes_it(home: Path) -> None:
    for number in range(4):
        launch.submit(home, job(number))

    def order() -> str:
        return "".join(found.job_id[-1] for found, _, _ in launch.jobs(home))

    assert launch.move(home, "job-3", "job-0") and order() == "3012"
    assert launch.move(home, "job-1", "job-0") and order() == "3102"
    assert launch.move(home, "job-3", "job-0") and order() == "1302"
    assert not launch.move(home, "job-3", "job-0") and order() == "1302", "a press that is heard twice moves once"
    assert launch.move(home, "job-0", "job-1") and order() == "0132"
    assert not launch.move(home, "job-9", "job-0") and not launch.move(home, "job-0", "job-9"), "it has been taken"
    assert not launch.move(home, "job-0", "job-0") and order() == "0132"
    launch.submit(home, job(4))
    assert order() == "01324", "what comes later is last"
    assert (found := launch.claim(home, "worker-a")) is not None and found.job_id == "job-0"


def test_files_of_one_time_have_an_order_too(home: Path) -> None:
    import os

    for number in range(3):
        launch.submit(home, job(number))
        os.utime(home / ".ltviz" / "queue" / f"job-{number}.json", ns=(10**18, 10**18))
    assert launch.move(home, "job-2", "job-0") and launch.move(home, "job-1", "job-0")
    assert [found.job_id for found, _, _ in launch.jobs(home)] == ["job-2", "job-1", "job-0"]


def test_the_estimate_knows_networks_batches_and_data() -> None:
    def memory(methods: int = 1, **run: object) -> int:
        found = needs.memory_of(RunSettings.model_validate({"data": "digits-lt", **run}), methods)
        assert found is not None
        return found

    def nobody_knows(run: dict[str, str]) -> bool:
        return needs.memory_of(RunSettings.model_validate(run), 1) is None

    small = memory()
    assert needs.CONTEXT < small < needs.CONTEXT + 0.1 * GB
    grown = memory(encoder="resnet32", batch_size=256) - needs.CONTEXT
    kept = 256 * 3 * 64 * 2390
    assert kept < grown < 1.5 * kept, "activations lead"
    assert memory(encoder="resnet32", batch_size=256, precision="bf16") < memory(encoder="resnet32", batch_size=256)
    assert memory(5, encoder="resnet32") > memory(1, encoder="resnet32")
    assert nobody_knows({"encoder": "timm:vit_tiny_patch16_224"})
    assert nobody_knows({"data": "no-such-set"})


def test_kept_bytes_are_those_that_torch_keeps() -> None:
    import torch

    from ltviz import encoders
    from ltviz.training.engine import growth

    for name in ("mlp", "convnet", "resnet32"):
        encoder, _ = encoders.build(name, (32, 32, 3))
        with growth(torch.device("cpu"), list(encoder.parameters())) as grown:
            encoder(torch.randn(2, 3, 32, 32)).sum().backward()
        assert grown.bytes / 2 / 32**2 <= 1.05 * needs._KEPT[name]
        assert name != "resnet32" or grown.bytes / 2 / 32**2 >= 0.9 * needs._KEPT[name]


def test_a_wish_is_read_from_the_settings_of_the_run_and_of_one_that_goes_on(home: Path) -> None:
    assert needs.wish_of(home, job(1, device="cpu")).anywhere
    assert needs.wish_of(home, job(2, device="cuda:1")).only == 1
    assert needs.wish_of(home, job(3, devices=2)).count == 2
    assert needs.wish_of(home, launch.Job(job_id="goes-on", runs=job(4).runs, resume=True)) == Wish(), (
        "there is no run yet"
    )


def test_a_job_computes_where_it_was_placed(home: Path, tmp_path: Path) -> None:
    placed = job(1).model_copy(update={"place": on(LARGE, 1)})
    assert device_of(placed, BOTH, None) == "cuda:1"
    assert device_of(job(1).model_copy(update={"place": on(SMALL, 1)}), BOTH, None) is None, "auto is the first"
    assert device_of(job(1), (), None) is None
    left = tmp_path / "left"
    left.mkdir()
    about = {"run_id": "left", "created": 1.0, "dim": 3, "num_classes": 1, "class_names": ["a"], "counts": [3]}
    (left / "run.json").write_text(json.dumps(about | {"config": {"run": {"device": "cuda:1"}}}))
    assert device_of(job(1), (), Recording(left)) == "auto", "the device that it was on has gone"
    assert device_of(placed, BOTH, Recording(left)) == "cuda:1"
