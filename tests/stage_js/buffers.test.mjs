/** What the card is sent of a run's points. */
import assert from "node:assert/strict";
import test from "node:test";
import { PointBuffers } from "../../app/stage/drawing/buffers.js";

/** A card that keeps what it is sent. */
function card() {
  const sent = [];
  let bound = null;
  const gl = {
    SHORT: 1,
    UNSIGNED_SHORT: 2,
    UNSIGNED_BYTE: 3,
    ARRAY_BUFFER: "points",
    ELEMENT_ARRAY_BUFFER: "order",
    createBuffer: () => ({}),
    bindBuffer: (_, buffer) => (bound = buffer),
    bufferData: (target, values) => {
      bound.values = values;
      sent.push([target, values]);
    },
    drawArrays: () => {},
    drawElements: () => {},
    enableVertexAttribArray: () => {},
    disableVertexAttribArray: () => {},
    vertexAttribPointer: (place) => (seen[place] = bound.values),
    vertexAttribIPointer: (place) => (seen[place] = bound.values),
  };
  const seen = {};
  return { gl, sent, seen, program: { attributes: { from: "from", to: "to", colourAt: "colourAt" } } };
}

const moveOf = (from, to) => ({ from: Int16Array.from(from), frame: { xyz: Int16Array.from(to) } });
const places = Array.from({ length: 30 }, (_, i) => i);
const goals = places.map((v) => v + 100);

test("of many points only those that are drawn are sent, and they are the first of the order", () => {
  const { gl, sent, seen, program } = card(),
    buffers = new PointBuffers(gl),
    order = Uint32Array.from([7, 2, 9, 0, 1, 3, 4, 5, 6, 8]);
  buffers.setColours(Uint16Array.from({ length: 10 }, (_, i) => i));
  assert.equal(buffers.draw(program, moveOf(places, goals), order, 2), 2);
  assert.deepEqual([...seen.to].slice(0, 6), [121, 122, 123, 106, 107, 108]);
  assert.deepEqual([...seen.colourAt].slice(0, 2), [7, 2]);
  assert.ok(sent.every(([, values]) => values.length < 30));
  // More of them: what is there is too little, and of the same points.
  assert.equal(buffers.draw(program, moveOf(places, goals), order, 4), 4);
  assert.deepEqual([...seen.from].slice(9, 12), [0, 1, 2]);
  assert.deepEqual([...seen.colourAt].slice(0, 4), [7, 2, 9, 0]);
  // All of them, as they come.
  assert.equal(buffers.draw(program, moveOf(places, goals), null, 10), 10);
  assert.deepEqual([...seen.to], goals);
});

test("between steady frames the old goal is the new start, and is not sent again", () => {
  const { gl, sent, seen, program } = card(),
    buffers = new PointBuffers(gl),
    run = moveOf(places, goals);
  buffers.setColours(new Uint16Array(10));
  buffers.draw(program, run, null, 10);
  buffers.draw(program, run, null, 10);
  assert.equal(sent.length, 3);
  const next = { from: run.frame.xyz, frame: { xyz: Int16Array.from(goals, (v) => v + 100) } };
  buffers.draw(program, next, null, 10);
  assert.equal(sent.length, 4);
  assert.deepEqual([...seen.from], goals);
  assert.deepEqual([...seen.to], [...next.frame.xyz]);
});

test("an array that is written anew is sent again", () => {
  const { gl, seen, sent, program } = card(),
    buffers = new PointBuffers(gl),
    colours = new Uint16Array(10);
  buffers.setColours(colours);
  const run = moveOf(places, goals);
  buffers.draw(program, run, null, 10);
  colours[3] = 5;
  buffers.setColours(colours);
  buffers.draw(program, run, null, 10);
  assert.equal(sent.length, 4);
  assert.equal(seen.colourAt[3], 5);
});
