"""Trainers make room for the page, also where the kernel shares the processor between sessions first."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

GROUP = Path("/proc/self/autogroup")
CALM = """
import os, pathlib
from ltviz.priority import lower_priority
group = pathlib.Path("/proc/self/autogroup")
told = lower_priority(7)
print(told, group.read_text().split()[-1] if group.exists() else "none")
"""


def _calmed(*, own_session: bool) -> tuple[str, str]:
    ran = subprocess.run(
        [sys.executable, "-c", CALM], start_new_session=own_session, capture_output=True, text=True, check=True
    )
    niceness, group = ran.stdout.split()
    return niceness, group


def test_a_process_is_calm_by_itself():
    assert _calmed(own_session=False)[0] == str(min(19, os.nice(0) + 7))


@pytest.mark.skipif(not GROUP.exists(), reason="this kernel does not share the processor between sessions")
def test_a_session_of_its_own_is_as_calm_as_its_process():
    assert _calmed(own_session=True)[1] == str(min(19, os.nice(0) + 7))


@pytest.mark.skipif(not GROUP.exists(), reason="this kernel does not share the processor between sessions")
def test_a_session_that_others_share_stays_as_it_is():
    before = GROUP.read_text().split()[-1]
    assert _calmed(own_session=False)[1] == before
