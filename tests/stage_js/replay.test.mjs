import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { ReplaySource } from "../../app/stage/incoming/replay.js";
import { Tracks } from "../../app/stage/incoming/tracks.js";

const message = (header) => {
  const text = new TextEncoder().encode(JSON.stringify(header));
  return Uint8Array.from([text.length & 255, text.length >> 8, 0, 0, ...text]).buffer;
};
const track = (run, steps) => ({
  header: message({ type: "run", run }),
  state: { state: "finished", steps, events: [] },
  steps,
  frames: steps.map((step) => message({ run, step, seq: 0, time: 0, n: 0 })),
});

const held = (runs) => {
  const tracks = new Tracks(Object.keys(runs));
  for (const [run, steps] of Object.entries(runs))
    Object.assign(tracks.of.get(run), track(run, steps), { live: false });
  return tracks;
};

function open(search, tracks = held({ "a-1": [0, 10], "b-1": [5] })) {
  const said = [],
    links = [];
  const source = new ReplaySource(tracks, {
    address: () => `ws://x/replay?${search}`,
    onLink: (link) => links.push(link),
    onMessage: (header) => said.push(header),
  });
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
    ],
    "what is shown already does not come again",
  );
  assert.deepEqual(
    said.map((header) => "step" in header),
    [false, true],
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

const packed = (header) => gzipSync(Buffer.from(message(header))).toString("base64");
const parcel = (n, steps, { state = "running", header = null, anew = false, generation = "1", run = "a-1" } = {}) => ({
  n,
  anew,
  more: false,
  live: true,
  runs: [
    {
      run,
      generation,
      header: header && packed(header),
      state: { state, events: [] },
      steps,
      frames: steps.map((step) => packed({ run, step, time: 7, n: 0 })),
    },
  ],
});

test("a run that grows is followed, held while it grows, and rests at its end", async () => {
  const tracks = new Tracks(["a-1"]);
  const { source, said } = open("runs=a-1&hz=60", tracks);
  assert.deepEqual(
    said.map(({ type }) => type),
    ["clock"],
    "nothing is said of a run of which nothing has come",
  );
  const steps = () => said.filter((header) => "step" in header).map(({ step }) => step);
  assert.equal(await tracks.take(parcel(1, [20], { header: { type: "run", run: "a-1" }, anew: true })), true);
  assert.deepEqual(
    said.slice(1).map(({ type, step, live, time }) => type ?? [step, live, time]),
    ["run", "state", [20, true, 7]],
  );
  await tracks.take(parcel(2, [0, 10]));
  assert.deepEqual(steps(), [20], "what came later and was before is no news to who follows");
  assert.deepEqual(said.at(-1).steps, [0, 10, 20]);
  source.send({ step: 10 });
  await turn();
  await tracks.take(parcel(3, [30]));
  assert.deepEqual(steps(), [20, 10], "who holds is left alone");
  source.send({ live: true });
  await turn();
  await tracks.take(parcel(4, [40], { state: "finished" }));
  await new Promise((done) => setTimeout(done, 60));
  assert.deepEqual([...new Set(steps().slice(2))], [30, 40]);
  source.close();
  await tracks.take(parcel(5, [50]));
  assert.ok(!steps().includes(50), "who has closed is told nothing");
});

test("a parcel before which one is missing is not taken, one that begins anew is; another folder replaces", async () => {
  const tracks = new Tracks(["a-1"]),
    track = tracks.of.get("a-1");
  const header = { type: "run", run: "a-1" };
  assert.equal(await tracks.take(parcel(3, [5])), false);
  assert.deepEqual(track.steps, []);
  assert.equal(await tracks.take(parcel(3, [5], { header, anew: true })), true);
  assert.equal(await tracks.take(parcel(3, [9])), true, "what comes twice is taken once");
  assert.deepEqual(track.steps, [5]);
  const together = [tracks.take(parcel(4, [7])), tracks.take(parcel(5, [6])), tracks.take(parcel(7, [8]))];
  assert.deepEqual(await Promise.all(together), [true, true, false]);
  assert.deepEqual(track.steps, [5, 6, 7]);
  await tracks.take(parcel(6, [1], { header, generation: "2" }));
  assert.deepEqual([track.steps, track.frames.length], [[1], 1]);
  assert.equal(await tracks.take(parcel(7, [1], { run: "b-1" })), true, "runs that were not asked for are left out");
});

test("beyond its room a page keeps every second moment, the first and the last", async () => {
  const tracks = new Tracks(["a-1"], 400);
  const steps = Array.from({ length: 40 }, (_, i) => i);
  await tracks.take(parcel(1, steps, { header: { type: "run", run: "a-1" }, anew: true }));
  const track = tracks.of.get("a-1");
  const size = track.frames.reduce((sum, frame) => sum + frame.byteLength, 0);
  assert.ok(size <= 400 && track.frames.length === track.steps.length, size);
  assert.ok(track.steps.length > 3 && track.steps[0] === 0 && track.steps.at(-1) === 39, track.steps);
});
