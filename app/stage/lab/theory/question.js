/** What there is to ask of theory about a simulation, as plain data that a worker and a cache can have; and its answer. Pure. */
import { fits, simplex } from "../targets.js";
import { unitRows } from "../space.js";
import { contrastEnds } from "./contrast.js";
import { seli, underDecay } from "./entropy.js";

/** @typedef {import("../problem.js").Options} Options */
/**
 * @typedef {object} Asked   of a simulation
 * @property {string} loss
 * @property {number[]} counts
 * @property {number} dim
 * @property {number} points     of each class
 * @property {boolean} apart     noise keeps the samples of a class apart
 * @property {Options} options
 */
/** @typedef {{of: "contrast", counts: number[], temperature: number, average: "sample"|"class", denominator:
 * "samples"|"classes"}} Contrast */
/** @typedef {{of: "decay", counts: number[]} & import("./entropy.js").Decayed} Decay */
/** @typedef {{of: "seli", counts: number[]}} Seli */
/** @typedef {{of: "simplex", classes: number, says: "targets"|"even"}} Even */
/** @typedef {{of: "none", says: "few"|"noise"|"unknown"|"many", classes: number, dim: number}} None nothing is
 * predicted; many: it would take minutes */
/** @typedef {Contrast|Decay|Seli|Even|None} Question */
/**
 * @typedef {object} Answer   unit rows in one coordinate system, which may be turned as a whole
 * @property {Float64Array} means    (C, dim)
 * @property {Float64Array|null} weights  (C, dim) of the classifier, where there is one
 * @property {number} dim
 * @property {number} gap     how far above the least there is, at most
 */

/** Losses that are one with SupCon where a class is one point. */
const ONE_POINT = ["simclr", "supcon-in"];
/** What each loss averages over in its denominator. @type {Record<string, (o: Options) => Contrast["denominator"]|null>} */
const CONTRASTS = {
  simclr: () => "samples",
  supcon: () => "samples",
  "supcon-in": () => "samples",
  kcl: ({ k }) => (k ? "samples" : null),
  gml: () => "samples",
  // Prototypes in a batch where classes do not weigh alike are a loss of their own.
  bcl: ({ classAveraging, complement }) => (classAveraging ? "classes" : complement ? null : "samples"),
};
/** Different counts that cross-entropy under a weight decay is solved for, as in Python. */
const MOST_UNEQUAL = 60;
const ENTROPIES = ["ce", "logit-adjust", "reweight"];
const TARGETS = ["tsc", "etf"];

/** @param {Asked} asked @returns {Question} */
export function questionOf({ loss, counts, dim, points, apart, options }) {
  const classes = counts.length,
    none = (/** @type {None["says"]} */ says) => /** @type {None} */ ({ of: "none", says, classes, dim });
  const entropy = ENTROPIES.includes(loss),
    denominator = CONTRASTS[loss]?.(options) ?? null,
    targets = TARGETS.includes(loss);
  if (!entropy && !denominator && !targets) return none("unknown");
  if (ONE_POINT.includes(loss) && points > 1) return none("unknown");
  if (!fits(classes, dim)) return none("few");
  if (apart) return none("noise");
  if (targets) return { of: "simplex", classes, says: "targets" };
  const { temperature, average, decay, decayBy: pays, vanish } = options;
  if (denominator) return { of: "contrast", counts, temperature, average, denominator };
  if (vanish) return pays === "sample" ? { of: "seli", counts } : { of: "simplex", classes, says: "even" };
  if (new Set(counts).size > MOST_UNEQUAL) return none("many");
  // Each sample with its weight of 1 / n is the mean over classes of the mean within each.
  const even = loss === "reweight" || average === "class";
  const tau = loss === "logit-adjust" ? options.tau : 0;
  return { of: "decay", counts, decay, pays, average: even ? "class" : "sample", tau };
}

/** @param {Question} question @returns {Answer|null} null where nothing is left that has a direction */
export function answerTo(question) {
  if (question.of === "none") return null;
  if (question.of === "simplex") {
    const means = simplex(question.classes, question.classes - 1);
    return { means, weights: question.says === "even" ? means : null, dim: question.classes - 1, gap: 0 };
  }
  if (question.of === "contrast") {
    const { counts, temperature, average, denominator } = question,
      { means, dim, gap } = contrastEnds(counts, temperature, average, denominator);
    return { means, weights: null, dim, gap };
  }
  const found = question.of === "seli" ? seli(question.counts) : underDecay(question.counts, question);
  if (!found) return null;
  const { means, weights, dim, gap } = found;
  return { means: unitRows(means, dim), weights: unitRows(weights, dim), dim, gap };
}
