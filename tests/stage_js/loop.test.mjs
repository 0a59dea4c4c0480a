import assert from "node:assert/strict";
import test from "node:test";
import { Loop } from "../../app/stage/drawing/loop.js";
import { Choices } from "../../app/stage/scene/choices.js";
import { Pace } from "../../app/stage/drawing/pace.js";
import { Quality } from "../../app/stage/drawing/quality.js";

/** A loop whose screen refreshes when told, and whose card is done when told. */
function makeLoop(runs) {
  const refreshes = [],
    landed = [],
    card = { busy: false },
    choices = new Choices();
  globalThis.requestAnimationFrame = (act) => refreshes.push(act);
  globalThis.matchMedia = () => ({ matches: false });
  const picture = {
    choices,
    quality: new Quality(false),
    cameras: { step: () => false, moving: false },
    moving: () => false,
    renderer: { software: false, progress: () => ({ busy: card.busy, ms: null }) },
    accept: (run) => ([run.frame, run.pending] = [run.pending, null]),
    share: 1,
    drawn: [],
    draw: (now, rests) => {
      picture.drawn.push(rests);
      picture.share = rests ? 1 : 0.25;
      card.busy = true;
      return 0;
    },
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
  return { loop, landed, card, refresh, refreshes, picture };
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

test("while the camera moves points may be left out, and at rest all are drawn again", async () => {
  const { loop, card, refresh, picture } = makeLoop([]);
  const at = (now) => ((card.busy = false), refresh(now));
  at(0);
  assert.deepEqual(picture.drawn, [true], "nothing has moved yet");
  picture.choices.set({ pose: { yaw: 1 } });
  loop.schedule();
  at(1000);
  assert.deepEqual(picture.drawn, [true, false]);
  await new Promise((done) => setTimeout(done, 320));
  at(1300);
  assert.deepEqual(picture.drawn, [true, false, true], "without anybody asking for it");
  await new Promise((done) => setTimeout(done, 320));
  at(1700);
  assert.equal(picture.drawn.length, 3, "then it rests");
});

test("between frames that come at a beat no picture of all points is begun, and after the last one is", async () => {
  const run = { id: "a-1", info: {}, frame: null, pending: null },
    { loop, card, refresh, picture } = makeLoop([run]);
  const at = (now) => ((card.busy = false), refresh(now));
  for (const now of [0, 600, 1200]) {
    run.pending = {};
    loop.invalidate();
    at(now);
  }
  loop.invalidate();
  at(1700);
  assert.deepEqual(picture.drawn, [false, false, false, false], "the next frame is due at 1800");
  loop.invalidate();
  at(2410);
  assert.equal(picture.drawn.at(-1), true, "it did not come");
  run.pending = {};
  loop.invalidate();
  at(9000);
  loop.invalidate();
  at(9300);
  assert.deepEqual(picture.drawn.slice(-2), [false, true], "frames so rare leave time for all");
});

test("frames of a race that come one after another are on one picture, and none waits long for another", () => {
  const race = ["a", "b"].map((id) => ({ id, info: {}, state: "running", frame: {}, pending: null })),
    { loop, card, refresh, picture } = makeLoop(race);
  const at = (now) => ((card.busy = false), refresh(now));
  at(0);
  const before = picture.drawn.length;
  race[0].pending = { n: 1 };
  loop.invalidate();
  at(100);
  assert.equal(picture.drawn.length, before, "the other one is about to come");
  race[1].pending = { n: 1 };
  at(112);
  assert.equal(picture.drawn.length, before + 1);
  assert.ok(race.every(({ frame, pending }) => frame.n === 1 && !pending));
  race[0].pending = { n: 2 };
  loop.invalidate();
  at(200);
  at(216);
  assert.equal(picture.drawn.length, before + 1);
  at(232);
  assert.equal(race[0].frame.n, 2, "it did not come");
  race[1].state = "finished";
  race[0].pending = { n: 3 };
  loop.invalidate();
  at(300);
  assert.equal(race[0].frame.n, 3, "no other one is to come");
});

test("where the processor draws, pictures that come rarely follow at once, and those without end leave it time", () => {
  const ms = 60,
    card = { ms: null },
    pace = new Pace(
      {
        renderer: { software: true, progress: () => ({ busy: false, ms: card.ms }) },
        quality: new Quality(true),
        share: 1,
      },
      () => {},
    );
  globalThis.document = { visibilityState: "visible" };
  const state = { news: true, dirty: true, urgent: false, points: 10 };
  let now = 0,
    drawn = 0;
  const refresh = () => {
    const allowed = pace.allows(now, state);
    card.ms = allowed ? ms : null;
    drawn += allowed ? 1 : 0;
    now += allowed ? ms : 4;
  };
  refresh();
  refresh();
  assert.equal(drawn, 2, "two pictures, one after the other");
  while (now < 60_000) refresh();
  const share = (drawn * ms) / now;
  assert.ok(share > 0.6 && share < 0.7, `drew for ${share} of the time`);
});
