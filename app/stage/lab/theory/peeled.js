/**
 * Cross-entropy of free features and a free classifier under weight decay, in groups of exchangeable classes: the
 * layer-peeled model, with prices of features and priors of classes. Python has the same loss at a given energy, and
 * looks for the energy that a decay leaves (`ltviz.geometry.predicted.peeled`, `decayed`); here the decay is a part of
 * what is minimised. Pure.
 */
import { eigen, times, timesTransposed, transposed } from "./algebra.js";
import { descend } from "./descent.js";
import { nudge } from "./groups.js";

/** @typedef {import("./descent.js").Local} Local */
/**
 * @typedef {object} Terms   of one class of each group
 * @property {Float64Array} weight  of its cross-entropy in the sum
 * @property {Float64Array} charge  what the square of its feature costs
 * @property {Float64Array} prior   added to its logit, at no cost
 */

/** The loss as a function of one vector: the groups' mean features and mean classifier rows, and how far the members of
 * each group are apart, in such lengths that the decay takes half of its square. */
export class Peeled {
  /** @param {Terms} terms @param {Float64Array} size classes in each group @param {number} decay
   * @param {number} stiffness how hard logits are to move at the start */
  constructor({ weight, charge, prior }, size, decay, stiffness) {
    const k = (this.k = size.length);
    this.weight = weight;
    this.charge = charge;
    this.size = size;
    this.decay = decay;
    this.stiffness = Float64Array.of(stiffness);
    this.length = 2 * k * k + k;
    /** From what is apart, squared, to how far a member's own logit is above the others' of its group. */
    this.part = size.map((n, a) => 0.5 / Math.max(n - 1, 1) / Math.sqrt(charge[a]));
    /** Share of a group that one member is not. */
    this.others = size.map((n) => (n - 1) / n);
    /** From products of the vector's rows to logits. */
    this.scale = new Float64Array(k * k);
    /** Classes that stand against one of a group, each as often as its prior says. */
    this.amount = new Float64Array(k * k);
    for (let a = 0; a < k; a++)
      for (let b = 0; b < k; b++) {
        this.scale[a * k + b] = 1 / Math.sqrt(size[a] * charge[a] * size[b]);
        this.amount[a * k + b] = a === b ? size[a] - 1 : size[b] * Math.exp(prior[b] - prior[a]);
      }
  }

  /** @param {Float64Array} x @returns {[Float64Array, Float64Array, Float64Array]} features, classifier, apart */
  parts(x) {
    const { k } = this;
    return [x.subarray(0, k * k), x.subarray(k * k, 2 * k * k), x.subarray(2 * k * k)];
  }

  /** Logits of other groups' classes, and of the own group's others, less the own one; linear in both.
   * @param {Float64Array} logits (K, K), becomes it @param {Float64Array} parted (K) */
  margins(logits, parted) {
    const { k, others } = this;
    for (let a = 0; a < k; a++) {
      const own = logits[a * k + a] + parted[a] * others[a];
      for (let b = 0; b < k; b++) logits[a * k + b] = a === b ? -parted[a] : logits[a * k + b] - own;
    }
    return logits;
  }

  /** Slopes by margins, as slopes by products of rows and by `parted`: `margins` transposed. @param {Float64Array} slopes
   * @returns {[Float64Array, Float64Array]} */
  pulled(slopes) {
    const { k, scale, others } = this,
      rows = new Float64Array(k * k),
      parted = new Float64Array(k);
    for (let a = 0; a < k; a++) {
      let outside = 0;
      for (let b = 0; b < k; b++) if (a !== b) outside += slopes[a * k + b];
      for (let b = 0; b < k; b++) rows[a * k + b] = scale[a * k + b] * (a === b ? -outside : slopes[a * k + b]);
      parted[a] = -slopes[a * k + a] - outside * others[a];
    }
    return [rows, parted];
  }

  /** @param {Float64Array} x @returns {Local} */
  at(x) {
    const { k, size, weight, amount, part, scale, decay } = this,
      [features, classifier, apart] = this.parts(x),
      logits = timesTransposed(features, classifier, k, k, k).map((v, at) => v * scale[at]),
      share = this.margins(
        logits,
        apart.map((v, a) => part[a] * v * v),
      ),
      slope = new Float64Array(k * k);
    let value = (decay / 2) * x.reduce((sum, v) => sum + v * v, 0);
    for (let a = 0; a < k; a++) {
      let top = 0,
        rest = 0;
      for (let b = 0; b < k; b++) top = Math.max(top, share[a * k + b]);
      for (let b = 0; b < k; b++) rest += share[a * k + b] = amount[a * k + b] * Math.exp(share[a * k + b] - top);
      const partition = Math.exp(-top) + rest;
      for (let b = 0; b < k; b++) slope[a * k + b] = size[a] * weight[a] * (share[a * k + b] /= partition);
      value += size[a] * weight[a] * (top > 0 ? top + Math.log(partition) : Math.log1p(rest));
    }
    const [byRow, byParted] = this.pulled(slope),
      chain = part.map((v, a) => (size[a] > 1 ? 2 * v : 0));
    /** @param {Float64Array} d @param {Float64Array[]} three of features, classifier and what is apart */
    const joined = (d, ...three) => {
      const out = d.map((v) => decay * v);
      let at = 0;
      for (const part of three) for (const v of part) out[at++] += v;
      return out;
    };
    const upright = transposed(byRow, k, k),
      gradient = joined(
        x,
        times(byRow, classifier, k, k, k),
        times(upright, features, k, k, k),
        chain.map((v, a) => v * byParted[a] * apart[a]),
      );
    const hessian = (/** @type {Float64Array} */ d) => {
      const [along, across, parting] = this.parts(d),
        one = timesTransposed(along, classifier, k, k, k),
        other = timesTransposed(features, across, k, k, k);
      const change = this.margins(
        one.map((v, at) => (v + other[at]) * scale[at]),
        chain.map((v, a) => v * apart[a] * parting[a]),
      );
      for (let a = 0; a < k; a++) {
        let mean = 0;
        for (let b = 0; b < k; b++) mean += share[a * k + b] * change[a * k + b];
        for (let b = 0; b < k; b++) change[a * k + b] = slope[a * k + b] * (change[a * k + b] - mean);
      }
      const [row, parted] = this.pulled(change),
        sum = (/** @type {Float64Array} */ p, /** @type {Float64Array} */ q) => p.map((v, at) => v + q[at]);
      return joined(
        d,
        sum(times(row, classifier, k, k, k), times(byRow, across, k, k, k)),
        sum(times(transposed(row, k, k), features, k, k, k), times(upright, along, k, k, k)),
        chain.map((v, a) => v * (parted[a] * apart[a] + byParted[a] * parting[a])),
      );
    };
    return { value, gradient, hessian, stiffness: this.stiffness };
  }

  /** A regular simplex of all classes, as groups see it. */
  start() {
    const { k, size } = this,
      classes = size.reduce((sum, n) => sum + n, 0),
      gram = new Float64Array(k * k),
      x = new Float64Array(this.length);
    for (let a = 0; a < k; a++)
      for (let b = 0; b < k; b++) gram[a * k + b] = Number(a === b) - Math.sqrt(size[a] * size[b]) / classes;
    const { values, vectors } = eigen(gram, k);
    for (let a = 0; a < k; a++) {
      for (let i = 0; i < k; i++)
        x[a * k + i] = x[k * k + a * k + i] = vectors[i * k + a] * Math.sqrt(Math.max(0, values[i]));
      x[2 * k * k + a] = size[a] > 1 ? Math.sqrt(2 * (size[a] - 1)) : 0;
    }
    return x;
  }

  /** @returns {Float64Array} */
  minimum() {
    const { k, size, length } = this,
      opens = (/** @type {number} */ at) => (at < 2 * k * k ? 1 : size[at - 2 * k * k] > 1 ? 2 : 0);
    /** @type {Float64Array} */
    let x = this.start();
    // Where members of a group are on one point, every slope that would part them is zero.
    for (let turn = 0; turn < 2; turn++)
      x = descend(nudge(x, 1e-3, opens), length, (at) => this.at(at), { flat: true, tolerance: turn ? 1e-11 : 1e-4 });
    return x;
  }

  /**
   * Means and classifier rows of the classes. @param {Float64Array} x @param {import("./groups.js").Groups} groups
   * @returns {{means: Float64Array, weights: Float64Array, dim: number}}
   */
  rows(x, groups) {
    const { k, size, charge, part, others } = this,
      [features, classifier, apart] = this.parts(x),
      within = apart.map((v, a) => Math.sqrt(part[a] * v * v * others[a]));
    const scaled = (/** @type {Float64Array} */ rows, /** @type {number} */ power) =>
      rows.map((v, at) => {
        const a = Math.floor(at / k);
        return (v / Math.sqrt(size[a])) * charge[a] ** power;
      });
    const tilted = (/** @type {number} */ power) => within.map((v, a) => v * charge[a] ** power);
    const { rows: means, dim } = groups.spread(scaled(features, -0.5), k, tilted(-0.25)),
      { rows: weights } = groups.spread(scaled(classifier, 0), k, tilted(0.25));
    return { means, weights, dim };
  }
}
