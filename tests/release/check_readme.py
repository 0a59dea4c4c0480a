"""Runs every command and every Python block of the README, in order, in an empty folder.

Installing is left out (what runs this has just done it by the README's own command). `ltviz app` is started, asked for
its page and ended. A Python block with a TOML block of entry points behind it is a module of another package: it is put
on the path under the name that the entry points give it, with these entry points, and stays there for the blocks below.
A block that fails ends the check with its output, and so does a link to a file that is not there, or a plug-in of which
`ltviz doctor` does not know.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from ltviz.bench.served import app

README = Path(__file__).parents[2] / "README.md"
PAGES = [README, *sorted((README.parent / ".github").glob("*.md"))]
EXTENDED = {"method", "measure", "projection"}
"""What the README shows how to add, each under a heading with that word, with its entry point."""


def blocks(text: str) -> list[tuple[str, str]]:
    """(language, body) of each fenced block marked bash, python or toml."""
    return re.findall(r"^```(bash|python|toml)\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def entry_points(body: str) -> dict[str, dict[str, str]]:
    """Group -> name -> object, as a project's TOML file declares them."""
    return tomllib.loads(body)["project"]["entry-points"]


def dead_links(page: Path) -> list[str]:
    """Relative links of a page, pictures included, that lead to no file."""
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
    return [link for link in links if "://" not in link and not (page.parent / link).exists()]


def unshown(text: str) -> set[str]:
    """What can be added, and has no heading with its word above a block of entry points."""
    parts = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    shown = [part.splitlines()[0] for part in parts if re.search(r'^\[project\.entry-points\."ltviz\.', part, re.M)]
    return {word for word in EXTENDED if not any(word in heading.split() for heading in shown)}


def install(source: str, points: dict[str, dict[str, str]], site: Path) -> None:
    """Puts a module and its entry points where Python finds them, as an installer would."""
    (module,) = {target.partition(":")[0] for group in points.values() for target in group.values()}
    (site / f"{module}.py").write_text(source)
    about = site / f"{module}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module.replace('_', '-')}\nVersion: 1.0\n")
    lines = (f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in held.items()) for group, held in points.items())
    (about / "entry_points.txt").write_text("".join(lines))
    print("installed", module, "for", ", ".join(points), flush=True)


def run_shell(line: str, folder: Path, environment: dict[str, str]) -> str:
    """Runs a command of the README, says what it said, and gives it."""
    words = shlex.split(line, comments=True)
    if not words or words[:4] == ["python", "-m", "pip", "install"]:
        return ""
    print("$", line, flush=True)
    if words[:2] == ["ltviz", "app"]:
        with app(folder, words):
            return ""
    said = subprocess.run(words, cwd=folder, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    print(said, end="", flush=True)
    return said


def check_plugins(added: set[str], environment: dict[str, str]) -> None:
    """Ends the check where `ltviz doctor` finds a plug-in broken, or none of a name."""
    line = [sys.executable, "-m", "ltviz", "doctor", "--json"]
    said = json.loads(subprocess.run(line, env=environment, stdout=subprocess.PIPE, text=True).stdout)
    (found,) = [finding for finding in said["findings"] if finding["name"] == "plug-ins"]
    known = {words.split()[-1] for words in found["text"].split(", ")}
    if not found["ok"] or not {name.replace("-", "_") for name in added} <= {name.replace("-", "_") for name in known}:
        raise SystemExit(f"The README's plug-ins are {', '.join(sorted(added))}, but doctor says: {found['text']}")


def main() -> None:
    text = README.read_text()
    found = blocks(text)
    if not {"bash", "python", "toml"} <= {language for language, _ in found}:
        raise SystemExit("README.md holds no bash, no python or no toml block; there is nothing to check.")
    if dead := [f"{page.name}: {link}" for page in PAGES for link in dead_links(page)]:
        raise SystemExit(f"These links lead to no file: {', '.join(dead)}.")
    if missing := unshown(text):
        raise SystemExit(f"README.md shows no entry point under a heading with the word {', '.join(sorted(missing))}.")
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as packages:
        folder, site = Path(name), Path(packages)
        path = os.pathsep.join(filter(None, [packages, os.environ.get("PYTHONPATH", "")]))
        environment = {**os.environ, "LTVIZ_HOME": name, "PYTHONPATH": path}
        added: set[str] = set()
        for number, (language, body) in enumerate(found):
            if language == "toml":
                points = entry_points(body)
                install(found[number - 1][1], points, site)
                added |= {one for group in points.values() for one in group}
                check_plugins(added, environment)
            elif language == "python":
                print(">>>", body.splitlines()[0], "...", flush=True)
                subprocess.run([sys.executable, "-c", body], cwd=folder, env=environment, check=True)
            else:
                for line in body.replace("\\\n", " ").splitlines():
                    said = run_shell(line, folder, environment)
                    if line.startswith("ltviz metrics") and "widest-gap" in added and '"widest_gap"' not in said:
                        raise SystemExit(f"`{line}` does not print the README's own measure.")
    print(f"{len(found)} blocks ran")


if __name__ == "__main__":
    main()
