/** What is measured of class means: the definitions of `ltviz.metrics`. Pure. */

/**
 * @typedef {object} Measured
 * @property {number} simplex_deviation_max
 * @property {number} simplex_deviation_mean
 * @property {number} centre_sum
 * @property {number} min_centre_angle   degrees, over all pairs
 * @property {number} smallest_head      between two classes of the first third, degrees; NaN below two
 * @property {number} smallest_tail      of the last third
 */

const degrees = (/** @type {number} */ cosine) => (Math.acos(Math.min(1, Math.max(-1, cosine))) * 180) / Math.PI;

/** Classes of the head and the tail group: a third each, at least two. @param {number} classes */
export const third = (classes) => Math.min(classes, Math.max(2, Math.floor(classes / 3)));

/** @param {ArrayLike<number>} means (classes, dim) unit @param {number} classes @param {number} dim @returns {Measured} */
export function measure(means, classes, dim, size = third(classes)) {
  const ideal = -1 / (classes - 1),
    sum = new Float64Array(dim);
  let most = 0,
    total = 0,
    closest = -1,
    head = -1,
    tail = -1;
  for (let i = 0; i < classes; i++) {
    for (let k = 0; k < dim; k++) sum[k] += means[i * dim + k];
    for (let j = i + 1; j < classes; j++) {
      let cosine = 0;
      for (let k = 0; k < dim; k++) cosine += means[i * dim + k] * means[j * dim + k];
      const off = Math.abs(cosine - ideal);
      most = Math.max(most, off);
      total += off;
      closest = Math.max(closest, cosine);
      if (j < size) head = Math.max(head, cosine);
      if (i >= classes - size) tail = Math.max(tail, cosine);
    }
  }
  return {
    simplex_deviation_max: most,
    simplex_deviation_mean: total / ((classes * (classes - 1)) / 2),
    centre_sum: Math.hypot(...sum) / classes,
    min_centre_angle: degrees(closest),
    smallest_head: degrees(head),
    smallest_tail: degrees(tail),
  };
}
