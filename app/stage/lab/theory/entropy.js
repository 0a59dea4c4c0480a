/**
 * Where cross-entropy of free features and a free classifier ends: under a weight decay, as
 * `ltviz.geometry.predicted_decay` has it, and under one that vanishes, as `predicted_ce` (SELI). Pure.
 */
import { eigen, inFewer, norm2, times, timesTransposed } from "./algebra.js";
import { Groups } from "./groups.js";
import { Peeled } from "./peeled.js";

/**
 * @typedef {object} Rows   of a classifier and of class means, in one coordinate system, relative lengths included
 * @property {Float64Array} means    (C, dim)
 * @property {Float64Array} weights  (C, dim)
 * @property {number} dim
 * @property {number} value
 * @property {number} gap
 */

/** SELI: one decomposition, nothing but the counts. @param {ArrayLike<number>} counts @returns {Rows} */
export function seli(counts) {
  const c = counts.length,
    root = Float64Array.from(counts, Math.sqrt),
    centred = new Float64Array(c * c);
  for (let a = 0; a < c; a++) for (let b = 0; b < c; b++) centred[a * c + b] = (a === b ? root[a] : 0) - root[b] / c;
  // The squares of P diag(√n): its left vectors, and from these the right ones.
  const { values, vectors } = eigen(timesTransposed(centred, centred, c, c, c), c),
    dim = c - 1,
    means = new Float64Array(c * dim),
    weights = new Float64Array(c * dim);
  const across = times(vectors, centred, c, c, c);
  let value = 0;
  for (let k = 0; k < dim; k++) {
    const from = c - 1 - k,
      singular = Math.sqrt(Math.max(0, values[from])),
      scale = Math.sqrt(singular);
    value += singular;
    for (let a = 0; a < c; a++) {
      weights[a * dim + k] = vectors[from * c + a] * scale;
      means[a * dim + k] = (across[from * c + a] / singular) * (scale / root[a]);
    }
  }
  return { means, weights, dim, value, gap: 0 };
}

/** @typedef {{decay: number, pays: "class"|"sample", average: "sample"|"class", tau: number}} Decayed */

/**
 * Under weight decay. @param {ArrayLike<number>} counts @param {Decayed} given
 * @returns {Rows|null} null where the decay leaves no logits at all
 */
export function underDecay(counts, { decay, pays, average, tau }) {
  const c = counts.length,
    n = Float64Array.from(counts),
    total = n.reduce((sum, v) => sum + v, 0),
    p = n.map((v) => v / total);
  const terms = {
    weight: average === "sample" ? p : new Float64Array(c).fill(1 / c),
    charge: pays === "class" ? new Float64Array(c).fill(1) : p.map((v) => c * v),
    prior: p.map((v) => tau * Math.log(v)),
  };
  const rest = entropyOf(new Float64Array(c * c), terms);
  const stiffness = norm2(priced(rest.slope, terms.charge), c);
  if (decay >= stiffness) return null;
  const groups = new Groups(n),
    pick = (/** @type {Float64Array} */ of) => Float64Array.from(groups.first, (at) => of[at]),
    ofGroups = { weight: pick(terms.weight), charge: pick(terms.charge), prior: pick(terms.prior) };
  const peeled = new Peeled(ofGroups, groups.size, decay, stiffness),
    x = peeled.minimum(),
    bound = 0.5 * x.reduce((sum, v) => sum + v * v, 0),
    { means, weights, dim } = peeled.rows(x, groups),
    logits = timesTransposed(means, weights, c, c, dim),
    { value, slope } = entropyOf(logits, terms);
  const excess = Math.max(0, norm2(priced(slope, terms.charge), c) - decay),
    gap = slope.reduce((sum, v, at) => sum + v * logits[at], 0) + decay * bound + (excess * rest.value) / decay;
  const both = new Float64Array(2 * c * dim);
  both.set(means);
  both.set(weights, c * dim);
  const kept = inFewer(both, 2 * c, dim, c - 1);
  return {
    means: kept.slice(0, c * (c - 1)),
    weights: kept.slice(c * (c - 1)),
    dim: c - 1,
    value: value + decay * bound,
    gap: Math.max(0, gap),
  };
}

/** @param {Float64Array} slope (C, C) @param {Float64Array} charge (C) */
const priced = (slope, charge) => slope.map((v, at) => v / Math.sqrt(charge[Math.floor(at / charge.length)]));

/** The weighed sum of cross-entropies of logits (C, C), row c of class c, and its slope. @param {Float64Array} logits
 * @param {import("./peeled.js").Terms} terms of each class */
function entropyOf(logits, { weight, prior }) {
  const c = weight.length,
    slope = new Float64Array(c * c);
  let value = 0;
  for (let a = 0; a < c; a++) {
    let top = -Infinity,
      sum = 0;
    for (let b = 0; b < c; b++) top = Math.max(top, logits[a * c + b] + prior[b]);
    for (let b = 0; b < c; b++) sum += slope[a * c + b] = Math.exp(logits[a * c + b] + prior[b] - top);
    for (let b = 0; b < c; b++) slope[a * c + b] = weight[a] * (slope[a * c + b] / sum - Number(a === b));
    value += weight[a] * (Math.log(sum) - (logits[a * c + a] + prior[a] - top));
  }
  return { value, slope };
}
