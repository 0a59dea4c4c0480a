"""Two wheels of one tree are equal to the byte; what ltviz needs, and under which licences; an environment at the
lowest or the newest versions that pyproject.toml allows; what is known of holes in the locked packages.

    python tests/release/check_supply.py [--sbom FILE] [--bounds lowest|newest] [--audit]

`--sbom` writes a CycloneDX list of what ltviz needs as it is installed here. `--bounds` makes a fresh environment, puts
the lowest allowed version of each direct dependency into it, or the newest one, and runs the fast tests there: it may
download gigabytes. At the newest it also names the releases that a bound of ours, or of another package, keeps out.
`--audit` asks an advisory database about .ci/requirements.txt with pip-audit, in an environment of its own; torch is
not in that file. Where no database can be reached it says so and fails nothing: pip-audit itself calls that "no known
vulnerabilities".
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from importlib.metadata import PackageNotFoundError, distribution, requires
from pathlib import Path
from typing import Any

from own_environment import own_environment

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"[A-Za-z0-9._-]+")
FAST = ("tests/recording", "tests/faults", "tests/hostile", "tests/geometry", "tests/metrics", "tests/cli")
TESTS = ("pytest", "hypothesis", "playwright")
"""What the tests need besides what ltviz needs, at any version."""
FORBIDDEN = ("AGPL", "GNU AFFERO", "PROPRIETARY", "COMMERCIAL")
"""Licences that a wheel of ours must not ask people to take on unasked."""


def wheel_digest(folder: Path) -> str:
    """SHA-256 of a wheel that is built into a folder."""
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT],
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"},
    )
    (wheel,) = folder.glob("*.whl")
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


def needed(name: str, found: dict[str, dict[str, Any]]) -> None:
    """Adds a package and all that it needs without an extra."""
    key = re.sub(r"[-_.]+", "-", name).lower()
    if key in found:
        return
    try:
        about = distribution(name)
    except PackageNotFoundError:  # for another platform
        return
    licences = [about.metadata.get("License-Expression") or about.metadata.get("License") or ""]
    licences += [one for one in about.metadata.get_all("Classifier") or [] if one.startswith("License ::")]
    said = next((line.strip()[:100] for line in licences if line.strip()), "unknown")
    found[key] = {"type": "library", "name": key, "version": about.version, "licenses": [{"license": {"name": said}}]}
    for requirement in requires(name) or []:
        if "extra ==" not in requirement and (match := NAME.match(requirement)):
            needed(match[0], found)


def lowest(requirement: str) -> str:
    """The lowest version that a requirement allows: "numpy>=1.26" gives "numpy==1.26"."""
    name, _, least = re.sub(r"\s", "", requirement.partition(";")[0]).partition(">=")
    return f"{name}=={least.partition(',')[0]}" if least else name


def held_back(python: Path, names: set[str]) -> list[str]:
    """Direct dependencies of which there are newer releases than that python has, with both versions."""
    command = [python, "-m", "pip", "list", "--outdated", "--format", "json"]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return [f"{one['name']} {one['version']} ({one['latest_version']} is out)" for one in found if one["name"] in names]


def check_bounds(end: str) -> None:
    """Runs the fast tests where every direct dependency is as old, or as new, as it may be."""
    about = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {match[0] for requirement in about["dependencies"] if (match := NAME.match(requirement))}
    wanted = [lowest(one) if end == "lowest" else one for one in about["dependencies"]]
    with tempfile.TemporaryDirectory() as name:
        python = Path(name) / "bin" / "python"
        venv.create(name, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *wanted, *TESTS, "-e", ROOT], check=True)
        frozen = subprocess.run([python, "-m", "pip", "freeze"], check=True, capture_output=True, text=True).stdout
        has = [line for line in frozen.splitlines() if line.partition("==")[0] in names]
        print(f"{end} versions:", ", ".join(has), flush=True)
        if end == "newest":
            print("kept out by a bound:", ", ".join(held_back(python, names)) or "none", flush=True)
        # The tests start `ltviz` and `python` by name: those of this environment.
        path = f"{python.parent}{os.pathsep}{os.environ.get('PATH', '')}"
        command = [python, "-m", "pytest", "-m", "not browser and not cuda", *FAST]
        subprocess.run(command, cwd=ROOT, check=True, env={**os.environ, "PATH": path})
    print("the fast tests pass at the", end, "versions")


def judge_audit(text: str) -> tuple[list[str], int, int]:
    """What pip-audit's JSON says: a line for each known hole, packages that were looked up, and those that were not."""
    found = json.loads(text)["dependencies"]
    known = [one for one in found if "skip_reason" not in one]
    holes = [
        f"{one['name']} {one['version']}: {hole['id']}, {'mended in ' + ', '.join(mended) if mended else 'not mended'}"
        for one in known
        for hole in one["vulns"]
        for mended in [hole["fix_versions"]]
    ]
    return holes, len(known), len(found) - len(known)


def check_audit() -> bool:
    """Whether no locked package has a known hole, as far as an advisory database can be reached."""
    asked = ["--require-hashes", "--disable-pip", "-r", ".ci/requirements.txt", "--format", "json"]
    with own_environment(["pip-audit"]) as (python, variables):
        command = [python, "-m", "pip_audit", *asked, "--progress-spinner", "off"]
        done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    if not done.stdout.startswith("{"):
        said = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        print("no advisory database could be reached:", said[0][:200])
        return True
    holes, known, unknown = judge_audit(done.stdout)
    if not known:
        print(f"no advisory database could be reached: none of {unknown} packages was found in one")
        return True
    print(f"{known} locked packages looked up, {unknown} not found; known holes: {'; '.join(holes) or 'none'}")
    return not holes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sbom", type=Path)
    parser.add_argument("--bounds", choices=["lowest", "newest"])
    parser.add_argument("--audit", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        digests = {wheel_digest(Path(one)), wheel_digest(Path(other))}
    if len(digests) > 1:
        print("two wheels of one tree differ")
        return 1
    print("two wheels are equal:", digests.pop())
    found: dict[str, dict[str, Any]] = {}
    needed("ltviz", found)
    licences = {name: about["licenses"][0]["license"]["name"] for name, about in found.items()}
    refused = {name: said for name, said in licences.items() if any(word in said.upper() for word in FORBIDDEN)}
    unknown = sorted(name for name, said in licences.items() if said == "unknown" and name != "ltviz")
    print(f"{len(found)} packages; unknown licences: {', '.join(unknown) or 'none'}; refused: {refused or 'none'}")
    if given.sbom:
        sbom = {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": list(found.values())}
        given.sbom.write_text(json.dumps(sbom, indent=1))
    sound = check_audit() if given.audit else True
    if given.bounds:
        check_bounds(given.bounds)
    return int(bool(refused) or not sound)


if __name__ == "__main__":
    sys.exit(main())
