import assert from "node:assert/strict";
import { test } from "node:test";
import { GifWriter, packLzw } from "../../app/stage/saving/gif.js";
import { choosePalette, Histogram, Matcher } from "../../app/stage/saving/palette.js";

/** A reader of its own, after the specification: what it gives must be what was written. */
function readGif(bytes) {
  const word = (at) => bytes[at] | (bytes[at + 1] << 8);
  assert.equal(String.fromCharCode(...bytes.slice(0, 6)), "GIF89a");
  const width = word(6),
    height = word(8),
    table = bytes.slice(13, 13 + 3 * 2 ** ((bytes[10] & 7) + 1));
  const canvas = new Uint8Array(width * height),
    frames = [];
  let at = 13 + table.length,
    delay = 0,
    clear = -1;
  for (;;) {
    const kind = bytes[at++];
    if (kind === 0x3b) return { width, height, table, frames };
    if (kind === 0x21) {
      if (bytes[at] === 0xf9) [delay, clear] = [word(at + 3) * 10, bytes[at + 2] & 1 ? bytes[at + 5] : -1];
      at++;
      while (bytes[at]) at += bytes[at] + 1;
      at++;
      continue;
    }
    assert.equal(kind, 0x2c);
    const [x, y, w, h] = [word(at), word(at + 2), word(at + 4), word(at + 6)],
      depth = bytes[at + 9],
      data = [];
    at += 10;
    while (bytes[at]) {
      data.push(...bytes.slice(at + 1, at + 1 + bytes[at]));
      at += bytes[at] + 1;
    }
    at++;
    const part = unpackLzw(data, depth);
    assert.equal(part.length, w * h);
    part.forEach((index, i) => index !== clear && (canvas[(y + Math.floor(i / w)) * width + x + (i % w)] = index));
    frames.push({ indices: canvas.slice(), delay, box: [x, y, w, h] });
  }
}

function unpackLzw(data, depth) {
  const CLEAR = 1 << depth,
    out = [];
  let at = 0,
    bits = 0,
    held = 0,
    size = depth + 1,
    table = [],
    last = null;
  for (;;) {
    while (bits < size) [held, bits] = [held | (data[at++] << bits), bits + 8];
    const code = held & ((1 << size) - 1);
    [held, bits] = [held >>> size, bits - size];
    if (code === CLEAR) {
      table = Array.from({ length: CLEAR + 2 }, (_, i) => [i]);
      [size, last] = [depth + 1, null];
      continue;
    }
    if (code === CLEAR + 1) return out;
    const entry = table[code] ?? [...last, last[0]];
    out.push(...entry);
    if (last && table.length < 4096) table.push([...last, entry[0]]);
    if (table.length === 1 << size && size < 12) size++;
    last = entry;
  }
}

/** A generator of its own, so that the test is the same everywhere. */
function noise(seed) {
  let s = seed;
  return () => (s = (Math.imul(s, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

test("LZW gives back runs, noise that fills the table, and a single pixel", () => {
  const random = noise(7);
  for (const indices of [
    Uint8Array.of(9),
    new Uint8Array(5000).fill(3),
    Uint8Array.from({ length: 60000 }, () => random() * 250),
    Uint8Array.from({ length: 40000 }, (_, i) => (i % 97 < 60 ? 1 : random() * 6)),
  ])
    assert.deepEqual(Uint8Array.from(unpackLzw([...packLzw(indices)], 8)), indices);
});

test("every length around a growing code is read back", () => {
  const random = noise(3),
    long = Uint8Array.from({ length: 1100 }, () => random() * 255);
  for (let n = 250; n < 262; n++)
    assert.deepEqual(Uint8Array.from(unpackLzw([...packLzw(long.subarray(0, n))], 8)), long.slice(0, n));
  for (let n = 760; n < 775; n++)
    assert.deepEqual(Uint8Array.from(unpackLzw([...packLzw(long.subarray(0, n))], 8)), long.slice(0, n));
});

test("a GIF holds its frames, delays and colours, and writes only what changed", () => {
  const palette = Uint8Array.of(250, 250, 250, 10, 20, 30, 200, 0, 0),
    gif = new GifWriter(40, 30, palette);
  const first = new Uint8Array(1200),
    second = first.slice();
  for (let i = 0; i < 1200; i += 7) first[i] = second[i] = 1;
  second.fill(2, 5 * 40 + 4, 5 * 40 + 9);
  gif.add(first, 100);
  gif.add(second, 55);
  gif.add(second, 1500);
  const read = readGif(Uint8Array.from(gif.finish().flatMap((part) => [...part])));
  assert.deepEqual([read.width, read.height, [...read.table.slice(0, 9)]], [40, 30, [...palette]]);
  assert.deepEqual(
    read.frames.map((f) => f.delay),
    [100, 60, 1500],
  );
  assert.deepEqual(
    read.frames.map((f) => f.indices),
    [first, second, second],
  );
  assert.deepEqual(
    read.frames.map((f) => f.box),
    [
      [0, 0, 40, 30],
      [4, 5, 5, 1],
      [0, 0, 1, 1],
    ],
  );
});

test("sizes that the format cannot hold are refused", () => {
  assert.throws(() => new GifWriter(0, 5, Uint8Array.of(1, 2, 3)), /1 to 65535/);
  assert.throws(() => new GifWriter(5, 5, new Uint8Array(3 * 256)), /1 to 255 colours/);
  assert.throws(() => new GifWriter(5, 5, Uint8Array.of(1, 2, 3)).add(new Uint8Array(24), 10), /25 pixels, got 24/);
});

test("a palette keeps what it must and comes near to the rest", () => {
  const random = noise(1),
    rgba = new Uint8Array(4 * 20000),
    fixed = [
      [251, 251, 249],
      [28, 31, 36],
    ];
  for (let i = 0; i < rgba.length; i += 4) {
    const t = random();
    rgba.set(
      t < 0.6
        ? [251, 251, 249, 255]
        : t < 0.8
          ? [200 + 40 * random(), 30 * random(), 20, 255]
          : [10, 60 + 30 * random(), 160 + 60 * random(), 255],
      i,
    );
  }
  const histogram = new Histogram();
  histogram.add(rgba);
  const palette = choosePalette(histogram, 64, fixed),
    matcher = new Matcher(palette),
    indices = matcher.match(rgba);
  assert.ok(palette.length / 3 <= 64 && palette.length / 3 > 30);
  assert.deepEqual([...palette.slice(0, 6)], fixed.flat());
  let worst = 0;
  indices.forEach((index, i) =>
    [0, 1, 2].forEach((c) => (worst = Math.max(worst, Math.abs(palette[index * 3 + c] - rgba[i * 4 + c])))),
  );
  assert.ok(worst <= 12, `a colour is off by ${worst}`);
  assert.deepEqual([...matcher.match(Uint8Array.of(28, 31, 36, 255))], [1]);
});

test("no pixel, one colour and too many fixed colours still give a palette", () => {
  assert.deepEqual([...choosePalette(new Histogram(), 8, [])], [0, 0, 0]);
  const one = new Histogram();
  one.add(Uint8Array.of(8, 8, 8, 255, 8, 8, 8, 255));
  assert.deepEqual([...choosePalette(one, 8, [])], [8, 8, 8]);
  assert.equal(
    choosePalette(one, 2, [
      [1, 1, 1],
      [2, 2, 2],
      [3, 3, 3],
    ]).length,
    6,
  );
});
