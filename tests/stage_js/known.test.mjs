/** What is known of samples besides their class: read, worn as colours, found and told, and only ever as text. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { splitMessage, readRun } from "../../app/stage/incoming/frames.js";
import { describePoint } from "../../app/stage/reading/sample.js";
import { EXTRAS, pointColours, STEPS } from "../../app/stage/scene/attributes.js";
import { attributeNames, categories, findSamples, modeOf, stepsOf, textAt } from "../../app/stage/scene/known.js";
import { linkOf, readLink } from "../../app/stage/saving/permalink.js";
import { START } from "../../app/stage/scene/choices.js";
import { pack, runWith } from "./made.mjs";

const YEAR = { name: "year", texts: null, values: Float32Array.of(2000, NaN), low: 2000, high: 2010 };
const KIND = { name: "kind", texts: ["<b>no</b>", "Song"], values: Int32Array.of(1, 0), low: 0, high: 0 };

test("attributes come with the run, and one that is cut short is refused", () => {
  const header = {
    run: "a",
    num_classes: 1,
    attributes: [
      { name: "year", low: 1, high: 2 },
      { name: "k", texts: ["x"] },
    ],
  };
  const arrays = {
    "attribute.0": Float32Array.of(1, 2),
    "attribute.1": Int32Array.of(0, -1),
    labels: Uint16Array.of(0, 0),
    split: Uint8Array.of(0, 0),
  };
  const message = pack(header, arrays);
  const { header: got, offset } = splitMessage(message);
  const [year, kind] = readRun(message, got, offset).attributes;
  assert.deepEqual([year.name, [...year.values], year.low, year.high], ["year", [1, 2], 1, 2]);
  assert.deepEqual([textAt(kind, 0), textAt(kind, 1)], ["x", ""]);
  const short = pack(header, { ...arrays, "attribute.1": Int32Array.of(0) });
  assert.throws(() => readRun(short, splitMessage(short).header, offset), /1 values of "k" for 2 samples/);
});

test("numbers wear a ramp, texts a colour each, and what is not known is grey", () => {
  const run = runWith({ info: { own: { attributes: [YEAR, KIND] } } });
  const base = run.numClasses,
    unknown = base + EXTRAS.indexOf("unknown"),
    first = base + EXTRAS.length;
  assert.deepEqual([...pointColours(run, modeOf("year"))], [first, unknown]);
  assert.deepEqual([...pointColours(run, modeOf("nothing"))], [unknown, unknown]);
  run.values = [[0, 0, 0]];
  // As common as the other, and later: no colour is left for it.
  assert.deepEqual([...pointColours(run, modeOf("kind"))], [unknown, first]);
  assert.deepEqual(
    [...stepsOf({ ...YEAR, values: Float32Array.of(2000, 2005, 2010, Infinity) }, STEPS)],
    [0, STEPS / 2, STEPS - 1, -1],
  );
  assert.deepEqual([...stepsOf({ ...YEAR, low: 7, high: 7, values: Float32Array.of(7) }, STEPS)], [0], "all alike");
  assert.deepEqual(
    categories({ ...KIND, values: Int32Array.of(1, 1, -1, 0) }).map(({ code, count }) => [code, count]),
    [
      [1, 2],
      [0, 1],
    ],
  );
});

test("more classes than a palette has places for still have colours", () => {
  const labels = Uint16Array.of(0, 65533, 65534);
  const run = runWith({ info: { header: { num_classes: 65535 }, own: { labels } } });
  const colours = pointColours(run, "ramp");
  const last = 65536 - EXTRAS.length - STEPS - 1;
  assert.deepEqual([...colours], [0, last, last]);
  labels[0] = 65535;
  run.free = null;
  assert.equal(pointColours(run, "ramp")[0], last + 1 + EXTRAS.indexOf("unlabelledSample"), "no class of the run");
});

test("a card tells attributes in the words of the data, and not more than it has room for", () => {
  const run = runWith({ info: { own: { attributes: [YEAR, KIND] } } });
  assert.ok(describePoint(run, 1).includes("kind: <b>no</b>"), "text, whatever it looks like");
  assert.ok(!describePoint(run, 1).some((line) => line.startsWith("year")), "nothing known, nothing said");
  assert.ok(describePoint(run, 0).includes("year: 2000"));
  const many = Array.from({ length: 11 }, (_, i) => ({ ...YEAR, name: `a${i}` }));
  const lines = describePoint(runWith({ info: { own: { attributes: many } } }), 0);
  assert.equal(lines.filter((line) => line.startsWith("a")).length, 8 + 1);
  assert.ok(lines.includes("and 3 more"));
});

test("samples are found by what is known of them, in full before in part", () => {
  const texts = ["king", "kingdom", "queen"];
  const word = { name: "word", texts, values: Int32Array.of(0, 1, 2, 0), low: 0, high: 0 };
  const year = { ...YEAR, values: Float32Array.of(1999, 2000.1, 2000, NaN) };
  const info = { attributes: [word, year] };
  assert.deepEqual(findSamples(info, "KING"), [0, 3]);
  assert.deepEqual(findSamples(info, "kingd"), [1]);
  assert.deepEqual(findSamples(info, "year: 2000"), [2]);
  assert.deepEqual(findSamples(info, "year=2000.1"), [1], "as it was stored");
  assert.deepEqual(findSamples(info, "nobody: king"), []);
  assert.deepEqual(findSamples(info, " "), []);
  assert.deepEqual(attributeNames([{ info }, { info: null }, { info }]), ["word", "year"]);
});

test("a link keeps the attribute that points are coloured by", () => {
  const link = linkOf("http://x/", ["abc"], null, [], { ...START, colourMode: modeOf("a & b") });
  assert.equal(readLink(new URL(link).search).colourMode, "attribute:a & b");
  assert.equal(readLink(`?colour=attribute:${"x".repeat(300)}`).colourMode, undefined);
  assert.equal(readLink("?colour=nonsense").colourMode, undefined);
});
