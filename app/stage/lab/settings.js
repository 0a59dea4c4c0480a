/** Everything that a person can set in the lab, in one plain object that an address holds. Pure. */
import { countsOf, HEAD } from "./counts.js";
import { LOSSES, OPTIONS } from "./losses/list.js";

/** @typedef {import("./counts.js").Profile} Profile */
/**
 * @typedef {object} OwnSettings
 * @property {string[]} losses     keys of LOSSES, a panel each
 * @property {number} classes
 * @property {number} dim
 * @property {number} imbalance    factor between the first class and the last
 * @property {Profile} profile
 * @property {number[]} counts     of the profile "own"
 * @property {number} batch        images; 0: the whole training set
 * @property {number} points       of each class; 1: the class is one point
 * @property {boolean} free        points go their own ways
 * @property {number} noise
 * @property {"auto"|"descent"|"adam"} mover
 * @property {number} rate
 * @property {number} speed        steps a second; 0: as fast as it can
 * @property {number} seed         of the start, of batches and of noise
 */
/** @typedef {OwnSettings & import("./problem.js").Options} Settings */

export const MOST_LOSSES = 9;
/** Products of points with points that one simulation may hold. */
const MOST_POINTS = 1000;

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
export const CHOICES = {
  profile: ["exponential", "step", "own"],
  mover: ["auto", "descent", "adam"],
  average: ["sample", "class"],
  negatives: ["class", "instance", "both"],
  decayBy: ["class", "sample"],
};

/** @type {Readonly<Settings>} */
export const DEFAULTS = Object.freeze({
  losses: ["ce", "supcon", "bcl"],
  classes: 10,
  dim: 3,
  imbalance: 100,
  profile: "exponential",
  counts: [],
  batch: 0,
  points: 1,
  free: false,
  noise: 0.3,
  mover: "auto",
  rate: 0.05,
  speed: 60,
  seed: 1,
  ...OPTIONS,
  average: "class",
});

/** @param {keyof Settings} name @param {number} value @returns {number} within its bounds */
function bounded(name, value) {
  const [low, high, whole] = BOUNDS[name] ?? [-Infinity, Infinity];
  if (!Number.isFinite(value)) return /** @type {number} */ (DEFAULTS[name]);
  const inside = Math.min(high, Math.max(low, value));
  return whole ? Math.round(inside) : inside;
}

/** Settings that can be run, whatever was asked for. @param {Partial<Settings>} asked @returns {Settings} */
export function settle(asked) {
  const found = /** @type {any} */ ({ ...DEFAULTS, ...asked });
  for (const name of /** @type {(keyof Settings)[]} */ (Object.keys(BOUNDS))) found[name] = bounded(name, found[name]);
  for (const [name, words] of Object.entries(CHOICES))
    if (!words.includes(found[name])) found[name] = DEFAULTS[/** @type {keyof Settings} */ (name)];
  const losses = [...new Set(found.losses)].filter((key) => Object.hasOwn(LOSSES, key)).slice(0, MOST_LOSSES);
  found.losses = losses.length ? losses : [...DEFAULTS.losses];
  found.points = Math.min(found.points, Math.max(1, Math.floor(MOST_POINTS / found.classes)));
  if (found.profile !== "own") found.counts = [];
  else {
    const given = found.counts.filter((/** @type {number} */ n) => Number.isFinite(n) && n >= 1);
    const usual = countsOf("exponential", found.classes, found.imbalance);
    found.counts = usual.map((n, c) => Math.min(HEAD, Math.round(given[c] ?? n)));
  }
  return found;
}

/** Training samples of each class. @param {Settings} settings */
export const countsIn = ({ profile, counts, classes, imbalance }) =>
  profile === "own" ? counts : countsOf(profile, classes, imbalance);

/** @param {string} search of an address @returns {Settings} */
export function readSettings(search) {
  const asked = new URLSearchParams(search);
  /** @type {any} */
  const found = {};
  for (const [name, usual] of Object.entries(DEFAULTS)) {
    const text = asked.get(name);
    if (text === null || text === "") continue;
    if (Array.isArray(usual)) found[name] = text.split(",").map((word) => (name === "counts" ? Number(word) : word));
    else if (typeof usual === "boolean") found[name] = text === "1";
    else found[name] = typeof usual === "number" ? Number(text) : text;
  }
  return settle(found);
}

/** An address with these settings; what is as usual is left out. @param {string} href @param {Settings} settings */
export function writeSettings(href, settings) {
  const url = new URL(href);
  for (const [name, usual] of Object.entries(DEFAULTS)) {
    const value = settings[/** @type {keyof Settings} */ (name)];
    const text = Array.isArray(value)
      ? value.join(",")
      : typeof value === "boolean"
        ? String(Number(value))
        : String(value);
    if (String(value) === String(usual)) url.searchParams.delete(name);
    else url.searchParams.set(name, typeof value === "number" ? String(Number(value.toPrecision(4))) : text);
  }
  url.search = url.search.replace(/%2C/gi, ",");
  return url.href;
}

/** Whether going from one to the other begins anew: other points, or another race. @param {Settings} a @param {Settings} b */
export const startsAnew = (a, b) =>
  ["losses", "classes", "dim", "points", "free", "seed"].some(
    (name) => String(a[/** @type {keyof Settings} */ (name)]) !== String(b[/** @type {keyof Settings} */ (name)]),
  );
