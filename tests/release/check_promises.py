"""Runs the tests behind what is promised of faults and hostile files, and writes the table of them.

    python tests/release/check_promises.py [F1 H3 ...] [--write]        LTVIZ_NIGHTLY=1 runs the long versions

The result, the figures that the tests measured and the seconds are those of this run. `--write` keeps them in
.github/PROMISES.md; rows that were not asked for stay as they are, and so do those whose tests were all skipped.
LTVIZ_LOAD_RECORD names what `ltviz bench load --out` wrote, LTVIZ_FUZZ_SECONDS says how long each reader is fuzzed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import xml.etree.ElementTree as Xml
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = ROOT / ".github" / "PROMISES.md"
HEAD = """\
# What is promised of faults and hostile files

Written by `python tests/release/check_promises.py --write`: each row by its own tests, with what they measured
when they last ran (`LTVIZ_NIGHTLY=1`: the long versions).

| | what holds | tested by (in `tests/`) | result | measured | seconds |
|---|---|---|---|---|---|"""
_CUT, _RACE = "faults/test_damaged_files.py", "training/test_race.py"
_FUZZ, _LOAD = "hostile/test_fuzz.py", "bench/test_load.py"
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
    "F14": (
        "ten viewers of a live run are on time; floods and broken connections cost nobody else",
        "app/test_load.py",
    ),
    "load": (
        "ten viewers of a trained race are on time for half an hour, and it is not slower",
        f"{_LOAD}::test_ten_viewers_of_a_trained_race_for_half_an_hour",
    ),
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
    "corpus": ("every file of the corpus is refused in a sentence", "hostile/test_corpus.py"),
    "fuzz": (
        "fuzzed bytes give a value or a sentence",
        f"{_FUZZ}::test_found_bytes_give_a_value_or_a_sentence",
    ),
    "atheris": (
        "so do those that coverage-guided fuzzing finds",
        f"{_FUZZ}::test_coverage_guided_fuzzing_finds_nothing",
    ),
    "parquet": ("Parquet that unpacks to too much is refused in a child", "hostile/test_parquet.py"),
    "gone": ("a server that has stopped is said within 3 s, and is back within 3 s", "browser/test_stream_gone.py"),
    "socket": (
        "buttons that a viewer was never shown do nothing on Streamlit's own socket",
        "browser/test_shared_app.py::test_buttons_that_a_viewer_was_never_shown_do_nothing_when_pressed_on_the_socket",
    ),
    "device": (
        "a device that is lost ends every run of its process and says what is kept",
        "faults/test_device_lost.py",
    ),
    "ranks": ("a rank that is lost ends its race within 20 s and says why", "faults/test_several_ranks.py"),
    "memory": (
        "runs whose worker the system killed, as for want of memory, go on from their weights",
        "launch/test_workers.py::test_a_run_whose_worker_was_killed_goes_on_from_its_weights",
    ),
    "limit": ("a run that meets a limit of memory ends alone", "faults/test_memory_limit.py"),
    "sleep": ("a trainer that slept is not lost and goes on", "faults/test_sleep.py"),
    "history": ("a look at a run costs what is new", "recording/test_frame_index.py"),
    "text": ("no terminal or page obeys a stranger's text", "hostile/test_text_from_outside.py"),
    "others": ("folders of other people break no reader", "faults/test_foreign_permissions.py"),
    "roles": ("viewers of a shared app change nothing", "app/test_sharing.py"),
    "doctor": ("a repaired run has lost nothing", "cli/test_doctor.py"),
}


def measure(tests: str) -> tuple[str, str, float]:
    """How the tests of one row went, what they measured, and the seconds they took."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", f"tests/{tests}", "--junitxml", str(report)]
        subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        suite = Xml.parse(report).getroot().find("testsuite") if report.exists() else None
    if suite is None:
        return "did not run", "", 0.0
    count = {name: int(suite.get(name, "0")) for name in ("tests", "failures", "errors", "skipped")}
    broken = count["failures"] + count["errors"]
    held = f"{count['tests'] - broken - count['skipped']} of {count['tests'] - count['skipped']} hold"
    held += f", {count['skipped']} skipped" if count["skipped"] else ""
    figures = [found.get("value", "") for found in suite.iter("property") if found.get("name") == "figure"]
    return held, "; ".join(figures), float(suite.get("time", "0"))


def known() -> dict[str, str]:
    """Row -> its line in the table as it is kept."""
    lines = TABLE.read_text(encoding="utf-8").splitlines() if TABLE.exists() else []
    return {row: line for line in lines if (row := line.removeprefix("| ").partition(" |")[0]) in PROMISES}


def main(asked: list[str]) -> int:
    wanted = [row for row in asked if row != "--write"] or list(PROMISES)
    lines, failed = known(), False
    for row in wanted:
        promise, tests = PROMISES[row]
        result, figure, seconds = measure(tests)
        if result.startswith("0 of 0 hold, "):
            print(f"{row}: {result.partition(', ')[2]}; its line stays as it is", flush=True)
            continue
        held, _, rest = result.partition(" of ")
        failed |= held != rest.partition(" ")[0]
        lines[row] = f"| {row} | {promise} | `{tests}` | {result} | {figure} | {seconds:.1f} |"
        print(lines[row], flush=True)
    if "--write" in asked:
        table = [
            HEAD,
            *(lines.get(row, f"| {row} | {PROMISES[row][0]} | `{PROMISES[row][1]}` | | | |") for row in PROMISES),
        ]
        TABLE.write_text("\n".join(table) + "\n", encoding="utf-8")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
