"""Runs tests/integrations with the real Lightning, Transformers and TensorBoard, in an environment of their own."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from own_environment import ROOT, extra, own_environment


def main() -> None:
    began = time.monotonic()
    with own_environment(extra("integrations")) as (python, variables):
        environment = {**variables, "LTVIZ_REQUIRE_INTEGRATIONS": "1"}
        subprocess.run([python, "-m", "pytest", "tests/integrations"], cwd=ROOT, env=environment, check=True)
    print(f"the integrations hold against the real packages, in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
