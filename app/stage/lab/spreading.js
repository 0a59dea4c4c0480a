/** Three ways to targets, and what came of them: closed form, annealed descent, and the official recipe of TSC. Pure. */
import { annealed, fits, largestCosine, randomRows, Repulsion, simplex } from "./targets.js";

/** @typedef {"closed"|"annealed"|"official"} WayName */

/** @type {WayName[]} */
export const WAYS = ["closed", "annealed", "official"];
/** Steps of a descent. The official script takes 10,000. */
export const STEPS = 1500;
const OFFICIAL_TEMPERATURE = 0.07,
  /** In float32, by torch's Adam as it is. */
  OFFICIAL = { self: true, single: true, rate: 1e-3, beta: 0.999, epsilon: 1e-8 },
  BINS = 40;

export class Spreading {
  /** @param {WayName} name @param {number} classes @param {number} dim @param {number} seed */
  constructor(name, classes, dim, seed) {
    this.name = name;
    this.classes = classes;
    this.dim = dim;
    this.steps = 0;
    /** The closed form is there where it fits, and nowhere else. */
    this.exists = name !== "closed" || fits(classes, dim);
    const how = name === "official" ? OFFICIAL : {};
    this.descent = name === "closed" ? null : new Repulsion(randomRows(classes, dim, seed), dim, how);
    this.rows = this.descent ? this.descent.u : this.exists ? simplex(classes, dim) : new Float64Array(0);
  }

  get done() {
    return !this.descent || this.steps >= STEPS;
  }

  step() {
    if (this.done || !this.descent) return;
    const share = this.steps++ / STEPS;
    if (this.name === "official") this.descent.step(OFFICIAL_TEMPERATURE);
    // Where a simplex fits one temperature is enough, and leads nearer.
    else this.descent.step(fits(this.classes, this.dim) ? 0.5 : annealed(share), 0.5 * (1 + Math.cos(Math.PI * share)));
  }

  /** Numbers of pairs by their cosine, from -1 to 1. @returns {Uint32Array} */
  histogram() {
    const out = new Uint32Array(BINS),
      { rows, classes, dim } = this;
    for (let i = 0; i < classes; i++)
      for (let j = i + 1; j < classes; j++) {
        let cosine = 0;
        for (let k = 0; k < dim; k++) cosine += rows[i * dim + k] * rows[j * dim + k];
        out[Math.min(BINS - 1, Math.max(0, Math.floor(((cosine + 1) / 2) * BINS)))]++;
      }
    return out;
  }

  get largest() {
    return this.exists ? largestCosine(this.rows, this.dim) : NaN;
  }
}

/**
 * What it costs that classes go to targets, the mean of 1 - cosine: matched, and at random on average over all ways.
 * @param {ArrayLike<number>} means @param {ArrayLike<number>} targets @param {Int32Array} assigned @param {number} n
 * @param {number} dim
 */
export function costs(means, targets, assigned, n, dim) {
  let matched = 0,
    random = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      let cosine = 0;
      for (let k = 0; k < dim; k++) cosine += means[i * dim + k] * targets[j * dim + k];
      random += (1 - cosine) / (n * n);
      if (assigned[i] === j) matched += (1 - cosine) / n;
    }
  return { matched, random };
}
