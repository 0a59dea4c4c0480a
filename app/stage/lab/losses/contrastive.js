/** Losses that compare the points with one another. Each fills in the derivatives by the products, and gives its value. Pure. */
import { PART, VIEWS } from "../problem.js";

/** @typedef {import("../problem.js").Problem} Problem */
/** @typedef {import("../problem.js").Options} Options */

/**
 * The terms of the anchors at one place: everything in the batch besides the anchor itself.
 * @param {Problem} p @param {number} i @param {number} temperature @returns {number} log of their sum
 */
function othersOf(p, i, temperature) {
  const { rows, batch, S, terms } = p;
  for (let j = 0; j < rows; j++) {
    const many = j === i ? batch[j] - 1 : batch[j];
    terms[j] = many > 0 ? Math.log(many) + S[i * rows + j] / temperature : -Infinity;
  }
  return p.sumUp(rows);
}

/** What the terms of the anchors at one place push away. @param {Problem} p @param {number} i @param {number} weight */
function push(p, i, weight) {
  const { rows, terms, dS } = p;
  if (p.part !== PART.PULL) for (let j = 0; j < rows; j++) dS[i * rows + j] += weight * terms[j];
}

/** SupCon with the mean over positives outside of the logarithm, L_out. @param {Problem} p @param {Options} o */
export function supcon(p, { temperature }) {
  const { rows, batch, byClass, y, S, dS, weight } = p;
  let value = 0;
  for (let i = 0; i < rows; i++) {
    const positives = byClass[y[i]] - 1;
    // An anchor without positives counts as 0.
    if (weight[i] === 0 || positives <= 0) continue;
    const all = othersOf(p, i, temperature),
      w = weight[i] / temperature;
    let pulled = 0;
    for (let j = 0; j < rows; j++) {
      if (y[j] !== y[i]) continue;
      const share = Math.max(0, j === i ? batch[j] - 1 : batch[j]) / positives;
      pulled += share * S[i * rows + j];
      if (p.part !== PART.PUSH) dS[i * rows + j] -= w * share;
    }
    push(p, i, w);
    value += weight[i] * (all - pulled / temperature);
  }
  return value;
}

/** SupCon with the mean inside, L_in. @param {Problem} p @param {Options} o */
export function supconIn(p, { temperature }) {
  const { rows, batch, byClass, y, S, dS, weight, terms } = p;
  let value = 0;
  for (let i = 0; i < rows; i++) {
    const positives = byClass[y[i]] - 1;
    if (weight[i] === 0 || positives <= 0) continue;
    const w = weight[i] / temperature,
      all = othersOf(p, i, temperature);
    push(p, i, w);
    for (let j = 0; j < rows; j++) {
      const many = y[j] !== y[i] ? 0 : j === i ? batch[j] - 1 : batch[j];
      terms[j] = many > 0 ? Math.log(many / positives) + S[i * rows + j] / temperature : -Infinity;
    }
    const own = p.sumUp(rows);
    if (p.part !== PART.PUSH) for (let j = 0; j < rows; j++) dS[i * rows + j] -= w * terms[j];
    value += weight[i] * (all - own);
  }
  return value;
}

/** SimCLR: only the other view of the same image is a positive. @param {Problem} p @param {Options} o */
export function infoNce(p, { temperature }) {
  const { rows, S, dS, weight } = p;
  let value = 0;
  for (let i = 0; i < rows; i++) {
    if (weight[i] === 0) continue;
    const w = weight[i] / temperature,
      all = othersOf(p, i, temperature);
    push(p, i, w);
    if (p.part !== PART.PUSH) dS[i * rows + i] -= w;
    value += weight[i] * (all - S[i * rows + i] / temperature);
  }
  return value;
}

/**
 * BCL: every class weighs alike in the denominator, and is there through its prototype. The columns are the prototypes.
 * Either of the two can be left out, which no paper does. @param {Problem} p @param {Options} o
 */
export function bcl(p, { temperature, classAveraging, complement }) {
  const { rows, classes, batch, byClass, y, S, T, dS, dT, weight, terms, perClass } = p;
  const extra = complement ? 1 : 0;
  let value = 0;
  for (let i = 0; i < rows; i++) {
    const c = y[i],
      positives = byClass[c] - 1 + extra;
    if (weight[i] === 0 || positives <= 0) continue;
    // A class is divided by what there is of it, the anchor left out.
    for (let b = 0; b < classes; b++) perClass[b] = !classAveraging ? 1 : b === c ? positives : byClass[b] + extra;
    for (let j = 0; j < rows; j++) {
      const many = j === i ? batch[j] - 1 : batch[j];
      terms[j] = many > 0 ? Math.log(many / perClass[y[j]]) + S[i * rows + j] / temperature : -Infinity;
    }
    for (let b = 0; b < classes; b++)
      terms[rows + b] = complement ? T[i * classes + b] / temperature - Math.log(perClass[b]) : -Infinity;
    const all = p.sumUp(rows + classes),
      w = weight[i] / temperature;
    push(p, i, w);
    if (p.part !== PART.PULL) for (let b = 0; b < classes; b++) dT[i * classes + b] += w * terms[rows + b];
    let pulled = (extra * T[i * classes + c]) / positives;
    for (let j = 0; j < rows; j++) {
      if (y[j] !== c) continue;
      const share = Math.max(0, j === i ? batch[j] - 1 : batch[j]) / positives;
      pulled += share * S[i * rows + j];
      if (p.part !== PART.PUSH) dS[i * rows + j] -= w * share;
    }
    if (p.part !== PART.PUSH) dT[i * classes + c] -= (w * extra) / positives;
    value += weight[i] * (all - pulled / temperature);
  }
  return value;
}

/** GML: each class is the mean over its keys, weighed by its prior. @param {Problem} p @param {Options} o */
export function gml(p, { temperature }) {
  const { rows, y, stored, counts, logPrior, S, dS, weight, terms } = p;
  let value = 0;
  for (let i = 0; i < rows; i++) {
    if (weight[i] === 0) continue;
    const w = weight[i] / temperature;
    for (let j = 0; j < rows; j++)
      terms[j] = logPrior[y[j]] + Math.log(stored[j] / counts[y[j]]) + S[i * rows + j] / temperature;
    const all = p.sumUp(rows);
    push(p, i, w);
    for (let j = 0; j < rows; j++)
      terms[j] =
        y[j] === y[i] ? logPrior[y[j]] + Math.log(stored[j] / counts[y[j]]) + S[i * rows + j] / temperature : -Infinity;
    const own = p.sumUp(rows);
    if (p.part !== PART.PUSH) for (let j = 0; j < rows; j++) dS[i * rows + j] -= w * terms[j];
    value += weight[i] * (all - own);
  }
  return value;
}

/**
 * Alignment and uniformity: the views of an image lie on one point here, so that only uniformity is left: the log of the
 * mean over pairs of images of exp(-t |a - b|^2). @param {Problem} p @param {Options} o
 */
export function alignUniform(p, { spread }) {
  const { rows, batch, size, dS, terms } = p;
  const images = size / VIEWS,
    pairs = (images * (images - 1)) / 2;
  if (!(pairs > 0)) return 0;
  let sum = 0;
  for (let i = 0; i < rows; i++) {
    const here = batch[i] / VIEWS;
    sum += Math.max(0, (here * (here - 1)) / 2);
    for (let j = i + 1; j < rows; j++) sum += kernel(p, i, j, spread);
  }
  terms.fill(0);
  for (let i = 0; i < rows; i++)
    for (let j = i + 1; j < rows; j++) {
      const pull = (spread * kernel(p, i, j, spread)) / sum;
      if (p.part === PART.PULL) continue;
      dS[i * rows + j] += 2 * pull;
      terms[i] += pull;
      terms[j] += pull;
    }
  for (let i = 0; i < rows; i++) dS[i * rows + i] -= terms[i];
  return Math.log(sum / pairs);
}

/** Pairs of images at two places, weighed. @param {Problem} p @param {number} i @param {number} j @param {number} t */
function kernel({ rows, batch, S }, i, j, t) {
  const square = S[i * rows + i] + S[j * rows + j] - 2 * S[i * rows + j];
  return ((batch[i] * batch[j]) / (VIEWS * VIEWS)) * Math.exp(-t * square);
}
