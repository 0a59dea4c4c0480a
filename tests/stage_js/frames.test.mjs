import assert from "node:assert/strict";
import { test } from "node:test";
import { readArray, readFrame, readRun, splitMessage } from "../../app/stage/incoming/frames.js";
import { drawingOrder } from "../../app/stage/incoming/order.js";
import { Run } from "../../app/stage/incoming/runs.js";

/** As the server packs: header padded so that the payload starts at a multiple of four. */
function pack(header, payload = new Uint8Array()) {
  let text = JSON.stringify(header);
  while ((4 + text.length) % 4) text += " ";
  const out = new Uint8Array(4 + text.length + payload.byteLength);
  new DataView(out.buffer).setUint32(0, text.length, true);
  out.set(new TextEncoder().encode(text), 4);
  out.set(new Uint8Array(payload.buffer ?? payload, payload.byteOffset ?? 0, payload.byteLength), 4 + text.length);
  return out.buffer;
}

test("a frame comes apart into header, points and predictions", () => {
  const payload = new Int16Array([1, -2, 32767, 4, 5, -32767, 7, 3]);
  const { header, offset } = splitMessage(pack({ run: "a", step: 3, n: 2, predictions: true }, payload));
  assert.equal(offset % 4, 0);
  const frame = readFrame(pack({ run: "a", step: 3, n: 2, predictions: true }, payload), header, offset);
  assert.deepEqual([...frame.xyz], [1, -2, 32767, 4, 5, -32767]);
  assert.deepEqual([...frame.predictions], [7, 3]);
});

test("a frame that is shorter than it says is refused with its sizes", () => {
  const buffer = pack({ run: "a", step: 3, n: 9 }, new Int16Array(6));
  const { header, offset } = splitMessage(buffer);
  assert.throws(() => readFrame(buffer, header, offset), /27 int16 .* does not fit/);
  assert.throws(() => splitMessage(new ArrayBuffer(2)), /no header length/);
  assert.throws(() => splitMessage(new Uint8Array([255, 0, 0, 0, 1]).buffer), /cannot hold a header of 255/);
  assert.throws(() => splitMessage(pack([1])), /JSON object/);
});

test("arrays of a run are read at any offset, and copied out of the message", () => {
  const payload = new Uint8Array([1, 0, 2, 0, 1, 0, 9, 0, 0, 0, 255, 255, 255, 255]);
  const spec = {
    type: "run",
    run: "a",
    n: 2,
    arrays: { labels: [0, 2, "uint16"], split: [4, 2, "uint8"], ids: [6, 2, "int32"] },
    thumb: null,
  };
  const buffer = pack(spec, payload);
  const { header, offset } = splitMessage(buffer);
  const run = readRun(buffer, header, offset);
  assert.deepEqual([...run.labels], [1, 2]);
  assert.deepEqual([...run.split], [1, 0]);
  assert.deepEqual([...run.ids], [9, -1]);
  assert.notEqual(run.labels.buffer, buffer);
  assert.throws(() => readArray(buffer, 0, 1, "object"), /none of/);
});

test("a run whose split does not match its labels is refused", () => {
  const buffer = pack(
    { type: "run", run: "a", arrays: { labels: [0, 2, "uint16"], split: [4, 1, "uint8"] } },
    new Uint8Array(5),
  );
  const { header, offset } = splitMessage(buffer);
  assert.throws(() => readRun(buffer, header, offset), /2 labels and 1 split/);
});

test("few of many points stand for all: two of each class first, then as large a share of each, evenly spread", () => {
  const labels = Uint16Array.from({ length: 20000 }, (_, i) => (i % 4000 === 7 ? 2 : i < 18000 ? 0 : 1)),
    order = drawingOrder(labels);
  assert.equal(new Set(order).size, 20000, "each once");
  const first = [...order.slice(0, 6)].map((i) => labels[i]);
  assert.deepEqual(
    [0, 1, 2].map((c) => first.filter((y) => y === c).length),
    [2, 2, 2],
  );
  const some = [...order.slice(0, 2000)],
    tail = some.filter((i) => labels[i] === 1);
  assert.ok(Math.abs(tail.length - 200) < 12, `a tenth of them: ${tail.length}`);
  assert.ok(Math.abs(tail.filter((i) => i < 19000).length - 100) < 10, "from the class's beginning to its end");
  // Labels that come in turns, which every how many-th point would leave out.
  const turns = drawingOrder(Uint16Array.from({ length: 20000 }, (_, i) => i % 100));
  assert.equal(new Set([...turns.slice(0, 400)].map((i) => i % 100)).size, 100);
});

test("a first look holds the points that have come, and the others appear where they are", () => {
  const run = new Run("a-1");
  const message = (arrays, bytes) => {
    const header = { run: "a-1", step: 3, n: 4, centres: [], landmarks: {}, metrics: {}, arrays };
    return readFrame(bytes.buffer, header, 0);
  };
  const look = message(
    { rows: [12, 2, "int32"] },
    new Uint8Array([
      ...new Uint8Array(Int16Array.of(1, 2, 3, 4, 5, 6).buffer),
      ...new Uint8Array(Int32Array.of(1, 3).buffer),
    ]),
  );
  assert.deepEqual([...look.xyz], [0, 0, 0, 1, 2, 3, 0, 0, 0, 4, 5, 6]);
  assert.deepEqual([[...look.present], look.absent, [...look.rows]], [[0, 1, 0, 1], 2, [1, 3]]);
  run.info = { header: { num_classes: 1 }, labels: new Uint16Array(4) };
  run.receive(look);
  run.accept(0, { tween: true, steady: true });
  assert.deepEqual([...run.order], [1, 3]);
  run.receive(message({}, new Uint8Array(Int16Array.from({ length: 12 }, (_, i) => i + 1).buffer)));
  run.accept(1, { tween: true, steady: true });
  assert.equal(run.progress(1), 1, "nothing flies in from the middle");
  assert.equal(run.order.length, 4);
  const bad = { rows: [12, 2, "int32"] };
  assert.throws(
    () => message(bad, new Uint8Array([...new Uint8Array(12), ...new Uint8Array(Int32Array.of(1, 9).buffer)])),
    /names the sample 9; it has 4/,
  );
});
