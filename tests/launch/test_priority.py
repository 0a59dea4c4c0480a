"""Trainers make room for the page, also where the kernel shares the processor between sessions first."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ltviz.launch.worker import niceness

GROUP = Path("/proc/self/autogroup")
CALM = """
import os, pathlib
from ltviz.priority import lower_priority
group = pathlib.Path("/proc/self/autogroup")
told = lower_priority(7)
print(told, group.read_text() if group.exists() else "")
"""


def _calmed(*, own_session: bool) -> tuple[int, str]:
    """Its own niceness, and what the kernel says of its session: "" where it is in no group of its own."""
    ran = subprocess.run(
        [sys.executable, "-c", CALM], start_new_session=own_session, capture_output=True, text=True, check=True
    )
    niceness, _, group = ran.stdout.strip().partition(" ")
    return int(niceness), group.strip()


def test_a_process_is_calm_by_itself():
    assert _calmed(own_session=False)[0] == min(19, os.nice(0) + 7)


@pytest.mark.skipif(not GROUP.exists(), reason="this kernel does not share the processor between sessions")
def test_a_session_of_its_own_is_as_calm_as_its_process():
    assert _calmed(own_session=True)[1].endswith(f" nice {min(19, os.nice(0) + 7)}")


@pytest.mark.skipif(not GROUP.exists(), reason="this kernel does not share the processor between sessions")
def test_a_session_that_others_share_stays_as_it_is():
    before = GROUP.read_text().strip()  # empty where init's own group holds it, as on some machines of CI
    assert _calmed(own_session=False)[1] == before


@pytest.mark.parametrize(("given", "taken"), [("0", 0), ("19", 19), ("20", 10), ("-3", 10), ("calm", 10), (None, 10)])
def test_a_worker_is_as_calm_as_the_variable_says(given, taken, monkeypatch, caplog):
    monkeypatch.delenv("LTVIZ_NICENESS") if given is None else monkeypatch.setenv("LTVIZ_NICENESS", given)
    assert niceness() == taken
    assert ("from 0 to 19" in caplog.text) == (given in ("20", "-3", "calm"))
