"""`ltviz bench museum`: computes every exhibit of `ltviz reproduce`, for the app to show what was found.

With --write the findings go into the file that the app's page reads.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence

import ltviz
from ltviz.museum import EXHIBITS, FOUND


def run(argv: Sequence[str] = ()) -> None:
    """Prints a line an exhibit."""
    options = argparse.ArgumentParser("ltviz bench museum", description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--write", action="store_true", help="keep what was found, for the app to show")
    asked = options.parse_args(argv)
    found = {}
    for name, exhibit in EXHIBITS.items():
        one = exhibit.judge()
        found[name] = {key: one[key] for key in ("value", "verdict", "off_by")}
        print(f"{name:28} {one['value']:.6g}, expected {one['expected']:.6g}: {one['verdict']} ({one['seconds']} s)")
    if asked.write:
        told = {"date": time.strftime("%Y-%m-%d"), "version": ltviz.__version__, "found": found}
        FOUND.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
