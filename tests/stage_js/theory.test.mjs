import assert from "node:assert/strict";
import { test } from "node:test";
import { layersOf, signsOf } from "../../app/stage/layers/list.js";
import { theory } from "../../app/stage/layers/theory.js";
import { START } from "../../app/stage/scene/choices.js";
import { words } from "../../app/stage/words.js";
import { markOf, runWith, sceneOf } from "./made.mjs";

const PLACES = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];

/** A run whose frame says where theory puts its centres, and whose mark says why. */
const told = (short) =>
  runWith({
    header: { landmarks: { theory: PLACES } },
    info: { header: { marks: [markOf("theory", "points", "ring", { short })] } },
  });

test("what theory says is one layer, with a stick from each centre to its place, and off before anybody asks", () => {
  const run = told("Where it ends.");
  const known = layersOf([run]).filter(({ key }) => key.includes("theory"));
  assert.deepEqual(known, [theory]);
  assert.equal(theory.on, false);
  assert.equal(sceneOf(run, { theory: true }).counts.theory, 3);
  assert.equal(sceneOf(run).counts.theory, 0);
});

test("a run of which theory says nothing has no sign and draws nothing", () => {
  const run = runWith();
  assert.equal(theory.sign([run]), null);
  assert.equal(sceneOf(run, { theory: true }).counts.theory, 0);
});

test("the legend says what is known of the one theory, and of several that they differ", () => {
  const shown = (runs) =>
    signsOf(runs, { ...START, layers: { theory: true } }).find(({ word }) => word === words.theoryWord);
  assert.equal(shown([told("Where SupCon ends."), runWith()]).text, "Where SupCon ends.");
  assert.equal(shown([told("Where SupCon ends."), told("Where BCL ends.")]).text, words.theorySeveral);
});
