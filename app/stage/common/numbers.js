/** Numbers as a person reads them: few digits in panels, more on hover, always with their unit. Pure. */

/** @param {number} value @param {number} digits significant; whole numbers keep all of theirs, -0 is 0 */
export function significant(value, digits) {
  if (value === 0) return "0";
  const whole = Math.max(1, Math.floor(Math.log10(Math.abs(value))) + 1);
  if (Math.abs(value) >= 1) return value.toFixed(Math.max(0, digits - whole)).replace("-", "−");
  if (Math.abs(value) < 1e-3)
    return value
      .toExponential(Math.max(0, digits - 1))
      .replace("e-", "e−")
      .replace(/^-/, "−");
  return value.toFixed(Math.min(6, digits - 1 - Math.floor(Math.log10(Math.abs(value))))).replace("-", "−");
}

/** @param {string} unit as `measures` name it */
const isShare = (unit) => unit === "share" || unit === "%" || unit === "fraction";

/**
 * @param {number|undefined|null} value
 * @param {string} unit "share" (0 to 1, shown as %), "degrees", "count", "" or a word
 * @param {number} [digits]
 */
export function formatMeasure(value, unit, digits = 2) {
  if (value === undefined || value === null || !Number.isFinite(value)) return "–";
  if (unit === "count") return formatCount(Math.round(value));
  if (isShare(unit)) return `${(value * 100).toFixed(Math.max(0, digits - 2))} %`;
  if (unit === "degrees" || unit === "deg" || unit === "°") return `${value.toFixed(Math.max(0, digits - 2))}°`;
  const text =
    Math.abs(value) < 0.0005
      ? "0"
      : Math.abs(value) < 10
        ? value.toFixed(digits).replace("-", "−")
        : significant(value, digits + 1);
  return unit && unit.length <= 4 && unit !== "1" ? `${text} ${unit}` : text;
}

/** @typedef {import("./types.js").Measure} Measure */

/**
 * What is known of a measure; nothing where it would only stand in for one that is known.
 * @param {Record<string, number>} metrics @param {Pick<Measure, "key"|"standsFor">} measure
 * @returns {number|undefined}
 */
export const valueOf = (metrics, { key, standsFor }) =>
  standsFor && metrics[standsFor] !== undefined ? undefined : metrics[key];

/**
 * A measure with the standard error that the number of judged samples leaves, where that is known: "86 ± 2 %".
 * @param {Record<string, number>} metrics @param {Pick<Measure, "key"|"standsFor"|"unit">} measure
 * @param {number} [digits]
 */
export function tellMeasure(metrics, measure, digits) {
  const value = formatMeasure(valueOf(metrics, measure), measure.unit, digits);
  const error = metrics[`${measure.key}_error`];
  return error === undefined || !isShare(measure.unit) || value === "–"
    ? value
    : value.replace(" %", ` ± ${formatMeasure(error, measure.unit, digits)}`);
}

/** @param {number} n @returns {string} with a thin space between thousands */
export const formatCount = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, " ");

/**
 * Rows that hold a measure's best value; those that read the same share it. Nothing is best where a measure has no
 * better
 * end, or where all are alike.
 * @param {(number|undefined)[]} values @param {"lower"|"higher"|"near"|null} better @param {string} unit
 * @returns {Set<number>}
 */
export function bestRows(values, better, unit) {
  if (better !== "lower" && better !== "higher") return new Set();
  const known = /** @type {number[]} */ (values.filter((v) => v !== undefined && Number.isFinite(v)));
  const best = formatMeasure(better === "lower" ? Math.min(...known) : Math.max(...known), unit);
  const rows = values.flatMap((v, i) => (v !== undefined && formatMeasure(v, unit) === best ? [i] : []));
  return rows.length < known.length ? new Set(rows) : new Set();
}
