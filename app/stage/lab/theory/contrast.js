/**
 * Where supervised contrast ends: a convex program in the cosines between class means, in groups of exchangeable
 * classes. As `ltviz.geometry.predicted.supcon` has it. Pure.
 */
import { eigen, timesTransposed } from "./algebra.js";
import { descend, unit } from "./descent.js";
import { Groups, nudge } from "./groups.js";

/** @typedef {import("./descent.js").Local} Local */

/**
 * The program: a row for each group, its centre and, last, how far its members are from it.
 */
export class Collapsed {
  /**
   * @param {Float64Array} weight of one class of each group as anchor @param {Float64Array} mass of one in a denominator
   * @param {Float64Array} size classes in each group @param {number} tau
   */
  constructor(weight, mass, size, tau) {
    const k = (this.k = size.length);
    this.weight = weight;
    this.mass = mass;
    this.size = size;
    this.tau = tau;
    this.width = k + 1;
    /** Of the cosine within a group, by what is apart. */
    this.bend = size.map((n) => (2 * n) / Math.max(n - 1, 1) / tau);
    /** Log mass of all of a group before an anchor's own class. */
    this.shares = new Float64Array(k * k);
    for (let a = 0; a < k; a++)
      for (let b = 0; b < k; b++)
        this.shares[a * k + b] = Math.log(a === b ? size[b] - 1 : size[b]) + Math.log(mass[b]) - Math.log(mass[a]);
    this.free = Uint8Array.from({ length: k * (k + 1) }, (_, at) => Number(at % (k + 1) < k || this.opens(at)));
  }

  /** Whether the members of a number's group may part. @param {number} at */
  opens(at) {
    return this.size[Math.floor(at / this.width)] > 1;
  }

  /** @param {Float64Array} x @param {number} [by] */
  nudged(x, by = 1e-3) {
    const last = this.width - 1;
    return unit(
      nudge(x, by, (at) => (at % this.width < last ? 1 : this.opens(at) ? 2 : 0)),
      this.width,
    );
  }

  /** A regular simplex of all classes, as groups see it, slightly off its symmetries. */
  start() {
    const { k, size, width } = this,
      classes = size.reduce((sum, n) => sum + n, 0),
      gram = new Float64Array(k * k);
    for (let a = 0; a < k; a++)
      for (let b = 0; b < k; b++)
        gram[a * k + b] = a === b ? (1 - (size[a] - 1) / (classes - 1)) / size[a] : -1 / (classes - 1);
    const { values, vectors } = eigen(gram, k),
      x = new Float64Array(k * width);
    for (let a = 0; a < k; a++) {
      let left = 1;
      for (let i = 0; i < k; i++) {
        const v = vectors[i * k + a] * Math.sqrt(Math.max(0, values[i]));
        x[a * width + i] = v;
        left -= v * v;
      }
      x[a * width + k] = size[a] > 1 ? Math.sqrt(Math.max(0, left)) : 0;
    }
    return this.nudged(x);
  }

  /** @param {Float64Array} x (K, K + 1) @returns {Local} */
  at(x) {
    const { k, width, size, tau, bend } = this,
      shared = this.sharesAt(x),
      { value, slope, within, apart } = shared,
      both = new Float64Array(k * k);
    for (let a = 0; a < k; a++) for (let b = 0; b < k; b++) both[a * k + b] = slope[a * k + b] + slope[b * k + a];
    const gradient = this.rowsOf(both, x),
      stiffness = new Float64Array(k);
    for (let a = 0; a < k; a++) {
      gradient[a * width + k] = size[a] > 1 ? -within[a] * tau * bend[a] * apart[a] : 0;
      let sum = within[a] * tau * bend[a];
      for (let b = 0; b < k; b++) sum += both[a * k + b];
      stiffness[a] = Math.max(sum / tau, 1e-300);
    }
    return { value, gradient, hessian: (d) => this.bent(x, d, shared, both), stiffness };
  }

  /** What each group has of an anchor's sum, and the slopes by cosines that follow. @param {Float64Array} x */
  sharesAt(x) {
    const { k, width, size, weight, tau, bend, shares } = this,
      share = new Float64Array(k * k),
      slope = new Float64Array(k * k),
      within = new Float64Array(k),
      apart = Float64Array.from(size, (_, a) => x[a * width + k]);
    let value = 0;
    for (let a = 0; a < k; a++) {
      let top = 0,
        rest = 0;
      for (let b = 0; b < k; b++) {
        let product = 0;
        for (let i = 0; i < k; i++) product += x[a * width + i] * x[b * width + i];
        const exponent = shares[a * k + b] + (a === b ? -0.5 * bend[a] * apart[a] * apart[a] : (product - 1) / tau);
        share[a * k + b] = exponent;
        if (exponent > top) top = exponent;
      }
      for (let b = 0; b < k; b++) rest += share[a * k + b] = Math.exp(share[a * k + b] - top);
      const partition = Math.exp(-top) + rest;
      for (let b = 0; b < k; b++) {
        share[a * k + b] /= partition;
        slope[a * k + b] = (size[a] * weight[a] * share[a * k + b]) / tau;
      }
      value += size[a] * weight[a] * (top > 0 ? top + Math.log(partition) : Math.log1p(rest));
      within[a] = slope[a * k + a];
      slope[a * k + a] = 0;
    }
    return { value, share, slope, within, apart };
  }

  /** The change of the gradient along a direction. @param {Float64Array} x @param {Float64Array} d
   * @param {ReturnType<Collapsed["sharesAt"]>} shared @param {Float64Array} both */
  bent(x, d, { share, slope, within, apart }, both) {
    const { k, width, size, tau, bend } = this,
      turned = new Float64Array(k * k),
      moved = new Float64Array(k * k),
      parting = apart.map((_, a) => (size[a] > 1 ? d[a * width + k] : 0));
    for (let a = 0; a < k; a++) {
      let mean = 0;
      for (let b = 0; b < k; b++) {
        let cross = 0;
        for (let i = 0; i < k; i++) cross += d[a * width + i] * x[b * width + i] + x[a * width + i] * d[b * width + i];
        const change = a === b ? -bend[a] * apart[a] * parting[a] : cross / tau;
        turned[a * k + b] = change;
        mean += share[a * k + b] * change;
      }
      for (let b = 0; b < k; b++) turned[a * k + b] -= mean;
    }
    for (let a = 0; a < k; a++)
      for (let b = 0; b < k; b++)
        moved[a * k + b] = slope[a * k + b] * turned[a * k + b] + slope[b * k + a] * turned[b * k + a];
    const out = this.rowsOf(both, d),
      other = this.rowsOf(moved, x);
    for (let a = 0; a < k; a++) {
      for (let i = 0; i < k; i++) out[a * width + i] += other[a * width + i];
      const inner = within[a] * turned[a * k + a];
      out[a * width + k] = size[a] > 1 ? -tau * bend[a] * (inner * apart[a] + within[a] * parting[a]) : 0;
    }
    return out;
  }

  /** Sums of rows, without their last number. @param {Float64Array} mix (K, K) @param {Float64Array} x (K, K + 1) */
  rowsOf(mix, x) {
    const { k, width } = this,
      out = new Float64Array(k * width);
    for (let a = 0; a < k; a++)
      for (let b = 0; b < k; b++) {
        const factor = mix[a * k + b];
        if (factor) for (let i = 0; i < k; i++) out[a * width + i] += factor * x[b * width + i];
      }
    return out;
  }

  /** @returns {Float64Array} (K, K + 1) unit rows */
  minimum() {
    const { width, free } = this;
    let x = this.start();
    for (let step = Math.ceil(Math.log2(Math.max(0.5 / this.tau, 1))); step > 0; step--) {
      const warm = new Collapsed(this.weight, this.mass, this.size, this.tau * 2 ** step);
      x = this.nudged(descend(x, width, (at) => warm.at(at), { free, tolerance: 1e-4 }));
    }
    return descend(x, width, (at) => this.at(at), { free });
  }
}

/**
 * The class means that supervised contrast is least at, as `ltviz.geometry.predicted_supcon`.
 * @param {ArrayLike<number>} counts @param {number} tau @param {"sample"|"class"} average
 * @param {"samples"|"classes"} denominator
 * @returns {{means: Float64Array, dim: number, value: number, gap: number}} unit rows in C - 1 dimensions
 */
export function contrastEnds(counts, tau, average, denominator) {
  const c = counts.length,
    n = Float64Array.from(counts),
    total = n.reduce((sum, v) => sum + v, 0),
    p = n.map((v) => v / total),
    equal = new Float64Array(c).fill(1 / c),
    weights = average === "sample" ? p : equal,
    masses = denominator === "samples" ? p : equal,
    groups = new Groups(n),
    pick = (/** @type {Float64Array} */ of) => Float64Array.from(groups.first, (at) => of[at]);
  const x = new Collapsed(pick(weights), pick(masses), groups.size, tau).minimum(),
    k = groups.number;
  const centres = new Float64Array(k * k),
    within = new Float64Array(k);
  for (let a = 0; a < k; a++) {
    centres.set(x.subarray(a * (k + 1), a * (k + 1) + k), a * k);
    within[a] = x[a * (k + 1) + k];
  }
  const { rows, dim } = groups.spread(centres, k, within),
    means = rowsWith(timesTransposed(rows, rows, c, c, dim), c);
  return { means, dim: c - 1, ...certified(timesTransposed(means, means, c, c, c - 1), weights, masses, tau) };
}

/** Unit rows in C - 1 dimensions with these cosines, whose rank is that at most. @param {Float64Array} gram
 * @param {number} c */
function rowsWith(gram, c) {
  const { values, vectors } = eigen(gram, c),
    out = new Float64Array(c * (c - 1));
  for (let i = 0; i < c; i++)
    for (let k = 0; k < c - 1; k++)
      out[i * (c - 1) + k] = vectors[(c - 1 - k) * c + i] * Math.sqrt(Math.max(0, values[c - 1 - k]));
  return unit(out, c - 1);
}

/** The loss less log N, and a bound on how far it is above the least there is. @param {Float64Array} gram
 * @param {Float64Array} weights @param {Float64Array} masses @param {number} tau */
function certified(gram, weights, masses, tau) {
  const c = weights.length,
    slope = new Float64Array(c * c);
  let value = 0;
  for (let a = 0; a < c; a++) {
    let total = 0,
      top = -Infinity;
    for (let b = 0; b < c; b++) top = Math.max(top, Math.log(masses[b]) + (gram[a * c + b] - 1) / tau);
    for (let b = 0; b < c; b++)
      total += slope[a * c + b] = Math.exp(Math.log(masses[b]) + (gram[a * c + b] - 1) / tau - top);
    for (let b = 0; b < c; b++) slope[a * c + b] *= a === b ? 0 : weights[a] / tau / total;
    value += weights[a] * (top + Math.log(total));
  }
  const dual = new Float64Array(c * c);
  for (let a = 0; a < c; a++)
    for (let b = 0; b < c; b++) {
      const both = (slope[a * c + b] + slope[b * c + a]) / 2;
      dual[a * c + b] += both;
      dual[a * c + a] -= both * gram[a * c + b];
    }
  return { value, gap: c * Math.max(0, -eigen(dual, c).values[0]) };
}
