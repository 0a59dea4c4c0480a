/** Starts the stage in a replay file: everything it needs stands in the page. */
import { make } from "./common/dom.js";
import { ReplaySource } from "./incoming/replay.js";
import { publishFacts } from "./common/facts.js";
import { StageView } from "./view.js";

/**
 * @typedef
 * {{data: import("./common/types.js").StageData, runs: {run: string, state: Record<string, any>, card: string, frames: string[]}[]}}
 * Contents
 */

/** @param {string} text base64 of one gzipped message @returns {Promise<ArrayBuffer>} */
async function unpack(text) {
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

/** @param {Contents["runs"][number]} run @returns {Promise<[string, import("./incoming/replay.js").Track]>} */
async function unpackRun({ run, state, card, frames }) {
  return [run, { state, steps: state.steps, card: await unpack(card), frames: await Promise.all(frames.map(unpack)) }];
}

async function start() {
  const place = /** @type {HTMLElement} */ (document.getElementById("stage"));
  try {
    const { data, runs } = /** @type {Contents} */ (
      JSON.parse(/** @type {HTMLElement} */ (document.getElementById("contents")).textContent ?? "")
    );
    const tracks = new Map(await Promise.all(runs.map(unpackRun)));
    const asked = new URLSearchParams(location.search).get("step");
    const step = asked !== null && /^\d{1,12}$/.test(asked) ? Number(asked) : data.step;
    const view = new StageView({ ...data, step }, publishFacts(), (options) => new ReplaySource(tracks, options));
    place.replaceChildren();
    view.attach(place);
  } catch (error) {
    place.replaceChildren(
      make(
        "p",
        "",
        {},
        `This file cannot be shown: ${error instanceof Error ? error.message : error} Save it again, or open it in a browser from 2023 or later.`,
      ),
    );
  }
}

start();
