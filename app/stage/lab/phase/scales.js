/** Where cells, lines and marks of a phase diagram lie, and what colour a cell is. Pure. */
import { rampAt, toHex, valueRamp } from "../../common/colours.js";
import { classesOf, fineRowsOf, ratiosOf, rowsOf } from "./plane.js";

/** @typedef {import("./plane.js").Plane} Plane */
/** @typedef {{x: number, y: number, w: number, h: number}} Box */

const SHADES = 32;

/** Places between the columns by the logarithm of the imbalance, and between the rows. @param {Plane} plane
 * @param {Box} box of all cells */
export function scalesOf(plane, box) {
  const ratios = ratiosOf(plane),
    rows = rowsOf(plane),
    cell = { w: box.w / ratios.length, h: box.h / rows.length };
  const place = (/** @type {number[]} */ values, /** @type {number} */ value) =>
    ((values.length - 1) * Math.log(value / values[0])) / Math.log(values[values.length - 1] / values[0]);
  const rowPlace = (/** @type {number} */ row) =>
    plane.against === "dim" ? rows.indexOf(row) : rows.length > 1 ? place(rows, row) : 0;
  return {
    ratios,
    rows,
    cell,
    /** Left edge of a column, and upper edge of a row: the first is at the bottom. */
    left: (/** @type {number} */ i) => box.x + i * cell.w,
    top: (/** @type {number} */ j) => box.y + box.h - (j + 1) * cell.h,
    x: (/** @type {number} */ ratio) => box.x + (place(ratios, ratio) + 0.5) * cell.w,
    y: (/** @type {number} */ row) => box.y + box.h - (rowPlace(row) + 0.5) * cell.h,
  };
}

/**
 * The way of the border, piece by piece: it ends where theory says nothing, or never. Where it is beyond what is drawn
 * it goes on, to be cut off there. @param {Plane} plane @param {Map<number, number|null>} borders
 * @param {ReturnType<typeof scalesOf>} scales @returns {string} of an SVG path; "" where there is none
 */
export function borderPath(plane, borders, scales) {
  let way = "",
    pen = false;
  for (const row of fineRowsOf(plane)) {
    const at = borders.get(row);
    if (at === undefined || at === null || at === Infinity) {
      pen = false;
      continue;
    }
    way += `${pen ? "L" : "M"}${scales.x(at).toFixed(1)} ${scales.y(row).toFixed(1)}`;
    pen = true;
  }
  return way;
}

/** The greatest angle of the scale: of a simplex of all classes, which no loss leaves the tails beyond for long.
 * @param {Plane} plane */
export const widest = (plane) => (Math.acos(-1 / (classesOf(plane) - 1)) * 180) / Math.PI;

/** Colours by angle: what is one point stands out from the page. @param {import("../../common/colours.js").Rgb} page
 * @returns {(share: number) => string} from 0, one point, to 1 */
export function shadesOf(page) {
  const ramp = valueRamp("loss", page, SHADES).map(toHex).reverse();
  return (share) => toHex(rampAt(ramp, share));
}

/** Numbers at which an axis is marked. @param {number[]} values @param {number} most */
export function marked(values, most) {
  const stride = Math.max(1, Math.ceil((values.length - 1) / (most - 1)));
  return values.filter((_, i) => i % stride === 0);
}
