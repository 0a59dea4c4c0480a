"""Runs every command and every Python block of the README, in order, in an empty folder.

Installing is left out (what runs this has just done it by the README's own command). `ltviz app` is started, asked for
its page and ended. A block that fails ends the check with its output, and so does a link to a file that is not there.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from ltviz.bench.served import app

README = Path(__file__).parents[2] / "README.md"
PAGES = [README, *sorted((README.parent / ".github").glob("*.md"))]


def blocks(text: str) -> list[tuple[str, str]]:
    """(language, body) of each fenced block marked bash or python."""
    return re.findall(r"^```(bash|python)\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def dead_links(page: Path) -> list[str]:
    """Relative links of a page, pictures included, that lead to no file."""
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
    return [link for link in links if "://" not in link and not (page.parent / link).exists()]


def run_shell(line: str, folder: Path) -> None:
    words = shlex.split(line, comments=True)
    if not words or words[:4] == ["python", "-m", "pip", "install"]:
        return
    print("$", line, flush=True)
    if words[:2] == ["ltviz", "app"]:
        with app(folder, words):
            return
    subprocess.run(words, cwd=folder, env={**os.environ, "LTVIZ_HOME": str(folder)}, check=True)


def main() -> None:
    found = blocks(README.read_text())
    if not any(language == "bash" for language, _ in found) or not any(language == "python" for language, _ in found):
        raise SystemExit("README.md holds no bash or no python block; there is nothing to check.")
    if dead := [f"{page.name}: {link}" for page in PAGES for link in dead_links(page)]:
        raise SystemExit(f"These links lead to no file: {', '.join(dead)}.")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for language, body in found:
            if language == "python":
                print(">>>", body.splitlines()[0], "...", flush=True)
                subprocess.run([sys.executable, "-c", body], cwd=folder, check=True)
            else:
                for line in body.replace("\\\n", " ").splitlines():
                    run_shell(line, folder)
    print(f"{len(found)} blocks ran")


if __name__ == "__main__":
    main()
