/** Vectors, 4x4 matrices (column-major, as WebGL takes them) and interpolation on the sphere. Pure. */

/** @typedef {import("./types.js").Vec3} Vec3 */

/** @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
export const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

/** @param {ArrayLike<number>} a */
export const length = (a) => Math.hypot(a[0], a[1], a[2]);

/** @param {ArrayLike<number>} a @returns {Vec3} the unit vector; zero stays zero */
export function normalize(a) {
  const l = length(a) || 1;
  return [a[0] / l, a[1] / l, a[2] / l];
}

/** @param {ArrayLike<number>} a @param {ArrayLike<number>} b @returns {Vec3} */
export const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];

/** Angle between two vectors in degrees, 0 to 180. @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
export function angleBetween(a, b) {
  const c = dot(a, b) / (length(a) * length(b) || 1);
  return (Math.acos(Math.min(1, Math.max(-1, c))) * 180) / Math.PI;
}

/**
 * Moves along the great circle from a to b, and along the radius at the same time: what the vertex shader does, on the
 * CPU for labels, arcs and picking. Opposite or vanishing ends, where no great circle is singled out, go straight.
 * @param {ArrayLike<number>} a @param {ArrayLike<number>} b @param {number} k share of the way, 0 to 1
 * @returns {Vec3}
 */
export function slerp(a, b, k) {
  const la = length(a),
    lb = length(b);
  const mix = /** @type {Vec3} */ ([a[0] + (b[0] - a[0]) * k, a[1] + (b[1] - a[1]) * k, a[2] + (b[2] - a[2]) * k]);
  if (la < 1e-6 || lb < 1e-6) return mix;
  const c = dot(a, b) / (la * lb);
  if (c < -0.9995) return mix;
  const radius = la + (lb - la) * k;
  let wa = (1 - k) / la,
    wb = k / lb;
  if (c < 0.9995) {
    const angle = Math.acos(c),
      s = Math.sin(angle);
    wa = Math.sin((1 - k) * angle) / (s * la);
    wb = Math.sin(k * angle) / (s * lb);
  }
  const p = [a[0] * wa + b[0] * wb, a[1] * wa + b[1] * wb, a[2] * wa + b[2] * wb];
  const scale = radius / (length(p) || 1);
  return [p[0] * scale, p[1] * scale, p[2] * scale];
}

/**
 * `slerp` for whole clouds of int16 points, with the shader's short cut: mix, then put back on the radius. Between
 * frames a point moves little, and there the two agree to a fraction of a pixel.
 * @param {Int16Array} from @param {Int16Array} to @param {number} k @param {Int16Array} out
 */
export function blendPoints(from, to, k, out) {
  for (let i = 0; i < to.length; i += 3) {
    const x = from[i] + (to[i] - from[i]) * k;
    const y = from[i + 1] + (to[i + 1] - from[i + 1]) * k;
    const z = from[i + 2] + (to[i + 2] - from[i + 2]) * k;
    const la = Math.hypot(from[i], from[i + 1], from[i + 2]),
      lb = Math.hypot(to[i], to[i + 1], to[i + 2]);
    const l = Math.hypot(x, y, z);
    const scale = l > 1 ? (la + (lb - la) * k) / l : 1;
    out[i] = x * scale;
    out[i + 1] = y * scale;
    out[i + 2] = z * scale;
  }
}

/** @param {ArrayLike<number>} a @param {ArrayLike<number>} b @returns {Float32Array} a b */
export function multiply(a, b) {
  const out = new Float32Array(16);
  for (let c = 0; c < 4; c++)
    for (let r = 0; r < 4; r++) {
      let sum = 0;
      for (let i = 0; i < 4; i++) sum += a[i * 4 + r] * b[c * 4 + i];
      out[c * 4 + r] = sum;
    }
  return out;
}

/**
 * Where a point lands in a view.
 * @param {ArrayLike<number>} matrix view-projection @param {ArrayLike<number>} p
 * @param {{w: number, h: number}} view
 * @returns {[number, number, number]} x and y in pixels from the view's top left, and w: the depth along the line of
 * sight
 */
export function project(matrix, p, view) {
  const m = matrix;
  const x = m[0] * p[0] + m[4] * p[1] + m[8] * p[2] + m[12];
  const y = m[1] * p[0] + m[5] * p[1] + m[9] * p[2] + m[13];
  const w = m[3] * p[0] + m[7] * p[1] + m[11] * p[2] + m[15];
  return [((x / w + 1) / 2) * view.w, ((1 - y / w) / 2) * view.h, w];
}

/** Accelerates, then slows down: for what a person asked for. @param {number} t 0 to 1 */
export const easeInOut = (t) => (t < 0.5 ? 4 * t * t * t : 1 - (-2 * t + 2) ** 3 / 2);

/** Starts at once and settles. @param {number} t 0 to 1 */
export const easeOut = (t) => 1 - (1 - t) ** 3;
