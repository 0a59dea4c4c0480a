/** What the timeline marks: where a setting changed, an alarm rang, a matching swapped, a moment was kept. Pure. */

/** @typedef {"alarm"|"setting"|"swap"|"kept"|"note"} MarkKind */
/** @typedef {{step: number, kind: MarkKind, lines: string[]}} Mark  lines: what its hover text says */

/** Told apart by shape, not by colour alone. @type {Record<MarkKind, {name: string, path: string, filled: boolean}>} */
export const MARK_SIGNS = {
  alarm: { name: "alarm", path: "M8 2.5 14.2 13.5H1.8z", filled: true },
  setting: { name: "setting changed", path: "m8 2 6 6-6 6-6-6z", filled: true },
  swap: { name: "matching swapped", path: "M2.5 5.5h10M9.5 2.5l3 3-3 3M13.5 10.5h-10M6.5 7.5l-3 3 3 3", filled: false },
  kept: { name: "kept moment", path: "M4 2h8v12l-4-3-4 3z", filled: true },
  note: { name: "other event", path: "M8 2.5v11", filled: false },
};
const MOST_LINES = 10;

/** @param {string} kind as the server names it @returns {MarkKind} */
export const markKind = (kind) =>
  kind === "matching" ? "swap" : Object.hasOwn(MARK_SIGNS, kind) ? /** @type {MarkKind} */ (kind) : "note";

/**
 * One mark for each step and kind, however many runs it concerns.
 * @param {{title: string, marks: [number, string, string][]}[]} runs
 * @param {import("../incoming/moments.js").Wish[]} kept moments
 * @returns {Mark[]} by step
 */
export function groupMarks(runs, kept) {
  /** @type {Map<string, Mark>} */
  const found = new Map();
  const add = (/** @type {number} */ step, /** @type {MarkKind} */ kind, /** @type {string} */ line) => {
    const mark = found.get(`${step} ${kind}`) ?? { step, kind, lines: [`Step ${step}: ${MARK_SIGNS[kind].name}`] };
    if (mark.lines.length < MOST_LINES && line) mark.lines.push(line);
    found.set(`${step} ${kind}`, mark);
  };
  for (const { title, marks } of runs)
    for (const [step, kind, text] of marks) add(step, markKind(kind), `${title}: ${text}`);
  for (const { step } of kept) add(step, "kept", "");
  return [...found.values()].sort((a, b) => a.step - b.step);
}
