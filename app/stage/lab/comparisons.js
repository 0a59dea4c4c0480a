/** What stands of each panel's cosines between classes: as they are, as theory predicts them, and how sure it is. */
import { formatMeasure } from "../common/numbers.js";
import { fill } from "../words.js";
import { cosinesOf } from "./matrices.js";
import { labWords } from "./words.js";

/** @typedef {import("./matrices.js").Comparison} Comparison */
/** @typedef {import("./race.js").Snapshot} Snapshot */
/** @typedef {import("./theory/theories.js").Known} Known */

const words = labWords.theory;
const angle = (/** @type {number} */ value) => formatMeasure(value, "degrees", 3);

/** @type {WeakMap<object, {means: Float32Array, weights: Float32Array|null}>} */
const cosines = new WeakMap();

/** @param {NonNullable<Known["answer"]>} answer @param {number} classes */
function predictedCosines(answer, classes) {
  const known = cosines.get(answer);
  if (known) return known;
  const of = (/** @type {Float64Array} */ rows) => cosinesOf(rows, classes, answer.dim);
  const found = { means: of(answer.means), weights: answer.weights && of(answer.weights) };
  cosines.set(answer, found);
  return found;
}

/** What is known of where it ends, in sentences. @param {Known} known @param {Record<string, number>} metrics */
function told({ question, state }, metrics) {
  if (question.of === "none") {
    const { classes, dim } = question;
    return [fill(words.none[question.says], { classes, dim, least: classes - 1 })];
  }
  const given = Object.fromEntries(
    Object.entries(question).map(([name, value]) => [
      name,
      typeof value === "number" ? Number(value.toPrecision(2)) : "",
    ]),
  );
  const of =
    question.of === "simplex"
      ? words.simplex[question.says]
      : question.of === "contrast"
        ? words.contrast[`${question.denominator}-${question.average}`]
        : question.of === "decay"
          ? words.decay[question.pays]
          : words.seli;
  const says = [fill(of, given)];
  if (state !== "known") return [...says, words.states[state === "waits" || state === "nothing" ? state : "failed"]];
  const { theory_error, theory_most, simplex_error, theory_means, simplex_means } = metrics;
  if (theory_error === undefined) return says;
  const off = { off: angle(theory_error), most: angle(theory_most), simplex: angle(simplex_error) };
  if (theory_means === undefined) says.push(fill(words.off, off));
  else says.push(fill(words.offBoth, { ...off, means: angle(theory_means), meansSimplex: angle(simplex_means) }));
  return says;
}

/**
 * One panel's. @param {Snapshot} shot @param {Known} known @param {number} classes @param {number} dim
 * @param {{title: string, colour: string}} look @returns {Comparison}
 */
export function comparisonOf({ id, means, columns, metrics }, known, classes, dim, { title, colour }) {
  const { answer } = known,
    goal = answer && predictedCosines(answer, classes),
    rows = columns && metrics.smallest_tail_rows !== undefined ? columns : null;
  const square = (/** @type {string} */ key, /** @type {string} */ of, /** @type {Float32Array} */ of_) => ({
    id: `${id}-${key}`,
    title: of,
    of: `${title}, ${of}`,
    cosines: of_,
  });
  const squares = [];
  if (rows) {
    squares.push(square("rows", words.rows, cosinesOf(rows, classes, dim)));
    if (goal?.weights) squares.push(square("rows-predicted", words.predicted, goal.weights));
  }
  squares.push(square("means", rows ? words.means : words.now, cosinesOf(means, classes, dim)));
  if (goal) squares.push(square("means-predicted", words.predicted, goal.means));
  return { id, title, colour, squares, says: told(known, metrics) };
}

/** The ideal configuration's. @param {Float32Array} cosines_ @param {string} note @returns {Comparison} */
export const idealAlone = (cosines_, note) => ({
  id: "ideal",
  title: labWords.ideal,
  colour: "",
  squares: [{ id: "ideal", title: "", of: labWords.ideal, cosines: cosines_ }],
  says: note ? [note] : [],
});
