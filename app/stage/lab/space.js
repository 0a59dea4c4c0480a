/** Rows of any number of dimensions in flat float64 arrays: unit rows, and what a gradient means along the sphere. Pure. */

/** Row i over its length, into `out`. @param {Float64Array} x @param {number} i @param {number} dim
 * @param {Float64Array} out @returns {number} the length */
export function unitRow(x, i, dim, out) {
  const at = i * dim;
  let square = 0;
  for (let k = 0; k < dim; k++) square += x[at + k] * x[at + k];
  const length = Math.sqrt(square) || 1;
  for (let k = 0; k < dim; k++) out[at + k] = x[at + k] / length;
  return length;
}

/** All rows over their lengths. @param {Float64Array} x @param {number} dim @param {Float64Array} [out] */
export function unitRows(x, dim, out = new Float64Array(x.length)) {
  for (let i = 0; i < x.length / dim; i++) unitRow(x, i, dim, out);
  return out;
}

/** Takes the part along the rows off a gradient, in place. @param {Float64Array} g @param {Float64Array} u unit rows
 * @param {number} dim */
export function tangent(g, u, dim) {
  for (let at = 0; at < u.length; at += dim) {
    let along = 0;
    for (let k = 0; k < dim; k++) along += g[at + k] * u[at + k];
    for (let k = 0; k < dim; k++) g[at + k] -= along * u[at + k];
  }
}

/** @param {ArrayLike<number>} a @param {number} i @param {ArrayLike<number>} b @param {number} j @param {number} dim */
export function dotRows(a, i, b, j, dim) {
  let sum = 0;
  for (let k = 0; k < dim; k++) sum += a[i * dim + k] * b[j * dim + k];
  return sum;
}

/** Unit means of the rows of each class, each row with its mass. @param {ArrayLike<number>} u @param {Int32Array} y
 * @param {ArrayLike<number>} mass @param {number} classes @param {number} dim @param {Float64Array} [out] */
export function classMeans(u, y, mass, classes, dim, out = new Float64Array(classes * dim)) {
  out.fill(0);
  for (let i = 0; i < y.length; i++) for (let k = 0; k < dim; k++) out[y[i] * dim + k] += mass[i] * u[i * dim + k];
  return unitRows(out, dim, out);
}
