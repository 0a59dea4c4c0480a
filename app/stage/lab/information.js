/**
 * How much the points say, in bounds from below, nats: `ltviz.metrics.information` for points that stand for many
 * samples. What lies at one place cannot be told apart. Pure.
 */

import { VIEWS } from "./problem.js";

/** Of the critic e^(cosine / t): every one gives a bound, and the largest is taken. */
const TEMPERATURES = [0.05, 0.1, 0.2, 0.5, 1];

/** @typedef {{value: number, ceiling: number}} Bound */

/**
 * The mean over rows of log sum_j w_j e^((u_i . v_j - u_i . v_own(i)) / t), with w the share of the samples that each
 * column stands for: how surely the own column is told from all others. @param {ArrayLike<number>} u unit rows
 * @param {ArrayLike<number>} mass samples of each row @param {ArrayLike<number>} v (columns, dim) unit rows
 * @param {ArrayLike<number>} of samples of each column @param {(i: number) => number} own column of a row
 * @param {number} dim
 */
function doubt(u, mass, v, of, own, dim) {
  const columns = of.length,
    cosines = new Float64Array(columns),
    losses = TEMPERATURES.map(() => 0);
  let total = 0,
    all = 0;
  for (let j = 0; j < columns; j++) all += of[j];
  for (let i = 0; i < mass.length; i++) {
    if (!mass[i]) continue;
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let k = 0; k < dim; k++) sum += u[i * dim + k] * v[j * dim + k];
      cosines[j] = sum;
    }
    const mine = cosines[own(i)];
    TEMPERATURES.forEach((t, at) => {
      let sum = 0;
      for (let j = 0; j < columns; j++) sum += (of[j] / all) * Math.exp((cosines[j] - mine) / t);
      losses[at] += mass[i] * Math.log(sum);
    });
    total += mass[i];
  }
  return Math.min(...losses) / total;
}

/**
 * Between points and labels: how surely a class is told by the means of the classes; never above H(y).
 * @param {ArrayLike<number>} u (rows, dim) unit @param {ArrayLike<number>} y class of each row
 * @param {ArrayLike<number>} mass samples that each row stands for @param {ArrayLike<number>} means (classes, dim) unit
 * @param {ArrayLike<number>} counts samples of each class @param {number} dim @returns {Bound}
 */
export function informationWithLabels(u, y, mass, means, counts, dim) {
  let all = 0,
    ceiling = 0;
  for (let c = 0; c < counts.length; c++) all += counts[c];
  for (let c = 0; c < counts.length; c++) if (counts[c]) ceiling -= (counts[c] / all) * Math.log(counts[c] / all);
  const found = -doubt(u, mass, means, counts, (i) => y[i], dim);
  return { value: Math.min(ceiling, Math.max(0, found)), ceiling };
}

/**
 * Between points and the inputs they are of, the two views of each lying on its point: how surely one is told among all
 * K; never above log K. @param {ArrayLike<number>} u (rows, dim) unit @param {ArrayLike<number>} mass samples that each
 * row stands for, K in all @param {number} dim @returns {Bound}
 */
export function informationWithInputs(u, mass, dim) {
  let all = 0;
  for (let i = 0; i < mass.length; i++) all += mass[i];
  return { value: Math.max(0, -doubt(u, mass, u, mass, (i) => i, dim)), ceiling: Math.log(all) };
}

/** Products of rows with columns that one look may take; of more points only every so many looks are measured. */
const EACH_LOOK = 5000;

/** What is known of the information of one simulation; measuring it may take longer than a look. */
export class InformationMeter {
  constructor() {
    this.looks = 0;
    /** @type {Record<string, number>} */
    this.found = {};
  }

  /**
   * @param {import("./simulation.js").Simulation} sim whose rows are placed @param {ArrayLike<number>} u (rows, dim) unit
   * @param {ArrayLike<number>} means (classes, dim) unit @returns {Record<string, number>} nats
   */
  read({ problem, tiedRows, motion, dim }, u, means) {
    const { rows, classes, y, stored, batch, counts } = problem,
      drawn = motion.batch > 0,
      work = rows * (tiedRows ? classes : rows);
    if (this.looks++ % Math.ceil(work / EACH_LOOK)) return this.found;
    const labels = informationWithLabels(u, y, stored, means, counts, dim);
    this.found = { information_labels: labels.value, information_labels_ceiling: labels.ceiling };
    // Where samples are drawn around their class at each step, the other view of one is not at hand.
    if (tiedRows) return this.found;
    const images = drawn ? Float64Array.from(batch, (n) => n / VIEWS) : stored,
      inputs = informationWithInputs(u, images, dim);
    Object.assign(this.found, { information_inputs: inputs.value, information_inputs_ceiling: inputs.ceiling });
    return this.found;
  }
}
