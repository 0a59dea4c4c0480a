"""Talks to `ltviz mcp` with the official SDK's own client, over stdin and stdout.

Called without arguments it makes an environment of its own and runs itself there.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from own_environment import ROOT, extra, own_environment

RUNS = ["demo-ce", "demo-bcl"]
WORDS = ("list", "measure", "alarm", "compare", "picture", "selection")


def main() -> None:
    if len(sys.argv) > 1:
        asyncio.run(talk(Path(sys.argv[1])))
        return
    began = time.monotonic()
    with own_environment(extra("mcp")) as (python, variables), tempfile.TemporaryDirectory() as folder:
        subprocess.run([python, __file__, folder], env=variables, check=True)
    print(f"an assistant is answered, in {time.monotonic() - began:.0f} s")


async def talk(home: Path) -> None:
    from ltviz.recording.attention import Attention, write_attention

    for name in RUNS:
        shutil.copytree(ROOT / "checkpoints" / name, home / name, dirs_exist_ok=True)
    write_attention(home, Attention(runs=["demo-ce"], sample_ids=[0, 1]))
    before = contents(home)
    async with client(home) as session:
        await read(session)
    assert contents(home) == before, "reading changed the home"
    async with client(home, "--allow-training") as session:
        await train(session)


def contents(home: Path) -> dict[str, int]:
    """Every file but the views of more than three dimensions, which are kept for everybody."""
    return {
        str(path): path.stat().st_mtime_ns for path in home.rglob("*") if path.is_file() and "views" not in str(path)
    }


def client(home: Path, *flags: str) -> Any:
    from mcp import Client, StdioServerParameters, stdio_client

    variables = {**os.environ, "LTVIZ_HOME": str(home)}
    command = StdioServerParameters(command=sys.executable, args=["-m", "ltviz", "mcp", *flags], env=variables)
    return Client(stdio_client(command))


async def call(session: Any, name: str, **given: Any) -> Any:
    """What a tool gives; a refusal as its text."""
    answer = await session.call_tool(name, given)
    if answer.is_error:
        return answer.content[0].text
    if answer.structured_content is not None:
        return answer.structured_content
    content = answer.content[0]
    return json.loads(content.text) if content.type == "text" else content


async def read(session: Any) -> None:
    tools = {tool.name: tool for tool in (await session.list_tools()).tools}
    assert all(any(word in name for name in tools) for word in WORDS), sorted(tools)
    assert not any("train" in name for name in tools) and all(t.annotations.read_only_hint for t in tools.values())
    assert all(tool.description for tool in tools.values())
    listed = await call(session, "list_runs")
    assert {row["run_id"] for row in listed["runs"]} == {*RUNS} and listed["runs"][0]["last_step"] == 300
    measured = await call(session, "measure_run", run="demo-ce", keys=["centre_sum"])
    assert measured["step"] == 300 and 0 < measured["measures"]["centre_sum"] < 1 and measured["meaning"]["centre_sum"]
    course = await call(session, "measure_over_steps", run="demo-ce", key="centre_sum", most=5)
    assert [value["step"] for value in course["values"]][::4] == [0, 300]
    assert "alarms" in await call(session, "alarms_since", run="demo-bcl", since=100)
    compared = await call(session, "compare_runs", runs=RUNS)
    assert len(compared["runs"]) == 2 and compared["sentences"], compared
    picture = await call(session, "picture_of_stage", runs=RUNS, step=100)
    assert base64.b64decode(picture.data).startswith(b"\x89PNG"), picture
    selected = await call(session, "viewer_selection")
    assert selected["sample_ids"] == [0, 1] and selected["of_run"] == "demo-ce"
    imagined = await call(session, "what_if", run="demo-ce")
    assert [method["method"] for method in imagined["methods"]] == ["ce", "bcl"], "the forces that the demo holds"
    for name, given, said in (
        ("measure_run", {"run": "../../etc"}, "there is no run"),
        ("measure_run", {"run": "demo-ce", "keys": ["nothing"]}, "has no measure 'nothing'"),
        ("measure_run", {"run": "demo-ce", "step": 7}, "no frame of step 7"),
        ("compare_runs", {"runs": ["demo-ce"]}, "two runs"),
        ("what_if", {"run": "no-such-run"}, "there is no run"),
    ):
        refused = await call(session, name, **given)
        assert isinstance(refused, str) and said in refused, (name, refused)
    print(f"{len(tools)} tools that read: {', '.join(sorted(tools))}")


async def train(session: Any) -> None:
    names = [tool.name for tool in (await session.list_tools()).tools]
    assert "train_method" in names
    refused = await call(session, "train_method", method="no-such")
    assert isinstance(refused, str) and "no-such" in refused, refused
    begun = await call(session, "train_method", method="ce", steps=20, settings={"evaluate": False})
    assert isinstance(begun, dict), begun
    for _ in range(600):
        row = next(row for row in (await call(session, "list_runs"))["runs"] if row["run_id"] == begun["run_id"])
        if row["state"] in ("finished", "failed"):
            break
        await asyncio.sleep(0.5)
    assert row["state"] == "finished" and row["last_step"] == 20, row
    imagined = await call(session, "what_if", run=begun["run_id"])
    own = next(method for method in imagined["methods"] if method["own"])
    assert own["method"] == "ce" and len(own["force_by_class"]) == 10 and own["cosine_with_own"] == 1, imagined
    print(f"trained {begun['run_id']}")


if __name__ == "__main__":
    sys.exit(main())
