/** Every loss of the lab, by its key in links: what it moves, what it can be asked for, and what its columns are. Pure. */
import { adjusted, dotRegression, nonl, ntce, plain, reweighted } from "./classifiers.js";
import { alignUniform, bcl, gml, infoNce, supcon, supconIn } from "./contrastive.js";
import { kcl, tsc } from "./queues.js";

/** @typedef {import("../problem.js").Problem} Problem */
/** @typedef {import("../problem.js").Options} Options */
/**
 * @typedef {"none"|"prototypes"|"weights"|"classifier"|"targets"} Columns what the C rows beside the points are:
 * prototypes on the sphere, free or tied to the class means; weights on the sphere; a classifier of any length, whose
 * features have any length too; fixed targets
 */
/**
 * @typedef {object} Loss
 * @property {string} method       the paper's name in ltviz, which gives title and colour; its own where it has none
 * @property {(p: Problem, o: Options) => number} weigh  fills in dS and dT, gives the value
 * @property {boolean} pairs       it looks at products of points with points
 * @property {Columns} columns
 * @property {boolean} matched     targets are matched to the class means anew
 * @property {(keyof Options)[]} options  those that it knows
 */

/** @type {(keyof Options)[]} */
const DECAY = ["decay", "decayBy", "vanish"];
/** @param {Partial<Loss> & Pick<Loss, "method"|"weigh"|"options">} given @returns {Loss} */
const loss = (given) => ({ pairs: false, columns: "none", matched: false, ...given });

/** @type {Record<string, Loss>} */
export const LOSSES = {
  ce: loss({ method: "ce", weigh: plain, columns: "classifier", options: ["average", ...DECAY] }),
  "logit-adjust": loss({
    method: "logit_adjust",
    weigh: adjusted,
    columns: "classifier",
    options: ["tau", "average", ...DECAY],
  }),
  reweight: loss({ method: "reweight", weigh: reweighted, columns: "classifier", options: DECAY }),
  simclr: loss({ method: "simclr", weigh: infoNce, pairs: true, options: ["temperature", "average"] }),
  supcon: loss({ method: "supcon", weigh: supcon, pairs: true, options: ["temperature", "average"] }),
  "supcon-in": loss({ method: "supcon_in", weigh: supconIn, pairs: true, options: ["temperature", "average"] }),
  kcl: loss({ method: "kcl", weigh: kcl, pairs: true, options: ["temperature", "k", "average"] }),
  tsc: loss({
    method: "tsc",
    weigh: tsc,
    pairs: true,
    columns: "targets",
    matched: true,
    options: ["temperature", "k", "targetWeight", "average"],
  }),
  bcl: loss({
    method: "bcl",
    weigh: bcl,
    pairs: true,
    columns: "prototypes",
    options: ["temperature", "average", "classAveraging", "complement", "tied"],
  }),
  gml: loss({ method: "gml", weigh: gml, pairs: true, options: ["temperature", "average"] }),
  ntce: loss({ method: "ntce", weigh: ntce, columns: "weights", options: ["temperature", "average"] }),
  nonl: loss({ method: "nonl", weigh: nonl, columns: "weights", options: ["temperature", "negatives", "average"] }),
  etf: loss({ method: "etf", weigh: dotRegression, columns: "targets", options: ["lengths", "average"] }),
  "align-uniform": loss({ method: "align_uniform", weigh: alignUniform, pairs: true, options: ["spread"] }),
};

/** @type {Options} */
export const OPTIONS = {
  temperature: 0.1,
  average: "sample",
  k: 6,
  targetWeight: 1,
  classAveraging: true,
  complement: true,
  tied: true,
  negatives: "class",
  lengths: false,
  tau: 1,
  decay: 0.005,
  decayBy: "class",
  vanish: false,
  spread: 2,
};
