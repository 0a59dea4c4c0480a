/** A cell as settings of the lab, which plays it on the stage. Pure. */
import { classesOf, dimOf, samplesOf, temperatureOf } from "./plane.js";

/** @typedef {import("./plane.js").Plane} Plane */
/** @typedef {import("../settings.js").Settings} Settings */

/** @param {Plane} plane @param {number} row @param {number} ratio @param {number|null} decay of the cell's run
 * @returns {Partial<Settings>} */
export function settingsOf(plane, row, ratio, decay) {
  const { loss, heads, tails, average } = plane,
    [head, tail] = samplesOf(ratio);
  return {
    losses: [loss],
    classes: classesOf(plane),
    dim: dimOf(plane, row),
    profile: "own",
    counts: [...Array.from({ length: heads }, () => head), ...Array.from({ length: tails }, () => tail)],
    imbalance: head / tail,
    average,
    batch: 0,
    points: 1,
    mover: "auto",
    ...(loss === "ce" ? { decayBy: "class" } : { temperature: temperatureOf(plane, row) }),
    ...(loss === "bcl" ? { classAveraging: true, complement: true, tied: true } : {}),
    ...(decay === null ? {} : { decay }),
  };
}
