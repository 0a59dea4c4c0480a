/** What a worker answers about a phase diagram: one cell or one border at a time, so that it can be stopped between two. Pure. */
import { border } from "./borders.js";
import { borderOfRuns, cellAt } from "./ends.js";

/** @typedef {import("./plane.js").Plane} Plane */
/**
 * @typedef {object} Ask
 * @property {"phase"} type
 * @property {"cell"|"border"|"closing"} what  one run; what theory says of a row; where the runs of a row close
 * @property {Plane} plane
 * @property {number} row
 * @property {number} [ratio]              of a cell
 * @property {[number, number]} [between]  of a closing: open, and closed
 */
/** @typedef {{cell: import("./ends.js").Cell}|{imbalance: number|null}|{error: string}} Answer */

/** @param {Ask} ask @returns {Answer} */
export function answer({ what, plane, row, ratio = 1, between = [1, 1] }) {
  try {
    if (what === "cell") {
      const cell = cellAt(plane, row, ratio);
      return Number.isFinite(cell.angle) ? { cell } : { error: String(cell.angle) };
    }
    return { imbalance: what === "border" ? border(plane, row) : borderOfRuns(plane, row, ...between) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}
