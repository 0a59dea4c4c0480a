/** Everything that a person can set in the lab, in one plain object that an address holds. Pure. */
import { bounded, parseValue, writeValue } from "./bounds.js";
import { countsOf, HEAD } from "./counts.js";
import { OPTIONS } from "./losses/list.js";
import { panelsOf, settlePanels } from "./panels.js";

/** @typedef {import("./counts.js").Profile} Profile */
/**
 * @typedef {object} OwnSettings
 * @property {string[]} losses     a panel each, as `panels.js` has it: a key of LOSSES, and what is set for it alone
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
 * @property {boolean} together    a hand moves a class in all panels
 */
/** @typedef {OwnSettings & import("./problem.js").Options} Settings */

export const MOST_LOSSES = 9;
/** Products of points with points that one simulation may hold. */
const MOST_POINTS = 1000;

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
  together: false,
  ...OPTIONS,
  average: "class",
});

/** Settings that can be run, whatever was asked for. @param {Partial<Settings>} asked @returns {Settings} */
export function settle(asked) {
  const found = /** @type {any} */ ({ ...DEFAULTS, ...asked });
  for (const name of /** @type {(keyof Settings)[]} */ (Object.keys(DEFAULTS)))
    found[name] = bounded(name, found[name], DEFAULTS[name]);
  const losses = settlePanels(found.losses).slice(0, MOST_LOSSES);
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
    else found[name] = parseValue(text, usual);
  }
  return settle(found);
}

/** An address with these settings; what is as usual is left out. @param {string} href @param {Settings} settings */
export function writeSettings(href, settings) {
  const url = new URL(href);
  for (const [name, usual] of Object.entries(DEFAULTS)) {
    const value = settings[/** @type {keyof Settings} */ (name)];
    if (String(value) === String(usual)) url.searchParams.delete(name);
    else url.searchParams.set(name, Array.isArray(value) ? value.join(",") : writeValue(value));
  }
  // As a person would write it.
  url.search = url.search.replace(/%(2C|3A|3B|40)/gi, decodeURIComponent);
  return url.href;
}

/** Whether going from one to the other begins anew: other points, or another race. @param {Settings} a @param {Settings} b */
export const startsAnew = (a, b) =>
  String(panelsOf(a).map(({ id }) => id)) !== String(panelsOf(b).map(({ id }) => id)) ||
  /** @type {const} */ (["classes", "dim", "points", "free", "seed"]).some((name) => a[name] !== b[name]);
