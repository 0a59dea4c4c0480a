/** What the timeline marks: where a setting changed, an alarm rang, a matching swapped, a moment was kept. Pure. */
import { fill, words } from "../words.js";

/** @typedef {"alarm"|"setting"|"swap"|"kept"|"note"} EventKind */
/** @typedef {{step: number, kind: EventKind, lines: string[]}} Happening  lines: what its hover text says */

/** Told apart by shape, not by colour alone. @type {Record<EventKind, {path: string, filled: boolean}>} */
export const EVENT_SIGNS = {
  alarm: { path: "M8 2.5 14.2 13.5H1.8z", filled: true },
  setting: { path: "m8 2 6 6-6 6-6-6z", filled: true },
  swap: { path: "M2.5 5.5h10M9.5 2.5l3 3-3 3M13.5 10.5h-10M6.5 7.5l-3 3 3 3", filled: false },
  kept: { path: "M4 2h8v12l-4-3-4 3z", filled: true },
  note: { path: "M8 2.5v11", filled: false },
};
const MOST_LINES = 10;

/** @param {string} kind as the server names it @returns {EventKind} */
export const eventKind = (kind) =>
  kind === "matching" ? "swap" : Object.hasOwn(EVENT_SIGNS, kind) ? /** @type {EventKind} */ (kind) : "note";

/**
 * One happening for each step and kind, however many runs it concerns.
 * @param {{title: string, events: [number, string, string][]}[]} runs
 * @param {import("../incoming/moments.js").Wish[]} kept moments
 * @returns {Happening[]} by step
 */
export function groupEvents(runs, kept) {
  /** @type {Map<string, Happening>} */
  const found = new Map();
  const add = (/** @type {number} */ step, /** @type {EventKind} */ kind, /** @type {string} */ line) => {
    const key = `${step} ${kind}`;
    const known = found.get(key) ?? { step, kind, lines: [fill(words.eventAt, { step, what: words.events[kind] })] };
    if (known.lines.length < MOST_LINES && line) known.lines.push(line);
    found.set(key, known);
  };
  for (const { title, events } of runs)
    for (const [step, kind, text] of events) add(step, eventKind(kind), fill(words.eventLine, { title, text }));
  for (const { step } of kept) add(step, "kept", "");
  return [...found.values()].sort((a, b) => a.step - b.step);
}
