/** GIF89a, written frame by frame: one palette for all, LZW, and only what changed since the frame before. Pure. */

/** One index stays free for "as before", so a palette has at most this many colours. */
export const MOST_COLOURS = 255;
const DEPTH = 8,
  CLEAR = 1 << DEPTH,
  END = CLEAR + 1,
  MOST_CODES = 4096;

export class GifWriter {
  /**
   * @param {number} width pixels, 1 to 65535 @param {number} height
   * @param {Uint8Array} palette r, g, b of each colour, 1 to 255 colours
   * @throws {RangeError} for a size or palette that the format cannot hold
   */
  constructor(width, height, palette) {
    const colours = palette.length / 3;
    if (!(width >= 1 && width <= 65535 && height >= 1 && height <= 65535))
      throw new RangeError(`A GIF is 1 to 65535 pixels wide and high, got ${width} x ${height}.`);
    if (!(colours >= 1 && colours <= MOST_COLOURS))
      throw new RangeError(`A GIF's palette has 1 to ${MOST_COLOURS} colours here, got ${colours}.`);
    this.width = width;
    this.height = height;
    /** The index that leaves a pixel as it was. */
    this.same = colours;
    /** @type {Uint8Array|null} */
    this.last = null;
    const table = new Uint8Array(3 * 256);
    table.set(palette);
    /** @type {Uint8Array<ArrayBuffer>[]} the file so far */
    this.parts = [
      Uint8Array.from([...ascii("GIF89a"), ...word(width), ...word(height), 0xf7, 0, 0]),
      table,
      // Netscape's extension: played again and again.
      Uint8Array.from([0x21, 0xff, 11, ...ascii("NETSCAPE2.0"), 3, 1, 0, 0, 0]),
    ];
  }

  /**
   * @param {Uint8Array} indices colour of each pixel, row by row
   * @param {number} ms how long the frame stays; the format counts hundredths
   */
  add(indices, ms) {
    const { width, height } = this;
    if (indices.length !== width * height)
      throw new RangeError(`A frame of ${width} x ${height} has ${width * height} pixels, got ${indices.length}.`);
    const box = this.last ? changedBox(this.last, indices, width, height) : { x: 0, y: 0, w: width, h: height };
    const part = new Uint8Array(box.w * box.h);
    for (let row = 0; row < box.h; row++)
      for (let column = 0; column < box.w; column++) {
        const at = (box.y + row) * width + box.x + column;
        part[row * box.w + column] = this.last && this.last[at] === indices[at] ? this.same : indices[at];
      }
    // Disposal 1: the frame stays, and the next is painted over it.
    const control = [0x21, 0xf9, 4, 0x05, ...word(Math.max(2, Math.round(ms / 10))), this.same, 0];
    const place = [0x2c, ...word(box.x), ...word(box.y), ...word(box.w), ...word(box.h), 0, DEPTH];
    this.parts.push(Uint8Array.from([...control, ...place]), inBlocks(packLzw(part)));
    this.last = indices.slice();
  }

  /** @returns {Uint8Array<ArrayBuffer>[]} the whole file, in parts */
  finish() {
    return [...this.parts, Uint8Array.of(0x3b)];
  }
}

const ascii = (/** @type {string} */ text) => [...text].map((letter) => letter.charCodeAt(0));
const word = (/** @type {number} */ value) => [value & 255, value >> 8];

/** The rectangle outside which two frames are alike; one pixel where they are alike altogether.
 * @param {Uint8Array} a @param {Uint8Array} b @param {number} width @param {number} height */
function changedBox(a, b, width, height) {
  let left = width,
    right = -1,
    top = height,
    bottom = -1;
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++, at++) {
      if (a[at] === b[at]) continue;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      bottom = y;
    }
  return right < 0 ? { x: 0, y: 0, w: 1, h: 1 } : { x: left, y: top, w: right - left + 1, h: bottom - top + 1 };
}

/**
 * Lempel, Ziv and Welch as GIF has it: codes of 9 to 12 bits, lowest bit first. @param {Uint8Array} indices
 * @returns {Uint8Array}
 */
export function packLzw(indices) {
  const out = new Uint8Array(16 + indices.length * 2),
    known = new Uint16Array(MOST_CODES << 8);
  let used = 0,
    bits = 0,
    waiting = 0,
    size = DEPTH + 1,
    next = END + 1;
  const emit = (/** @type {number} */ code) => {
    waiting |= code << bits;
    for (bits += size; bits >= 8; bits -= 8, waiting >>>= 8) out[used++] = waiting & 255;
  };
  emit(CLEAR);
  let prefix = indices[0] ?? 0;
  for (let i = 1; i < indices.length; i++) {
    const key = (prefix << 8) | indices[i],
      found = known[key];
    if (found) {
      prefix = found;
      continue;
    }
    emit(prefix);
    if (next < MOST_CODES) {
      // The reader is one entry behind, so a code grows one entry after it became necessary here.
      if (next === 1 << size) size++;
      known[key] = next++;
    } else {
      emit(CLEAR);
      known.fill(0);
      size = DEPTH + 1;
      next = END + 1;
    }
    prefix = indices[i];
  }
  emit(prefix);
  if (next === 1 << size && size < 12) size++;
  emit(END);
  if (bits) out[used++] = waiting & 255;
  return out.slice(0, used);
}

/** As blocks of at most 255 bytes, each after its length, and an empty one. @param {Uint8Array} bytes */
function inBlocks(bytes) {
  const out = new Uint8Array(bytes.length + Math.ceil(bytes.length / 255) + 1);
  let at = 0;
  for (let i = 0; i < bytes.length; i += 255) {
    const block = bytes.subarray(i, i + 255);
    out[at++] = block.length;
    out.set(block, at);
    at += block.length;
  }
  return out;
}
