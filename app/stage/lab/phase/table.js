/** The cells as the CSV file that `ltviz phase` writes, so that one program reads both. Pure. */
import { ratiosOf, rowsOf } from "./plane.js";

/** @typedef {import("./plane.js").Plane} Plane */

const COLUMNS = [
  ...["loss", "against", "average", "num_head", "num_tail", "temperature", "seed"],
  ...["row", "ratio", "tail_angle", "predicted_border", "border_of_runs"],
];
/** Starts of other random numbers than Python's: its own runs are told apart. */
const SEED = "page",
  DIGITS = 7;

/** As Python writes a float. @param {number} value */
const float = (value) => (value === Infinity ? "inf" : Number.isInteger(value) ? `${value}.0` : String(value));
const rounded = (/** @type {number|null|undefined} */ value) =>
  value === null || value === undefined ? "" : float(Number(value.toPrecision(DIGITS)));

/** @param {Plane} plane @param {import("./found.js").Found} found @returns {string} */
export function csvOf(plane, found) {
  const { loss, against, average, heads, tails, temperature } = plane,
    about = [loss, against, average, heads, tails, float(temperature), SEED];
  const lines = rowsOf(plane).flatMap((row) =>
    ratiosOf(plane).flatMap((ratio) => {
      const cell = found.cell(row, ratio);
      if (!cell) return [];
      const told = [cell.angle, found.borders.get(row), found.closings.get(row)].map(rounded);
      return [[...about, float(row), float(ratio), ...told].join(",")];
    }),
  );
  return [COLUMNS.join(","), ...lines, ""].join("\n");
}
