/** Samples that a frame does not hold: not drawn, not found, and nothing said of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readFrame, splitMessage } from "../../app/stage/incoming/frames.js";
import { selectionCsv, selectionMetrics } from "../../app/stage/choices/selection.js";
import { describePoint } from "../../app/stage/reading/sample.js";
import { FLAG, pointFlags } from "../../app/stage/scene/attributes.js";
import { nearestSamples, neighboursOf } from "../../app/stage/scene/neighbours.js";
import { pickInside, pickPoint } from "../../app/stage/scene/picking.js";
import { capAngles } from "../../app/stage/scene/spread.js";
import { words } from "../../app/stage/words.js";
import { int16, pack, runWith, show, XYZ } from "./made.mjs";

const ALL = { train: true, test: true, validation: true };
const HALF = { present: Uint8Array.of(1, 0), absent: 1 };
const flat = ([x, y]) => [100 * x, 100 * y, 0];

test("a frame says which samples it holds, and where it says nothing it holds all", () => {
  const header = { type: "frame", run: "a", step: 1, n: 2, predictions: false };
  const read = (arrays) => {
    const buffer = pack(header, { xyz: XYZ, ...arrays });
    const found = splitMessage(buffer);
    return readFrame(buffer, found.header, found.offset);
  };
  const some = read({ present: Uint8Array.of(0, 1) });
  assert.deepEqual([[...some.present], some.absent], [[0, 1], 1]);
  const all = read({});
  assert.deepEqual([all.present, all.absent], [null, 0]);
});

test("an absent sample is hidden, and back with the frame that holds it", () => {
  const run = runWith({ frame: HALF });
  const hidden = () => [...pointFlags(run, ALL, null, null)].map((flags) => Boolean(flags & FLAG.HIDDEN));
  assert.deepEqual(hidden(), [false, true]);
  show(run, { step: 2 });
  assert.deepEqual(hidden(), [false, false]);
});

test("nobody points at it, selects it or counts it among neighbours", () => {
  const run = runWith({ frame: HALF });
  const square = [
    [-200, -200],
    [200, -200],
    [200, 200],
    [-200, 200],
  ];
  assert.equal(pickPoint(run, 1, flat, 3, 0, 100), -1);
  assert.equal(pickPoint(run, 1, flat, 3, 100, 0), 0);
  assert.deepEqual(pickInside(run, flat, square, 3), [0]);
  assert.deepEqual([neighboursOf(run, 0), neighboursOf(run, 1)], [[], []]);
  assert.deepEqual(nearestSamples(XYZ, 0, 5), [1], "but it has its place");
});

test("nothing is measured or said of it", () => {
  const run = runWith({ frame: { ...HALF, predictions: Uint16Array.of(0, 2) } });
  const said = describePoint(run, 1);
  assert.equal(said.at(-1), words.absent);
  assert.ok(!said.join().includes(words.recognised));
  assert.equal(selectionMetrics(new Set([0, 1]), run).samples, 1);
  assert.equal(
    selectionCsv(new Set([0, 1]), [run])
      .trim()
      .split("\n").length,
    2,
    "the head, and one sample",
  );
});

test("caps are of the samples that are there", () => {
  const points = int16([
    [0, 0, 1],
    [0, 0, 1],
    [1, 0, 0],
  ]);
  const [wide] = capAngles(points, new Uint16Array(3), [[0, 0, 1]]);
  const [tight] = capAngles(points, new Uint16Array(3), [[0, 0, 1]], Uint8Array.of(1, 1, 0));
  assert.ok(wide > 1.5 && tight < 0.01);
});
