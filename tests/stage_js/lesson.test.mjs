/** What the steps of a lesson do on the stage, without a page. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { drawn } from "../../app/stage/common/curve.js";
import { readLink } from "../../app/stage/saving/permalink.js";
import { along, Camera } from "../../app/stage/scene/camera.js";
import { forceLook } from "../../app/stage/scene/forces.js";
import { pickArrow } from "../../app/stage/scene/picking.js";
import { runWith, sceneOf } from "./made.mjs";

const WAY = [
  { yaw: 0, pitch: 0, distance: 4 },
  { yaw: 1, pitch: 0.5, distance: 2 },
  { yaw: 3, pitch: 0, distance: 4 },
];

test("a camera's way goes through all of its poses, and ends at the last", () => {
  const near = (a, b) => Object.keys(b).every((key) => Math.abs(a[key] - b[key]) < 1e-9);
  [0, 0.5, 1].forEach((t, i) => assert.ok(near(along(WAY, t), WAY[i]), `${t}`));
  const camera = new Camera();
  camera.moveAlong(WAY, 0, 1000);
  assert.deepEqual(camera.pose, WAY[0]);
  camera.step(500);
  assert.ok(near(camera.pose, WAY[1]));
  camera.step(1000);
  assert.ok(near(camera.pose, WAY[2]) && camera.move === null);
});

test("a hand on the sphere ends the way", () => {
  const camera = new Camera();
  camera.moveAlong(WAY, 0, 1000);
  camera.nudge(0.1, 0);
  assert.equal(camera.step(500), false);
});

test("a curve follows the pointer, backwards too, and keeps where it begins", () => {
  const level = Array(5).fill(0.5);
  assert.deepEqual(drawn(level, [1, 1], [3, 0]), [0.5, 1, 0.5, 0, 0.5]);
  assert.deepEqual(drawn(level, [3, 0], [1, 1]), [0.5, 1, 0.5, 0, 0.5]);
  assert.deepEqual(drawn(level, [0, 0.5], [0.2, 1]), level);
  assert.deepEqual(drawn(level, [0, 1], [0.2, 1], true), [1, 0.5, 0.5, 0.5, 0.5], "but where that is drawn too");
  assert.deepEqual(drawn(level, [2.1, 0.9], [2.1, 0.9]), [0.5, 0.5, 0.9, 0.5, 0.5]);
});

const FORCES = { bcl: { total: [[0, 0.5, 0]], positives: [[0, 1, 0]], head: [[0, 0, -1]] } };
const look = (parts, lit = null) => ({ parts: new Set(parts), under: null, alike: false, lit: lit && new Set(lit) });

test("the arrow under the pointer is one of those that are drawn, on the near side", () => {
  const run = runWith({ header: { forces: FORCES, centres: [[0, 0, 1]] } });
  const place = ([x, y, z]) => [100 + 100 * x, 100 - 100 * y, 4 - z];
  const at = (choice, x, y) => pickArrow(run, 1, forceLook(choice, run, [run]), place, 4, x, y);
  assert.deepEqual(at(look(["positives"]), 100, 70), { part: "positives", c: 0 });
  assert.deepEqual(at(look([], ["positives"]), 100, 70), { part: "positives", c: 0 });
  assert.equal(at(look(["head"]), 100, 70), null);
  assert.equal(at(look(["positives"]), 120, 70), null);
});

test("a part that is lit is drawn unasked, and all others are faint beside it", () => {
  const run = runWith({ header: { forces: FORCES, centres: [[0, 0, 1]] } });
  const count = (choice) => sceneOf(run, { forces: true }, { forces: choice }).counts.forces;
  assert.equal(count(look([])) + 1, count(look([], ["positives"])));
});

test("a link says which parts of the forces are drawn, and what it cannot mean is left out", () => {
  assert.deepEqual([...readLink("parts=positives,wind,tail").forces.parts], ["positives", "tail"]);
  assert.equal(readLink("parts=wind").forces, undefined);
});
