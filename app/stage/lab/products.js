/**
 * The two loops in which nearly all time goes, over flat float64 rows. Four sums at a time: one alone would wait for its
 * own last addition at every step. Pure.
 */

/**
 * Product of two rows. @param {Float64Array} a @param {number} i where its row starts @param {Float64Array} b
 * @param {number} j @param {number} dim
 */
export function product(a, i, b, j, dim) {
  let s0 = 0,
    s1 = 0,
    s2 = 0,
    s3 = 0,
    k = 0;
  for (; k + 3 < dim; k += 4) {
    s0 += a[i + k] * b[j + k];
    s1 += a[i + k + 1] * b[j + k + 1];
    s2 += a[i + k + 2] * b[j + k + 2];
    s3 += a[i + k + 3] * b[j + k + 3];
  }
  for (; k < dim; k++) s0 += a[i + k] * b[j + k];
  return s0 + s1 + (s2 + s3);
}

/**
 * Adds to one row so much of each of `count` rows. @param {Float64Array} to @param {number} i where its row starts
 * @param {Float64Array} weights @param {number} at where they start @param {Float64Array} rows @param {number} count
 * @param {number} dim
 */
export function addRows(to, i, weights, at, rows, count, dim) {
  let j = 0;
  for (; j + 3 < count; j += 4) {
    const w0 = weights[at + j],
      w1 = weights[at + j + 1],
      w2 = weights[at + j + 2],
      w3 = weights[at + j + 3];
    if (w0 === 0 && w1 === 0 && w2 === 0 && w3 === 0) continue;
    const r0 = j * dim,
      r1 = r0 + dim,
      r2 = r1 + dim,
      r3 = r2 + dim;
    for (let k = 0; k < dim; k++)
      to[i + k] += w0 * rows[r0 + k] + w1 * rows[r1 + k] + (w2 * rows[r2 + k] + w3 * rows[r3 + k]);
  }
  for (; j < count; j++) {
    const w = weights[at + j];
    for (let k = 0; k < dim; k++) to[i + k] += w * rows[j * dim + k];
  }
}
