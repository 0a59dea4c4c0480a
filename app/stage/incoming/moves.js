/** What moved in a run from step to step: whose prediction flipped, and who crossed the border of two classes. Pure. */
import { readArray } from "./frames.js";

/** @typedef {"prediction"|"border"} MoveKind */
/** @typedef {{rows: Int32Array, before: Uint16Array, after: Uint16Array}} Moved  samples, and classes by rank */
/** @typedef {{step: number, of: Partial<Record<MoveKind, Moved>>}} MovesAt  since the step before */
/**
 * @typedef {object} Moves
 * @property {MovesAt[]} at         by step
 * @property {number} joined        how many of the first ones tell what happened at several frames at once
 * @property {number|null} looked   samples looked at; null: all
 */

/** @type {MoveKind[]} */
export const MOVE_KINDS = ["border", "prediction"];

/**
 * All that is known after a message. @param {ArrayBuffer} buffer
 * @param {import("../common/messages.js").MovesHeader} header @param {number} offset where the payload starts
 * @param {Moves|null} known before it @returns {Moves}
 */
export function readMoves(buffer, { run, anew, steps, joined, looked, arrays }, offset, known) {
  /** @param {string} name @returns {any} a copy, which keeps no message alive */
  const read = (name) => {
    const [at, items, type] = arrays[name] ?? [0, 0, "none"];
    return readArray(buffer, offset + at, items, type).slice();
  };
  /** @type {MovesAt[]} */
  const found = steps.map((step) => ({ step, of: {} }));
  for (const kind of MOVE_KINDS) {
    if (!(`${kind}.counts` in arrays)) continue;
    const counts = /** @type {Int32Array} */ (read(`${kind}.counts`)),
      all = { rows: read(`${kind}.rows`), before: read(`${kind}.before`), after: read(`${kind}.after`) };
    const total = counts.reduce((sum, count) => sum + count, 0);
    if (counts.length !== steps.length || Object.values(all).some((values) => values.length !== total))
      throw new Error(`What moved in ${run} (${kind}) has arrays that do not fit its ${steps.length} steps.`);
    let from = 0;
    counts.forEach((count, i) => {
      const to = from + count;
      found[i].of[kind] = {
        rows: all.rows.subarray(from, to),
        before: all.before.subarray(from, to),
        after: all.after.subarray(from, to),
      };
      from = to;
    });
  }
  return { at: anew || !known ? found : [...known.at, ...found], joined, looked };
}
