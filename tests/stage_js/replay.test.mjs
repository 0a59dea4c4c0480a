import assert from "node:assert/strict";
import { test } from "node:test";
import { ReplaySource } from "../../app/stage/incoming/replay.js";

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
