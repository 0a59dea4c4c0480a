"""What fuzzing found is read again, and changed a little more; LTVIZ_NIGHTLY=1 lets atheris go on from there."""

from __future__ import annotations

import importlib.util
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

spec = importlib.util.spec_from_file_location("hostile_fuzz", Path(__file__).with_name("fuzz.py"))
assert spec is not None and spec.loader is not None
fuzz = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fuzz)

SECONDS = int(os.environ.get("LTVIZ_FUZZ_SECONDS", "120"))
KEEP = os.environ.get("LTVIZ_FUZZ_KEEP", "")
"""Folder that keeps what is found, one of each reader in it."""


def changed(data: bytes, chance: random.Random) -> bytes:
    """The same with a few bytes other, gone or twice."""
    found = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(found) + 1)
        found[at : at + chance.choice((0, 1, 4))] = chance.choice((b"", chance.randbytes(1), found[at : at + 8]))
    return bytes(found)


@pytest.mark.parametrize("reader", fuzz.READERS)
def test_found_bytes_give_a_value_or_a_sentence(reader: str) -> None:
    read, chance = fuzz.readers()[reader], random.Random(reader)
    seeds = fuzz.seeds(reader)
    assert seeds
    for data in [*seeds, *(changed(chance.choice(seeds), chance) for _ in range(200))]:
        fuzz.judged(read, data)


@pytest.mark.parametrize("reader", fuzz.READERS)
def test_coverage_guided_fuzzing_finds_nothing(reader: str, nightly: bool, record_property) -> None:
    if not nightly:
        pytest.skip("minutes a reader: LTVIZ_NIGHTLY=1 runs it")
    pytest.importorskip("atheris")
    command = [sys.executable, str(Path(__file__).with_name("fuzz.py")), reader, "--seconds", str(SECONDS)]
    command += ["--keep", str(Path(KEEP) / reader)] if KEEP else []
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    executed = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    assert executed is not None
    record_property("figure", f"{reader} {int(executed[1]):,} in {SECONDS} s")
