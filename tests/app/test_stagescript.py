"""The stage's modules as one script: it does what the modules do, and refuses what it could not do as they do."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from ltviz_app.service import stagefiles
from ltviz_app.service.stagescript import PAGE_ENTRIES, bundle, one_script, packed, script_name, worker_source

node = shutil.which("node")
needs_node = pytest.mark.skipif(node is None, reason="needs node")

# What modules export by themselves and in the script; a module that wants a page is one in both.
COMPARE = """
import { pathToFileURL } from "node:url";
import { readFileSync } from "node:fs";
const [script, folder, ...names] = process.argv.slice(2);
const { use } = await import(pathToFileURL(script));
const written = (code) => String(code).replace(/\\$address\\("[^"]+"\\)/g, "import.meta.url");
const seen = (value) => (typeof value === "function" ? written(value) : JSON.stringify(value) ?? String(value));
const told = async (get) => {
  try {
    const found = await get();
    return Object.fromEntries(Object.keys(found).sort().map((key) => [key, seen(found[key])]));
  } catch (error) {
    return error.message;
  }
};
const answer = {};
for (const name of names)
  answer[name] = [await told(() => import(pathToFileURL(`${folder}/${name}`))), await told(() => use(name))];
console.log(JSON.stringify(answer));
"""
FORMS = {
    "entry.js": """
import "./effect.js";
import made from "./made.js";
import object from "./object.js";
import * as all from "./names.js";
import {
  one,
  grow as bigger, // renamed
} from "./names.js";

export default function mount() {}
export const told = [globalThis.effects, made(2), object.key, all.one, one, bigger(3), new all.Kind().name];
export const text = `
  import and export stand in a text
`;
""",
    "effect.js": "globalThis.effects = (globalThis.effects ?? 0) + 1;\n",
    "made.js": "export default function twice(a) {\n  return a * 2;\n}\n",
    "object.js": "/** @typedef {{key: number}} Kept */\nexport default { key: 7 };\nexport {};\n",
    "names.js": """export const one = 1;
export function grow(x) {
  return x + one;
}
export async function later() {}
export function* many() {}
export async function* stream() {}
export class Kind {
  name = "kind";
}
""",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stage of its own."""
    monkeypatch.setattr("ltviz_app.service.stagefiles.STAGE", tmp_path)
    for cached in (one_script, script_name, packed, worker_source, bundle):
        cached.cache_clear()
    (tmp_path / "package.json").write_text('{ "type": "module" }', encoding="utf-8")
    return tmp_path


@pytest.fixture(autouse=True)
def _forget():
    yield
    for cached in (one_script, script_name, packed, worker_source, bundle):
        cached.cache_clear()


def compared(tmp_path: Path, folder: Path, script: str, names: list[str]) -> dict[str, list]:
    (tmp_path / "script.mjs").write_text(script, encoding="utf-8")
    (tmp_path / "compare.mjs").write_text(COMPARE, encoding="utf-8")
    command = [str(node), str(tmp_path / "compare.mjs"), str(tmp_path / "script.mjs"), str(folder), *names]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@needs_node
def test_every_module_of_the_stage_gives_what_it_gives_by_itself(tmp_path: Path):
    entries = (*PAGE_ENTRIES, "component.js", "widget.js")
    script, source_map = one_script(entries)
    names = json.loads(source_map)["sources"]
    assert len(names) > 150 and set(entries) <= set(names)
    for name, (by_itself, in_script) in compared(tmp_path, stagefiles.STAGE, script, names).items():
        assert by_itself == in_script, name


@needs_node
def test_each_form_of_import_and_export_means_the_same(tmp_path: Path, folder: Path):
    for name, source in FORMS.items():
        (folder / name).write_text(source, encoding="utf-8")
    script, source_map = one_script(("entry.js",))
    names = json.loads(source_map)["sources"]
    assert sorted(names) == sorted(FORMS)
    found = compared(tmp_path, folder, script, names)
    assert json.loads(found["entry.js"][1]["told"])[1:] == [4, 7, 1, 1, 4, "kind"]
    for by_itself, in_script in found.values():
        assert set(by_itself) == set(in_script)
    assert "import and export stand in a text" in found["entry.js"][1]["text"]


@pytest.mark.parametrize(
    "source",
    [
        'export { x } from "./other.js";\n',
        'export * from "./other.js";\n',
        "export let changes = 1;\n",
        "export const a = 1,\n  b = 2;\n",
        "const a = 1;\nexport { a };\n",
        "export const { a, b } = globalThis;\n",
        'import x, { y } from "./other.js";\n',
    ],
)
def test_what_would_not_mean_the_same_is_refused(folder: Path, source: str):
    (folder / "odd.js").write_text(source, encoding="utf-8")
    (folder / "other.js").write_text("export const x = 1;\nexport const y = 2;\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"odd\.js imports or exports in a way"):
        one_script(("odd.js",))
    with pytest.raises(ValueError, match=r"odd\.js imports or exports in a way"):
        worker_source("odd.js")


def test_a_circle_is_refused_and_named(folder: Path):
    (folder / "one.js").write_text('import { b } from "./two.js";\nexport const a = 1;\n', encoding="utf-8")
    (folder / "two.js").write_text('import { a } from "./one.js";\nexport const b = 1;\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"in a circle: one\.js -> two\.js -> one\.js"):
        one_script(("one.js",))


def test_a_worker_that_asks_for_its_address_is_refused(folder: Path):
    (folder / "asks.js").write_text("export const here = import.meta.url;\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"asks\.js asks for its own address"):
        worker_source("asks.js")


@needs_node
def test_the_source_map_leads_to_the_line(tmp_path: Path):
    script, source_map = one_script()
    lines = script.splitlines()
    (tmp_path / "map.json").write_text(source_map, encoding="utf-8")
    program = """
      const { SourceMap } = require("node:module"), map = new SourceMap(require(process.argv[1]));
      const found = [];
      for (let i = 0; i < Number(process.argv[2]); i += 23) {
        const { originalSource, originalLine, generatedLine } = map.findEntry(i, 0);
        if (generatedLine === i) found.push([i, originalSource, originalLine]);
      }
      console.log(JSON.stringify(found));
    """
    command = [str(node), "-e", program, str(tmp_path / "map.json"), str(len(lines))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found = json.loads(done.stdout)
    sources = {name: (stagefiles.STAGE / name).read_text(encoding="utf-8").split("\n") for _, name, _ in found}
    assert len(found) > 0.95 * len(lines) / 23
    changed = [(name, line) for i, name, line in found if lines[i] != sources[name][line]]
    for name, line in changed:
        text = sources[name][line]
        assert text.startswith(("import", "export", "}")) or " as " in text or "import.meta.url" in text, (name, line)


def test_the_name_is_what_the_script_is_made_of(folder: Path):
    (folder / "entry.js").write_text("export const a = 1;\n", encoding="utf-8")
    first = script_name(("entry.js",))
    script_name.cache_clear()
    assert script_name(("entry.js",)) == first and f"sourceMappingURL={first}.map" in one_script(("entry.js",))[0]
    (folder / "entry.js").write_text("export const a = 2;\n", encoding="utf-8")
    script_name.cache_clear()
    assert script_name(("entry.js",)) != first
