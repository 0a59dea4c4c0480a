"""`ltviz bench app`: from the command to a moving picture, and from Train to the end of the race, in a real browser."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from ltviz.bench.five import race_of_five
from ltviz.bench.opening import opening
from ltviz.bench.served import app, browser, open_page
from ltviz.recording import list_runs
from ltviz.training.settings import RunSettings

# `drawn` counts, by run, frames whose picture is finished: empty spheres are a picture, and what came is not yet seen.
DRAWN = "() => Object.keys(window.ltviz?.stage?.drawn ?? {}).length > 0"
LIVE = "() => Object.keys(window.ltviz.stage.drawn).some(run => !run.startsWith('demo-'))"

OPENINGS = 3
RACE_STEPS = 150


def run(argv: Sequence[str] = ()) -> None:
    """Prints a Markdown table: start, beside an empty page, memory, Train to first live frame, length of the race."""
    with tempfile.TemporaryDirectory() as name, browser() as chromium:
        home = Path(name)
        openings = [opening(chromium) for _ in range(OPENINGS)]
        with app(home) as running:
            page = open_page(chromium, running.address)
            page.wait_for_function(DRAWN, timeout=60_000)
            start = time.monotonic() - running.started

            page.get_by_role("button", name="train").first.wait_for()
            time.sleep(6)  # the standby worker imports torch meanwhile, as it does while a person reads the page
            clicked = time.monotonic()
            page.get_by_role("button", name="train").first.click()
            page.wait_for_function(LIVE, timeout=60_000)
            first_live = time.monotonic() - clicked

            while not (states := [r.status().state for r in list_runs(home)]) or set(states) - {"finished", "failed"}:
                time.sleep(0.1)
            race = time.monotonic() - clicked
            rows = {
                "points after the side bar, s": _spread([one.after_side_bar for one in openings]),
                "`ltviz app` to points / an empty Streamlit page": _spread([one.ratio for one in openings]),
                "start of `ltviz app` to first drawn frame, s": f"{start:.1f}",
                "click on Train to first live frame, s": f"{first_live:.2f}",
                f"race of {len(states)} methods from click to end, s": f"{race:.1f}",
                "states at the end": ", ".join(sorted(set(states))),
                "app process, MB resident": f"{running.resident_mb():.0f}",
                "torch in the app process": "yes" if running.has_torch() else "no",
                "WebGL contexts made": str(page.evaluate("window.contexts()")),
                "mounts": str(page.evaluate("window.ltviz.stage.mounts")),
            }
    print("| figure | measured |\n|---|---|")
    for figure, value in rows.items():
        print(f"| {figure} | {value} |")
    with tempfile.TemporaryDirectory() as name:
        settings = RunSettings.model_validate({"data": "digits-lt", "device": "cpu", "threads": 1, "steps": RACE_STEPS})
        print(race_of_five(settings, Path(name)))


def _spread(numbers: Sequence[float]) -> str:
    return f"{statistics.median(numbers):.2f} ({min(numbers):.2f} to {max(numbers):.2f})"
