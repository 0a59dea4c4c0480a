/**
 * The cells of a phase diagram: where a run of free points ends that does not know which classes are alike, as
 * `ltviz.geometry.phase` has it. Pure.
 */
import { Random } from "../random.js";
import { Collapsed } from "../theory/contrast.js";
import { descend } from "../theory/descent.js";
import { classesOf, dimOf, SEED, sharesOf, temperatureOf } from "./plane.js";
import { Ball } from "./ball.js";

/** @typedef {import("./plane.js").Plane} Plane */
/**
 * @typedef {object} Cell
 * @property {number} angle        smallest one between two tail classes, degrees; of the classifier's rows for CE
 * @property {number|null} decay   of the lab's cross-entropy, with which it has the energy of the row; null: a contrast
 */

/** Degrees above which tail classes are not one point. */
export const OPEN = 0.5;
/** How exactly the border of the runs is found, of its ratio. */
const CLOSE = 0.01,
  /** A cosine beyond which it tells an angle badly. */
  NEARLY = 0.9999,
  /** Of the longest row: shorter ones point nowhere, and are one point, the origin. */
  NOTHING = 1e-6;

/** @param {Plane} plane @param {number} row temperature, dimension or energy @param {number} ratio n_head / n_tail
 * @returns {Cell} */
export function cellAt(plane, row, ratio) {
  const random = new Random(SEED),
    size = new Float64Array(classesOf(plane)).fill(1);
  return plane.loss === "ce"
    ? runEntropy(countsOf(plane, ratio), size, row, plane.heads, random)
    : runContrast(plane, row, ratio, size, random);
}

/** One head sample to so much less of a tail class. @param {Plane} plane @param {number} ratio */
const countsOf = ({ heads, tails }, ratio) => [
  ...Array.from({ length: heads }, () => 1),
  ...Array.from({ length: tails }, () => 1 / ratio),
];

/** @param {number[]} counts @param {Float64Array} size @param {number} row @param {number} heads @param {Random} random
 * @returns {Cell} */
function runEntropy(counts, size, row, heads, random) {
  const classes = counts.length,
    square = classes * classes,
    ball = new Ball(Float64Array.from(counts), size, Math.sqrt(row)),
    start = new Float64Array(2 * square + classes);
  random.normals(start.subarray(0, 2 * square));
  const x = ball.descend(start);
  return {
    angle: smallestAngle(x.subarray(square, 2 * square), classes, heads),
    decay: ball.slope(x) / counts.reduce((sum, n) => sum + n, 0),
  };
}

/** @param {Plane} plane @param {number} row @param {number} ratio @param {Float64Array} size @param {Random} random
 * @returns {Cell} */
function runContrast(plane, row, ratio, size, random) {
  const classes = size.length,
    width = classes + 1,
    dim = Math.min(dimOf(plane, row), classes),
    { weights, masses } = sharesOf(plane, countsOf(plane, ratio), size),
    tau = temperatureOf(plane, row);
  const normals = random.normals(new Float64Array(classes * dim));
  /** @type {Float64Array} */
  let x = new Float64Array(classes * width);
  for (let c = 0; c < classes; c++) x.set(normals.subarray(c * dim, (c + 1) * dim), c * width);
  // The temperature comes down to its own.
  for (let halves = Math.ceil(Math.log2(Math.max(0.5 / tau, 1))); halves >= 0; halves--) {
    const loss = new Collapsed(weights, masses, size, tau * 2 ** halves);
    x = descend(x, width, (rows) => loss.at(rows), { free: loss.free, tolerance: halves ? 1e-3 : 1e-11 });
  }
  return { angle: smallestAngle(x, width, plane.heads), decay: null };
}

/** The smallest angle in degrees between two rows from one on, exact where it is small. @param {Float64Array} rows flat
 * @param {number} width @param {number} from */
export function smallestAngle(rows, width, from) {
  const each = Array.from({ length: rows.length / width }, (_, i) => rows.subarray(i * width, (i + 1) * width)),
    lengths = each.map((row) => Math.hypot(...row)),
    shortest = lengths.slice(from).sort((a, b) => a - b);
  if (shortest[1] < NOTHING * Math.max(...lengths)) return 0;
  const units = each.map((row, i) => row.map((v) => v / lengths[i])).slice(from);
  let least = 180;
  units.forEach((a, i) =>
    units.slice(0, i).forEach((b) => {
      const cosine = a.reduce((sum, v, k) => sum + v * b[k], 0),
        apart = Math.hypot(...a.map((v, k) => v - b[k])),
        together = Math.hypot(...a.map((v, k) => v + b[k]));
      const radians = Math.abs(cosine) > NEARLY ? 2 * Math.atan2(apart, together) : Math.acos(cosine);
      least = Math.min(least, (radians * 180) / Math.PI);
    }),
  );
  return least;
}

/**
 * The imbalance at which runs of a row close, by halving between one at which they are open and one at which they are
 * closed. @param {Plane} plane @param {number} row @param {number} low @param {number} high
 */
export function borderOfRuns(plane, row, low, high) {
  while (high / low > 1 + CLOSE) {
    const middle = Math.sqrt(low * high);
    if (cellAt(plane, row, middle).angle > OPEN) low = middle;
    else high = middle;
  }
  return Math.sqrt(low * high);
}

/**
 * Between which columns the runs of a row close. @param {(number|undefined)[]} angles of a whole row
 * @param {number[]} ratios @returns {[number, number]|null} null: nowhere, or it is not known yet
 */
export function closingOf(angles, ratios) {
  const first = angles.findIndex((angle) => angle !== undefined && angle <= OPEN);
  return first > 0 && (angles[first - 1] ?? 0) > OPEN ? [ratios[first - 1], ratios[first]] : null;
}
