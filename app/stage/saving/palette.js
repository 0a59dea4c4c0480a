/**
 * Few colours for many: median cut (Heckbert, 1982) over a coarse histogram, with colours that are kept exactly. Pure.
 */

/** Five bits of each channel are a cell of the histogram; six are a cell of the look-up. */
const CELLS = 1 << 15,
  LOOKUP = 1 << 18;

export class Histogram {
  constructor() {
    this.count = new Float64Array(CELLS);
    this.sums = new Float64Array(CELLS * 3);
  }

  /** @param {Uint8ClampedArray|Uint8Array} rgba four bytes a pixel; opacity is ignored */
  add(rgba) {
    for (let i = 0; i < rgba.length; i += 4) {
      const cell = ((rgba[i] >> 3) << 10) | ((rgba[i + 1] >> 3) << 5) | (rgba[i + 2] >> 3);
      this.count[cell]++;
      for (let c = 0; c < 3; c++) this.sums[cell * 3 + c] += rgba[i + c];
    }
  }
}

/** @typedef {{cells: number[], weight: number, spread: number, channel: number}} Box */

/**
 * @param {Histogram} histogram @param {number} most colours
 * @param {number[][]} fixed r, g, b (0 to 255) of colours that must be met exactly; those beyond `most` are left out
 * @returns {Uint8Array} r, g, b of each colour; at least one
 */
export function choosePalette(histogram, most, fixed) {
  const kept = new Map(fixed.slice(0, most).map((rgb) => [rgb.join(), rgb]));
  const cells = [...histogram.count.keys()].filter((cell) => histogram.count[cell] > 0);
  /** @type {Box[]} */
  const boxes = cells.length ? [measure(histogram, cells)] : [];
  while (boxes.length && boxes.length < most - kept.size) {
    const widest = boxes.reduce((best, box, i) => (box.spread > boxes[best].spread ? i : best), 0),
      box = boxes[widest];
    if (box.cells.length < 2) break;
    boxes.splice(widest, 1, ...halve(histogram, box));
  }
  for (const box of kept.size < most ? boxes : []) {
    const rgb = [0, 1, 2].map((c) =>
      Math.round(box.cells.reduce((sum, cell) => sum + histogram.sums[cell * 3 + c], 0) / box.weight),
    );
    kept.set(rgb.join(), rgb);
  }
  return Uint8Array.from(kept.size ? [...kept.values()].flat() : [0, 0, 0]);
}

const level = (/** @type {number} */ cell, /** @type {number} */ channel) => (cell >> (10 - 5 * channel)) & 31;

/**
 * @param {Histogram} histogram @param {number[]} cells
 * @returns {Box} spread: variance along its longest channel, times pixels
 */
function measure({ count }, cells) {
  let weight = 0,
    spread = -1,
    channel = 0;
  for (const cell of cells) weight += count[cell];
  for (let c = 0; c < 3; c++) {
    let sum = 0,
      squares = 0;
    for (const cell of cells) {
      sum += count[cell] * level(cell, c);
      squares += count[cell] * level(cell, c) ** 2;
    }
    if (squares - (sum * sum) / weight > spread) [spread, channel] = [squares - (sum * sum) / weight, c];
  }
  return { cells, weight, spread: cells.length < 2 ? -1 : spread, channel };
}

/** @param {Histogram} histogram @param {Box} box of two cells or more @returns {[Box, Box]} */
function halve(histogram, { cells, weight, channel }) {
  const sorted = [...cells].sort((a, b) => level(a, channel) - level(b, channel));
  let at = 0,
    before = 0;
  while (at < sorted.length - 1 && (at === 0 || before + histogram.count[sorted[at]] <= weight / 2))
    before += histogram.count[sorted[at++]];
  return [measure(histogram, sorted.slice(0, at)), measure(histogram, sorted.slice(at))];
}

/** Finds the nearest colour of a palette, each kind of pixel once. */
export class Matcher {
  /** @param {Uint8Array} palette */
  constructor(palette) {
    this.palette = palette;
    this.known = new Int16Array(LOOKUP).fill(-1);
    // What the palette holds exactly is found exactly, though its cell has another middle.
    for (let i = 0; i < palette.length; i += 3) this.known[cellOf(palette, i)] = i / 3;
  }

  /** @param {Uint8ClampedArray|Uint8Array} rgba @returns {Uint8Array} place in the palette of each pixel */
  match(rgba) {
    const out = new Uint8Array(rgba.length / 4),
      { known } = this;
    for (let i = 0, at = 0; i < rgba.length; i += 4, at++) {
      const cell = cellOf(rgba, i);
      if (known[cell] < 0) known[cell] = this.nearest(rgba[i], rgba[i + 1], rgba[i + 2]);
      out[at] = known[cell];
    }
    return out;
  }

  /** @param {number} r @param {number} g @param {number} b */
  nearest(r, g, b) {
    const { palette } = this;
    let best = 0,
      least = Infinity;
    for (let i = 0; i < palette.length; i += 3) {
      // Weighed as the eye does, roughly.
      const far = 2 * (palette[i] - r) ** 2 + 4 * (palette[i + 1] - g) ** 2 + 3 * (palette[i + 2] - b) ** 2;
      if (far < least) [least, best] = [far, i / 3];
    }
    return best;
  }
}

/** @param {Uint8ClampedArray|Uint8Array} rgb @param {number} i */
const cellOf = (rgb, i) => ((rgb[i] >> 2) << 12) | ((rgb[i + 1] >> 2) << 6) | (rgb[i + 2] >> 2);
