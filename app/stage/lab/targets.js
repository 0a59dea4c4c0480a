/** Where C points lie best on a sphere: the regular simplex where it fits, else an annealed descent. Pure. */
import { Random } from "./random.js";
import { unitRows } from "./space.js";

/** Whether a regular simplex of so many points fits. @param {number} classes @param {number} dim */
export const fits = (classes, dim) => dim >= classes - 1;

/** The regular simplex in closed form, as `ltviz.geometry.simplex` has it. @param {number} classes @param {number} dim */
export function simplex(classes, dim) {
  const out = new Float64Array(classes * dim),
    scale = Math.sqrt(classes / (classes - 1));
  for (let k = 1; k < classes; k++) {
    for (let c = 0; c < k; c++) out[c * dim + k - 1] = scale / Math.sqrt(k * (k + 1));
    out[k * dim + k - 1] = -scale * Math.sqrt(k / (k + 1));
  }
  return out;
}

/** @param {number} classes @param {number} dim @param {number} seed @returns {Float64Array} unit rows, at random */
export function randomRows(classes, dim, seed) {
  return unitRows(new Random(seed).normals(new Float64Array(classes * dim)), dim);
}

/**
 * The step of a descent on what keeps points apart: log of the sum over pairs of exp(cosine / temperature), or over all
 * j of each i with itself, as the official code of TSC has it. Adam, as there.
 */
export class Repulsion {
  /**
   * @param {Float64Array} start free rows @param {number} dim
   * @param {{self?: boolean, rate?: number, single?: boolean, beta?: number, epsilon?: number}} [how] self: each point's
   * own term is in its sum; single: gradients are summed in single precision; beta, epsilon: of Adam, the second one
   */
  constructor(start, dim, { self = false, rate = 0.1, single = false, beta = 0.99, epsilon = 1e-30 } = {}) {
    this.x = Float64Array.from(start);
    this.dim = dim;
    this.classes = start.length / dim;
    this.self = self;
    this.rate = rate;
    this.round = single ? Math.fround : (/** @type {number} */ v) => v;
    this.beta = beta;
    this.epsilon = epsilon;
    this.u = unitRows(this.x, dim);
    this.first = new Float64Array(start.length);
    this.second = new Float64Array(start.length);
    this.gradient = new Float64Array(start.length);
    this.row = new Float64Array(this.classes);
    this.steps = 0;
    this.value = NaN;
  }

  /** @param {number} temperature @param {number} [cool] factor on the rate */
  step(temperature, cool = 1) {
    const { x, u, dim, gradient, first, second } = this;
    this.evaluate(temperature);
    const t = ++this.steps,
      b1 = 0.9,
      b2 = this.beta;
    for (let i = 0; i < x.length; i++) {
      first[i] = b1 * first[i] + (1 - b1) * gradient[i];
      second[i] = b2 * second[i] + (1 - b2) * gradient[i] * gradient[i];
      const step = first[i] / (1 - b1 ** t) / (Math.sqrt(second[i] / (1 - b2 ** t)) + this.epsilon);
      x[i] -= this.rate * cool * step;
    }
    unitRows(x, dim, u);
  }

  /** @param {number} temperature */
  evaluate(temperature) {
    const { x, u, dim, classes, gradient, row, round } = this;
    gradient.fill(0);
    let value = 0;
    for (let i = 0; i < classes; i++) {
      let most = -Infinity,
        sum = 0;
      for (let j = 0; j < classes; j++) {
        let cosine = 0;
        for (let k = 0; k < dim; k++) cosine += u[i * dim + k] * u[j * dim + k];
        row[j] = i === j && !this.self ? -Infinity : cosine / temperature;
        if (row[j] > most) most = row[j];
      }
      for (let j = 0; j < classes; j++) sum += row[j] = Math.exp(row[j] - most);
      value += (most + Math.log(sum)) / classes;
      for (let j = 0; j < classes; j++) {
        const weight = row[j] / sum / temperature / classes;
        for (let k = 0; k < dim; k++) {
          gradient[i * dim + k] = round(gradient[i * dim + k] + weight * u[j * dim + k]);
          gradient[j * dim + k] = round(gradient[j * dim + k] + weight * u[i * dim + k]);
        }
      }
    }
    this.value = value;
    for (let i = 0; i < classes; i++) {
      let along = 0,
        square = 0;
      for (let k = 0; k < dim; k++) {
        along += gradient[i * dim + k] * u[i * dim + k];
        square += x[i * dim + k] ** 2;
      }
      const length = Math.sqrt(square) || 1;
      for (let k = 0; k < dim; k++) gradient[i * dim + k] = (gradient[i * dim + k] - along * u[i * dim + k]) / length;
    }
  }
}

/** Temperature of an annealed descent at a share of its way, 0 to 1. @param {number} share */
export const annealed = (share) => 0.5 * (0.02 / 0.5) ** Math.min(1, share);

const STARTS = 4,
  STEPS = 400;

/** The largest cosine between two rows. @param {Float64Array} u @param {number} dim */
export function largestCosine(u, dim) {
  let most = -1;
  for (let i = 0; i < u.length; i += dim)
    for (let j = i + dim; j < u.length; j += dim) {
      let cosine = 0;
      for (let k = 0; k < dim; k++) cosine += u[i + k] * u[j + k];
      if (cosine > most) most = cosine;
    }
  return most;
}

/** @param {number} classes @param {number} dim @param {number} [seed] @returns {Float64Array} (classes, dim) unit rows */
export function bestTargets(classes, dim, seed = 0) {
  if (fits(classes, dim)) return simplex(classes, dim);
  /** @type {Float64Array} */
  let best = new Float64Array(0);
  let least = Infinity;
  // Large problems get fewer starts: a second at most.
  const work = classes * classes * dim;
  for (let start = 0; start < (work > 2e5 ? 1 : STARTS); start++) {
    const descent = new Repulsion(randomRows(classes, dim, seed * STARTS + start + 1), dim);
    const steps = Math.max(60, Math.min(STEPS, Math.round(4e8 / work / STARTS)));
    for (let i = 0; i < steps; i++) descent.step(annealed(i / steps), 0.5 * (1 + Math.cos((Math.PI * i) / steps)));
    const most = largestCosine(descent.u, dim);
    if (most < least) [best, least] = [descent.u, most];
  }
  return best;
}
