/** What a phase diagram is of: a loss, its classes, and what rows and columns differ in. `ltviz.geometry.phase.Plane`. Pure. */
import { HEAD } from "../counts.js";
import { fits } from "../targets.js";

/**
 * @typedef {object} Plane
 * @property {"ce"|"supcon"|"bcl"} loss   cross-entropy in norm balls (the layer-peeled model), or a contrast
 * @property {"energy"|"temperature"|"dim"} against  what the rows differ in
 * @property {"sample"|"class"} average   of a contrast: over anchors, or over classes
 * @property {number} heads               classes with many samples
 * @property {number} tails               classes with few samples
 * @property {number} temperature         of a contrast whose rows differ in another thing
 * @property {Fineness} grid
 */
/** @typedef {"coarse"|"medium"|"fine"} Fineness */

/** @type {Plane["loss"][]} */
export const PHASE_LOSSES = ["ce", "supcon", "bcl"];
/** @type {Fineness[]} */
export const GRIDS = ["coarse", "medium", "fine"];
/** Of the random starts. */
export const SEED = 0;
/** Bounds of numbers. @type {Record<"heads"|"tails"|"temperature", [number, number]>} */
export const BOUNDS = { heads: [1, 20], tails: [2, 20], temperature: [0.05, 2] };
/** Imbalances, and rows: from, to, and each how many times the one before, but for dimensions. */
const RATIOS = { from: 1, to: 1000 },
  COLUMNS = { coarse: 7, medium: 13, fine: 25 };
const ROWS = { temperature: { from: 0.0625, to: 1 }, energy: { from: 1.25, to: 20 } },
  NUMBERS = { coarse: 5, medium: 9, fine: 17 },
  SMOOTH = { coarse: 8, medium: 4, fine: 2 };
const DIGITS = 10;

/** @type {Readonly<Plane>} */
export const FIRST = Object.freeze({
  loss: "supcon",
  against: "temperature",
  average: "class",
  heads: 5,
  tails: 5,
  temperature: 0.1,
  grid: "medium",
});

/** @param {Plane} plane */
export const classesOf = ({ heads, tails }) => heads + tails;

/** Dimension of the points in a row; more than are needed change nothing. @param {Plane} plane @param {number} row */
export const dimOf = (plane, row) =>
  plane.against === "dim" ? row : plane.loss === "ce" ? classesOf(plane) : Math.max(classesOf(plane) - 1, 2);

/** @param {Plane} plane @param {number} row */
export const temperatureOf = ({ against, temperature }, row) => (against === "temperature" ? row : temperature);

/** Whether theory says anything of a row: in fewer dimensions than a simplex needs it does not. @param {Plane} plane
 * @param {number} row */
export const isKnown = (plane, row) => plane.against !== "dim" || fits(classesOf(plane), row);

/** A plane that can be run, whatever was asked for. @param {Partial<Record<keyof Plane, unknown>>} asked @returns {Plane} */
export function settlePlane(asked) {
  const found = /** @type {any} */ ({ ...FIRST, ...asked });
  const among = (/** @type {keyof Plane} */ name, /** @type {readonly string[]} */ known) => {
    if (!known.includes(found[name])) found[name] = known.includes(String(FIRST[name])) ? FIRST[name] : known[0];
  };
  among("loss", PHASE_LOSSES);
  among("against", found.loss === "ce" ? ["energy"] : ["temperature", "dim"]);
  among("average", ["sample", "class"]);
  among("grid", GRIDS);
  for (const [name, [low, high]] of Object.entries(BOUNDS)) {
    const value = Number(found[name]);
    found[name] = Number.isFinite(value)
      ? Math.min(high, Math.max(low, value))
      : FIRST[/** @type {keyof Plane} */ (name)];
  }
  found.heads = Math.round(found.heads);
  found.tails = Math.round(found.tails);
  // What does not act on it is as usual, so that one question has one name.
  if (found.loss === "ce") found.average = "sample";
  if (found.against !== "dim") found.temperature = FIRST.temperature;
  const { loss, against, average, heads, tails, temperature, grid } = found;
  return { loss, against, average, heads, tails, temperature, grid };
}

/** Imbalances of the columns. @param {Plane} plane */
export const ratiosOf = ({ grid }) => evenly(RATIOS, COLUMNS[grid]);

/** Temperatures, energies or dimensions of the rows, rising. @param {Plane} plane @returns {number[]} */
export function rowsOf(plane) {
  const { against, grid } = plane;
  if (against !== "dim") return evenly(ROWS[against], NUMBERS[grid]);
  const enough = Math.max(classesOf(plane) - 1, 2),
    all = Array.from({ length: enough }, (_, i) => i + 2);
  // The one beyond is there to show that more change nothing.
  const many = NUMBERS[grid];
  if (all.length <= many) return all;
  return [...new Set(evenly({ from: 2, to: enough + 1 }, many).map(Math.round))];
}

/** Rows at which the border is looked for: several to each of the diagram's, so that its way is smooth. @param {Plane} plane */
export const fineRowsOf = (plane) =>
  plane.against === "dim"
    ? rowsOf(plane)
    : evenly(ROWS[plane.against], (NUMBERS[plane.grid] - 1) * SMOOTH[plane.grid] + 1);

/** Evenly by their logarithm, as the command line has them. @param {{from: number, to: number}} ends
 * @param {number} many */
const evenly = ({ from, to }, many) =>
  Array.from({ length: many }, (_, i) =>
    Number(Math.exp(Math.log(from) + (i / (many - 1)) * Math.log(to / from)).toPrecision(DIGITS)),
  );

/** What each class weighs as an anchor and in a denominator, of groups or of single classes. @param {Plane} plane
 * @param {number[]} counts of one class of each group, the most first
 * @param {Float64Array} size classes in each */
export function sharesOf({ loss, average }, counts, size) {
  const total = counts.reduce((sum, n, g) => sum + n * size[g], 0),
    classes = size.reduce((sum, n) => sum + n, 0),
    shares = Float64Array.from(counts, (n) => n / total),
    equal = new Float64Array(counts.length).fill(1 / classes);
  return { weights: average === "sample" ? shares : equal, masses: loss === "bcl" ? equal : shares };
}

/**
 * Whole samples of a head and of a tail class in this ratio, as the lab takes them: as many as may be, where a few less
 * are not nearer to it. @param {number} ratio @returns {[number, number]}
 */
export function samplesOf(ratio) {
  let best = [HEAD, 1],
    least = Infinity;
  for (let tail = Math.floor(HEAD / ratio); tail >= 1; tail--) {
    const head = Math.round(tail * ratio),
      off = Math.abs(head / tail / ratio - 1);
    if (head <= HEAD && off < least - NEAR) [best, least] = [[head, tail], off];
  }
  return /** @type {[number, number]} */ (best);
}

/** Of a ratio: what is nearer by less is not nearer. */
const NEAR = 1e-3;

/** The name of a question: cells of it can be kept by it. @param {Plane} plane */
export const nameOf = ({ loss, against, average, heads, tails, temperature }) =>
  [loss, against, average, heads, tails, temperature].join(" ");

const LETTERS = ["loss", "average", "against", "heads", "tails", "temperature", "grid"];

/** A plane as the address holds it. @param {Plane} plane */
export const writePlane = (plane) => LETTERS.map((name) => plane[/** @type {keyof Plane} */ (name)]).join(",");

/** @param {string} text @returns {Plane} */
export function readPlane(text) {
  const parts = text.split(",");
  return settlePlane(Object.fromEntries(LETTERS.flatMap((name, i) => (parts[i] ? [[name, parts[i]]] : []))));
}
