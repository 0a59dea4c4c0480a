/** Products and eigenvectors of small matrices in flat float64 arrays, row by row. Pure. */

/** a bᵀ of a (n, k) and b (m, k). @param {Float64Array} a @param {Float64Array} b @param {number} n @param {number} m
 * @param {number} k @returns {Float64Array} (n, m) */
export function timesTransposed(a, b, n, m, k) {
  const out = new Float64Array(n * m);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < m; j++) {
      let sum = 0;
      for (let l = 0; l < k; l++) sum += a[i * k + l] * b[j * k + l];
      out[i * m + j] = sum;
    }
  return out;
}

/** a b of a (n, k) and b (k, m). @param {Float64Array} a @param {Float64Array} b @param {number} n @param {number} k
 * @param {number} m @returns {Float64Array} (n, m) */
export function times(a, b, n, k, m) {
  const out = new Float64Array(n * m);
  for (let i = 0; i < n; i++)
    for (let l = 0; l < k; l++) {
      const factor = a[i * k + l];
      if (factor) for (let j = 0; j < m; j++) out[i * m + j] += factor * b[l * m + j];
    }
  return out;
}

/** @param {Float64Array} a (n, m) @param {number} n @param {number} m @returns {Float64Array} (m, n) */
export function transposed(a, n, m) {
  const out = new Float64Array(a.length);
  for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) out[j * n + i] = a[i * m + j];
  return out;
}

/**
 * Eigenvalues, rising, and eigenvectors, row i that of value i, of a symmetric matrix: reflected into three diagonals,
 * and these turned until two vanish (Householder 1958; Bowdler et al. 1968).
 * @param {Float64Array} matrix (n, n), left as it is @param {number} n
 * @returns {{values: Float64Array, vectors: Float64Array}}
 */
export function eigen(matrix, n) {
  const a = Float64Array.from(matrix),
    mirrors = reflect(a, n);
  const values = Float64Array.from({ length: n }, (_, i) => a[i * n + i]),
    beside = Float64Array.from({ length: n }, (_, i) => (i + 1 < n ? a[i * n + i + 1] : 0)),
    turned = unreflect(mirrors, n);
  diagonalise(values, beside, turned, n);
  const order = Array.from(values.keys()).sort((i, j) => values[i] - values[j]),
    vectors = new Float64Array(n * n);
  order.forEach((from, to) => vectors.set(turned.subarray(from * n, from * n + n), to * n));
  return { values: Float64Array.from(order, (i) => values[i]), vectors };
}

/** Leaves three diagonals of a symmetric matrix; the mirrors, unit vectors from row k + 1 on. @param {Float64Array} a
 * @param {number} n @returns {(Float64Array|null)[]} */
function reflect(a, n) {
  const p = new Float64Array(n);
  return Array.from({ length: Math.max(0, n - 2) }, (_, k) => {
    const first = k + 1,
      size = n - first,
      v = Float64Array.from({ length: size }, (_, i) => a[(first + i) * n + k]);
    let rest = 0;
    for (let i = 1; i < size; i++) rest += v[i] * v[i];
    if (rest === 0) return null;
    const length = Math.sqrt(v[0] * v[0] + rest),
      left = v[0] > 0 ? -length : length;
    v[0] -= left;
    const norm = Math.sqrt(v[0] * v[0] + rest);
    for (let i = 0; i < size; i++) v[i] /= norm;
    let along = 0;
    for (let i = 0; i < size; i++) {
      let sum = 0;
      for (let j = 0; j < size; j++) sum += a[(first + i) * n + first + j] * v[j];
      p[i] = sum;
      along += v[i] * sum;
    }
    for (let i = 0; i < size; i++) p[i] -= along * v[i];
    for (let i = 0; i < size; i++)
      for (let j = 0; j < size; j++) a[(first + i) * n + first + j] -= 2 * (v[i] * p[j] + p[i] * v[j]);
    for (let i = 0; i < size; i++) a[(first + i) * n + k] = a[k * n + first + i] = i ? 0 : left;
    return v;
  });
}

/** The mirrors' product, transposed. @param {(Float64Array|null)[]} mirrors @param {number} n */
function unreflect(mirrors, n) {
  const z = new Float64Array(n * n);
  for (let i = 0; i < n; i++) z[i * n + i] = 1;
  for (let k = mirrors.length - 1; k >= 0; k--) {
    const v = mirrors[k];
    if (!v) continue;
    // Rows of the transposed are columns of the product.
    for (let row = k + 1; row < n; row++) {
      let along = 0;
      for (let i = 0; i < v.length; i++) along += z[row * n + k + 1 + i] * v[i];
      for (let i = 0; i < v.length; i++) z[row * n + k + 1 + i] -= 2 * along * v[i];
    }
  }
  return z;
}

const MOST_TURNS = 60;

/** @param {Float64Array} d diagonal, becomes the values @param {Float64Array} e beside it @param {Float64Array} z rows
 * @param {number} n */
function diagonalise(d, e, z, n) {
  for (let l = 0; l < n; l++)
    for (let turn = 0; turn < MOST_TURNS; turn++) {
      let m = l;
      while (m + 1 < n && Math.abs(e[m]) > Number.EPSILON * (Math.abs(d[m]) + Math.abs(d[m + 1]))) m++;
      if (m === l) break;
      const slant = (d[l + 1] - d[l]) / (2 * e[l]),
        shift = e[l] / (slant + (slant < 0 ? -1 : 1) * Math.hypot(slant, 1));
      let g = d[m] - d[l] + shift,
        s = 1,
        c = 1,
        moved = 0,
        i = m - 1;
      for (; i >= l; i--) {
        const f = s * e[i],
          b = c * e[i],
          r = Math.hypot(f, g);
        e[i + 1] = r;
        if (r === 0) {
          d[i + 1] -= moved;
          e[m] = 0;
          break;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - moved;
        const t = (d[i] - g) * s + 2 * c * b;
        moved = s * t;
        d[i + 1] = g + moved;
        g = c * t - b;
        for (let k = 0; k < n; k++) {
          const upper = z[(i + 1) * n + k],
            lower = z[i * n + k];
          z[(i + 1) * n + k] = s * lower + c * upper;
          z[i * n + k] = c * lower - s * upper;
        }
      }
      if (i >= l) continue;
      d[l] -= moved;
      e[l] = g;
      e[m] = 0;
    }
}

/** Largest singular value of a matrix. @param {Float64Array} a (n, n) @param {number} n */
export const norm2 = (a, n) => Math.sqrt(Math.max(0, eigen(timesTransposed(a, a, n, n, n), n).values[n - 1]));

/**
 * Coordinates of rows in as many of their own principal directions, so that their products stay what they are.
 * @param {Float64Array} rows (n, dim) @param {number} n @param {number} dim @param {number} rank
 */
export function inFewer(rows, n, dim, rank) {
  const { vectors } = eigen(times(transposed(rows, n, dim), rows, dim, n, dim), dim);
  return timesTransposed(rows, vectors.subarray((dim - Math.min(rank, dim)) * dim), n, Math.min(rank, dim), dim);
}
