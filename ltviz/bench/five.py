"""A race beside its methods alone: what five at once cost, from the settings to the last judgement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from ltviz.bench.turns import Clock
from ltviz.training.lane import Lane
from ltviz.training.settings import RunSettings
from ltviz.training.shared_start import prepare
from ltviz.training.start import Entrant, begin

FIVE = ("ce", "supcon", "bcl", "tsc", "logit_adjust")
"""The race that the app opens with."""
PARTS = {"train": "steps", "record": "frames", "evaluate": "judges"}
"""What a lane is asked to do, and what it is called here."""


def race_of_five(run: RunSettings, folder: Path) -> str:
    """A line of text: a race's time over that of its methods one after the other, and over one of them; its parts.

    Args:
        run: with one thread on the CPU the clock is the process's own, and a busy machine does not matter.
    """
    clock = Clock(prepare(run).engine.device, run.threads or 1)

    def spend(*names: str) -> tuple[float, dict[str, float]]:
        entrants = [Entrant(folder / f"{len(names)}-{name}", name) for name in names]
        with _watched(clock) as spent:
            begun = clock()
            begin(entrants, run).run()
            whole = clock() - begun
        spent["all else"] = whole - sum(spent.values())
        return whole, spent

    one_by_one = sum(spend(name)[0] for name in FIVE)
    together, spent = spend(*FIVE)
    parts = ", ".join(
        f"{part} {share / together:.0%}" for part, share in sorted(spent.items(), key=lambda item: -item[1])
    )
    return (
        f"race of {len(FIVE)} ({', '.join(FIVE)}), {run.steps} steps, {clock.name} clock: {together:.1f} s, "
        f"{together / one_by_one:.2f}x its methods one by one, "
        f"{together * len(FIVE) / one_by_one:.2f}x one of them on average; of its time {parts}"
    )


@contextmanager
def _watched(clock: Clock) -> Iterator[dict[str, float]]:
    """Seconds of each part, of all lanes."""
    spent: dict[str, float] = defaultdict(float)

    def timed(act: Callable[..., Any], part: str) -> Callable[..., Any]:
        def take(*given: Any, **more: Any) -> Any:
            begun = clock()
            try:
                return act(*given, **more)
            finally:
                spent[part] += clock() - begun

        return take

    with ExitStack() as stack:
        for name, part in PARTS.items():
            stack.enter_context(patch.object(Lane, name, timed(getattr(Lane, name), part)))
        yield spent
