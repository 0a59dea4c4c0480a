/**
 * Linear views of more than three dimensions: three orthonormal rows, which follow the class means from picture to
 * picture. Each moves no further than it must, so that the sphere does not spin. Pure.
 */
import { Random } from "./random.js";

/** @typedef {"spread"|"centres"|"simplex"|"tour"|"worst"|"groups"} ShadowName */
/** @typedef {{name: string, classes: number[]}} Asked */

const FRESH = 40,
  FOLLOW = 3,
  /** Radians that a tour turns in a picture. */
  TURN = 0.012;

/** A view that looks along the first axes. @param {number} dim @returns {Float64Array} (3, dim) */
function plainView(dim) {
  const view = new Float64Array(3 * dim);
  for (let a = 0; a < Math.min(3, dim); a++) view[a * dim + a] = 1;
  return view;
}

/**
 * The orthonormal rows nearest to three rows: their polar factor, by Newton's iteration on the 3 x 3 product.
 * @param {Float64Array} rows (3, dim) @param {number} dim
 */
export function nearestView(rows, dim) {
  const out = Float64Array.from(rows);
  for (let turn = 0; turn < 12; turn++) {
    const gram = new Float64Array(9);
    for (let a = 0; a < 3; a++)
      for (let b = 0; b < 3; b++) for (let k = 0; k < dim; k++) gram[3 * a + b] += out[a * dim + k] * out[b * dim + k];
    // As the singular values come near to 1 this doubles the digits; scaled, they are never far above it.
    const scale = Math.max(gram[0] + gram[4] + gram[8], 1e-12) / 3,
      root = Math.sqrt(scale);
    const next = new Float64Array(3 * dim);
    for (let a = 0; a < 3; a++)
      for (let k = 0; k < dim; k++) {
        let mixed = 0;
        for (let b = 0; b < 3; b++) mixed += (gram[3 * a + b] / scale) * out[b * dim + k];
        next[a * dim + k] = (1.5 * out[a * dim + k] - 0.5 * mixed) / root;
      }
    out.set(next);
  }
  return orthonormal(out, dim);
}

/** Gram and Schmidt; what vanishes is replaced by an axis. @param {Float64Array} rows @param {number} dim */
export function orthonormal(rows, dim) {
  const out = Float64Array.from(rows);
  for (let a = 0; a < Math.min(3, dim); a++)
    for (let attempt = 0; attempt <= dim; attempt++) {
      if (attempt) for (let k = 0; k < dim; k++) out[a * dim + k] = k === (attempt + a - 1) % dim ? 1 : 0;
      for (let b = 0; b < a; b++) {
        let along = 0;
        for (let k = 0; k < dim; k++) along += out[a * dim + k] * out[b * dim + k];
        for (let k = 0; k < dim; k++) out[a * dim + k] -= along * out[b * dim + k];
      }
      let size = 0;
      for (let k = 0; k < dim; k++) size += out[a * dim + k] ** 2;
      if (size < 1e-10) continue;
      for (let k = 0; k < dim; k++) out[a * dim + k] /= Math.sqrt(size);
      break;
    }
  return out;
}

/** Points as a view draws them. @param {Float64Array} view (3, dim) @param {ArrayLike<number>} rows flat
 * @param {number} dim @returns {Float32Array} (n, 3) */
export function seen(view, rows, dim) {
  const n = rows.length / dim,
    out = new Float32Array(3 * n);
  for (let i = 0; i < n; i++)
    for (let a = 0; a < 3; a++) {
      let sum = 0;
      for (let k = 0; k < dim; k++) sum += view[a * dim + k] * rows[i * dim + k];
      out[3 * i + a] = sum;
    }
  return out;
}

/** One step towards the first three principal axes of rows. @param {Float64Array} view @param {Float64Array} rows
 * centred @param {number} dim */
function towardsAxes(view, rows, dim) {
  const next = new Float64Array(3 * dim),
    places = seen(view, rows, dim);
  for (let i = 0; i < rows.length / dim; i++)
    for (let a = 0; a < 3; a++)
      for (let k = 0; k < dim; k++) next[a * dim + k] += places[3 * i + a] * rows[i * dim + k];
  // Directions in which nothing varies keep where they are.
  for (let k = 0; k < 3 * dim; k++) next[k] += 1e-3 * view[k];
  return nearestView(next, dim);
}

/** @param {ArrayLike<number>} means @param {number[]} which @param {number} dim @returns {Float64Array} about their mean */
function centred(means, which, dim) {
  const out = new Float64Array(which.length * dim);
  for (let k = 0; k < dim; k++) {
    let mean = 0;
    for (const c of which) mean += means[c * dim + k] / which.length;
    which.forEach((c, i) => (out[i * dim + k] = means[c * dim + k] - mean));
  }
  return out;
}

/** One step that drives the centres on the picture apart, and evens their radii. @param {Float64Array} view
 * @param {ArrayLike<number>} means @param {number} dim @param {number} rate @param {number} temperature */
function apart(view, means, dim, rate, temperature) {
  const p = seen(view, means, dim),
    n = p.length / 3;
  const radius = Float64Array.from({ length: n }, (_, i) => Math.hypot(p[3 * i], p[3 * i + 1], p[3 * i + 2]) + 1e-6),
    mean = radius.reduce((sum, r) => sum + r, 0) / n;
  const unit = p.map((v, at) => v / radius[Math.floor(at / 3)]);
  const slope = new Float64Array(3 * n),
    weights = new Float64Array(n * n);
  let total = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      if (i === j) continue;
      const cosine = unit[3 * i] * unit[3 * j] + unit[3 * i + 1] * unit[3 * j + 1] + unit[3 * i + 2] * unit[3 * j + 2];
      total += weights[i * n + j] = Math.exp((cosine - 1) / temperature);
    }
  for (let i = 0; i < n; i++) {
    const pull = [0, 0, 0];
    for (let j = 0; j < n; j++)
      for (let a = 0; a < 3; a++) pull[a] += (2 * weights[i * n + j] * unit[3 * j + a]) / total;
    const along = pull[0] * unit[3 * i] + pull[1] * unit[3 * i + 1] + pull[2] * unit[3 * i + 2];
    for (let a = 0; a < 3; a++)
      slope[3 * i + a] =
        (pull[a] - along * unit[3 * i + a]) / radius[i] + ((radius[i] / mean - 1) / (n * mean)) * unit[3 * i + a];
  }
  const gradient = new Float64Array(3 * dim);
  for (let i = 0; i < n; i++)
    for (let a = 0; a < 3; a++)
      for (let k = 0; k < dim; k++) gradient[a * dim + k] += slope[3 * i + a] * means[i * dim + k];
  // Only turns count: what would stretch the view, or turn it in itself, is left out.
  for (let a = 0; a < 3; a++)
    for (let b = 0; b < 3; b++) {
      let along = 0;
      for (let k = 0; k < dim; k++) along += gradient[a * dim + k] * view[b * dim + k];
      for (let k = 0; k < dim; k++) gradient[a * dim + k] -= along * view[b * dim + k];
    }
  const size = Math.hypot(...gradient) || 1,
    step = Math.min(rate, rate * size * 4) / size;
  return nearestView(
    view.map((v, at) => v - step * gradient[at]),
    dim,
  );
}

export class Shadow {
  /** @param {number} dim @param {number} classes */
  constructor(dim, classes) {
    this.dim = dim;
    this.classes = classes;
    this.rows = plainView(dim);
    /** @type {string|null} the name that it follows */
    this.follows = null;
    this.random = new Random(5);
    /** @type {Float64Array|null} where a tour is going */
    this.goal = null;
  }

  /** Turns on with the means. @param {string} name @param {number[]} chosen classes of "simplex"
   * @param {ArrayLike<number>} means (classes, dim) @param {boolean} tick whether a tour moves */
  follow(name, chosen, means, tick) {
    const { dim, classes } = this;
    if (dim <= 3) return this.rows;
    const key = `${name}:${chosen}`,
      fresh = this.follows !== key;
    this.follows = key;
    if (TOURS.includes(/** @type {any} */ (name))) {
      if (fresh) this.goal = null;
      if (tick || fresh) this.tour(name, means);
      return this.rows;
    }
    const all = Array.from({ length: classes }, (_, c) => c);
    const four = chosen.length === 4 ? chosen : [...new Set([0, 1, classes - 2, classes - 1])].filter((c) => c >= 0);
    const about = centred(means, name === "simplex" ? four : all, dim);
    if (name !== "spread" || fresh)
      for (let i = 0; i < (fresh ? FRESH : FOLLOW); i++) this.rows = towardsAxes(this.rows, about, dim);
    if (name === "spread")
      for (let i = 0; i < (fresh ? 2 * FRESH : 1); i++)
        this.rows = apart(
          this.rows,
          means,
          dim,
          fresh ? 0.15 * (1 - i / (2 * FRESH)) + 0.02 : 0.02,
          fresh ? 0.15 : 0.08,
        );
    return this.rows;
  }

  /** One turn of a tour, on towards its goal. @param {string} name @param {ArrayLike<number>} means */
  tour(name, means) {
    const { dim } = this;
    this.goal ??= this.nextGoal(name, means);
    if (name !== "tour") this.goal = this.nextGoal(name, means);
    const away = this.goal.map((v, at) => v - this.rows[at]),
      left = Math.hypot(...away);
    if (left < 0.05) {
      if (name === "tour") this.goal = null;
      return;
    }
    const share = Math.min(1, TURN / left);
    this.rows = nearestView(
      this.rows.map((v, at) => v + share * away[at]),
      dim,
    );
  }

  /** Where a tour goes next: turned in itself to lie near, so that only new directions come in. @param {string} name
   * @param {ArrayLike<number>} means @returns {Float64Array} */
  nextGoal(name, means) {
    const { dim, classes } = this,
      rows = new Float64Array(3 * dim);
    const put = (/** @type {number} */ a, /** @type {number} */ c, weight = 1) => {
      for (let k = 0; k < dim; k++) rows[a * dim + k] += weight * means[c * dim + k];
    };
    const [i, j] = closestPair(means, classes, dim);
    const third = Math.max(1, Math.floor(classes / 3));
    for (let a = 0; a < 3; a++) {
      if (name === "worst") {
        put(a, a === 2 ? (Math.max(i, j) + 1) % classes : i);
        if (a < 2) put(a, j, a ? -1 : 1);
      } else if (name === "groups")
        for (let c = 0; c < third; c++)
          put(a, a === 0 ? c : a === 1 ? classes - 1 - c : third + c < classes ? third + c : c);
      else put(a, Math.floor(this.random.uniform() * classes));
    }
    return turnedNear(orthonormal(rows, dim), this.rows, dim);
  }

  /**
   * Turns the view so that a direction of the space is seen where a hand wants it. @param {ArrayLike<number>} v (dim)
   * @param {number[]} to where it shall be drawn, at most of its length
   */
  turnTo(v, to) {
    const { dim } = this,
      here = seen(this.rows, v, dim),
      next = Float64Array.from(this.rows);
    let square = 0;
    for (let k = 0; k < dim; k++) square += v[k] * v[k];
    for (let a = 0; a < 3; a++) for (let k = 0; k < dim; k++) next[a * dim + k] += ((to[a] - here[a]) * v[k]) / square;
    this.rows = nearestView(next, dim);
  }
}

/** @type {ShadowName[]} views that move by themselves */
export const TOURS = ["tour", "worst", "groups"];

/** @param {ArrayLike<number>} means @param {number} classes @param {number} dim @returns {[number, number]} */
function closestPair(means, classes, dim) {
  let most = -2;
  /** @type {[number, number]} */
  let pair = [0, 1];
  for (let i = 0; i < classes; i++)
    for (let j = i + 1; j < classes; j++) {
      let cosine = 0;
      for (let k = 0; k < dim; k++) cosine += means[i * dim + k] * means[j * dim + k];
      if (cosine > most) [most, pair] = [cosine, [i, j]];
    }
  return pair;
}

/** The same three directions, turned in their space to lie as near as possible to a view. @param {Float64Array} goal
 * @param {Float64Array} view @param {number} dim */
function turnedNear(goal, view, dim) {
  const mixed = new Float64Array(9);
  for (let a = 0; a < 3; a++)
    for (let b = 0; b < 3; b++) for (let k = 0; k < dim; k++) mixed[3 * a + b] += view[a * dim + k] * goal[b * dim + k];
  for (let a = 0; a < 3; a++) mixed[4 * a] += 1e-6;
  const turn = nearestView(mixed, 3),
    out = new Float64Array(3 * dim);
  for (let a = 0; a < 3; a++)
    for (let b = 0; b < 3; b++) for (let k = 0; k < dim; k++) out[a * dim + k] += turn[3 * a + b] * goal[b * dim + k];
  return out;
}

/** How far a view can be trusted: as `ltviz.projection.honesty` measures it. @param {ArrayLike<number>} rows
 * @param {ArrayLike<number>} shown @param {number} dim @returns {number} share of the variance that it keeps */
export function keptVariance(rows, shown, dim) {
  const variance = (/** @type {ArrayLike<number>} */ x, /** @type {number} */ d) => {
    const n = x.length / d;
    let sum = 0;
    for (let k = 0; k < d; k++) {
      let mean = 0,
        square = 0;
      for (let i = 0; i < n; i++) mean += x[i * d + k] / n;
      for (let i = 0; i < n; i++) square += (x[i * d + k] - mean) ** 2 / n;
      sum += square;
    }
    return sum;
  };
  return Math.min(1, variance(shown, 3) / (variance(rows, dim) || 1));
}

/** Rank correlation of the angles between centres in the space and in the picture; null where one side has one angle
 * alone. @param {ArrayLike<number>} means @param {ArrayLike<number>} shown @param {number} dim */
export function keptOrder(means, shown, dim) {
  const n = means.length / dim;
  if (n < 3) return null;
  const cosines = (/** @type {ArrayLike<number>} */ x, /** @type {number} */ d) => {
    const found = [];
    for (let i = 0; i < n; i++)
      for (let j = i + 1; j < n; j++) {
        let [ij, ii, jj] = [0, 0, 0];
        for (let k = 0; k < d; k++) {
          ij += x[i * d + k] * x[j * d + k];
          ii += x[i * d + k] ** 2;
          jj += x[j * d + k] ** 2;
        }
        found.push(Math.round((1e6 * ij) / (Math.sqrt(ii * jj) || 1)));
      }
    return found;
  };
  const a = ranks(cosines(means, dim)),
    b = ranks(cosines(shown, 3)),
    mean = (a.length - 1) / 2;
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += (a[i] - mean) * (b[i] - mean);
    aa += (a[i] - mean) ** 2;
    bb += (b[i] - mean) ** 2;
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : null;
}

/** Ranks from 0, ties sharing their mean. @param {number[]} values */
function ranks(values) {
  const order = values.map((_, i) => i).sort((i, j) => values[i] - values[j]),
    out = new Float64Array(values.length);
  for (let from = 0, to; from < order.length; from = to) {
    for (to = from; to < order.length && values[order[to]] === values[order[from]];) to++;
    for (let i = from; i < to; i++) out[order[i]] = (from + to - 1) / 2;
  }
  return out;
}
