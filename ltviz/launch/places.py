"""Which device a job goes to: several share one while what they need fits in its memory, the others wait in order.

No torch here: workers report the devices that they see, and every job that is taken keeps in its file what it was
given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field


class Device(BaseModel):
    """A GPU as a worker reports it. `uuid` is the same in every process, whatever number it has there."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    uuid: str
    title: str
    bytes: int = Field(ge=0)


class Place(BaseModel):
    """What a job was given: uuids of devices, the number of the first as its worker counts, and bytes on each."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    devices: tuple[str, ...] = Field(min_length=1)
    first: int = Field(ge=0)
    bytes: int = Field(ge=0)


@dataclass(frozen=True)
class Wish:
    """What a job asks for.

    Attributes:
        bytes: of memory on each device; None where nobody knows, which takes a whole one.
        count: devices that take its steps together, neighbours.
        only: number of the first where a person has named it.
        anywhere: whether it needs none of them: it computes on the CPU.
    """

    bytes: int | None = None
    count: int = 1
    only: int | None = None
    anywhere: bool = False


@dataclass
class Room:
    """The devices of a machine and what is left on them.

    Args:
        devices: in the order of their numbers.
        taken: places of the jobs that train.

    Attributes:
        free: bytes that nobody has taken, by number.
    """

    devices: Sequence[Device]
    taken: Iterable[Place] = ()
    free: list[int] = field(init=False)
    _jobs: list[int] = field(init=False)

    def __post_init__(self) -> None:
        number = {device.uuid: i for i, device in enumerate(self.devices)}
        self.free, self._jobs = [device.bytes for device in self.devices], [0 for _ in self.devices]
        for place in self.taken:
            for i in (number[uuid] for uuid in place.devices if uuid in number):
                self.free[i], self._jobs[i] = self.free[i] - place.bytes, self._jobs[i] + 1

    def first_that_fits(self, wishes: Mapping[str, Wish]) -> tuple[str, Place | None] | None:
        """The first job, in order, that can begin now, and where; None where all have to wait.

        One that waits keeps others from the devices that will have room for it, so that it is not overtaken for ever.

        Args:
            wishes: id of each waiting job -> what it asks for.
        """
        kept: set[int] = set()
        for job, wish in wishes.items():
            windows = [] if wish.anywhere else self._windows(wish)
            if not windows:
                return job, None  # on the CPU; or on what is not here, which its trainer says
            need = self._need(wish, windows)
            fitting = [window for window in windows if not kept.intersection(window) and self._fits(window, need)]
            if fitting:
                # those with fewest jobs first, then the tightest: large ones are left for large jobs
                chosen = min(fitting, key=lambda window: self._load(window, need is None))
                given = max(self.devices[i].bytes for i in chosen) if need is None else need
                return job, Place(devices=tuple(self.devices[i].uuid for i in chosen), first=chosen[0], bytes=given)
            kept |= set(max(windows, key=lambda window: (self._holds(window, need), self._least(window))))
        return None

    def _windows(self, wish: Wish) -> list[range]:
        starts = range(len(self.devices) - wish.count + 1)
        return [range(i, i + wish.count) for i in starts if wish.only in (None, i)]

    def _need(self, wish: Wish, windows: Sequence[range]) -> int | None:
        """What is asked of each device: never more than the largest has, since it is an estimate and no refusal."""
        most = max(min(self.devices[i].bytes for i in window) for window in windows)
        return None if wish.bytes is None else min(wish.bytes, most)

    def _fits(self, window: range, need: int | None) -> bool:
        return all(self.free[i] >= (self.devices[i].bytes if need is None else need) for i in window)

    def _holds(self, window: range, need: int | None) -> bool:
        return need is None or all(self.devices[i].bytes >= need for i in window)

    def _least(self, window: range) -> int:
        return min(self.free[i] for i in window)

    def _load(self, window: range, whole: bool) -> tuple[int, int]:
        jobs, free = max(self._jobs[i] for i in window), self._least(window)
        return jobs, -free if whole else free
