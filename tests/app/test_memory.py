"""What a server has freed goes back to the system."""

import platform
import subprocess
import sys

import pytest

HELD = """
import sys
import numpy as np, psutil
from app.service.memory import return_memory
if sys.argv[1] == "returns":
    assert return_memory()
me, kept = psutil.Process(), []
for size in (4 << 20, 2 << 20):  # freed once, buffers as large as these are taken from the heap from now on
    np.ones(size, np.uint8)
before = me.memory_info().rss
for _ in range(300):
    come = np.ones(100_000, np.uint8)
    kept.append(np.ones(2_000, np.uint8))  # small, for good: it comes to lie behind what goes
    more = [np.ones(100_000, np.uint8) for _ in range(3)]
    kept.append(np.ones(2_000, np.uint8))
    kept.append(more.pop(1))
held = kept[2::3]
kept[2::3] = [None] * len(held)
del held, more, come
print((me.memory_info().rss - before) / 1e6)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no such option")
def test_buffers_that_come_and_go_leave_no_holes():
    held = {}
    for how in ("returns", "keeps"):
        ran = subprocess.run([sys.executable, "-c", HELD, how], capture_output=True, text=True, check=True)
        held[how] = float(ran.stdout)
    assert held["returns"] < 5 < 15 < held["keeps"], held
