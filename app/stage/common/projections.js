/** Names of projections, and the classes that some of them take. Pure. */

/** @typedef {import("./types.js").ProjectionChoice} ProjectionChoice */

/** @param {string|null} name such as "simplex:0-3-8-9" @returns {{base: string, classes: number[]}} */
export function parseProjection(name) {
  const [base, list = ""] = (name ?? "").split(":");
  return { base, classes: /^\d+(-\d+)*$/.test(list) ? list.split("-").map(Number) : [] };
}

/**
 * @param {ProjectionChoice} choice @param {number[]} classes by rank; as many as it takes, or the server's own are taken
 * @returns {string}
 */
export const formatProjection = (choice, classes) =>
  choice.classes && classes.length === choice.classes
    ? `${choice.name}:${[...classes].sort((a, b) => a - b).join("-")}`
    : choice.name;

/** What a person calls a projection. @param {string} name @param {ProjectionChoice[]} choices */
export function titleOf(name, choices) {
  const { base } = parseProjection(name);
  return choices.find((choice) => choice.name === base)?.title ?? base;
}
