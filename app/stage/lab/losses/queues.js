/** Losses whose keys are the whole training set, the anchor left out, as if a queue held it. Pure. */
import { PART } from "../problem.js";

/** @typedef {import("../problem.js").Problem} Problem */
/** @typedef {import("../problem.js").Options} Options */

/**
 * KCL: the own key and k keys of the class pull, all keys push. What k are drawn is in the mean the mean over the class.
 * @param {Problem} p @param {Options} o
 */
export const kcl = (p, o) => queued(p, o, 0, false);

/** TSC: as KCL, and every class has a target. The columns are the targets. @param {Problem} p @param {Options} o */
export const tsc = (p, o) => queued(p, o, o.targetWeight, true);

/** @param {Problem} p @param {Options} o @param {number} targetWeight @param {boolean} targets */
function queued(p, { temperature, k }, targetWeight, targets) {
  const { rows, classes, y, stored, counts, S, T, dS, dT, weight, terms } = p;
  let value = 0;
  for (let i = 0; i < rows; i++) {
    if (weight[i] === 0) continue;
    const c = y[i],
      w = weight[i] / temperature,
      // The queue holds neither the anchor nor its own key.
      here = Math.max(0, stored[i] - 2),
      queue = counts[c] - stored[i] + here,
      drawn = Math.min(k, queue),
      n = 1 + drawn + (targets ? 1 : 0);
    // The own key lies on the same point, and is always there.
    for (let j = 0; j < rows; j++) terms[j] = Math.log(j === i ? 1 + here : stored[j]) + S[i * rows + j] / temperature;
    for (let b = 0; b < classes; b++) terms[rows + b] = targets ? T[i * classes + b] / temperature : -Infinity;
    const all = p.sumUp(rows + classes),
      pulls = (1 + drawn + targetWeight) / n;
    let pulled = S[i * rows + i] / n;
    for (let j = 0; j < rows; j++) {
      const share = y[j] === c && queue > 0 ? (drawn * (j === i ? here : stored[j])) / (queue * n) : 0;
      pulled += share * S[i * rows + j];
      if (p.part !== PART.PUSH) dS[i * rows + j] -= w * share;
      if (p.part !== PART.PULL) dS[i * rows + j] += w * pulls * terms[j];
    }
    if (p.part !== PART.PUSH) dS[i * rows + i] -= w / n;
    if (targets) {
      pulled += (targetWeight / n) * T[i * classes + c];
      if (p.part !== PART.PUSH) dT[i * classes + c] -= (w * targetWeight) / n;
      if (p.part !== PART.PULL) for (let b = 0; b < classes; b++) dT[i * classes + b] += w * pulls * terms[rows + b];
    }
    value += weight[i] * (pulls * all - pulled / temperature);
  }
  return value;
}
