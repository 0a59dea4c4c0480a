/** Names of projections, and the four classes that one of them takes. Pure. */

/** @typedef {import("./types.js").ProjectionChoice} ProjectionChoice */

/** The projection spanned by chosen classes, and how many it takes. */
export const CHOSEN = "simplex",
  CORNERS = 4;

/** @param {string|null} name such as "simplex:0-3-8-9" @returns {{base: string, classes: number[]}} */
export function parseProjection(name) {
  const [base, list = ""] = (name ?? "").split(":");
  return { base, classes: /^\d+(-\d+)*$/.test(list) ? list.split("-").map(Number) : [] };
}

/**
 * @param {string} base @param {number[]} classes by rank; as many as are needed, or the server's own are taken
 * @returns {string}
 */
export const formatProjection = (base, classes) =>
  base === CHOSEN && classes.length === CORNERS ? `${base}:${[...classes].sort((a, b) => a - b).join("-")}` : base;

/** What a person calls a projection. @param {string} name @param {ProjectionChoice[]} choices */
export function titleOf(name, choices) {
  const { base } = parseProjection(name);
  return choices.find((choice) => choice.name === base)?.title ?? base;
}
