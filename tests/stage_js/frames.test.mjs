import assert from "node:assert/strict";
import { test } from "node:test";
import { readArray, readFrame, readRun, splitMessage } from "../../app/stage/incoming/frames.js";

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
