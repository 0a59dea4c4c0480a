/**
 * What a person has chosen of the stage, and the page has given it, in one immutable object with a version a group: who
 * draws or writes something of it compares versions, and nobody has to be told what has become stale. Pure.
 */

/** @typedef {import("../common/types.js").Pose} Pose */
/** @typedef {"ramp"|"categorical"|"groups"|"split"|"correct"|"confidence"|"loss"} OwnMode  the stage's own */
/** @typedef {OwnMode|`attribute:${string}`} ColourMode */
/** @typedef {"colour"|"layers"|"focus"|"ring"|"forces"|"panels"|"projection"|"cameras"|"poses"} Group */

/** The first is the usual one. @type {OwnMode[]} */
export const COLOUR_MODES = ["ramp", "categorical", "groups", "split", "correct", "confidence", "loss"];

/**
 * @typedef {object} Chosen
 * @property {ColourMode} colourMode
 * @property {string[]} ramp             #rrggbb, from head to tail
 * @property {string[]} categorical      #rrggbb
 * @property {import("../common/theme.js").Theme|null} theme  null: not on a page yet
 * @property {Readonly<Record<string, boolean>>} layers by key, or by the word of an old link; what is as usual is
 * absent
 * @property {ReadonlySet<number>|null} chosen    ranks of the classes in focus; null: all
 * @property {ReadonlySet<number>|null} selected  ids of samples; null: none is selected
 * @property {number|null} marked        id of the sample ringed in every panel
 * @property {boolean} pinned            it is pinned, and its neighbours are shown
 * @property {import("./forces.js").ForceChoice} forces
 * @property {number} trail              frames that trails reach back
 * @property {string|null} solo          the panel shown alone
 * @property {string|null} projection    the one asked for; null: the server's default
 * @property {boolean} free              each panel has a camera of its own
 * @property {boolean} spinning
 * @property {string|null} touched       the panel last touched: where cameras are free, keys and menus mean this one
 * @property {Partial<Pose>} pose        where the camera of all panels stands, or is going
 * @property {Readonly<Record<string, Pose>>} poses  the same of each panel, where cameras are free
 */

/** @type {Record<keyof Chosen, Group>} */
const GROUPS = {
  colourMode: "colour",
  ramp: "colour",
  categorical: "colour",
  theme: "colour",
  layers: "layers",
  chosen: "focus",
  selected: "focus",
  marked: "ring",
  pinned: "ring",
  forces: "forces",
  trail: "forces",
  solo: "panels",
  projection: "projection",
  free: "cameras",
  spinning: "cameras",
  touched: "cameras",
  pose: "poses",
  poses: "poses",
};

/** Sensible at the start: what is learned is seen, and the explanations are one click away. @type {Chosen} */
export const START = {
  colourMode: COLOUR_MODES[0],
  ramp: [],
  categorical: [],
  theme: null,
  layers: {},
  chosen: null,
  selected: null,
  marked: null,
  pinned: false,
  forces: { parts: new Set(), under: null, alike: false },
  trail: 24,
  solo: null,
  projection: null,
  free: false,
  spinning: false,
  touched: null,
  pose: {},
  poses: {},
};

/**
 * Whether two values say the same: plain objects, arrays and sets by what they hold. @param {any} a @param {any} b
 * @returns {boolean}
 */
export function alike(a, b) {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (a instanceof Set) return b instanceof Set && a.size === b.size && [...a].every((v) => b.has(v));
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && alike(a[key], b[key]));
}

export class Choices {
  /** @param {Partial<Chosen>} [given] what differs from the start */
  constructor(given = {}) {
    /** @type {Readonly<Chosen>} */
    this.now = Object.freeze({ ...START, ...given });
    /** @type {Record<Group, number>} */
    this.versions = {
      colour: 0,
      layers: 0,
      focus: 0,
      ring: 0,
      forces: 0,
      panels: 0,
      projection: 0,
      cameras: 0,
      poses: 0,
    };
    /** @type {((changed: Set<Group>) => void)[]} */
    this.watchers = [];
  }

  /**
   * Takes what differs from now; the watchers are told of the groups in which something does.
   * @param {Partial<Chosen>} patch @returns {boolean} whether anything did
   */
  set(patch) {
    const names = /** @type {(keyof Chosen)[]} */ (Object.keys(patch)).filter((k) => !alike(this.now[k], patch[k]));
    if (!names.length) return false;
    const changed = new Set(names.map((name) => GROUPS[name]));
    this.now = Object.freeze({ ...this.now, ...Object.fromEntries(names.map((name) => [name, patch[name]])) });
    for (const group of changed) this.versions[group]++;
    for (const told of this.watchers) told(changed);
    return true;
  }

  /** A number that grows with every change in any of these groups; without groups, in all. @param {...Group} groups */
  version(...groups) {
    const asked = groups.length ? groups : /** @type {Group[]} */ (Object.keys(this.versions));
    return asked.reduce((sum, group) => sum + this.versions[group], 0);
  }

  /** @param {(changed: Set<Group>) => void} told */
  watch(told) {
    this.watchers.push(told);
  }
}
