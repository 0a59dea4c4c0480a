/** How the stage's house stands: rooms, imports, and where sentences are. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const STAGE = fileURLToPath(new URL("../../app/stage/", import.meta.url));
/** From the bottom, as app/stage/README.md says: a room imports from those before it, and from itself. */
const ROOMS = [
  "common",
  "incoming",
  "scene",
  "layers",
  "drawing",
  "reading",
  "choices",
  "saving",
  "lab",
  "lesson",
  "schedules",
  "together",
  "welcome",
  "",
];
const MOST_FILES = 14;

const modules = readdirSync(STAGE, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".js"));
const sources = new Map(modules.map((name) => [name, readFileSync(join(STAGE, name), "utf8")]));
const saysWords = (name) => name.endsWith("words.js");
const roomOf = (name) => (saysWords(name) ? "words" : name.includes("/") ? name.split("/")[0] : "");

/** Modules that a module imports when it runs. */
const importsOf = (name) =>
  [...sources.get(name).matchAll(/^(?:import|export)\b[^"]*?from "(\.[^"]+)";|^import "(\.[^"]+)";/gm)].map((found) =>
    normalize(join(dirname(name), found[1] ?? found[2])),
  );

test("no modules import one another in a circle", () => {
  const done = new Set();
  const visit = (name, path) => {
    assert.ok(!path.includes(name), `a circle: ${[...path.slice(path.indexOf(name)), name].join(" → ")}`);
    if (done.has(name)) return;
    for (const next of importsOf(name)) {
      assert.ok(sources.has(next), `${name} imports ${next}, which is not there`);
      visit(next, [...path, name]);
    }
    done.add(name);
  };
  modules.forEach((name) => visit(name, []));
});

test("no module has more than 400 lines", () => {
  const long = [...sources].filter(([, source]) => source.trimEnd().split("\n").length > 400);
  assert.deepEqual(
    long.map(([name]) => name),
    [],
  );
});

test("rooms import in one direction", () => {
  for (const name of modules)
    for (const next of importsOf(name)) {
      if (roomOf(next) === "words") continue;
      assert.notEqual(roomOf(name), "words", "words.js imports other words alone");
      const [own, other] = [name, next].map((module) => ROOMS.indexOf(roomOf(module)));
      assert.ok(own >= 0 && other >= 0, `${name} or ${next} is in no room that the README names`);
      assert.ok(other <= own, `${name} imports ${next}, which is above it`);
    }
});

test("the README names the rooms in this order, and few files lie outside of them", () => {
  const readme = readFileSync(join(STAGE, "README.md"), "utf8");
  const named = [...readme.matchAll(/^\| `(\w+)`/gm)].map((found) => found[1]);
  assert.deepEqual(named, ROOMS.filter(Boolean));
  const outside = readdirSync(STAGE, { withFileTypes: true }).filter((entry) => entry.isFile());
  assert.ok(outside.length <= MOST_FILES, outside.map(({ name }) => name).join(", "));
});

test("the stage knows no method, besides the lab, which has losses of its own", () => {
  const methods = readdirSync(join(STAGE, "../../ltviz/methods")).filter((name) => name.endsWith(".py"));
  const names = methods
    .map((name) => name.slice(0, -3))
    .filter((name) => !["__init__", "base", "registry"].includes(name));
  assert.ok(names.length > 8);
  for (const [name, source] of sources) {
    if (roomOf(name) === "lab") continue;
    const code = source.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
    for (const method of names)
      assert.ok(!new RegExp(`["'\`]${method}["'\`]`).test(code), `${name} names the method ${method}`);
  }
});

/** Literals of a module's code: where they begin, and what they say outside of their blanks. */
function* literalsOf(source) {
  const code = source.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, (comment) => " ".repeat(comment.length));
  for (const found of code.matchAll(/"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g))
    yield { text: (found[1] ?? found[2]).replace(/\$\{[^}]*\}/g, "…"), before: code.slice(0, found.index) };
}

test("every sentence stands in words.js, or in the declaration of a layer", () => {
  /** Nothing but words, numbers and blanks, two words or more. */
  const sentence = /^[“(]?[\p{L}\d…'’-]+[,:]?( [\p{L}\d…'’“”(-]+[,.:;!?)…”]*)+$/u;
  const wordy = /\p{L}{2,}.* .*\p{L}{2,}/u;
  const notSaid = /(^| )lt[lv]-|sans-serif|^\(prefers-/;
  const found = [];
  for (const [name, source] of sources) {
    if (saysWords(name) || name === "drawing/shaders.js") continue;
    for (const { text, before } of literalsOf(source)) {
      if (!sentence.test(text.trim()) || !wordy.test(text) || notSaid.test(text)) continue;
      // A message that does not keep to the stream's format, and what is logged, engineers read.
      if (/(Error|console\.\w+)\(\s*$/.test(before)) continue;
      // A layer's declaration stands in one place.
      if (name.startsWith("layers/") && /\b(?:title|hint|word|text):(?:[^,;{}]|\n)*$/.test(before)) continue;
      found.push(`${name}: ${text}`);
    }
  }
  assert.deepEqual(found, []);
});

test("a word on a button or a label stands in words.js, too", () => {
  const spoken = /(?:"aria-label"|\btitle|\bplaceholder): "(?=[^"]*\p{L})/u;
  for (const [name, source] of sources)
    if (!name.startsWith("layers/") && !saysWords(name)) assert.ok(!spoken.test(source), `${name} speaks for itself`);
});
