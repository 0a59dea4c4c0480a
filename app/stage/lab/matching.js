/** Which target is whose: the assignment of least cost, by the Hungarian method with potentials. Pure. */

/**
 * @param {Float64Array} cost (n, n) @param {number} n
 * @returns {Int32Array} the column of each row, so that the sum of costs is least
 */
export function assign(cost, n) {
  const u = new Float64Array(n + 1),
    v = new Float64Array(n + 1),
    rowOf = new Int32Array(n + 1),
    way = new Int32Array(n + 1);
  for (let i = 1; i <= n; i++) {
    rowOf[0] = i;
    const least = new Float64Array(n + 1).fill(Infinity),
      used = new Uint8Array(n + 1);
    let at = 0;
    do {
      used[at] = 1;
      const row = rowOf[at];
      let delta = Infinity,
        next = 0;
      for (let j = 1; j <= n; j++) {
        if (used[j]) continue;
        const reduced = cost[(row - 1) * n + j - 1] - u[row] - v[j];
        if (reduced < least[j]) [least[j], way[j]] = [reduced, at];
        if (least[j] < delta) [delta, next] = [least[j], j];
      }
      for (let j = 0; j <= n; j++) {
        if (used[j]) {
          u[rowOf[j]] += delta;
          v[j] -= delta;
        } else least[j] -= delta;
      }
      at = next;
    } while (rowOf[at] !== 0);
    for (; at; at = way[at]) rowOf[at] = rowOf[way[at]];
  }
  const columns = new Int32Array(n);
  for (let j = 1; j <= n; j++) columns[rowOf[j] - 1] = j - 1;
  return columns;
}

/**
 * Matches class means to targets, with the largest sum of cosines. @param {ArrayLike<number>} means (n, dim)
 * @param {ArrayLike<number>} targets (n, dim) @param {number} n @param {number} dim
 */
export function matchTargets(means, targets, n, dim) {
  const cost = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      let cosine = 0;
      for (let k = 0; k < dim; k++) cosine += means[i * dim + k] * targets[j * dim + k];
      cost[i * n + j] = -cosine;
    }
  return assign(cost, n);
}
