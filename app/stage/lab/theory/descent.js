/**
 * Minimising a smooth function of unit rows to the precision of float64: a trust region with conjugate gradients, then
 * Newton's steps, as `ltviz.geometry.predicted.descent` has them and says why. Pure.
 */
import { eigen } from "./algebra.js";

/**
 * @typedef {object} Local   a function at a point (rows, width), as one of free rows
 * @property {number} value
 * @property {Float64Array} gradient
 * @property {(d: Float64Array) => Float64Array} hessian   the change of the gradient along a direction
 * @property {Float64Array} stiffness   (rows) above 0: about how hard each row is to move
 */
/** @typedef {(x: Float64Array) => Local} Smooth */
/**
 * @typedef {object} How
 * @property {Uint8Array|null} [free]   which numbers may move
 * @property {number} [tolerance]       length of the last step, in radians, weighed by stiffness
 * @property {boolean} [flat]           rows are of any length, and lengths are theirs
 */

const STEPS = 300,
  POLISH = 30,
  WIDEST = 1,
  /** Numbers whose Hessian is formed. */
  MOST_DENSE = 260,
  FLAT = 1e-12,
  EXACT = 1e-4,
  ROUNDING = 1e-14;

/** @param {Float64Array} a @param {Float64Array} b */
const dot = (a, b) => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
};
/** a + t b. @param {Float64Array} a @param {number} t @param {Float64Array} b */
const plus = (a, t, b) => {
  const out = new Float64Array(a.length);
  for (let i = 0; i < out.length; i++) out[i] = a[i] + t * b[i];
  return out;
};

/** Unit rows. @param {Float64Array} x @param {number} width */
export function unit(x, width) {
  const out = Float64Array.from(x);
  for (let at = 0; at < x.length; at += width) {
    const row = out.subarray(at, at + width),
      size = Math.sqrt(dot(row, row));
    for (let k = 0; k < width; k++) row[k] /= size;
  }
  return out;
}

class Place {
  /** @param {Float64Array} x unit rows, unless flat @param {number} width @param {Smooth} smooth
   * @param {Uint8Array|null} free @param {boolean} flat */
  constructor(x, width, smooth, free, flat) {
    const local = smooth(x),
      rows = x.length / width;
    this.x = x;
    this.width = width;
    this.local = local;
    this.free = free;
    this.flat = flat;
    this.total = local.stiffness.reduce((sum, v) => sum + v, 0);
    /** By number: stiffness of its row, as share of the total. */
    this.weight = new Float64Array(x.length);
    /** By row: the part of the gradient that leads off the sphere. */
    this.pull = new Float64Array(rows);
    /** Along the spheres. */
    this.gradient = new Float64Array(x.length);
    for (let i = 0; i < rows; i++) {
      const at = i * width;
      let pull = 0;
      if (!flat) for (let k = at; k < at + width; k++) pull += x[k] * local.gradient[k];
      this.pull[i] = pull / this.total;
      for (let k = at; k < at + width; k++) {
        this.weight[k] = local.stiffness[i] / this.total;
        this.gradient[k] = !free || free[k] ? (local.gradient[k] - pull * x[k]) / this.total : 0;
      }
    }
  }

  /** Takes the part along the rows off. @param {Float64Array} d in place */
  tangent(d) {
    const { x, width, flat } = this;
    if (flat) return d;
    for (let at = 0; at < x.length; at += width) {
      let along = 0;
      for (let k = at; k < at + width; k++) along += x[k] * d[k];
      for (let k = at; k < at + width; k++) d[k] -= along * x[k];
    }
    return d;
  }

  /** @param {Float64Array} d @returns {Float64Array} */
  hessian(d) {
    const { width, pull, total, free } = this,
      bent = this.local.hessian(d);
    for (let k = 0; k < bent.length; k++)
      bent[k] = !free || free[k] ? bent[k] / total - pull[Math.floor(k / width)] * d[k] : 0;
    return this.tangent(bent);
  }
}

/**
 * Rows where the function is least near `start`. @param {Float64Array} start (rows, width), normalised here
 * @param {number} width @param {Smooth} smooth @param {How} [how] @returns {Float64Array}
 */
export function descend(start, width, smooth, { free = null, tolerance = 1e-11, flat = false } = {}) {
  const at = (/** @type {Float64Array} */ x) => new Place(flat ? x : unit(x, width), width, smooth, free, flat);
  let place = at(start),
    radius = WIDEST;
  for (let i = 0; i < STEPS; i++) {
    const { step, reach, gain } = steihaug(place, radius);
    if (gain <= ROUNDING * Math.abs(place.local.value) || reach < tolerance) break;
    const moved = at(plus(place.x, 1, step)),
      ratio = (place.local.value - moved.local.value) / gain;
    if (ratio < 0.25) radius = 0.25 * Math.min(radius, reach);
    else if (ratio > 0.75 && reach > 0.9 * radius) radius = Math.min(2 * radius, WIDEST);
    if (ratio > 0.05) place = moved;
  }
  return polished(place, at, tolerance);
}

/** Newton's steps as long as each is shorter than the one before. @param {Place} place
 * @param {(x: Float64Array) => Place} at @param {number} tolerance */
function polished(place, at, tolerance) {
  let { step, reach } = newton(place);
  for (let i = 0; i < POLISH && reach >= tolerance; i++) {
    const moved = at(plus(place.x, 1, step)),
      next = newton(moved);
    if (next.reach < reach) [place, step, reach] = [moved, next.step, next.reach];
    else [step, reach] = [step.map((v) => 0.5 * v), 0.5 * reach];
  }
  return place.x;
}

/** Newton's step and its length, without what is flat; by all of the Hessian where that is small. @param {Place} place
 * @returns {{step: Float64Array, reach: number}} */
function newton(place) {
  const size = place.x.length;
  if (size > MOST_DENSE) return steihaug(place, WIDEST, false);
  const root = place.weight.map(Math.sqrt),
    rows = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    const one = new Float64Array(size);
    one[i] = 1;
    const bent = place.hessian(place.tangent(one));
    for (let j = 0; j < size; j++) rows[i * size + j] = bent[j] / (root[i] * root[j]);
  }
  for (let i = 0; i < size; i++)
    for (let j = 0; j < i; j++) rows[i * size + j] = rows[j * size + i] = (rows[i * size + j] + rows[j * size + i]) / 2;
  const { values, vectors } = eigen(rows, size),
    against = place.gradient.map((v, i) => v / root[i]),
    scaled = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    if (!(Math.abs(values[i]) > FLAT)) continue;
    const direction = vectors.subarray(i * size, i * size + size),
      along = dot(direction, against) / Math.abs(values[i]);
    for (let k = 0; k < size; k++) scaled[k] -= along * direction[k];
  }
  const reach = Math.sqrt(dot(scaled, scaled)),
    short = reach > 0 ? Math.min(1, (0.5 * WIDEST) / reach) : 1,
    { free } = place;
  return { step: scaled.map((v, i) => (!free || free[i] ? (short * v) / root[i] : 0)), reach: short * reach };
}

/**
 * A step, its length and the decrease that the quadratic model promises. @param {Place} place @param {number} radius
 * @param {boolean} [bends] follow a direction along which the function curves downwards to the radius, instead of stopping
 * @returns {{step: Float64Array, reach: number, gain: number}}
 */
function steihaug(place, radius, bends = true) {
  const { weight: w, x } = place,
    weighed = (/** @type {Float64Array} */ a, /** @type {Float64Array} */ b) => {
      let sum = 0;
      for (let i = 0; i < a.length; i++) sum += w[i] * a[i] * b[i];
      return sum;
    };
  const over = (/** @type {Float64Array} */ r) => r.map((v, i) => v / w[i]);
  /** @type {Float64Array[]} */
  let [step, moved] = [new Float64Array(x.length), new Float64Array(x.length)];
  let residual = place.gradient,
    z = over(residual),
    rz = dot(residual, z);
  /** @type {Float64Array} */
  let direction = z.map((v) => -v);
  const goal = rz * EXACT * EXACT;
  for (let i = 0; i < 2 * x.length + 10; i++) {
    const bent = place.hessian(direction),
      curvature = dot(direction, bent),
      ss = weighed(step, step),
      sd = weighed(step, direction),
      dd = weighed(direction, direction);
    if (!(Math.abs(curvature) > FLAT * dd) || (curvature < 0 && !bends)) break;
    let alpha = curvature > 0 ? rz / curvature : Infinity;
    const far = !Number.isFinite(alpha) || ss + 2 * alpha * sd + alpha * alpha * dd >= radius * radius;
    if (far) alpha = (-sd + Math.sqrt(Math.max(sd * sd + dd * (radius * radius - ss), 0))) / dd;
    step = plus(step, alpha, direction);
    moved = plus(moved, alpha, bent);
    if (far) break;
    residual = plus(residual, alpha, bent);
    z = over(residual);
    const following = dot(residual, z);
    if (following <= goal) break;
    const share = following / rz;
    direction = place.tangent(direction.map((v, k) => share * v - z[k]));
    rz = following;
  }
  const gain = -(dot(place.gradient, step) + 0.5 * dot(step, moved)) * place.total;
  return { step, reach: Math.sqrt(weighed(step, step)), gain };
}
