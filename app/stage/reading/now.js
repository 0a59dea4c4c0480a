/**
 * What the stage does at this moment, as a sentence: nothing on the page may say that it plays while it stands. Pure.
 */
import { LIVE_STATES } from "../incoming/runs.js";
import { fill, words } from "../words.js";

/** @typedef {Pick<import("../incoming/runs.js").Run, "state" | "reason">} Standing */

/**
 * @param {{mode: "follow"|"play"|"hold", held: number|null, shown: number, steps: number[]}} time the timeline: what is
 * asked of it, the newest
 *   step on screen, all steps there are
 * @param {Standing[]} runs the live panels
 * @returns {string} "" where there is nothing to say
 */
export function describeNow({ mode, held, shown, steps }, runs) {
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
  // What is done instead of steps: training a teacher first, or judging at the end.
  const others = live.filter(({ state, reason }) => state !== "queued" && state !== "starting" && !reason),
    doing = others.length ? null : live.find(({ state, reason }) => state !== "queued" && reason)?.reason;
  const said = all("paused")
    ? fill(words.nowPaused, { last })
    : all("queued")
      ? words.nowWaiting
      : all("stopping")
        ? words.nowStopping
        : doing
          ? fill(words.nowMeanwhile, { last, doing })
          : all("queued", "starting")
            ? fill(words.nowBegins, { last })
            : words.nowLive;
  return live.length < runs.length ? `${said} ${words.nowOthers}` : said;
}
