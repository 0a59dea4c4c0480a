/** What an answer is worth beside the recording's: as ltviz/lessons/answers.py judges, and app/words/learn.py says. Pure. */
import { fill } from "../words.js";

/**
 * @typedef {object} Ask   a question, and what the recordings answer
 * @property {"choose"|"class"|"value"|"curve"} kind
 * @property {string} question
 * @property {string[]} options       empty where a number is asked for
 * @property {string[]} shown         the quantity of each option, or the one number, as it is read
 * @property {number[]} sizes         the same as the length of a bar
 * @property {boolean} recorded       a recording says so; else geometry alone does
 * @property {string|number|number[]} right
 * @property {string} what            what the numbers are, in words
 * @property {Verdict[]} [verdicts]   of each option
 * @property {string} [unit]          of a number
 * @property {number} [tolerance]
 * @property {[number, number]} [span] lowest and highest number that can be given
 * @property {number|null} [start]
 * @property {number[]} [steps]       of a curve
 * @property {number[]} [numbers]     at these
 * @property {Omit<import("../common/curve.js").CurveAsk, "drawn"|"found">} [curve]
 * @property {string} [bounds]        the span in words
 */
/** @typedef {{right: boolean, score: number, text: string}} Verdict */
/** What a learner says: an option, a number, the knots of a curve. @typedef {string|number|number[]} Said */
/** @typedef {Record<string, string>} LessonWords  words of the page Learn, by the names that they have there */
/** @typedef {{name: string, shown: string, size: number, notes: string[]}} Bar */

/** @param {string} number @param {string} unit */
const withUnit = (number, unit) =>
  unit === "share" ? `${number} %` : unit === "degrees" ? `${number}°` : `${number} ${unit}`.trimEnd();

/** A number with its unit, as precise as a look at the picture. @param {number} value @param {string} unit */
export function sayNumber(value, unit) {
  if (unit === "share") return withUnit((100 * value).toFixed(Math.abs(value) >= 0.1 ? 0 : 1), unit);
  if (Math.abs(value) >= 1000) return withUnit(value.toFixed(0).replace(/\B(?=(\d{3})+$)/g, ","), unit);
  if (unit === "degrees") return withUnit(value.toFixed(1), unit);
  return withUnit(Number.isInteger(value) && !unit ? String(value) : String(Number(value.toPrecision(3))), unit);
}

/**
 * @param {Ask} ask @param {Said} said @param {LessonWords} words @param {Record<string, string>} [shapes] of curves, in
 * words @returns {Verdict}
 */
export function judge(ask, said, words, shapes = {}) {
  if (Array.isArray(said)) return judgeCurve(ask, said, words, shapes);
  if (ask.verdicts) return ask.verdicts[ask.options.indexOf(String(said))];
  const { unit = "", tolerance = 0, span: [low, high] = [0, 0] } = ask;
  const found = Number(ask.right),
    off = Math.abs(Number(said) - found),
    reach = Math.max(found - low, high - found),
    right = off <= tolerance;
  const text = fill(right ? words.RIGHT : words.WRONG, {
    said: sayNumber(Number(said), unit),
    source: ask.recorded ? words.SOURCE : words.GEOMETRY,
    found: ask.shown[0],
    off: sayNumber(off, unit),
    what: ask.what,
  });
  return { right, score: right ? 1 : Math.max(0, reach ? 1 - off / reach : 0), text };
}

/** @type {(ask: Ask, knots: number[], words: LessonWords, shapes: Record<string, string>) => Verdict} */
function judgeCurve(
  { steps = [], numbers = [], tolerance = 0, span: [low, high] = [0, 1], unit = "", what },
  knots,
  words,
  shapes,
) {
  const [first, last] = [steps[0], steps[steps.length - 1]];
  const there = steps.map((step) => {
    const at = ((step - first) / (last - first)) * (knots.length - 1),
      i = Math.min(Math.floor(at), knots.length - 2);
    return knots[i] + (at - i) * (knots[i + 1] - knots[i]);
  });
  const off = there.reduce((sum, value, i) => sum + Math.abs(value - numbers[i]), 0) / steps.length,
    right = off <= tolerance;
  const text = fill(right ? words.CURVE_RIGHT : words.CURVE_WRONG, {
    drawn: shapes[shapeOf(knots, [low, high])],
    found: shapes[shapeOf(numbers, [low, high])],
    source: words.SOURCE,
    off: sayNumber(off, unit),
    what,
  });
  return { right, score: right ? 1 : Math.max(0, 1 - (2 * off) / (high - low)), text };
}

/** A way up or down that is shorter than this share of the scale does not count in a curve's shape. */
const FLAT = 0.1;

/** How a curve goes, in one word. @param {number[]} values @param {[number, number]} span */
export function shapeOf(values, span) {
  const least = FLAT * (span[1] - span[0]);
  /** @type {number[]} */
  const ways = [];
  let low = values[0],
    high = values[0];
  for (const value of values) {
    [low, high] = [Math.min(low, value), Math.max(high, value)];
    const way = value - low > least ? 1 : high - value > least ? -1 : 0;
    if (!way) continue;
    low = high = value;
    if (ways[ways.length - 1] !== way) ways.push(way);
  }
  const known = { "": "stays", 1: "rises", "-1": "falls", "1,-1": "rises_falls", "-1,1": "falls_rises" };
  return /** @type {Record<string, string>} */ (known)[String(ways)] ?? "wanders";
}

/**
 * Every option with its number in the recording; the learner's own stays marked beside it.
 * @param {Ask} ask @param {Said} said @param {LessonWords} words @returns {Bar[]}
 */
export function barsOf(ask, said, words) {
  const known = ask.recorded ? words.RECORDED : words.COMPUTED;
  const bars = ask.verdicts
    ? ask.options.map((name, i) => ({
        name,
        shown: ask.shown[i],
        size: ask.sizes[i],
        notes: [name === said ? words.YOU : "", name === ask.right ? known : ""].filter(Boolean),
      }))
    : [
        { name: words.YOU, shown: sayNumber(Number(said), ask.unit ?? ""), size: Math.abs(Number(said)), notes: [] },
        { name: known, shown: ask.shown[0], size: ask.sizes[0], notes: [] },
      ];
  const most = Math.max(...bars.map(({ size }) => size)) || 1;
  return bars.map((bar) => ({ ...bar, size: bar.size / most }));
}
