import assert from "node:assert/strict";
import { test } from "node:test";
import { splitMessage } from "../../app/stage/incoming/frames.js";
import { ribbonOf } from "../../app/stage/reading/pulled.js";
import { comparedUpTo, countMoves, longestGap, movedIds, placeMoves } from "../../app/stage/scene/moved.js";
import { pack, runWith } from "./made.mjs";

/** Who moved at steps 0, 8 and 12: [row, before, after] each. */
const STEPS = [[], [[0, 1, 0], [3, 0, 1]], [[0, 0, 2], [1, 0, 2], [2, 0, 2]]]; // prettier-ignore

/** The message of a run for some of these. */
function message(from, to, more = {}) {
  const found = STEPS.slice(from, to);
  const column = (i) => found.flat().map((moved) => moved[i]);
  return pack(
    { type: "moves", run: "a", anew: from === 0, steps: [0, 8, 12].slice(from, to), joined: 0, looked: null, ...more },
    {
      "border.counts": Int32Array.from(found, (at) => at.length),
      "border.rows": Int32Array.from(column(0)),
      "border.before": Uint16Array.from(column(1)),
      "border.after": Uint16Array.from(column(2)),
    },
  );
}

/** Rows 0 to 2 are of classes 0, 1, 2, the last one has no label. */
function moving(...messages) {
  const run = runWith();
  Object.assign(run.info, { labels: Uint16Array.of(0, 1, 2, 65535), ids: Int32Array.of(10, 11, 12, 13) });
  for (const buffer of messages) {
    const { header, offset } = splitMessage(buffer);
    run.setMoves(buffer, header, offset);
  }
  return run;
}

test("moves into the own class, out of it and between others are told apart, by step and by class", () => {
  const run = moving(message(0, 3));
  assert.deepEqual(countMoves([run], "border", null), [
    { step: 8, into: 1, out: 0, between: 1 },
    { step: 12, into: 1, out: 1, between: 1 },
  ]);
  assert.deepEqual(countMoves([run], "border", new Set([0])), [
    { step: 8, into: 1, out: 0, between: 0 },
    { step: 12, into: 0, out: 1, between: 0 },
  ]);
  assert.deepEqual(countMoves([run], "prediction", null), [], "a kind that is not known");
  assert.deepEqual([...movedIds([run], "border", null, 12)], [10, 11, 12]);
  assert.deepEqual([...movedIds([run], "border", new Set([1, 2]), 12)], [11, 12]);
  assert.equal(movedIds([run], "border", null, 9).size, 0);
  assert.equal(longestGap([run]), 8);
  run.steps = [0, 8, 12];
  assert.equal(comparedUpTo([run]), null);
  run.steps.push(13);
  assert.equal(comparedUpTo([run]), 12, "one frame has not been compared yet");
});

test("what comes bit by bit is what comes at once, and what comes anew takes its place", () => {
  const whole = moving(message(0, 3));
  assert.deepEqual(moving(message(0, 2), message(2, 3)).moves, whole.moves);
  assert.deepEqual(moving(message(0, 3), message(0, 2), message(2, 3)).moves, whole.moves);
  const other = moving(message(0, 3), message(0, 0));
  assert.deepEqual(countMoves([other], "border", null), []);
  const counts = countMoves([whole, moving(message(0, 2))], "border", null);
  assert.deepEqual(counts[0], { step: 8, into: 2, out: 0, between: 2 }, "runs are counted together");
});

test("arrays that do not fit the steps are refused", () => {
  const buffer = message(0, 3, { steps: [0, 8] });
  const { header, offset } = splitMessage(buffer);
  assert.throws(() => moving().setMoves(buffer, header, offset), /do not fit its 2 steps/);
});

test("places along the timeline hold all of their steps and name the fullest", () => {
  const at = (step, into) => ({ step, into, out: 1, between: 0 });
  const places = placeMoves([at(0, 1), at(4, 5), at(5, 2), at(100, 3)], 0, 100, 10);
  assert.deepEqual(Object.keys(places), ["0", "9"]);
  assert.deepEqual(places[0], { into: 8, out: 3, between: 0, most: at(4, 5) });
  assert.equal(places[9].most.step, 100);
  assert.equal(placeMoves([at(7, 1)], 7, 7, 10)[0].most.step, 7, "a timeline of one step");
});

test("a card's ribbon stacks what went along with the way above its line, and the rest below", () => {
  const { line, areas } = ribbonOf(
    {
      told: "",
      steps: [0, 10, 30],
      parts: [
        { part: "head", name: "head", done: [0, 1, 2] },
        { part: "tail", name: "tail", done: [0, 1, -1] },
      ],
    },
    300,
    30,
  );
  assert.equal(line, 20, "two above and one below");
  assert.deepEqual(areas, [
    { part: "head", d: "M0.0 20.0L100.0 10.0L300.0 0.0L300.0 20.0L100.0 20.0L0.0 20.0z" },
    { part: "tail", d: "M0.0 20.0L100.0 0.0L300.0 0.0L300.0 0.0L100.0 10.0L0.0 20.0z" },
    { part: "tail", d: "M0.0 20.0L100.0 20.0L300.0 30.0L300.0 20.0L100.0 20.0L0.0 20.0z" },
  ]);
  assert.deepEqual(ribbonOf({ told: "", steps: [4], parts: [] }, 300, 30).areas, []);
});
