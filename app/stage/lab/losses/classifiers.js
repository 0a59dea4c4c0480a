/** Losses that compare the points with one row a class: a classifier's, learned or fixed. The columns are these rows. Pure. */
import { PART } from "../problem.js";

/** @typedef {import("../problem.js").Problem} Problem */
/** @typedef {import("../problem.js").Options} Options */

/**
 * Cross-entropy of free features with a free classifier, whose logits may be adjusted. The weight decay is not of the
 * products: `decayOf` says what it is. @param {Problem} p @param {number} tau strength of the prior
 * @param {Float64Array} weight of each row
 */
function crossEntropy(p, tau, weight) {
  const { rows, classes, y, logPrior, T, dT, terms } = p;
  let value = 0;
  for (let i = 0; i < rows; i++) {
    if (weight[i] === 0) continue;
    for (let b = 0; b < classes; b++) terms[b] = T[i * classes + b] + tau * logPrior[b];
    const all = p.sumUp(classes),
      own = i * classes + y[i];
    if (p.part !== PART.PULL) for (let b = 0; b < classes; b++) dT[i * classes + b] += weight[i] * terms[b];
    if (p.part !== PART.PUSH) dT[own] -= weight[i];
    value += weight[i] * (all - T[own] - tau * logPrior[y[i]]);
  }
  return value;
}

/** @param {Problem} p */
export const plain = (p) => crossEntropy(p, 0, p.weight);

/** @param {Problem} p @param {Options} o */
export const adjusted = (p, { tau }) => crossEntropy(p, tau, p.weight);

/** Each sample weighs 1 / n of its class, over the weights of the batch. @param {Problem} p */
export function reweighted(p) {
  const { rows, y, batch, counts } = p;
  const weight = (weights.get(p) ?? weights.set(p, new Float64Array(rows)).get(p)) || new Float64Array(rows);
  let total = 0;
  for (let i = 0; i < rows; i++) total += weight[i] = batch[i] / counts[y[i]];
  for (let i = 0; i < rows; i++) weight[i] /= total;
  return crossEntropy(p, 0, weight);
}

/** @type {WeakMap<Problem, Float64Array>} */
const weights = new WeakMap();

/**
 * What weight decay charges each row's square for: by class each class as much as a classifier's row, by sample as much
 * as it has samples. @param {Problem} p @param {Options} o @param {number} i
 */
export const charge = ({ y, stored, counts, classes, total }, { decayBy }, i) =>
  decayBy === "class" ? stored[i] / counts[y[i]] : (classes * stored[i]) / total;

/** A decay that vanishes: steps in which it stays, those in which it falls to a tenth, and what is left of it in the end. */
const STAYS = 600,
  TENTH = 400,
  LEAST_DECAY = 1e-12;

/** What a decay has come to. @param {Options} options @param {number} steps */
export const decayAt = ({ decay, vanish }, steps) =>
  vanish ? Math.max(Math.min(decay, LEAST_DECAY), decay * 10 ** -Math.max(0, (steps - STAYS) / TENTH)) : decay;

/** NTCE: each class's row picks its samples out of all of the batch. @param {Problem} p @param {Options} o */
export function ntce(p, { temperature }) {
  const { rows, classes, batch, y, T, dT, weight, terms, perClass } = p;
  perClass.fill(0);
  for (let i = 0; i < rows; i++) perClass[y[i]] += weight[i];
  let value = 0;
  for (let c = 0; c < classes; c++) {
    if (perClass[c] === 0) continue;
    for (let j = 0; j < rows; j++)
      terms[j] = batch[j] > 0 ? Math.log(batch[j]) + T[j * classes + c] / temperature : -Infinity;
    value += perClass[c] * p.sumUp(rows);
    if (p.part !== PART.PULL)
      for (let j = 0; j < rows; j++) dT[j * classes + c] += (perClass[c] / temperature) * terms[j];
  }
  return value - attract(p, temperature, () => true);
}

/**
 * NONL: the same with negatives alone in the denominator: samples of other classes, rows of other classes, or both. An
 * anchor without any counts as 0. @param {Problem} p @param {Options} o
 */
export function nonl(p, { temperature, negatives }) {
  const { rows, classes, batch, byClass, size, y, T, dT, weight, terms } = p;
  const samples = negatives !== "instance",
    columns = negatives !== "class";
  const has = (/** @type {number} */ c) => (samples && byClass[c] < size) || (columns && classes > 1);
  let value = 0;
  for (let i = 0; i < rows; i++) {
    const c = y[i];
    if (weight[i] === 0 || !has(c)) continue;
    for (let j = 0; j < rows; j++)
      terms[j] =
        samples && y[j] !== c && batch[j] > 0 ? Math.log(batch[j]) + T[j * classes + c] / temperature : -Infinity;
    for (let b = 0; b < classes; b++)
      terms[rows + b] = columns && b !== c ? T[i * classes + b] / temperature : -Infinity;
    value += weight[i] * p.sumUp(rows + classes);
    if (p.part === PART.PULL) continue;
    const w = weight[i] / temperature;
    for (let j = 0; j < rows; j++) dT[j * classes + c] += w * terms[j];
    for (let b = 0; b < classes; b++) dT[i * classes + b] += w * terms[rows + b];
  }
  return value - attract(p, temperature, has);
}

/**
 * The pull of each sample's own row. @param {Problem} p @param {number} temperature
 * @param {(c: number) => boolean} has whether anchors of a class count
 */
function attract({ rows, classes, y, T, dT, weight, part }, temperature, has) {
  let sum = 0;
  for (let i = 0; i < rows; i++) {
    if (weight[i] === 0 || !has(y[i])) continue;
    const own = i * classes + y[i];
    sum += (weight[i] * T[own]) / temperature;
    if (part !== PART.PUSH) dT[own] -= weight[i] / temperature;
  }
  return sum;
}

/** Dot regression towards the fixed row of the class: no push at all. @param {Problem} p @param {Options} o */
export function dotRegression(p, { lengths }) {
  const { rows, classes, y, counts, total, T, dT, weight } = p;
  let present = 0;
  for (let c = 0; c < classes; c++) if (counts[c] > 0) present++;
  let value = 0;
  for (let i = 0; i < rows; i++) {
    if (weight[i] === 0) continue;
    const length = lengths ? Math.sqrt(total / present / counts[y[i]]) : 1,
      own = i * classes + y[i],
      missing = length * (T[own] - 1);
    value += weight[i] * 0.5 * missing * missing;
    if (p.part !== PART.PUSH) dT[own] += weight[i] * missing * length;
  }
  return value;
}
