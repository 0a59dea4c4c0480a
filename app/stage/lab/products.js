/**
 * The two loops in which nearly all time goes, over flat float64 rows. Four sums at a time: one alone would wait for its
 * own last addition at every step. Pure.
 */

/**
 * Products of one row with rows `from` to `count` of another array. @param {Float64Array} a @param {number} i where its
 * row starts @param {Float64Array} b @param {number} from @param {number} count @param {number} dim
 * @param {Float64Array} out @param {number} at where the product with row 0 would go
 */
export function products(a, i, b, from, count, dim, out, at) {
  let j = from;
  for (; j + 3 < count; j += 4) {
    let s0 = 0,
      s1 = 0,
      s2 = 0,
      s3 = 0;
    const r0 = j * dim,
      r1 = r0 + dim,
      r2 = r1 + dim,
      r3 = r2 + dim;
    for (let k = 0; k < dim; k++) {
      const x = a[i + k];
      s0 += x * b[r0 + k];
      s1 += x * b[r1 + k];
      s2 += x * b[r2 + k];
      s3 += x * b[r3 + k];
    }
    out[at + j] = s0;
    out[at + j + 1] = s1;
    out[at + j + 2] = s2;
    out[at + j + 3] = s3;
  }
  for (; j < count; j++) {
    let sum = 0;
    for (let k = 0; k < dim; k++) sum += a[i + k] * b[j * dim + k];
    out[at + j] = sum;
  }
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
