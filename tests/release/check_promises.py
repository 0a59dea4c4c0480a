"""Runs the tests behind what is promised of faults and hostile files, and prints a table of them for the README.

    python tests/release/check_promises.py > promises.md        LTVIZ_NIGHTLY=1 runs the long versions

The result and the seconds are those of this run; a row without a test says so.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import xml.etree.ElementTree as Xml
from pathlib import Path

ROOT = Path(__file__).parents[2]
_CUT, _RACE = "faults/test_damaged_files.py", "training/test_race.py"
_STREAM, _SERVER = "app/test_stream.py", "app/test_server.py"
PROMISES = {
    "F1": ("a killed trainer loses no frame", "faults/test_killed_writer.py"),
    "F2": ("a resumed run is the uninterrupted one, bit for bit on the CPU", "training/test_resume.py"),
    "F3": ("bytes reach the disk before their name does", "faults/test_order_of_writing.py"),
    "F4": ("a full disk pauses, says so and loses nothing", "faults/test_full_disk.py"),
    "F5": (
        "a file that is cut costs no other",
        f"{_CUT}::test_a_file_cut_anywhere_costs_no_other",
    ),
    "F6": (
        "every flipped bit is noticed",
        f"{_CUT}::test_five_hundred_flipped_bits_are_all_noticed",
    ),
    "F7": ("a loss that is not finite changes no weight", "training/test_learner.py"),
    "F8": (
        "out of memory ends one run and offers a batch size",
        f"{_RACE}::test_a_method_that_breaks_ends_alone",
    ),
    "F9": ("without CUDA the CPU trains only where that was left open", "training/test_engine.py"),
    "F10": ("two apps on one home take a job once", "launch/test_queue.py"),
    "F11": ("a second writer is refused within a second", "faults/test_two_writers.py"),
    "F12": ("a clock that jumps changes nothing", "faults/test_clock.py"),
    "F13": ("training outlives the app", "launch/test_workers.py"),
    "F14": ("ten viewers of a live race", ""),
    "F15": (
        "a slow viewer skips to the newest frame",
        f"{_STREAM}::test_one_slow_viewer_does_not_hold_up_another",
    ),
    "F16": ("a folder that is deleted while it is watched is said", "faults/test_vanishing_folder.py"),
    "F17": ("older recordings open, newer ones are refused clearly", "recording/test_golden_records.py"),
    "F18": ("a stop ends its own process group in bounded time", "app/test_supervisor.py"),
    "H1": ("a zip bomb is refused unopened", "hostile/test_uploads.py::test_a_zip_bomb_is_refused_unopened"),
    "H2": ("a directory that lies is refused", "hostile/test_uploads.py::test_a_directory_that_lies_is_refused"),
    "H3": ("pickles do not run", "hostile/test_uploads.py::test_pickles_are_refused_and_do_not_run"),
    "H4": (
        "sizes that lie take no memory",
        "hostile/test_uploads.py::test_headers_that_lie_are_refused_before_memory_is_taken",
    ),
    "H5": (
        "nothing is unpacked to a path of its own",
        "hostile/test_uploads.py::test_members_with_other_names_are_refused_and_nothing_is_unpacked",
    ),
    "H6": ("every kind of unfit array has its sentence", "data/test_upload_cases.py"),
    "H7": (
        "tables are read in a child with limits",
        "hostile/test_uploads.py::test_a_table_cannot_take_memory_or_time_from_the_app",
    ),
    "H8": ("names are shown as text", "app/test_pages.py::test_names_from_outside_are_text_everywhere"),
    "H9": ("a stranger's run folder runs nothing and reads nothing outside", "hostile/test_run_folder.py"),
    "H10": ("safetensors that lie are refused", "hostile/test_uploads.py::test_safetensors_that_lie_are_refused"),
    "H11": ("other sites and names are refused", "app/test_server.py::test_another_host_name_is_refused"),
    "H12": (
        "a page shows no path of an error",
        f"{_SERVER}::test_streamlit_knows_every_option_and_stays_silent",
    ),
    "H13": ("nothing but the stage is served", "app/test_server.py::test_nothing_but_the_stage_is_served"),
    "text": ("no terminal or page obeys a stranger's text", "hostile/test_text_from_outside.py"),
    "others": ("folders of other people break no reader", "faults/test_foreign_permissions.py"),
    "roles": ("viewers of a shared app change nothing", "app/test_sharing.py"),
    "doctor": ("a repaired run has lost nothing", "cli/test_doctor.py"),
}


def measure(tests: str) -> tuple[str, float]:
    """How the tests of one row went, and the seconds they took."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", f"tests/{tests}", "--junitxml", str(report)]
        subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        suite = Xml.parse(report).getroot().find("testsuite") if report.exists() else None
    if suite is None:
        return "did not run", 0.0
    count = {name: int(suite.get(name, "0")) for name in ("tests", "failures", "errors", "skipped")}
    broken = count["failures"] + count["errors"]
    held = f"{count['tests'] - broken - count['skipped']} of {count['tests']} hold"
    return held + (f", {count['skipped']} skipped" if count["skipped"] else ""), float(suite.get("time", "0"))


def main(wanted: list[str]) -> int:
    print("| | what holds | tested by | result | seconds |\n|---|---|---|---|---|")
    failed = False
    for row, (promise, tests) in PROMISES.items():
        if wanted and row not in wanted:
            continue
        result, seconds = measure(tests) if tests else ("no test yet", 0.0)
        failed |= bool(tests) and not result.startswith(f"{result.partition(' of ')[2].partition(' ')[0]} of")
        print(f"| {row} | {promise} | {f'`{tests}`' if tests else '-'} | {result} | {seconds:.1f} |", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
