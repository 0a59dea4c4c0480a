/** What has been found of each question, so that nothing is computed twice: kept as long as the tab is there. */
import { nameOf } from "./plane.js";

/** @typedef {import("./plane.js").Plane} Plane */
/** @typedef {import("./ends.js").Cell} Cell */

const KEY = "ltviz.phase",
  /** Questions that are kept. */
  MOST = 12;

export class Found {
  constructor() {
    /** @type {Map<string, Cell>} by row and ratio */
    this.cells = new Map();
    /** @type {Map<number, number|null>} what theory says of a row: infinity: never; null: nothing */
    this.borders = new Map();
    /** @type {Map<number, number>} where the runs of a row close */
    this.closings = new Map();
  }

  /** @param {number} row @param {number} ratio */
  cell(row, ratio) {
    return this.cells.get(`${row} ${ratio}`);
  }

  /** @param {number} row @param {number} ratio @param {Cell} cell */
  put(row, ratio, cell) {
    this.cells.set(`${row} ${ratio}`, cell);
  }
}

/** @type {Map<string, Found>} the newest last */
let all = new Map();
let recalled = false;

/** @param {Plane} plane @returns {Found} */
export function foundOf(plane) {
  if (!recalled) recall();
  const name = nameOf(plane),
    found = all.get(name) ?? new Found();
  all.delete(name);
  all.set(name, found);
  for (const old of all.keys()) if (all.size > MOST) all.delete(old);
  return found;
}

function recall() {
  recalled = true;
  try {
    all = readFound(sessionStorage.getItem(KEY) ?? "[]");
  } catch {
    // A browser that forbids storage, or a damaged entry: it is computed again, and nothing else is lost.
  }
}

/** For a reload of the tab. */
export function keepFound() {
  try {
    sessionStorage.setItem(KEY, writeFound(all));
  } catch {
    // As above, or there is no room.
  }
}

/** @param {Map<string, Found>} found @returns {string} JSON, which has no infinity */
export const writeFound = (found) =>
  JSON.stringify(
    [...found].map(([name, { cells, borders, closings }]) => [
      name,
      [...cells].map(([place, { angle, decay }]) => [place, angle, decay]),
      [...borders].map(([row, at]) => [row, at === Infinity ? "never" : at]),
      [...closings],
    ]),
  );

/** @param {string} text @returns {Map<string, Found>} */
export function readFound(text) {
  return new Map(
    JSON.parse(text).map((/** @type {any[]} */ [name, cells, borders, closings]) => {
      const found = new Found();
      for (const [place, angle, decay] of cells)
        if (Number.isFinite(angle)) found.cells.set(String(place), { angle, decay });
      for (const [row, at] of borders) found.borders.set(Number(row), at === "never" ? Infinity : at);
      for (const [row, at] of closings) found.closings.set(Number(row), at);
      return [String(name), found];
    }),
  );
}
