/**
 * What the stage does at this moment, as a sentence: nothing on the page may say that it plays while it stands. Pure.
 */
import { fill } from "../words.js";

/** @typedef {Pick<import("../incoming/runs.js").Run, "state">} Standing */

/** States of a run from which more frames are to come. */
export const LIVE_STATES = ["queued", "starting", "running", "paused", "stopping"];

/**
 * @param {{mode: "follow"|"play"|"hold", held: number|null, shown: number, steps: number[]}} time the timeline: what is
 * asked of it, the newest
 *   step on screen, all steps there are
 * @param {Standing[]} runs the live panels @param {import("../words.js").Words} words
 * @returns {string} "" where there is nothing to say
 */
export function describeNow({ mode, held, shown, steps }, runs, words) {
  const live = runs.filter(({ state }) => LIVE_STATES.includes(state)),
    all = (/** @type {string[]} */ ...states) => live.every(({ state }) => states.includes(state));
  if (!runs.length) return "";
  if (!steps.length) return !live.length ? words.nowNothing : all("queued") ? words.nowWaiting : words.nowStarting;
  const step = held ?? shown,
    last = steps[steps.length - 1];
  if (mode === "hold") {
    if (step >= last) return fill(live.length ? words.nowNewest : words.nowEnd, { step });
    return fill(live.length && !all("paused") ? words.nowHeldLive : words.nowHeld, { step, last });
  }
  if (!live.length) return steps.length > 1 ? words.nowLoop : words.nowSingle;
  if (mode === "play") return words.nowPlay;
  const said = all("paused")
    ? fill(words.nowPaused, { last })
    : all("queued")
      ? words.nowWaiting
      : all("queued", "starting")
        ? words.nowStarting
        : all("stopping")
          ? words.nowStopping
          : words.nowLive;
  return live.length < runs.length ? `${said} ${words.nowOthers}` : said;
}
