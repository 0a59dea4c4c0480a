import assert from "node:assert/strict";
import { test } from "node:test";
import { ReplaySource } from "../../app/stage/incoming/replay.js";
import { ReplayClock } from "../../app/stage/incoming/replayclock.js";

/** Steps that the clock stands at over some ticks. */
const walk = (clock, ticks) => Array.from({ length: ticks }, () => (clock.tick(), clock.step));

test("a replay goes through the union of all steps, rests at the end, and begins again", () => {
  const clock = new ReplayClock(
    [
      [0, 10, 20],
      [0, 15],
    ],
    10,
    null,
  );
  assert.deepEqual([clock.mode, clock.step, clock.interval], ["follow", 0, 100]);
  assert.deepEqual(walk(clock, 3), [10, 15, 20]);
  assert.deepEqual(walk(clock, 13), [...Array(12).fill(20), 0]);
});

test("hold stays, play goes on from a chosen step, follow goes on from where it is", () => {
  const clock = new ReplayClock([[0, 10, 20, 30]], 10, 10);
  assert.equal(clock.mode, "hold");
  assert.deepEqual(walk(clock, 2), [10, 10]);
  clock.play(20);
  assert.deepEqual([clock.mode, ...walk(clock, 1)], ["play", 30]);
  clock.hold(0);
  clock.follow();
  assert.deepEqual([clock.mode, ...walk(clock, 1)], ["follow", 10]);
  clock.hold(12);
  clock.play(null);
  assert.deepEqual(walk(clock, 1), [20], "from between two steps to the next");
});

test("speed is clipped, what is no number is ignored, and more than thirty ticks a second leave frames out", () => {
  const clock = new ReplayClock([Array.from({ length: 100 }, (_, i) => i)], 10, null);
  clock.setSpeed(NaN);
  assert.equal(clock.speed, 1);
  clock.setSpeed(99);
  assert.equal(clock.speed, 16);
  assert.ok(Math.abs(clock.interval - 1000 / 30) < 1e-9);
  assert.deepEqual(walk(clock, 2), [5, 10]);
  clock.setSpeed(0.25);
  assert.equal(clock.interval, 400);
});

test("a recording without frames stands still", () => {
  const clock = new ReplayClock([], 10, null);
  clock.tick();
  assert.equal(clock.step, null);
});

const message = (header) => {
  const text = new TextEncoder().encode(JSON.stringify(header));
  return Uint8Array.from([text.length & 255, text.length >> 8, 0, 0, ...text]).buffer;
};
const track = (run, steps) => ({
  card: message({ type: "run", run }),
  state: { state: "finished", steps, marks: [] },
  steps,
  frames: steps.map((step) => message({ run, step, seq: 0, time: 0, n: 0 })),
});

function open(search) {
  const said = [],
    links = [];
  const source = new ReplaySource(
    new Map([
      ["a-1", track("a-1", [0, 10])],
      ["b-1", track("b-1", [5])],
    ]),
    {
      address: () => `ws://x/replay?${search}`,
      onLink: (link) => links.push(link),
      onMessage: (header) => said.push(header),
    },
  );
  source.open();
  return { source, said, links };
}
const turn = () => new Promise((done) => setTimeout(done, 5));

test("it speaks as the stream does: card, state, clock, then frames, each counted", async () => {
  const { source, said, links } = open("runs=a-1,b-1&step=7");
  assert.deepEqual(links, ["open"]);
  assert.deepEqual(
    said.slice(0, 5).map(({ type, run }) => [type, run]),
    [
      ["run", "a-1"],
      ["state", "a-1"],
      ["run", "b-1"],
      ["state", "b-1"],
      ["clock", undefined],
    ],
  );
  assert.deepEqual(
    said.slice(5).map(({ run, step, seq, live }) => [run, step, seq, live]),
    [
      ["a-1", 0, 1, false],
      ["b-1", 5, 2, false],
    ],
    "the newest frame at or before the step",
  );
  said.length = 0;
  assert.equal(source.send({ step: 10 }), true);
  await turn();
  assert.deepEqual(
    said.map(({ type, run, step, at, mode }) => [type ?? run, step ?? at, mode]),
    [
      ["clock", 10, "hold"],
      ["a-1", 10, undefined],
      ["b-1", 5, undefined],
    ],
  );
  assert.deepEqual(
    said.map((header) => "step" in header),
    [false, true, true],
    "a header with a step is a frame",
  );
  source.close();
});

test("it shows only the runs that are asked for, plays by itself, and is silent once closed", async () => {
  const { source, said } = open("runs=a-1&hz=60");
  assert.ok(said.every(({ run }) => run !== "b-1"));
  await new Promise((done) => setTimeout(done, 60));
  assert.ok(said.some(({ step, type }) => step === 10 && !type));
  source.close();
  const count = said.length;
  assert.equal(source.send({ live: true }), false);
  await new Promise((done) => setTimeout(done, 60));
  assert.equal(said.length, count);
});

test("another projection is refused in words", async () => {
  const { source, said } = open("runs=a-1&step=0");
  source.send({ projection: "umap" });
  assert.match(said[said.length - 1].message, /holds one projection/);
  source.close();
});
