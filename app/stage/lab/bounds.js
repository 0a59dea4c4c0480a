/** Which values a setting of the lab may have. Pure. */

/** @typedef {import("./settings.js").Settings} Settings */

/** Bounds of numbers. Whole ones have a third entry. @type {Partial<Record<keyof Settings, [number, number, true?]>>} */
export const BOUNDS = {
  classes: [2, 100, true],
  dim: [2, 128, true],
  imbalance: [1, 1000],
  temperature: [0.02, 2],
  batch: [0, 1024, true],
  points: [1, 30, true],
  noise: [0, 1.5],
  rate: [0.001, 1],
  speed: [0, 2000, true],
  seed: [0, 9999, true],
  k: [0, 50, true],
  targetWeight: [0, 10],
  tau: [0, 3],
  decay: [0.0001, 0.1],
  spread: [0.1, 10],
};

/** @type {Partial<Record<keyof Settings, string[]>>} */
const CHOICES = {
  profile: ["exponential", "step", "own"],
  mover: ["auto", "descent", "adam"],
  average: ["sample", "class"],
  negatives: ["class", "instance", "both"],
  decayBy: ["class", "sample"],
};

/** @param {keyof Settings} name @param {any} value @param {any} usual where there is no such value @returns {any} */
export function bounded(name, value, usual) {
  if (CHOICES[name]) return CHOICES[name].includes(value) ? value : usual;
  const bounds = BOUNDS[name];
  if (!bounds) return value;
  if (!Number.isFinite(value)) return usual;
  const [low, high, whole] = bounds,
    inside = Math.min(high, Math.max(low, value));
  return whole ? Math.round(inside) : inside;
}

/** What an address says a setting is. @param {string} text @param {any} usual whose kind it has */
export const parseValue = (text, usual) =>
  typeof usual === "boolean" ? text === "1" : typeof usual === "number" ? (text === "" ? NaN : Number(text)) : text;

/** Whether a text of an address says just this. @param {string} text @param {any} value what came of it */
export function isSaid(text, value) {
  const said = parseValue(text, value);
  if (typeof value === "number") return Math.abs(Number(said) - value) <= 1e-9 * Math.abs(value);
  return typeof value === "boolean" ? text === "0" || text === "1" : said === value;
}

/** The same as text. @param {any} value */
export const writeValue = (value) =>
  typeof value === "number"
    ? String(Number(value.toPrecision(4)))
    : String(typeof value === "boolean" ? +value : value);
