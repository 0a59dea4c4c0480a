/** The stages on this page, for whoever speaks for the page as a whole. */

/** @typedef {{stage: import("../assembly.js").Stage, lab: import("../lab/lab.js").Lab|null}} Present */

/** @type {Present[]} the newest last */
const entered = [];

/** A stage is mounted. @param {import("../assembly.js").Stage} stage @param {import("../lab/lab.js").Lab} [lab] */
export function enter(stage, lab) {
  const at = entered.findIndex((one) => one.stage === stage);
  if (at >= 0) entered.splice(at, 1);
  entered.push({ stage, lab: lab ?? null });
}

/** A stage is gone for good. @param {import("../assembly.js").Stage} stage */
export function leave(stage) {
  const at = entered.findIndex((one) => one.stage === stage);
  if (at >= 0) entered.splice(at, 1);
}

/** The one that is on the page now; pages have one. @returns {Present|null} */
export const present = () => entered.findLast(({ stage }) => stage.attached && stage.root.isConnected) ?? null;
