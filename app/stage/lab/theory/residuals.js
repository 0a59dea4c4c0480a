/** How far rows are from those that theory predicts, and how these lie where they are turned onto them. Pure. */
import { eigen, times, timesTransposed, transposed } from "./algebra.js";

const degrees = 180 / Math.PI;

/** Degrees between all pairs of unit rows, as one list. @param {ArrayLike<number>} rows @param {number} n
 * @param {number} dim @returns {Float64Array} (n (n - 1) / 2) */
export function anglesOf(rows, n, dim) {
  const out = new Float64Array((n * (n - 1)) / 2);
  let at = 0;
  for (let i = 0; i < n; i++)
    for (let j = i + 1; j < n; j++) {
      let cosine = 0;
      for (let k = 0; k < dim; k++) cosine += rows[i * dim + k] * rows[j * dim + k];
      out[at++] = degrees * Math.acos(Math.min(1, Math.max(-1, cosine)));
    }
  return out;
}

/** Mean and largest difference of angles. @param {Float64Array} angles @param {Float64Array|number} wanted of each pair,
 * or of all */
export function angleError(angles, wanted) {
  let sum = 0,
    most = 0;
  for (let at = 0; at < angles.length; at++) {
    const off = Math.abs(angles[at] - (typeof wanted === "number" ? wanted : wanted[at]));
    sum += off;
    most = Math.max(most, off);
  }
  return { mean: sum / angles.length, most };
}

/** Degrees between two classes of the regular simplex. @param {number} classes */
export const evenAngle = (classes) => degrees * Math.acos(-1 / (classes - 1));

/** Below that share of the largest singular value a direction of the rows has no counterpart. */
const LEAST = 1e-6;

/**
 * Rows turned as a whole, mirrored where that is better, so that they come closest to their goals: as
 * `ltviz.geometry.turned_onto`. @param {Float64Array} rows (n, r), r at most dim @param {ArrayLike<number>} goals (n, dim)
 * @param {number} n @param {number} r @param {number} dim @returns {Float64Array} (n, dim)
 */
export function turnedOnto(rows, goals, n, r, dim) {
  const mixed = times(transposed(rows, n, r), Float64Array.from(goals), r, n, dim),
    { values, vectors } = eigen(timesTransposed(mixed, mixed, r, r, dim), r),
    most = Math.sqrt(Math.max(0, values[r - 1]));
  const turn = new Float64Array(r * dim);
  for (let i = r - 1; i >= 0; i--) {
    const size = Math.sqrt(Math.max(0, values[i])),
      row = turn.subarray(i * dim, i * dim + dim);
    if (size > LEAST * most)
      for (let a = 0; a < r; a++)
        for (let k = 0; k < dim; k++) row[k] += (vectors[i * r + a] * mixed[a * dim + k]) / size;
    orthogonalise(turn, i, r, dim);
  }
  return times(timesTransposed(rows, vectors, n, r, r), turn, n, r, dim);
}

/** Row i of unit length and at right angles with those after it; an axis that is so where it is too short.
 * @param {Float64Array} turn @param {number} i @param {number} r @param {number} dim */
function orthogonalise(turn, i, r, dim) {
  const row = turn.subarray(i * dim, i * dim + dim);
  for (let axis = -1; axis < dim; axis++) {
    if (axis >= 0) for (let k = 0; k < dim; k++) row[k] = Number(k === axis);
    for (let j = i + 1; j < r; j++) {
      let along = 0;
      for (let k = 0; k < dim; k++) along += row[k] * turn[j * dim + k];
      for (let k = 0; k < dim; k++) row[k] -= along * turn[j * dim + k];
    }
    const size = Math.hypot(...row);
    // A third of an axis is left over whatever there is; less is rounding.
    if (size < (axis < 0 ? 0.5 : 1 / (2 * Math.sqrt(dim)))) continue;
    for (let k = 0; k < dim; k++) row[k] /= size;
    return;
  }
}
