/** Readings of a method as bars, head to tail: which there are, what they say, and how tall each bar is. Pure. */
import { formatCount, significant } from "../common/numbers.js";

/** @typedef {import("../common/types.js").Reading} Reading */
/** @typedef {{low: number, high: number}} Range */

/** @param {number|null|undefined} value @param {string} unit "", "°", "steps", … @returns {string} */
export function formatReading(value, unit) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "not known yet";
  const text = Number.isInteger(value) ? formatCount(Math.abs(value)) : significant(Math.abs(value), 2);
  return `${value < 0 ? "−" : ""}${text}${unit === "°" || unit === "%" ? unit : unit ? ` ${unit}` : ""}`;
}

/**
 * The range that bars span: it holds 0, and grows with the values but never shrinks, so that bars of two moments
 * compare.
 * @param {(number|null)[]} values @param {Range} [before] @returns {Range}
 */
export function widen(values, before = { low: 0, high: 0 }) {
  let { low, high } = before;
  for (const v of values)
    if (v !== null && Number.isFinite(v)) {
      if (v < low) low = v;
      if (v > high) high = v;
    }
  return { low, high };
}

/**
 * The class whose bar is at a share of the strip's width. @param {number} share 0 to 1 @param {number} count
 * @returns {number}
 */
export const classAt = (share, count) => Math.min(count - 1, Math.max(0, Math.floor(share * count)));

/**
 * @param {(number|null)[]} values one for each class @param {Range} range @param {{w: number, h: number}} size pixels
 * @returns {{c: number, x: number, y: number, w: number, h: number}[]} one bar for each class with a value; where there
 * are more classes
 *   than pixels, the tallest of those that share one
 */
export function layBars(values, range, { w, h }) {
  const span = range.high - range.low || 1,
    base = (range.high / span) * h,
    step = w / Math.max(1, values.length);
  const gap = step >= 4 ? Math.min(3, step * 0.25) : 0;
  /** @type {{c: number, x: number, y: number, w: number, h: number}[]} */
  const bars = [];
  values.forEach((v, c) => {
    if (v === null || !Number.isFinite(v)) return;
    const x = step >= 1 ? c * step : Math.floor(c * step),
      length = (Math.abs(v) / span) * h;
    // A measured 0 is a hairline: nothing at all stands for a class that is not known.
    const bar = {
        c,
        x,
        y: v < 0 ? base : base - Math.max(1, length),
        w: Math.max(1, step - gap),
        h: Math.max(1, length),
      },
      last = bars[bars.length - 1];
    if (step < 1 && last?.x === x) {
      if (bar.h > last.h) bars[bars.length - 1] = bar;
    } else bars.push(bar);
  });
  return bars;
}
