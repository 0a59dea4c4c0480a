"""The figures of a race that many watch, from what was measured of each window. LTVIZ_NIGHTLY=1 measures one for half
an hour, or takes the record of such a one: LTVIZ_LOAD_RECORD names what `ltviz bench load --out` wrote."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ltviz.bench.load import ASKED, LoadOptions, Window, summarise

MINUTES, VIEWERS, SILENT = 30, 10, 1


def test_a_window_with_viewers_is_held_against_those_beside_it() -> None:
    def without(steps: float) -> Window:
        return Window(0, seconds=10.0, steps=steps, app=0.01, app_mb=200.0)

    def watched(steps: float, mb: float, lag: float) -> Window:
        lags = [[lag] * 40, [lag] * 38 + [3.0] * 2]
        return Window(2, seconds=10.0, steps=steps, app=0.2, app_mb=mb, lags=lags, unanswered=[3])

    windows = [
        without(100),
        watched(90, 210, 0.1),
        without(80),
        watched(66, 240, 0.2),
        without(52),
        watched(52, 230, 0.1),
    ]
    told = summarise(LoadOptions(viewers=2, silent=1), windows)
    # The machine became slower by itself: 90 stands beside 100 and 80, 66 beside 80 and 52, and 52 beside 52.
    assert told["trainer_slower"] == 0.0
    assert (told["app_mb"], told["app_mb_gained"]) == (240, 20.0)
    assert (told["lag_p50_ms"], told["slowest_viewer_p95_ms"], told["silent_frames"]) == (100, 340, 3)
    assert (told["frames_a_second"], told["minutes"]) == (4.0, 1.0)
    assert (told["app_cores"], told["app_cores_unwatched"]) == (0.2, 0.01)


def test_ten_viewers_of_a_trained_race_for_half_an_hour(nightly: bool, tmp_path: Path, record_property) -> None:
    if not nightly:
        pytest.skip("half an hour: LTVIZ_NIGHTLY=1 runs it")
    record = Path(os.environ.get("LTVIZ_LOAD_RECORD") or tmp_path / "load.json")
    if not record.exists():
        command = [sys.executable, "-m", "ltviz", "bench", "load", "--out", str(record)]
        command += ["--minutes", str(MINUTES), "--viewers", str(VIEWERS), "--silent", str(SILENT)]
        subprocess.run(command, check=True)
    told = json.loads(record.read_text(encoding="utf-8"))
    assert told["minutes"] >= MINUTES and told["viewers"] >= VIEWERS and told["silent"] >= SILENT, "another record"
    record_property(
        "figure",
        f"{told['viewers']} viewers and {told['silent']} that never answers, {told['minutes']:.0f} minutes on "
        f"{told['cores']} cores: p95 lag {told['lag_p95_ms'] / 1000:.2f} s, app {told['app_mb']} MB and "
        f"{told['app_mb_gained']:+.0f} MB, {told['app_cores']:.2f} cores, trainer {told['trainer_slower']:.1%} slower",
    )
    assert {name: told[name] for name, most in ASKED.items() if told[name] > most} == {}
