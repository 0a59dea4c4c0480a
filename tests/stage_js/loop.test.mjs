import assert from "node:assert/strict";
import test from "node:test";
import { Loop } from "../../app/stage/drawing/loop.js";
import { Quality } from "../../app/stage/drawing/quality.js";

/** A loop whose screen refreshes when told, and whose card is done when told. */
function makeLoop(runs) {
  const refreshes = [],
    landed = [],
    card = { busy: false };
  globalThis.requestAnimationFrame = (act) => refreshes.push(act);
  globalThis.matchMedia = () => ({ matches: false });
  const picture = {
    quality: new Quality(false),
    cameras: { step: () => false, moving: false },
    moving: () => false,
    renderer: { software: false, progress: () => ({ busy: card.busy, ms: null }) },
    accept: (run) => ([run.frame, run.pending] = [run.pending, null]),
    draw: () => ((card.busy = true), 0),
  };
  const loop = new Loop(picture, {
    runs: () => runs,
    steady: () => true,
    urgent: () => false,
    before() {},
    after() {},
    onLevel() {},
    onLanded: (some) => landed.push(some.map(({ id }) => id)),
  });
  const refresh = (now) => refreshes.splice(0).forEach((act) => act(now));
  loop.start();
  return { loop, landed, card, refresh, refreshes };
}

test("a frame counts once its picture is finished, and a picture without a frame is none", () => {
  const run = { id: "a-1", info: {}, frame: null, pending: null },
    { loop, landed, card, refresh, refreshes } = makeLoop([run]);
  refresh(0);
  card.busy = false;
  refresh(100);
  assert.deepEqual(landed, [], "an empty sphere was drawn");
  run.pending = {};
  loop.invalidate();
  refresh(200);
  assert.ok(run.frame && card.busy);
  refresh(300);
  assert.deepEqual(landed, [], "the card is still at it");
  card.busy = false;
  refresh(400);
  refresh(500);
  assert.deepEqual(landed, [["a-1"]], "once, and without another frame to wake the loop");
  assert.equal(refreshes.length, 0, "then it rests");
});
